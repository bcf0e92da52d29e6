import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from './clock.js'
import { listenOnFreePort } from './free-port.js'
import { type Faults, Link } from './proxy/link.js'
import { type ProxyTarget, parseTarget, type Target } from './proxy/target.js'
import type { FaultProxyEvents, FaultProxyOptions, ProxiedRequest, ProxyAddress, ProxyStats } from './proxy/types.js'
import type { UpgradePolicy } from './proxy/upgrade.js'

/**
 * A TCP proxy that breaks the network on demand. Every fault can be switched at any time. The settings (`delay`,
 * `throttle`, `holdUntil`, `blackhole`) apply to open connections as well as to new ones.
 *
 * @example
 * ```ts
 * import { once } from 'node:events'
 * import { FaultProxy } from '@pushstream/testkit'
 *
 * const proxy = new FaultProxy({ target: { port: 8080 } })
 * await proxy.listen(9000)
 * await once(proxy, 'connection')
 * proxy.blackhole(true)
 * ```
 */
export class FaultProxy extends EventEmitter<FaultProxyEvents> {
  /** Every HTTP request, oldest first, to count polls and retries. You may empty it (`requests.length = 0`). */
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

  /** Listens on `port`. Default 0: a free one, which stays free while {@link FaultProxy.refuse | refusing}. */
  async listen(port = 0): Promise<ProxyAddress> {
    if (this.#closed) throw new Error('This proxy is closed: create a new one.')
    if (this.#server !== undefined) throw new Error(`This proxy already listens on port ${this.#port}.`)
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

  /** The port of the proxy, also while refusing. 0 before `listen`. */
  get port(): number {
    return this.#port
  }

  /** `http://host:port` of this proxy, without a slash at the end. */
  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  /** The number of open client connections. */
  get connections(): number {
    return this.#open().length
  }

  /**
   * Ends all connections now. Bytes in transit are lost. `'rst'` (default) resets them, like a crashed peer or a
   * router; `'fin'` closes them cleanly. Returns the number of client connections. Later connections are not affected.
   */
  cut(options: { how?: 'rst' | 'fin' } = {}): number {
    const count = this.connections
    for (const link of this.#links) link.end(options.how ?? 'rst')
    return count
  }

  /** Calls {@link FaultProxy.cut | cut} every `ms` milliseconds, first after `ms`. Returns a function that stops it. */
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
   * Drops everything: connections stay open and are still accepted, but no byte and no end of a connection passes in
   * either direction.
   *
   * By default, what arrives meanwhile is lost, and a connection that was open stays silent even after
   * `blackhole(false)`, as if a router had forgotten it. A stream with a hole in it would be corruption, which no
   * network causes. New connections work.
   *
   * `{ hold: true }` keeps everything and delivers it when switched off, like TCP's retransmission after a short
   * outage. Requests are recorded when they arrive, not when they are delivered.
   */
  blackhole(on: boolean, options: { hold?: boolean } = {}): void {
    this.#faults.fate = on ? (options.hold ? 'hold' : 'swallow') : 'flow'
    for (const link of [...this.#links]) link.setFate(this.#faults.fate)
  }

  /** Delays each direction by `ms`, in order. Default 0. Bytes in transit keep the delay that they started with. */
  delay(ms: number): void {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`delay: ${ms} is not a number of ms`)
    this.#faults.delay = ms
    for (const link of this.#links) link.pokePace()
  }

  /**
   * Limits each direction of each connection to so many bytes per second. Default `Infinity`. To pass no bytes at all,
   * use {@link FaultProxy.blackhole | blackhole}.
   */
  throttle(bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) throw new RangeError(`throttle: ${bytesPerSecond} is not a rate; see blackhole`)
    this.#faults.rate = bytesPerSecond
    for (const link of this.#links) link.pokePace()
  }

  /**
   * Acts as a buffering proxy: it holds a response back until it has `bytes` bytes of the body, passes them on, and
   * starts again. When the response ends, the rest is passed on, so a short response is complete at once. Websockets
   * are not affected. Default 0: off.
   *
   * `{ head: 'pass' }` passes status and headers on at once, for a stream that opens but stays silent. By default they
   * are held back, too.
   */
  holdUntil(bytes: number, options: { head?: 'hold' | 'pass' } = {}): void {
    if (!(bytes >= 0)) throw new RangeError(`holdUntil: ${bytes} is not a number of bytes`)
    this.#faults.hold.bytes = bytes
    this.#faults.hold.head = options.head ?? 'hold'
    for (const link of this.#links) link.pokeHold()
  }

  /** Sets the {@link UpgradePolicy} for later upgrade requests (websockets). Open websockets are not affected. */
  upgrades(policy: UpgradePolicy): void {
    this.#faults.upgrades = policy
  }

  /** Accepts new connections and resets them at once, until `reset(false)`. Open ones are not affected. */
  reset(on = true): void {
    this.#resetting = on
  }

  /**
   * Closes the listening socket, so that connecting fails with ECONNREFUSED. `refuse(false)` listens again on the same
   * port. Open connections are not affected: to imitate a server that is down, {@link FaultProxy.cut | cut} them.
   */
  async refuse(on: boolean): Promise<void> {
    if (on) {
      this.#server?.close()
      this.#server = undefined
    } else if (this.#server === undefined && this.#port !== 0 && !this.#closed) await this.listen(this.#port)
  }

  /** Forwards later connections to another server (failover). Open ones stay with their server. */
  setTarget(target: ProxyTarget): void {
    this.#target = parseTarget(target)
  }

  /** Stops listening and ends every connection. Resolves when no timer and no socket is left. May be called again. */
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
 * Creates a TCP proxy that breaks the network on demand. It listens on loopback, unless you set `host`.
 *
 * @example
 * ```ts
 * import { createFaultProxy } from '@pushstream/testkit'
 *
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
