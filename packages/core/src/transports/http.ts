import type {
  CloseReason,
  Environment,
  Exchange,
  NextExchange,
  OpenTransport,
  Symptom,
  Transport,
  TransportEvents,
} from '../types.js'
import { createSseParser } from './sse.js'

/** How a response is read: `sse` and `text` as it comes, without an end; `answer` as a whole, to one poll of many. */
type Framing = 'sse' | 'text' | 'answer'

/** The longest that a server may keep a client away, in ms. A timer that is too long for a browser is due at once. */
const longestAway = 3_600_000

/** `Retry-After` in ms: seconds or an HTTP date. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const seconds = Number(value)
  const ms = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000
  return ms >= 0 ? Math.min(ms, longestAway) : undefined
}

/** The type of a response without its parameters, in lower case. */
export const mediaType = ({ headers }: Response): string =>
  (headers.get('Content-Type') ?? '').replace(/;.*/, '').trim().toLowerCase()

/** Makes one request. A redirect to a login page is followed as fetch does; the content then tells. */
export const request = (
  { url, headers, credentials }: Pick<Exchange, 'url' | 'headers' | 'credentials'>,
  signal: AbortSignal,
  environment: Environment,
  method = 'GET',
): Promise<Response> => environment.fetch(url, { method, headers, credentials, cache: 'no-store', signal })

/**
 * Reads a body as text, piece by piece, until there is nothing more to come. Whatever the server says its encoding is, it
 * is read as UTF-8, as the browser's own EventSource does.
 *
 * @param ignoreBOM whether a byte order mark belongs to the text.
 */
export async function readBody(
  { body }: Response,
  activity: () => void,
  take: (piece: string) => void,
  ignoreBOM = false,
): Promise<void> {
  const reader = body?.getReader()
  const decoder = new TextDecoder('utf-8', { ignoreBOM })
  for (let done = !reader; !done; ) {
    const read = await (reader as ReadableStreamDefaultReader<Uint8Array>).read()
    done = read.done
    if (!done) activity()
    // At the end, what is left of a character that was cut.
    const piece = decoder.decode(read.value, { stream: !done })
    if (piece !== '') take(piece)
  }
}

/** Makes one request and reads the response to its end. Resolves with the reason to close. Rejects when the network does. */
async function exchangeOnce(
  framing: Framing,
  exchange: Exchange,
  signal: AbortSignal,
  environment: Environment,
  events: Pick<TransportEvents, 'frame' | 'answered'> & Partial<TransportEvents>,
): Promise<CloseReason | undefined> {
  const response = await request(exchange, signal, environment)
  if (signal.aborted) return undefined
  const { status, headers } = response
  const polled = framing === 'answer'
  const refuse = (reason: CloseReason) => {
    response.body?.cancel().catch(() => {})
    return reason
  }
  if (status !== 200 && !(polled && (status === 304 || status === exchange.timeoutStatus))) {
    return refuse({
      kind: 'status',
      status,
      explain: headers.get('X-Nginx-PushStream-Explain') ?? undefined,
      retryAfter: retryAfter(headers.get('Retry-After'), environment.now()),
    })
  }
  const type = mediaType(response)
  const streamed = type === 'text/event-stream'
  const invalid = (explain: string, symptom?: Symptom) =>
    refuse({ kind: 'invalid', explain: response.redirected ? `redirected, ${explain}` : explain, symptom })
  if (framing === 'sse' && !streamed) return invalid(`Content-Type '${type}'`)
  const symptom = status === 200 ? exchange.foreign?.(headers) : undefined
  if (symptom) return invalid(`Content-Type '${type}'`, symptom)
  // An endless answer: it is the location of another mode, or whoever stands between did not pass on that a poll was meant.
  if (polled && streamed) return invalid('a stream instead of an answer')
  // One piece may hold several frames, and what takes the first may close the transport.
  const frame: TransportEvents['frame'] = (text, meta) => signal.aborted || events.frame(text, meta)
  const comment = (text: string) => signal.aborted || events.comment?.(text)
  const parse = createSseParser({
    // Some servers ping with an event that has no data.
    event: (event) => (event.data === undefined ? comment('') : frame(event.data, event)),
    comment,
  })
  let text = ''
  if (!polled) events.open?.()
  await readBody(
    response,
    () => signal.aborted || events.activity?.(),
    polled ? (piece) => (text += piece) : framing === 'sse' ? parse : frame,
    exchange.framing === 'message',
  )
  if (signal.aborted) return undefined
  if (!polled) return { kind: 'end' }
  if (exchange.framing === 'message') {
    if (status === 200) frame(text, { headers })
  } else if (text !== '') {
    if (type === 'text/html' && /<(!doctype|html)/i.test(text)) return invalid('an HTML page')
    if (exchange.framing === 'eventsource') parse(text)
    else frame(text)
  }
  if (!signal.aborted) events.answered({ status, headers })
  return undefined
}

/** One poll, for questions beside the connection. Resolves with the reason if there is no answer. Rejects when the network does. */
export const poll = (
  exchange: Exchange,
  signal: AbortSignal,
  environment: Environment,
  events: Pick<TransportEvents, 'frame' | 'answered'>,
): Promise<CloseReason | undefined> => exchangeOnce('answer', exchange, signal, environment, events)

/** One endless response, or polls: each leaves when the answer before it has been taken in. */
function open(framing: Framing, next: NextExchange, events: TransportEvents, environment: Environment): OpenTransport {
  let abort = new AbortController()
  let opened = false
  let closed = false
  const close = () => {
    closed = true
    abort.abort()
  }
  const end = (reason: CloseReason) => {
    if (closed) return
    close()
    events.closed(reason)
  }
  const reports: TransportEvents = {
    ...events,
    open() {
      opened = true
      events.open()
    },
    answered(answer) {
      if (!opened) reports.open()
      if (!closed) events.answered(answer)
    },
  }
  const run = async () => {
    while (!closed) {
      const exchange = await next()
      if (closed) return
      const { until } = exchange
      const one = new AbortController()
      abort = one
      const stop = () => one.abort()
      until?.addEventListener('abort', stop)
      if (until?.aborted) stop()
      try {
        const reason = await exchangeOnce(framing, exchange, one.signal, environment, reports)
        if (reason) end(reason)
      } catch (cause) {
        if (!until?.aborted) throw cause
      } finally {
        until?.removeEventListener('abort', stop)
      }
    }
  }
  run().catch((cause) => end({ kind: opened ? 'lost' : 'refused', cause }))
  return { close }
}

const available = () => true

/**
 * Server-Sent Events over `fetch`, which sends headers and sees pings and statuses.
 *
 * @example
 * ```ts
 * import { Client, eventsource } from '@pushstream/core'
 *
 * const stream = new Client({ modes: [eventsource], headers: { 'X-Shop': 'main' } })
 * ```
 */
export const eventsource: Transport = {
  name: 'eventsource',
  acceptedBy: 'byte',
  available,
  open: (next, events, environment) => open('sse', next, events, environment),
}

/** HTTP streaming: templates one after the other without a delimiter. The protocol finds their ends. */
export const stream: Transport = {
  name: 'stream',
  acceptedBy: 'opening',
  available,
  open: (next, events, environment) => open('text', next, events, environment),
}

/** Long-polling: a request stays open until there is a message. */
export const longpolling: Transport = {
  name: 'longpolling',
  acceptedBy: 'opening',
  polls: true,
  available,
  open: (next, events, environment) => open('answer', next, events, environment),
}
