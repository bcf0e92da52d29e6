import { defaultEnvironment } from './environment.js'
import { PushStreamError } from './errors.js'
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

/**
 * What a client can be told. All of it is optional in a page that nginx serves from the same host with the locations
 * `/ws/`, `/ev/`, `/lp/`.
 */
export interface ClientOptions extends CommonOptions {
  /**
   * The server's protocol: `nchan({ … })`, for example. Default: nginx-push-stream-module, set up by the options whose
   * names begin with `urlPrefix`, `json`, `channels`, `messages` and so on.
   */
  protocol?: ProtocolFactory
}

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

function hostsOf(addresses: readonly string[]): Hosts {
  let at = 0
  return {
    count: addresses.length,
    get current() {
      return addresses[at] ?? ''
    },
    failed(address) {
      if (address === addresses[at]) at = (at + 1) % addresses.length
    },
  }
}

export const bad = (message: string) => new PushStreamError('bad-option', message)

const names: readonly ModeName[] = ['websocket', 'eventsource', 'stream', 'longpolling']
const callbacks = ['onmessage', 'onerror', 'onstatuschange', 'onchanneldeleted']
const provider = ['object', 'function']

/** Every option with the types it takes: what is not here is unknown. */
const types: Record<string, readonly string[]> = {
  url: ['string'],
  host: ['string'],
  hosts: ['object'],
  port: ['number', 'string'],
  useSSL: ['boolean'],
  modes: ['string', 'object'],
  pingtimeout: ['number'],
  timeout: ['number'],
  autoReconnect: ['boolean'],
  reconnectOnTimeoutInterval: ['number'],
  reconnectOnChannelUnavailableInterval: ['number'],
  lastEventId: ['string'],
  messagesPublishedAfter: ['number', 'object'],
  extraParams: provider,
  params: provider,
  headers: provider,
  credentials: ['string'],
  signal: ['object'],
  logger: ['object'],
  protocol: ['function'],
  environment: ['object'],
  messagesControlByArgument: ['boolean'],
  channelsByArgument: ['boolean'],
  text: ['string'],
}
for (const name of ['Publisher', 'Stream', 'Eventsource', 'Longpolling', 'Websocket'])
  types[`urlPrefix${name}`] = ['string']
for (const name of ['Id', 'Channel', 'Text', 'Tag', 'Time', 'EventId']) types[`json${name}Key`] = ['string']
for (const name of ['tag', 'time', 'eventId', 'channels']) types[`${name}Argument`] = ['string']
types.messageTemplate = ['string']
for (const name of callbacks) types[name] = ['function']

/** Options that take one of a few words, and what is needed of objects. */
const words: Record<string, readonly string[]> = {
  text: ['auto', 'encoded', 'plain'],
  credentials: ['omit', 'same-origin', 'include'],
}
const methods: Record<string, string> = { logger: 'debug', signal: 'addEventListener' }

function checkNames(options: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(options)) {
    const allowed = Object.hasOwn(types, name) ? types[name] : undefined
    if (allowed === undefined) {
      const known = Object.keys(types)
      const meant =
        known.find((other) => other.toLowerCase() === name.toLowerCase()) ??
        known.find((other) => other.toLowerCase().startsWith(name.slice(0, 4).toLowerCase()))
      throw bad(`Unknown option '${name}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`)
    }
    if (value === undefined || (value === null && callbacks.includes(name))) continue
    if (value === null || !allowed.includes(typeof value)) {
      throw bad(`Option '${name}' takes ${allowed.join(' or ')}, not ${value === null ? 'null' : typeof value}.`)
    }
    if (Object.hasOwn(words, name) && !words[name]?.includes(value as string)) {
      throw bad(`'${name}' is '${words[name]?.join(`' or '`)}'.`)
    }
    const method = Object.hasOwn(methods, name) ? (methods[name] as string) : undefined
    if (method !== undefined && typeof (value as Record<string, unknown>)[method] !== 'function') {
      throw bad(`'${name}' takes an object with a method '${method}'.`)
    }
    if (typeof value === 'number' && !(Number.isFinite(value) && (value > 0 || name === 'messagesPublishedAfter'))) {
      throw bad(`Option '${name}' takes a number above 0, not ${value}.`)
    }
  }
}

