import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from './clock.js'
import { listenOnFreePort } from './free-port.js'
import { type ClosedBy, type Faults, Link } from './proxy/link.js'
import { type ProxyTarget, parseTarget, type Target } from './proxy/target.js'
import type { UpgradePolicy } from './proxy/upgrade.js'

/** Options of {@link createFaultProxy}. */
export interface FaultProxyOptions {
  /** The server behind the proxy. */
  target: ProxyTarget
  /** The address to listen on. Default `'127.0.0.1'`: nothing outside this machine can reach it. */
  host?: string
  /** The source of time for `delay`, `throttle` and `cutEvery`. Default: the machine's. */
  clock?: Clock
}

/** Where a proxy listens. */
export interface ProxyAddress {
  port: number
  /** `http://host:port`, without a slash at the end. */
  url: string
}

/** One HTTP request that came through, in the order of arrival. */
export interface ProxiedRequest {
  method: string
  /** Path and query as on the wire. */
  path: string
  /** Names in lower case; of a repeated header the last value. */
  headers: Record<string, string>
  /** Whether it asked for an upgrade (a websocket). */
  upgrade: boolean
  /** The connection that it came on. */
  connection: number
  /** When, in ms of the proxy's clock. */
  at: number
}

/** What went through since the proxy was made. */
export interface ProxyStats {
  /** Connections accepted, including those reset at once. */
  accepted: number
  /** HTTP requests seen. */
  requests: number
  /** Bytes received from clients, whatever became of them. */
  bytesFromClients: number
  /** Bytes received from the server, whatever became of them. */
  bytesFromServer: number
  /** Bytes that `blackhole` lost, both directions together. */
  bytesSwallowed: number
}

/** The events of a proxy, for tests that wait: `await once(proxy, 'request')`. */
export interface FaultProxyEvents {
  /** A client was accepted. */
  connection: [connection: { id: number }]
  /** The head of an HTTP request was read; it is forwarded right after. */
  request: [request: ProxiedRequest]
  /** Bytes were lost to `blackhole`. */
  swallowed: [loss: { id: number; from: 'client' | 'server'; bytes: number }]
  /** A client connection is over, and who ended it. */
  closed: [connection: { id: number; by: ClosedBy }]
}

/**
 * A TCP proxy that breaks the network when a test asks it to. Every fault can be switched at any time; those that are
 * settings (`delay`, `throttle`, `holdUntil`, `blackhole`) apply to open connections as well as to new ones.
 */
export class FaultProxy extends EventEmitter<FaultProxyEvents> {
  /** Every HTTP request seen, oldest first: count polls and retries here. Yours to empty (`requests.length = 0`). */
  readonly requests: ProxiedRequest[] = []
  /** Running totals. */
  readonly stats: ProxyStats = { accepted: 0, requests: 0, bytesFromClients: 0, bytesFromServer: 0, bytesSwallowed: 0 }
  #host: string
  #clock: Clock
  #target: Target
  #faults: Faults
  #server: Server | undefined
  #port = 0
  #links = new Set<Link>()
  #schedules = new Set<() => void>()
  #idle: (() => void)[] = []
  #nextId = 1
  #resetting = false
  #closed = false

