import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import { decodePath, toBytes } from './channel-names.js'
import { type Clock, seconds, seededRandom, systemClock } from './clock.js'
import { WorkerDelivery } from './delivery.js'
import { type HeaderBuffers, parseHeaderBuffers, refuseSize } from './header-buffers.js'
import { DEFAULT_LOCATIONS, type Location, resolveLocations } from './location.js'
import type { DevServerOptions } from './options.js'
import { Relay } from './relay.js'
import { REASONS, Reply } from './reply.js'
import { acceptWebSocket, answer, type RequestContext, route } from './requests.js'
import { DEFAULT_SETTINGS, type StoreSettings } from './settings.js'
import type { Summary } from './statistics.js'
import { type PublishOptions, Store } from './store.js'
import { checkHandshake } from './websocket.js'

/** The result of `publish`. */
export interface PublishedMessage {
  id: number
  /** Seconds since 1970. */
  time: number
  tag: number
}

/** The protocol of nginx-push-stream-module, in this process. Not for production. */
export interface DevServer {
  /** Listens on a port of its own; 0 takes a free one. Default: port 9080, host 127.0.0.1. */
  listen(port?: number, host?: string): Promise<{ port: number; host: string; url: string }>
  /** Ends every connection and leaves no timer and no socket. A closed server stays closed. */
  close(): Promise<void>
  /** For the `request` event of your own server. Returns false, and does nothing, if the path is not a location. */
  handler(request: IncomingMessage, response: ServerResponse): boolean
  /**
   * For the `upgrade` event of your own server. Returns false, and does nothing, if the path is not a websocket
   * location.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Publishes without a request. */
  publish(channel: string, text: string | Uint8Array, options?: PublishOptions & { store?: boolean }): PublishedMessage
  /** Deletes a channel. Its subscribers get a message with the id -2. Returns false if there is no such channel. */
  deleteChannel(channel: string, text?: string | Uint8Array): boolean
  /** Like SIGHUP: connections end cleanly. Messages and ids survive. */
  reload(): void
  /** Like a restart: connections end cleanly, all messages are lost, and ids begin at 1. */
  restart(): void
  /** Like SIGQUIT: no new connection is accepted. Open ones get one more ping, then nothing until their time is up. */
  quit(): void
  /** Like a killed worker: every socket ends without a closing frame or chunk. */
  kill(): void
  /** The numbers of `/channels-stats`. */
  stats(): Summary
  /** Channels and messages. */
  readonly store: Store
}

/**
 * Creates a server that listens nowhere yet. Throws on settings that nginx would refuse.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer()
 * const { url } = await server.listen(0)
 * server.publish('user-42', JSON.stringify({ type: 'answer', value: 42 }))
 * await server.close()
 * ```
 */
export function createDevServer(options: DevServerOptions = {}): DevServer {
  return new DevServerInstance(options)
}

class DevServerInstance implements DevServer {
  readonly store: Store
  readonly #locations: Location[]
  readonly #relay: Relay | undefined
  readonly #clock: Clock
  readonly #serverHeader: string
  readonly #hostname: string
  readonly #sockets = new Set<Duplex>()
  readonly #ownsStore: boolean
  readonly #context: RequestContext
  readonly #buffers: HeaderBuffers
  /** Servers that accept nothing any more but still have connections. */
  readonly #quitting = new Set<Server>()
  #http: Server | null = null

