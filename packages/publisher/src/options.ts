import { badOption } from './errors.js'
import type { RetryOptions, SenderSettings, SentHeaders } from './sender.js'
import { pushStreamServer } from './servers/push-stream.js'
import type { Server } from './servers/server.js'

/**
 * What `new Publisher` takes.
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
  /** Where the server is, for this process: `http://127.0.0.1:9080`, with a path where its locations are below one. */
  url: string | URL
  /** What it is: `pushStreamServer()` (default), `nchanServer()` or `relayServer()`, with its locations. */
  server?: Server
  /** Sent with every request, or a function that is asked before each. */
  headers?: SentHeaders | (() => SentHeaders | Promise<SentHeaders>)
  /** How long one attempt may take, in ms. Default 10 000. */
  timeout?: number
  retry?: RetryOptions
  /** How many requests are under way at a time. Default 8. On one channel it is never more than one. */
  concurrency?: number
  /**
   * How many changes may wait or be under way; what is given beyond that is refused (`busy`, outcome `no`). While a server
   * is away, each message waits for its attempts, and those behind it on its channel wait for that: what is published
   * faster than this fails piles up. Default 100 000.
   */
  maxPending?: number
  /**
   * Whether connections are kept for the next request, where the runtime's `fetch` lets this be said (Node does). Twice as
   * fast; but an nginx that reloads closes what it believes idle, and the request that was on its way there has an outcome
   * that nobody knows: one on each connection. Default false. Turn it on for more than some hundred messages a second.
   */
  keepAlive?: boolean
  /** Instead of the runtime's own: to go by another dispatcher, or for tests. */
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
