import type { IncomingMessage, ServerResponse } from 'node:http'
import { decodePath } from './channel-names.js'
import { type Clock, seconds } from './clock.js'
import { formatHttpTime, parseHttpTime } from './http-time.js'
import { Passthrough } from './passthrough.js'
import { type RelayChannel, type RelayMessage, RelayStore, type RelayStoreOptions } from './relay-store.js'

/**
 * A location of a relay, as django-pushserver's settings name it.
 *
 * @example
 * ```ts
 * import { createDevServer, type RelayLocationOptions } from '@pushstream/devserver'
 *
 * const locations: RelayLocationOptions[] = [
 *   { type: 'subscriber', url: '/updates/([^/]+)', create_on_get: true },
 *   { type: 'publisher', prefix: '/send-update/' },
 * ]
 * const server = createDevServer({ relay: { locations } })
 * ```
 */
export interface RelayLocationOptions {
  type: 'subscriber' | 'publisher'
  /** A regular expression for the whole path. Its group is the channel. */
  url?: string
  /** Instead of `url`: what follows it is the channel. */
  prefix?: string
  /** Which store, where there are several. Default `default`. */
  store?: string
  /** Publisher: whether a POST makes a channel; else a PUT has to. Default true. */
  create_on_post?: boolean
  /** Subscriber: `long` waits for a message, `interval` answers 304 if there is none. Default `long`. */
  polling?: 'long' | 'interval'
  /** Subscriber: whether the first GET makes a channel; else it is answered with 404. Default false. */
  create_on_get?: boolean
  /** Subscriber: `Access-Control-Allow-Origin`. Default `*`. */
  allow_origin?: string
  /** Subscriber: `Access-Control-Allow-Credentials`. Default false; true needs an `allow_origin` of its own. */
  allow_credentials?: boolean
  /**
   * Subscriber: an address that gets a POST for each subscriber that comes or goes. An answer from 400 to 499 refuses
   * it. Default: none.
   */
  passthrough?: string | null
}

/**
 * A Basic HTTP Push Relay, in the form of django-pushserver's `PUSH_SERVER`. `createDevServer` ignores its `port`,
 * `address` and hosts.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer({ relay: { store: { max_messages: 100, message_timeout: 10 } } })
 * ```
 */
export interface RelayOptions {
  /** One store, or several by their names. */
  store?: RelayStoreOptions | Record<string, RelayStoreOptions>
  /** The first one that matches the path answers. */
  locations?: readonly RelayLocationOptions[]
  /** The `Server` header. */
  servername?: string | null
  port?: number | string | null
  address?: string | null
  publisher_host?: unknown
  subscriber_host?: unknown
}

const DEFAULTS: Record<RelayLocationOptions['type'], Omit<RelayLocationOptions, 'type'>> = {
  subscriber: { polling: 'long', create_on_get: false, allow_origin: '*', allow_credentials: false, passthrough: null },
  publisher: { create_on_post: true },
}
const COMMON = ['type', 'url', 'prefix', 'store']
const DEFAULT_LOCATIONS: readonly RelayLocationOptions[] = [
  { type: 'publisher', prefix: '/publisher/' },
  { type: 'subscriber', prefix: '/subscriber/' },
]

interface RelayLocation {
  readonly options: RelayLocationOptions
  readonly url: RegExp
  readonly store: RelayStore
  readonly passthrough: Passthrough | undefined
}

type Headers = Record<string, string | number>

/** A Basic HTTP Push Relay in this process. */
export class Relay {
  readonly #locations: readonly RelayLocation[]
  readonly #stores: ReadonlyMap<string, RelayStore>
  readonly #clock: Clock
  readonly #server: string
  readonly #waiting = new Set<ServerResponse>()