function transportsOf(value: CommonOptions['modes'], named: NamedTransports, own = names): readonly Transport[] {
  const given = value ?? own.filter((mode) => mode !== 'stream')
  const list: unknown = typeof given === 'string' ? given.split('|') : given
  if (!Array.isArray(list)) throw bad(`'modes' is an array, or names with | between them.`)
  const transports = list.map((one: ModeName | Transport): Transport => {
    const mode = typeof one === 'string' ? one : typeof one?.open === 'function' ? one.name : undefined
    if (!own.includes(mode as ModeName)) {
      throw bad(`Unknown mode '${String(mode ?? one)}'. The modes are ${own.join(', ')}.`)
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

/** The page's own origin. A page from a file has none. */
const originOf = (page: Environment['location']) =>
  page?.hostname ? `${page.protocol}//${page.hostname}:${page.port}` : undefined

function addressOf(option: string, text: string, base?: string): URL {
  try {
    return new URL(text, base)
  } catch (cause) {
    throw new PushStreamError('bad-option', `'${option}' makes no address: ${text}`, { cause })
  }
}

function basesOf(options: ClientOptions, environment: Environment): string[] {
  const { hosts, url, host, port, useSSL } = options
  if (hosts === undefined) {
    const nowhere = url === undefined && host === undefined && !environment.location?.hostname
    return nowhere ? [] : [baseOf(options, environment)]
  }
  if (url !== undefined || host !== undefined || port !== undefined || useSSL !== undefined) {
    throw bad(`'hosts' says it all: leave out 'url', 'host', 'port' and 'useSSL'.`)
  }
  if (!Array.isArray(hosts) || hosts.length === 0 || hosts.some((one) => typeof one !== 'string')) {
    throw bad(`'hosts' is an array of at least one address.`)
  }
  return hosts.map((one) => baseOf({ url: one }, environment))
}

function baseOf(options: ClientOptions, environment: Environment): string {
  const page = environment.location
  if (options.url !== undefined) {
    if (options.host !== undefined || options.port !== undefined || options.useSSL !== undefined) {
      throw bad(`'url' says it all: leave out 'host', 'port' and 'useSSL'.`)
    }
    const url = addressOf('url', options.url, originOf(page))
    if (!/^(https?|wss?):$/.test(url.protocol)) throw bad(`'url' takes http or https, not ${url.protocol}`)
    if (url.search !== '' || url.hash !== '') throw bad(`'url' takes no query: use 'params'.`)
    return (
      url.origin.replace(/^null$/, `${url.protocol}//${url.host}`).replace(/^ws/, 'http') +
      url.pathname.replace(/\/+$/, '')
    )
  }
  const host = options.host ?? (page?.hostname as string)
  if (/[/\\?#@\s]/.test(host) || /:\d+$/.test(host.replace(/^\[.*\]/, ''))) {
    throw bad(`'host' is a host name alone, not '${host}': use 'port', or 'url'.`)
  }
  const ssl = options.useSSL ?? page?.protocol === 'https:'
  const port = Number(
    options.port ?? (options.host === undefined || options.host === page?.hostname ? page?.port : '') ?? '',
  )
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw bad(`'port' is a port number, not '${options.port}'.`)
  const base = `${ssl ? 'https' : 'http'}://${host}${port === 0 || port === (ssl ? 443 : 80) ? '' : `:${port}`}`
  addressOf('host', base)
  return base
}

/** Checks the options and fills in the defaults. Throws a `bad-option` error that says what was meant. */
export function settingsOf(options: ClientOptions & PushStreamSettings, named: NamedTransports): Settings {
  if (typeof options !== 'object' || options === null) throw bad('The options are an object.')
  checkNames(options as Record<string, unknown>)
  const environment = { ...defaultEnvironment(), ...options.environment }
  if (options.params !== undefined && options.extraParams !== undefined) {
    throw bad(`'extraParams' and 'params' are one thing: give one of them.`)
  }
  const after = options.messagesPublishedAfter
  const publishedAfter =
    after instanceof Date
      ? after.getTime()
      : typeof after === 'number'
        ? environment.now() - Math.abs(after) * 1000
        : undefined
  if (Number.isNaN(publishedAfter) || (typeof after === 'object' && !(after instanceof Date))) {
    throw bad(`'messagesPublishedAfter' takes a valid Date or a number of seconds.`)
  }
  const bases = basesOf(options, environment)
  const hosts = hostsOf(bases)
  const { location: page } = environment
  const own = originOf(page)
  const isOwn = (base: string) => own !== undefined && new URL(base).origin === new URL(own).origin
  const protocol = (options.protocol ?? pushStream(options))({
    get base() {
      return hosts.current
    },
    credentials: options.credentials ?? 'same-origin',
    sameOrigin: page === undefined || bases.every(isOwn),
    options,
  })
  const transports = transportsOf(options.modes, named, protocol.capabilities.modes)
  if (protocol.capabilities.keepAlive && transports.some(({ opaque }) => opaque)) {
    throw bad(`This protocol needs the pings, which nativeEventSource hides: set modes: [eventsource].`)
  }
  return {
    transports,
    pingtimeout: options.pingtimeout ?? 30_000,
    timeout: options.timeout ?? 10_000,
    autoReconnect: options.autoReconnect ?? true,
    backoffBase: options.reconnectOnTimeoutInterval ?? 1000,
    backoffCap: options.reconnectOnChannelUnavailableInterval ?? 60_000,
    lastEventId: options.lastEventId,
    publishedAfter,
    params: options.params ?? options.extraParams ?? {},
    headers: options.headers ?? {},
    logger: options.logger,
    protocol,
    environment,
    origin: hosts.count > 0 ? new URL(hosts.current).origin : '',
    hosts,
  }
}
