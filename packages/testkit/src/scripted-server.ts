import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, systemClock } from './clock.js'
import { Exchange } from './script/exchange.js'
import { matcherOf, type RequestPattern } from './script/pattern.js'
import { recordOf, type ScriptedRequest } from './script/request.js'
import { RequestLog } from './script/request-log.js'
import { ScriptedSocket } from './script/scripted-socket.js'

/** The script for a request. */
export type ExchangeScript = (exchange: Exchange) => unknown
/** The script for an upgrade request (a websocket). */
export type SocketScript = (socket: ScriptedSocket) => unknown

/**
 * Options of {@link createScriptedServer}.
 *
 * @example
 * ```ts
 * import { createManualClock, createScriptedServer } from '@pushstream/testkit'
 *
 * const server = createScriptedServer({ host: '::1', clock: createManualClock() })
 * ```
 */
export interface ScriptedServerOptions {
  /** The address to listen on. Default `'127.0.0.1'`: nothing outside this machine can reach it. */
  host?: string
  /** The source of time for `dribble` and for `request.at`. Default: the machine's. */
  clock?: Clock
}

/** Where a scripted server listens. */
export interface ServerAddress {
  port: number
  /** `http://host:port`, without a slash at the end. */
  url: string
  /** `ws://host:port`, without a slash at the end. */
  wsUrl: string
}

interface Rule<Script> {
  matches: (request: ScriptedRequest) => boolean
  script: Script
  once: boolean
}

/** The scripts for one kind of request. */
class Rules<Script> {
  #rules: Rule<Script>[] = []

  add(pattern: RequestPattern, script: Script, once: boolean): () => void {
    const rule = { matches: matcherOf(pattern), script, once }
    this.#rules.push(rule)
    return () => this.#remove(rule)
  }

  /** Scripts of `once` come first, in order; then the newest of `on`. */
  take(request: ScriptedRequest): Script | undefined {
    const matching = this.#rules.filter(({ matches }) => matches(request))
    const rule = matching.find(({ once }) => once) ?? matching.at(-1)
    if (rule?.once) this.#remove(rule)
    return rule?.script
  }

  #remove(rule: Rule<Script>): void {
    this.#rules = this.#rules.filter((each) => each !== rule)
  }
}

/**
 * An HTTP and websocket server that follows a script, even where no real server would do so.
 *
 * @example
 * ```ts
 * import { ScriptedServer } from '@pushstream/testkit'
 *
 * const server = new ScriptedServer()
 * await server.listen()
 * const { query } = await server.nextRequest('GET /lp/*')
 * console.log(query.get('tag'))
 * ```
 */
export class ScriptedServer {
  #host: string
  #clock: Clock
  #server: Server
  #websockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false })
  #sockets = new Set<Socket>()
  #exchanges = new Rules<ExchangeScript>()
  #upgrades = new Rules<SocketScript>()
  #log = new RequestLog()
  #errors: unknown[] = []
  #port = 0

  constructor(options: ScriptedServerOptions = {}) {
    this.#host = options.host ?? '127.0.0.1'
    this.#clock = options.clock ?? systemClock
    // A script decides how long a connection lives, so Node's own timeouts are off.
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
    this.#server.on('request', (message, response) => this.#request(message, response))
    this.#server.on('upgrade', (message, socket, head) => this.#upgrade(message, socket as Socket, head))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** Every request so far, oldest first, including those without a script. */
  get requests(): readonly ScriptedRequest[] {
    return this.#log.all
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Listens on `port`. Default 0: any free one. */
  async listen(port = 0): Promise<ServerAddress> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, this.#host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#port = (this.#server.address() as AddressInfo).port
    return { port: this.#port, url: this.url, wsUrl: this.wsUrl }
  }

  /** `http://host:port`, without a slash at the end. */
  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  /** `ws://host:port`, without a slash at the end. */
  get wsUrl(): string {
    return this.url.replace('http', 'ws')
  }

  /**
   * Runs `script` for every matching request, until the returned function is called. If several match, the newest wins.
   * Upgrade requests go only to {@link ScriptedServer.onUpgrade | onUpgrade}.
   */
  on(pattern: RequestPattern, script: ExchangeScript): () => void {
    return this.#exchanges.add(pattern, script, false)
  }

  /** Runs `script` for one matching request. Several are used in order, before any `on`. */
  once(pattern: RequestPattern, script: ExchangeScript): () => void {
    return this.#exchanges.add(pattern, script, true)
  }

  /** Runs `script` for every matching upgrade request, until the returned function is called. The newest wins. */
  onUpgrade(pattern: RequestPattern, script: SocketScript): () => void {
    return this.#upgrades.add(pattern, script, false)
  }

  /** Runs `script` for one matching upgrade request. Several are used in order, before any `onUpgrade`. */
  onceUpgrade(pattern: RequestPattern, script: SocketScript): () => void {
    return this.#upgrades.add(pattern, script, true)
  }

  /**
   * Resolves with the oldest matching request that it has not returned yet, even if it arrived before the call. Rejects
   * after `timeout` ms (default 2000, of the machine's time) with a list of all requests.
   */
  nextRequest(pattern: RequestPattern = '*', options: { timeout?: number } = {}): Promise<ScriptedRequest> {
    return this.#log.next(pattern, options.timeout ?? 2000)
  }

  /**
   * Stops listening and ends every connection. May be called again. If a script has thrown an error, it then rejects
   * with the first one: a broken script must not look like a fault of the client.
   */
  async close(): Promise<void> {
    this.#log.close()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
    if (this.#errors.length > 0) throw this.#errors.splice(0)[0]
  }

  #request(message: IncomingMessage, response: ServerResponse): void {
    const request = recordOf(message, false, this.#clock.now())
    const script = this.#exchanges.take(request)
    request.matched = script !== undefined
    const exchange = new Exchange(request, response, this.#clock)
    if (script === undefined) exchange.respond(404, { 'content-type': 'text/plain' }, `no script for ${request.url}`)
    else this.#run(() => script(exchange), exchange)
    this.#log.add(request)
  }

  #upgrade(message: IncomingMessage, wire: Socket, head: Buffer): void {
    const request = recordOf(message, true, this.#clock.now())
    const script = this.#upgrades.take(request)
    request.matched = script !== undefined
    const socket = new ScriptedSocket(request, wire, () => {
      let accepted: WebSocket | undefined
      // This calls back at once. If the handshake is malformed, it answers 400 and does not call back.
      if (!wire.destroyed) this.#websockets.handleUpgrade(message, wire, head, (websocket) => (accepted = websocket))
      return accepted
    })
    if (script === undefined) socket.reject(404)
    else this.#run(() => script(socket), socket)
    this.#log.add(request)
  }

  async #run(script: () => unknown, connection: { cut(): void }): Promise<void> {
    try {
      await script()
    } catch (error) {
      this.#errors.push(error)
      connection.cut()
    }
  }
}

/**
 * Creates a server for faults that no real server shows on demand. It listens on loopback, unless you set `host`. A
 * request without a script is answered with 404, and recorded.
 *
 * @example
 * ```ts
 * import { createScriptedServer } from '@pushstream/testkit'
 *
 * const server = createScriptedServer()
 * const { url } = await server.listen()
 * server.on('GET /lp/*', (exchange) => exchange.respond(503, { 'retry-after': '2' }, ''))
 * await server.close()
 * ```
 */
export function createScriptedServer(options: ScriptedServerOptions = {}): ScriptedServer {
  return new ScriptedServer(options)
}