  constructor(options: RelayOptions, clock: Clock, server: string) {
    const { store = {}, locations = DEFAULT_LOCATIONS, servername, port, address, publisher_host, ...rest } = options
    const { subscriber_host, ...unknown } = rest
    for (const name of Object.keys(unknown)) throw new Error(`relay: unknown option "${name}"`)
    this.#clock = clock
    this.#server = servername ?? server
    const several = Object.values(store).every((one) => typeof one === 'object') && Object.keys(store).length > 0
    const stores = several ? (store as Record<string, RelayStoreOptions>) : { default: store as RelayStoreOptions }
    this.#stores = new Map(Object.entries(stores).map(([name, one]) => [name, new RelayStore(one, clock)]))
    this.#locations = locations.map((location) => resolveLocation(location, this.#stores))
  }

  /** False, and untouched, when the path is no location of it. */
  handler(request: IncomingMessage, response: ServerResponse): boolean {
    const path = decodePath((request.url ?? '').split('?')[0] as string)
    if (path === null) return false
    const text = Buffer.from(path, 'latin1').toString()
    for (const location of this.#locations) {
      const [, id] = location.url.exec(text) ?? []
      if (id === undefined) continue
      const answer = location.options.type === 'publisher' ? this.#publish : this.#subscribe
      answer.call(this, location, id, request, response).catch((error: Error) => {
        process.emitWarning(error)
        response.destroy()
      })
      return true
    }
    return false
  }