  constructor(options: FaultProxyOptions) {
    super()
    this.#host = options.host ?? '127.0.0.1'
    this.#clock = options.clock ?? systemClock
    this.#target = parseTarget(options.target)
    this.#faults = {
      delay: 0,
      rate: Number.POSITIVE_INFINITY,
      hold: { bytes: 0, head: 'hold' },
      upgrades: 'pass',
      fate: 'flow',
    }
  }

  /** Listen on `port`; default 0: one that is free, and stays so while {@link FaultProxy.refuse | refusing}. */
  async listen(port = 0): Promise<ProxyAddress> {
    if (this.#closed) throw new Error('this proxy was closed; make a new one')
    if (this.#server !== undefined) throw new Error(`this proxy listens already on port ${this.#port}`)
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
    this.#server = server
    try {
      if (port === 0) this.#port = await listenOnFreePort(server, this.#host)
      else {
        server.listen(port, this.#host)
        await once(server, 'listening')
        this.#port = port
      }
    } catch (error) {
      this.#server = undefined
      throw error
    }
    return { port: this.#port, url: this.url }
  }

  /** The port listened on, the same while refusing; 0 before `listen`. */
  get port(): number {
    return this.#port
  }

  /** `http://host:port` of this proxy, without a slash at the end. */
  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  /** Client connections open now. */
  get connections(): number {
    return this.#open().length
  }

  /**
   * End all connections now; what was under way is lost. `'rst'` (default) as a crashed peer or an impatient router does,
   * `'fin'` as an orderly shutdown does. Returns how many client connections it ended. Later connections are not concerned.
   */
  cut(options: { how?: 'rst' | 'fin' } = {}): number {
    const count = this.connections
    for (const link of this.#links) link.end(options.how ?? 'rst')
    return count
  }

  /** {@link FaultProxy.cut | cut} every `ms` milliseconds, the first time after `ms`. Returns what stops it. */
  cutEvery(ms: number, options: { how?: 'rst' | 'fin' } = {}): () => void {
    if (!(ms > 0)) throw new RangeError(`cutEvery: ${ms} is not an interval in ms`)
    let timer = 0
    const tick = () => {
      this.cut(options)
      timer = this.#clock.setTimeout(tick, ms)
    }
    const stop = () => {
      this.#clock.clearTimeout(timer)
      this.#schedules.delete(stop)
    }
    timer = this.#clock.setTimeout(tick, ms)
    this.#schedules.add(stop)
    return stop
  }

  /**
   * Silence: connections stay open and are still accepted, but no byte and no ending gets across in either direction.
   *
   * By default what arrives meanwhile is lost, and a connection that was open meanwhile stays silent for good after
   * `blackhole(false)`; only newer ones work. A stream with a hole in it would be corruption, which no network shows:
   * this is the router that forgot a connection. `{ hold: true }` keeps everything and delivers it when switched off, as
   * TCP's retransmission does after a short outage; requests are recorded when they come, not when they are delivered.
   */
  blackhole(on: boolean, options: { hold?: boolean } = {}): void {
    this.#faults.fate = on ? (options.hold ? 'hold' : 'swallow') : 'flow'
    for (const link of [...this.#links]) link.setFate(this.#faults.fate)
  }

  /** Latency of `ms` in each direction, order kept; default 0. What is under way keeps the latency it started with. */
  delay(ms: number): void {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`delay: ${ms} is not a latency in ms`)
    this.#faults.delay = ms
    for (const link of this.#links) link.pokePace()
  }

  /**
   * At most so many bytes a second in each direction of each connection; default `Infinity`. For no bytes at all use
   * {@link FaultProxy.blackhole | blackhole}.
   */
  throttle(bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) throw new RangeError(`throttle: ${bytesPerSecond} is not a rate; see blackhole`)
    this.#faults.rate = bytesPerSecond
    for (const link of this.#links) link.pokePace()
  }

  /**
   * Be a buffering proxy: keep a response back until `bytes` bytes of its body are there, pass them on, and gather anew.
   * The end of a response passes on its rest, so short answers are complete at once and endless ones stutter. Websockets
   * are not concerned. Default 0: off. `{ head: 'pass' }` lets status and headers through at once, for a stream that
   * opens but never shows life; by default they wait as well.
   */
  holdUntil(bytes: number, options: { head?: 'hold' | 'pass' } = {}): void {
    if (!(bytes >= 0)) throw new RangeError(`holdUntil: ${bytes} is not a number of bytes`)
    this.#faults.hold.bytes = bytes
    this.#faults.hold.head = options.head ?? 'hold'
    for (const link of this.#links) link.pokeHold()
  }

  /** What happens to later upgrade requests (websockets); sockets already upgraded are not concerned. See {@link UpgradePolicy}. */
  upgrades(policy: UpgradePolicy): void {
    this.#faults.upgrades = policy
  }

  /** Accept new connections and reset them at once (default `true`), until `reset(false)`. Open ones are not concerned. */
  reset(on = true): void {
    this.#resetting = on
  }

  /**
   * Close the listening socket, so that connecting fails with ECONNREFUSED; `refuse(false)` listens again on the same port.
   * Open connections are not concerned: {@link FaultProxy.cut | cut} them for a server that is down.
   */
  async refuse(on: boolean): Promise<void> {
    if (on) {
      this.#server?.close()
      this.#server = undefined
    } else if (this.#server === undefined && this.#port !== 0 && !this.#closed) await this.listen(this.#port)
  }

  /** Forward later connections elsewhere (fail-over). Open ones stay with their server. */
  setTarget(target: ProxyTarget): void {
    this.#target = parseTarget(target)
  }

  /** Stop listening and end every connection. Resolves when no timer and no socket is left; a second call is harmless. */
  async close(): Promise<void> {
    this.#closed = true
    for (const stop of [...this.#schedules]) stop()
    this.#server?.close()
    this.#server = undefined
    this.cut()
    if (this.#links.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #open(): Link[] {
    return [...this.#links].filter((link) => link.open)
  }

  #accept(client: Socket): void {
    const id = this.#nextId++
    this.stats.accepted++
    if (this.#resetting || this.#closed) {
      client.on('error', () => {})
      client.resetAndDestroy()
      this.emit('connection', { id })
      this.emit('closed', { id, by: 'proxy' })
      return
    }
    const link: Link = new Link(client, this.#target, this.#clock, this.#faults, {
      received: (side, bytes) => {
        this.stats[side === 'client' ? 'bytesFromClients' : 'bytesFromServer'] += bytes
      },
      swallowed: (from, bytes) => {
        this.stats.bytesSwallowed += bytes
        this.emit('swallowed', { id, from, bytes })
      },
      request: ({ start: [method, path], headers }, upgrade) => {
        const request = { method, path, headers: lowered(headers), upgrade, connection: id, at: this.#clock.now() }
        this.stats.requests++
        this.requests.push(request)
        this.emit('request', request)
      },
      closed: (by) => this.emit('closed', { id, by }),
      gone: () => {
        this.#links.delete(link)
        if (this.#links.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
      },
    })
    this.#links.add(link)
    this.emit('connection', { id })
  }
}

/**
 * A TCP proxy, on loopback unless told otherwise, that breaks the network when a test asks it to.
 *
 * ```ts
 * const proxy = createFaultProxy({ target: 'http://127.0.0.1:8080' })
 * const { url } = await proxy.listen()
 * proxy.cut()
 * await proxy.close()
 * ```
 */
export function createFaultProxy(options: FaultProxyOptions): FaultProxy {
  return new FaultProxy(options)
}

function lowered(headers: [string, string][]): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))
}
