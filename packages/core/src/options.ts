import type { ChannelStore } from './delivery/channel-store.js'
import { defaultEnvironment } from './environment.js'
import { bad } from './errors.js'
import type { Protocol, ProtocolFactory } from './protocols/protocol.js'
import { type PushStreamSettings, pushStream } from './protocols/push-stream.js'
import type {
  CommonOptions,
  Environment,
  Logger,
  ModeName,
  NamedTransports,
  Params,
  Provider,
  Transport,
} from './types.js'
import { checkChannelOptions, checkModes, checkOptions } from './validate.js'

/** What `share()` of `@pushstream/core/share` makes. */
export type Share = (options: Options) => unknown

/**
 * The options of a client. All are optional in a page that nginx serves from the same origin as the locations `/ws/`, `/ev/`
 * and `/lp/`.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({
 *   url: 'https://push.example.org',
 *   params: () => ({ token: localStorage.getItem('token') ?? '' }),
 *   onUnauthorized: async () => (await fetch('/token/refresh', { method: 'POST' })).ok,
 * })
 * ```
 */
export interface ClientOptions extends CommonOptions {
  /**
   * The server's protocol, such as `nchan({ … })` or `djangoEventStream({ … })`. Default: nginx-push-stream-module, described by
   * the options whose names begin with `urlPrefix`, `json`, `channels`, `messages` and so on.
   */
  protocol?: ProtocolFactory
  /**
   * Called once when the server answers subscriptions with 401. Resolve with true when `params` and `headers` return other
   * credentials: the client goes on where it was. With false, or at a second 401, the channels are refused. A page can't see
   * the status of a refused websocket, so list `eventsource` as well. Default: the channels are refused.
   */
  onUnauthorized?: () => boolean | Promise<boolean>
  /**
   * Keeps how far each channel is across page loads: `persist('session')` or `persist('local')` of
   * `@pushstream/core/persist`. Default: a page begins with new messages.
   */
  persist?: Persist
  /**
   * Lets the tabs of an origin share one connection: `share()` of `@pushstream/core/share`. Default: every client has a
   * connection of its own.
   */
  share?: Share
}

/** Gives a channel of a store the position that it had on the page before. */
export type Restore = (store: ChannelStore, name: string) => void
/** Keeps positions across page loads. Made by `persist` of `@pushstream/core/persist`. */
export type Persist = (client: object) => Restore

/**
 * The options of `new PushStream` and `new Client`: those of every client, and those of the push stream module's
 * protocol.
 *
 * @example
 * ```ts
 * import { type Options, PushStream } from '@pushstream/core'
 * import { WebSocket } from 'ws' // for Node 20
 *
 * const options: Options = { url: 'http://127.0.0.1:9080', modes: 'websocket|longpolling', environment: { WebSocket } }
 * const stream = new PushStream(options)
 * ```
 */
export type Options = ClientOptions & PushStreamSettings

/** What the connection reads. */
export interface Settings {
  readonly transports: readonly Transport[]
  readonly pingtimeout: number
  readonly timeout: number
  readonly autoReconnect: boolean
  readonly backoffBase: number
  readonly backoffCap: number
  readonly lastEventId: string | undefined
  readonly publishedAfter: number | undefined
  readonly params: Provider<Params>
  readonly headers: Provider<Record<string, string>>
  readonly onUnauthorized: ClientOptions['onUnauthorized']
  readonly logger: Logger | undefined
  readonly protocol: Protocol
  /** How tabs share a connection. */
  readonly share: unknown
  readonly environment: Environment
  /** The server's origin: what works is remembered for it. */
  readonly origin: string
  readonly hosts: Hosts
}

/** The servers that can be asked. */
export interface Hosts {
  /** None where there is no page to take it from: a server that renders may make a client, and not connect it. */
  readonly count: number
  /** The address in use; empty where there is none. */
  readonly current: string
  /** That address could not be reached: the next one is used, unless another already is. */
  failed(address: string): void
}

