import { badOption } from './errors.js'
import type { RetryOptions, SenderSettings, SentHeaders } from './sender.js'
import { pushStreamServer } from './servers/push-stream.js'
import type { Server } from './servers/server.js'

/**
 * The options of `new Publisher`.
 *
 * @example
 * ```ts
 * import { nchanServer, Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({
 *   url: 'https://push.example.org',
 *   server: nchanServer(),
 *   headers: { Authorization: `Bearer ${process.env.PUSH_TOKEN}` },
 *   retry: { attempts: 3 },
 * })
 * ```
 */
export interface PublisherOptions {
  /**
   * The address of the server, as this process reaches it: `http://127.0.0.1:9080`, with a path prefix if it has one.
   */
  url: string | URL
  /** The kind of server, with its locations: `pushStreamServer()` (default), `nchanServer()` or `relayServer()`. */
  server?: Server
  /** Headers for every request. A function is called before every request and may be async. */
  headers?: SentHeaders | (() => SentHeaders | Promise<SentHeaders>)
  /** How long one attempt may take, in ms. Default 10 000. */
  timeout?: number
  retry?: RetryOptions
  /** How many requests may be under way at a time. Default 8. On one channel it is never more than one. */
  concurrency?: number
  /**
   * How many calls may wait or be under way. More are rejected (`busy`, outcome `no`). While the server is down, each
   * message is retried, and later ones on its channel wait for it, so messages pile up. Default 100 000.
   */
  maxPending?: number
  /**
   * Whether to keep connections for the next request, if the runtime's `fetch` allows the choice (Node's does). It is
   * twice as fast. But an nginx that reloads closes idle connections, and a request that is on its way has an unknown
   * outcome: up to one per connection. Set it for more than some hundred messages a second. Default false.
   */
  keepAlive?: boolean
  /** Replaces the runtime's `fetch`: to use another dispatcher, or for tests. */
  fetch?: typeof globalThis.fetch
}

const known = new Set([
  'url',
  'server',
  'headers',
  'timeout',
  'retry',
  'concurrency',
  'maxPending',
  'keepAlive',
  'fetch',
])
const knownRetry = new Set(['attempts', 'delay', 'maxDelay', 'repeat'])
const knownOfMessage = new Set(['signal', 'repeat', 'eventId', 'eventType', 'contentType', 'ttl'])
const repeats = ['never', 'with-event-id', 'always']

/** Checks all options, and fills in what is not given. */
export function settingsOf(
  options: PublisherOptions,
): SenderSettings & { readonly server: Server; readonly maxPending: number } {
  if (typeof options !== 'object' || options === null) throw badOption(`A publisher takes options: { url: '…' }.`)
  for (const name of Object.keys(options)) if (!known.has(name)) throw badOption(`There is no option '${name}'.`)
  const { url, server = pushStreamServer(), headers = {}, retry = {}, keepAlive = false, fetch } = options
  if (typeof retry !== 'object' || retry === null) throw badOption(`'retry' is an object: { attempts: 8 }.`)
  for (const name of Object.keys(retry)) if (!knownRetry.has(name)) throw badOption(`'retry' has no '${name}'.`)
  if (typeof server?.publish !== 'function') {
    throw badOption(`'server' is pushStreamServer(), nchanServer() or relayServer().`)
  }
  if (fetch !== undefined && typeof fetch !== 'function') throw badOption(`'fetch' is a function.`)
  if (typeof keepAlive !== 'boolean') throw badOption(`'keepAlive' is true or false.`)
  if (typeof headers !== 'function') checkHeaders(headers)
  const { repeat = 'never' } = retry
  if (!repeats.includes(repeat)) throw badOption(`'retry.repeat' is 'never', 'with-event-id' or 'always'.`)
  return {
    base: baseOf(url),
    server,
    headers: typeof headers === 'function' ? headers : () => headers,
    timeout: number('timeout', options.timeout, 10_000, 1),
    concurrency: whole('concurrency', options.concurrency, 8, 1),
    maxPending: whole('maxPending', options.maxPending, 100_000, 1),
    keepAlive,
    retry: {
      attempts: whole('retry.attempts', retry.attempts, 8, 0),
      delay: number('retry.delay', retry.delay, 100, 0),
      maxDelay: number('retry.maxDelay', retry.maxDelay, 5000, 0),
      repeat,
    },
    // Looked up at each request: whoever replaces it later means us, too.
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    random: Math.random,
  }
}

/** Refuses what no message has, a misspelt name for example. What the values may be is the server's to say. */
export function checkMessageOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw badOption(`A message takes options: { eventId: '…' }.`)
  for (const name of Object.keys(options)) {
    if (!knownOfMessage.has(name)) throw badOption(`There is no option '${name}' of a message.`)
  }
}

function checkHeaders(headers: SentHeaders): void {
  try {
    new Headers(headers)
  } catch {
    // Not what it says: that may be a secret.
    throw badOption(`'headers' has a name or a value that can't be sent.`)
  }
}

function baseOf(url: string | URL): string {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    // There may be a password in it.
    const given = String(url)
    const which = given.includes('@') ? 'this one' : `'${given}'`
    throw badOption(`'url' is an address like 'http://127.0.0.1:9080', not ${which}.`)
  }
  if (!/^https?:$/.test(parsed.protocol)) throw badOption(`'url' begins with http:// or https://.`)
  if (parsed.username !== '' || parsed.password !== '') {
    throw badOption(`'url' has no user and password: set 'headers' to { Authorization: … }.`)
  }
  if (parsed.search !== '' || parsed.hash !== '')
    throw badOption(`'url' has no query: 'server' says what its locations are.`)
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`
}

function number(name: string, value: number | undefined, byDefault: number, least: number): number {
  if (value === undefined) return byDefault
  // More than that, and timers fire at once.
  if (typeof value !== 'number' || !(value >= least && value <= 2 ** 31 - 1)) {
    throw badOption(`'${name}' is a number from ${least} to ${2 ** 31 - 1}, not ${String(value)}.`)
  }
  return value
}

function whole(name: string, value: number | undefined, byDefault: number, least: number): number {
  if (value !== undefined && !Number.isInteger(value))
    throw badOption(`'${name}' is a whole number, not ${String(value)}.`)
  return number(name, value, byDefault, least)
}