  constructor(options: DevServerOptions) {
    this.#clock = options.clock ?? systemClock
    this.#serverHeader = options.serverHeader ?? 'pushstream-devserver'
    this.#hostname = options.hostname ?? hostname()
    this.#ownsStore = options.store === undefined
    this.store = options.store ?? createStore(options, this.#clock)
    const locations = options.locations ?? DEFAULT_LOCATIONS
    this.#locations = resolveLocations(locations, options.base ?? '', options.settings ?? {})
    this.#relay = options.relay && new Relay(options.relay, this.#clock, this.#serverHeader)
    this.#context = { store: this.store, clock: this.#clock, summary: () => this.stats() }
    this.#buffers = parseHeaderBuffers(this.store.settings.largeClientHeaderBuffers)
    this.handler = this.handler.bind(this)
    this.upgrade = this.upgrade.bind(this)
  }

  async listen(port = 9080, host = '127.0.0.1'): Promise<{ port: number; host: string; url: string }> {
    if (this.#http !== null) throw new Error('the server is listening already')
    const { number, size } = this.#buffers
    // Node's own limit is above nginx's, whose answer a page gets.
    const server = createServer({ maxHeaderSize: number * size + 1024 }, (request, response) => {
      if (!this.handler(request, response)) this.#notFound(request, response)
    })
    // nginx's keepalive_timeout; Node's five seconds would end connections that nginx keeps.
    server.keepAliveTimeout = 75_000
    server.on('upgrade', (request, socket, head) => {
      if (!this.upgrade(request, socket, head)) this.#withoutUpgrade(request, socket)
    })
    this.#http = server
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          resolve()
        })
      })
    } catch (error) {
      this.#http = null
      throw error
    }
    const address = server.address() as AddressInfo
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
    return { port: address.port, host: address.address, url: `http://${name}:${address.port}` }
  }

  async close(): Promise<void> {
    for (const subscriber of [...this.store.subscribers]) {
      if (subscriber.context.owner === this.#context) subscriber.abort()
    }
    this.#relay?.close()
    for (const { passthrough } of this.#locations) passthrough?.close()
    const closed = [...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', resolve)))
    for (const socket of this.#sockets) socket.destroy()
    if (this.#ownsStore) this.store.close()
    const stopped = this.#stopListening()
    for (const server of this.#quitting) server.closeAllConnections()
    await Promise.all([stopped, ...closed])
  }

  handler(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#relay?.handler(request, response)) return true
    const routed = route(this.#locations, request.url ?? '')
    if (routed === null) return false
    const status = refuseSize(request, this.#buffers)
    if (status !== null) this.#page(status, request, response, true)
    else answer(this.#context, new Reply(request, response, this.#clock, this.#serverHeader), routed)
    return true
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const routed = route(this.#locations, request.url ?? '')
    if (routed === null || routed.location.mode !== 'websocket') return false
    this.#track(socket)
    const fits = refuseSize(request, this.#buffers) === null
    if (fits && checkHandshake(request) === null) void acceptWebSocket(this.#context, request, socket, head, routed)
    else this.#withoutUpgrade(request, socket)
    return true
  }

  publish(
    channel: string,
    text: string | Uint8Array,
    options: PublishOptions & { store?: boolean } = {},
  ): PublishedMessage {
    const { eventId, eventType, store = true } = options
    const strings = { eventId: eventId && toBytes(eventId), eventType: eventType && toBytes(eventType) }
    const message = this.store.publish(this.store.open(toBytes(channel)), Buffer.from(text as string), strings, store)
    return { id: message.id, time: message.time, tag: message.tag }
  }

  deleteChannel(channel: string, text?: string | Uint8Array): boolean {
    const found = this.store.find(toBytes(channel))
    if (found === undefined) return false
    return this.store.delete(found, text === undefined ? undefined : Buffer.from(text as string))
  }

  reload(): void {
    for (const subscriber of [...this.store.subscribers]) {
      subscriber.expire()
      subscriber.hangUp()
    }
    this.#http?.closeIdleConnections()
  }

  restart(): void {
    this.reload()
    this.#relay?.restart()
    this.store.clear()
  }

  quit(): void {
    for (const subscriber of this.store.subscribers) subscriber.quit()
    void this.#stopListening()
  }

  kill(): void {
    for (const subscriber of [...this.store.subscribers]) subscriber.abort()
  }

  stats(): Summary {
    const { published, stored, subscribers, startedAt } = this.store
    const now = seconds(this.#clock)
    return {
      hostname: this.#hostname,
      now,
      channels: this.store.count(false),
      wildcardChannels: this.store.count(true),
      uptime: now - startedAt,
      published,
      stored,
      subscribers: subscribers.size,
      pid: process.pid,
    }
  }

  /** A request that asked for an upgrade it does not get is answered as if it had not asked. */
  #withoutUpgrade(request: IncomingMessage, socket: Duplex): void {
    this.#track(socket)
    socket.on('error', () => socket.destroy())
    const response = new ServerResponse(request)
    response.assignSocket(socket as never)
    response.on('finish', () => {
      response.detachSocket(socket as never)
      socket.end()
      socket.resume()
    })
    if (!this.handler(request, response)) this.#notFound(request, response)
  }

  #notFound(request: IncomingMessage, response: ServerResponse): void {
    const status = decodePath((request.url ?? '').split('?')[0]!) === null ? 400 : 404
    this.#page(status, request, response)
  }

  /** One of nginx's own pages. */
  #page(status: number, request: IncomingMessage, response: ServerResponse, forceClose = false): void {
    const page = `<html>\r\n<head><title>${status} ${REASONS[status]}</title></head>\r\n</html>\r\n`
    const reply = new Reply(request, response, this.#clock, this.#serverHeader)
    reply.forceClose = forceClose
    reply.body(status, 'text/html', Buffer.from(page), [])
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  async #stopListening(): Promise<void> {
    const server = this.#http
    if (server === null) return
    this.#http = null
    this.#quitting.add(server)
    await new Promise<void>((resolve) => server.close(() => resolve()))
    this.#quitting.delete(server)
  }
}

function createStore(options: DevServerOptions, clock: Clock): Store {
  const { settings = {}, workers = 1, deliverNextTurn = workers > 1, reorder = 0.05, reorderDelay = 5 } = options
  if (!Number.isInteger(workers) || workers < 1) throw new Error('option "workers" must be a whole number from 1')
  const known = Object.entries(settings).filter(([name]) => name in DEFAULT_SETTINGS)
  const delivery = deliverNextTurn
    ? new WorkerDelivery(clock, options.random ?? seededRandom(options.seed ?? 1), { workers, reorder, reorderDelay })
    : undefined
  return new Store(Object.fromEntries(known) as Partial<StoreSettings>, clock, delivery)
}