function hostsOf(addresses: string[]): Hosts {
  return {
    count: addresses.length,
    get current() {
      return addresses[0] ?? ''
    },
    failed(address) {
      if (address === addresses[0]) addresses.push(...addresses.splice(0, 1))
    },
  }
}

function transportsOf(
  value: CommonOptions['modes'],
  named: NamedTransports,
  own: readonly ModeName[],
): readonly Transport[] {
  const given = value ?? own.filter((mode) => mode !== 'stream')
  const list = typeof given === 'string' ? (given.split('|') as ModeName[]) : given
  checkModes(list, named, own)
  return list.flatMap((one) => (typeof one === 'string' ? named[one] : one) ?? [])
}

/** The page's own origin. A page that did not come by http has none. */
const originOf = (page: Environment['location']) =>
  page?.hostname && /^https?:$/.test(page.protocol)
    ? new URL(`${page.protocol}//${page.hostname}:${page.port}`).origin
    : undefined

/** One address, without a slash at the end. It may be relative to the page. */
function baseOf(text: string, page: string | undefined): string {
  let url: URL
  try {
    url = new URL(text, page)
  } catch (cause) {
    throw bad(`'url' makes no address: ${text}`, cause)
  }
  const { protocol, host, pathname, search, hash } = url
  if (!/^(https?|wss?):$/.test(protocol)) throw bad(`'url' takes http or https, not ${protocol}`)
  if (search !== '' || hash !== '') throw bad(`'url' takes no query: use 'params'.`)
  return `${protocol.replace('ws', 'http')}//${host}${pathname.replace(/\/+$/, '')}`
}

/** The addresses of the servers: those given, or the page's own. Empty where there is neither. */
function basesOf(url: ClientOptions['url'], page: string | undefined): string[] {
  return [url ?? page ?? []].flat().map((one) => baseOf(one, page))
}

/** How many stored messages a channel begins with. */
export function backtrackOf(options: { backtrack?: number }): number {
  checkChannelOptions(options)
  const { backtrack = 0 } = options
  if (Number.isInteger(backtrack) && backtrack >= 0) return backtrack
  throw bad(`'backtrack' is a whole number from 0, not ${backtrack}.`)
}

/** When messages begin to count, in ms since 1970. */
function publishedAfterOf(after: unknown, now: () => number): number | undefined {
  if (after === undefined) return undefined
  if (typeof after === 'number') return now() - Math.abs(after) * 1000
  if (after instanceof Date && !Number.isNaN(after.getTime())) return after.getTime()
  throw bad(`'messagesPublishedAfter' takes a valid Date or a number of seconds.`)
}

/** Checks the options and fills in the defaults. Throws a `bad-option` error that says what was meant. */
export function settingsOf(options: Options, named: NamedTransports): Settings {
  checkOptions(options)
  const environment = { ...defaultEnvironment(), ...options.environment }
  const own = originOf(environment.location)
  const bases = basesOf(options.url, own)
  const hosts = hostsOf(bases)
  const protocol = (options.protocol ?? pushStream(options))({
    get base() {
      return hosts.current
    },
    credentials: options.credentials ?? 'same-origin',
    sameOrigin: environment.location === undefined || bases.every((base) => new URL(base).origin === own),
    options,
  })
  return {
    transports: transportsOf(options.modes, named, protocol.capabilities.modes),
    pingtimeout: options.pingtimeout ?? 30_000,
    timeout: options.timeout ?? 10_000,
    autoReconnect: options.autoReconnect ?? true,
    backoffBase: options.reconnectOnTimeoutInterval ?? 1000,
    backoffCap: options.reconnectOnChannelUnavailableInterval ?? 60_000,
    lastEventId: options.lastEventId,
    publishedAfter: publishedAfterOf(options.messagesPublishedAfter, environment.now),
    params: options.params ?? {},
    headers: options.headers ?? {},
    onUnauthorized: options.onUnauthorized,
    logger: options.logger,
    protocol,
    share: options.share?.(options),
    environment,
    origin: bases[0] === undefined ? '' : new URL(bases[0]).origin,
    hosts,
  }
}
