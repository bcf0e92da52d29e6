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
import { checkOptions, unknown } from './validate.js'

/**
 * The options of a client. All are optional in a page that nginx serves from the same origin as the locations `/ws/`, `/ev/`
 * and `/lp/`.
 */
export interface ClientOptions extends CommonOptions {
  /**
   * The server's protocol, such as `nchan({ … })` or `djangoEventStream({ … })`. Default: nginx-push-stream-module, described by
   * the options whose names begin with `urlPrefix`, `json`, `channels`, `messages` and so on.
   */
  protocol?: ProtocolFactory
}

/** The options of `new PushStream` and `new Client`: those of every client, and those of the push stream module's protocol. */
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
  readonly logger: Logger | undefined
  readonly protocol: Protocol
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
  const list: unknown = typeof given === 'string' ? given.split('|') : given
  if (!Array.isArray(list)) throw bad(`'modes' is an array, or names with | between them.`)
  const transports = list.map((one: ModeName | Transport): Transport => {
    const mode = typeof one === 'string' ? one : typeof one?.open === 'function' ? one.name : undefined
    if (!own.includes(mode as ModeName)) {
      throw unknown('mode', String(mode ?? one), own)
    }
    const transport = typeof one === 'string' ? named[one] : one
    if (transport === undefined) {
      throw bad(
        `Client takes transports, not names: import { ${mode} } and set modes: [${mode}]. PushStream takes both.`,
      )
    }
    return transport
  })
  if (list.length === 0 || new Set(transports.map(({ name }) => name)).size < list.length)
    throw bad(`'modes' names at least one mode, and none twice.`)
  return transports
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
  const given = url ?? page ?? []
  const all = typeof given === 'string' ? [given] : given
  if (!Array.isArray(all) || (url !== undefined && all.length === 0) || all.some((one) => typeof one !== 'string')) {
    throw bad(`'url' is an address, or an array of at least one address.`)
  }
  return all.map((one) => baseOf(one, page))
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
    logger: options.logger,
    protocol,
    environment,
    origin: bases[0] === undefined ? '' : new URL(bases[0]).origin,
    hosts,
  }
}