  /** Everything stored is lost, and who waits loses the connection. */
  restart(): void {
    for (const response of this.#waiting) response.destroy()
    for (const store of this.#stores.values()) store.clear()
  }

  close(): void {
    this.restart()
    for (const { passthrough } of this.#locations) passthrough?.close()
  }

  async #subscribe({ options, store, passthrough }: RelayLocation, id: string, ...rest: Pair): Promise<void> {
    const [request, response] = rest
    const cors = corsHeaders(options)
    const finish = (status: number, headers: Headers = {}, body?: Buffer) =>
      this.#finish(response, status, { ...cors, Vary: 'If-Modified-Since, If-None-Match', ...headers }, body)
    if (request.method === 'OPTIONS') return finish(200)
    if (request.method !== 'GET') return finish(405, { Allow: 'GET' })
    const position = readPosition(request)
    if (position === undefined) return finish(400)
    const gone = new Promise<void>((resolve) => response.once('close', resolve))
    const refused = await passthrough?.subscribe(request, [id], (leave) => void gone.then(leave))
    if (response.destroyed) return
    if (refused !== undefined) return finish(refused)
    const channel = options.create_on_get ? store.open(id) : store.find(id)
    if (channel === undefined) return finish(404)
    const give = (message: RelayMessage | undefined) =>
      message === undefined ? finish(410) : finish(200, messageHeaders(message), message.body)
    const found = store.after(channel, ...position)
    if (found !== undefined) return give(found)
    if (options.polling === 'interval') return finish(304)
    this.#wait(channel, response, position, give)
  }

  #wait(channel: RelayChannel, response: ServerResponse, [time, tag]: Position, give: Give): void {
    const listener: Give = (message) => {
      // A position in the future: what it asks for is still to come.
      const early = message && (message.time < time || (message.time === time && message.tag <= tag))
      if (early) channel.waiting.add(listener)
      else give(message)
    }
    channel.waiting.add(listener)
    this.#waiting.add(response)
    response.once('close', () => {
      this.#waiting.delete(response)
      channel.waiting.delete(listener)
    })
  }

  async #publish({ options, store }: RelayLocation, id: string, ...[request, response]: Pair): Promise<void> {
    const { method = '' } = request
    const finish = (status: number, headers: Headers = {}) => this.#finish(response, status, headers)
    const describe = (status: number, channel: RelayChannel, subscribers = channel.waiting.size) => {
      const json = /json/.test(request.headers.accept ?? '')
      const body = description(json, store.stored(channel).length, subscribers, channel, seconds(this.#clock))
      this.#finish(response, status, { 'Content-Type': json ? 'text/json' : 'text/plain' }, Buffer.from(body))
    }
    const known = store.find(id)
    if (method === 'POST') {
      if (known === undefined && !options.create_on_post) return finish(404)
      const parts: Buffer[] = []
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
      const channel = store.open(id)
      const type = request.headers['content-type'] ?? 'text/plain'
      const reached = store.publish(channel, Buffer.concat(parts), type)
      return describe(reached > 0 ? 201 : 202, channel, reached)
    }
    if (method === 'PUT') return describe(200, store.open(id))
    if (method !== 'GET' && method !== 'DELETE') return finish(405, { Allow: 'GET, POST, PUT, DELETE' })
    if (known === undefined) return finish(404)
    const subscribers = known.waiting.size
    if (method === 'DELETE') store.delete(id)
    return describe(200, known, subscribers)
  }

  #finish(response: ServerResponse, status: number, headers: Headers, body: Buffer = Buffer.alloc(0)): void {
    if (response.destroyed) return
    const length = status === 304 ? {} : { 'Content-Length': body.length }
    response.writeHead(status, { Server: this.#server, ...length, ...headers })
    response.end(body)
  }
}

type Pair = [request: IncomingMessage, response: ServerResponse]
type Position = [time: number, tag: number]
type Give = (message: RelayMessage | undefined) => void

function resolveLocation(given: RelayLocationOptions, stores: ReadonlyMap<string, RelayStore>): RelayLocation {
  const { type } = given
  const defaults = DEFAULTS[type]
  if (defaults === undefined) throw new Error(`relay location: type is "subscriber" or "publisher", not "${type}"`)
  for (const name of Object.keys(given)) {
    if (!COMMON.includes(name) && !(name in defaults)) throw new Error(`relay ${type}: unknown option "${name}"`)
  }
  const options = { ...defaults, ...given }
  const { prefix = '', url = `${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(.+)`, store = 'default' } = options
  if (options.polling !== undefined && options.polling !== 'long' && options.polling !== 'interval') {
    throw new Error(`relay subscriber: polling is "long" or "interval", not "${String(options.polling)}"`)
  }
  if (options.allow_credentials && options.allow_origin === '*') {
    throw new Error('relay subscriber: allow_credentials needs an allow_origin other than "*"')
  }
  const found = stores.get(store)
  if (found === undefined) throw new Error(`relay ${type}: there is no store "${store}"`)
  const passthrough = options.passthrough ? new Passthrough(options.passthrough) : undefined
  // Python names its groups otherwise.
  const expression = new RegExp(`^(?:${url.replaceAll('(?P<', '(?<').replace(/^\^|\$$/g, '')})$`)
  return { options, url: expression, store: found, passthrough }
}

function corsHeaders({ allow_origin = '*', allow_credentials }: RelayLocationOptions): Headers {
  return {
    'Access-Control-Allow-Origin': allow_origin,
    'Access-Control-Allow-Headers': 'If-Modified-Since, If-None-Match, X-Cookie',
    'Access-Control-Expose-Headers': 'Last-Modified, Etag, Cache-Control',
    ...(allow_credentials ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
    'Access-Control-Max-Age': 864_000,
  }
}

/** Where a subscriber stands; without headers before everything. `undefined`: that is no position. */
function readPosition({ headers }: IncomingMessage): Position | undefined {
  const since = headers['if-modified-since']
  const match = headers['if-none-match'] ?? '-1'
  const digits = /^(?:W\/)?"?(-?\d+)"?$/.exec(match)?.[1]
  // The day is not padded in what django-pushserver's script sends.
  const time = since === undefined ? 0 : parseHttpTime(since.replace(/, (\d) /, ', 0$1 '))
  return digits === undefined || time < 0 ? undefined : [time, Number(digits)]
}

/** The Etag stands in `Cache-Control` as well, for whom a proxy or a browser hides it from. */
function messageHeaders({ time, tag, contentType }: RelayMessage): Headers {
  return {
    Etag: String(tag),
    'Cache-Control': `etag=${tag}`,
    'Last-Modified': formatHttpTime(time),
    'Content-Type': contentType,
  }
}

function description(json: boolean, messages: number, subscribers: number, channel: RelayChannel, now: number): string {
  const requested = channel.requested === undefined ? -1 : now - channel.requested
  if (json) return JSON.stringify({ messages, requested, subscribers })
  return `queued messages: ${messages}\r\nlast requested: ${requested} sec. ago\r\nactive subscribers: ${subscribers}\r\n`
}
