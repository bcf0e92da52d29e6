import { type Outcome, PublisherError, type PublisherErrorCode } from './errors.js'

/** What became of one request. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

// What a runtime says when a connection was never made. Whatever else breaks may have been read by the server before.
const neverConnected = new Set([
  'ECONNREFUSED',
  'ConnectionRefused',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'FailedToOpenSocket',
])

interface Trouble {
  code?: unknown
  message?: unknown
  syscall?: unknown
  cause?: unknown
  errors?: unknown
  socket?: { bytesWritten?: unknown } | null
}

/** Whether it will be the same next time, too. Nothing was sent then. */
export function hopeless(error: unknown): boolean {
  for (let one = error as Trouble | undefined, depth = 0; one && depth < 5; one = one.cause as Trouble, depth++) {
    // Before a request is written, the other side's certificate is looked at.
    if (/^ERR_TLS_CERT|SELF_SIGNED_CERT|^UNABLE_TO_|^CERT_|^ERR_SSL_WRONG_VERSION/.test(String(one.code))) return true
    // Ports that fetch doesn't go to.
    if (one.message === 'bad port') return true
  }
  return false
}

/** Whether a failed fetch certainly left nothing with the server. */
export function neverSent(error: unknown): boolean {
  for (let one = error as Trouble | undefined, depth = 0; one && depth < 5; one = one.cause as Trouble, depth++) {
    // Several addresses of one name: all of them have to be like that.
    if (Array.isArray(one.errors) && one.errors.length > 0) return one.errors.every(neverSent)
    if (neverConnected.has(String(one.code)) || one.syscall === 'connect') return true
    if (hopeless(one)) return true
    // Deno has no codes, but the words of its HTTP library.
    if (/^error sending request .*client error \(Connect\)/s.test(String(one.message))) return true
    if (one.socket && one.socket.bytesWritten === 0) return true
  }
  return false
}

function reasonOf(error: unknown): string {
  const cause = (error as Trouble).cause as { code?: unknown; message?: unknown } | undefined
  return String(cause?.code ?? cause?.message ?? (error as Error).message)
}

/** A request that got no answer. */
export function withoutAnswer(error: unknown, channels: readonly string[]): PublisherError {
  const outcome: Outcome = neverSent(error) ? 'no' : 'unknown'
  const message =
    outcome === 'no'
      ? `The server can't be reached (${reasonOf(error)}). Is 'url' right, and is it running?`
      : `The connection broke before the server answered (${reasonOf(error)}): nobody knows whether it took the request.`
  return new PublisherError('unreachable', message, { channels, outcome, cause: error })
}

/** How long a `Retry-After` asks to wait, in ms. */
function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('Retry-After')?.trim()
  if (value === undefined || value === '') return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now())
}

function explanationOf({ headers, body }: Answer): string | undefined {
  const told = headers.get('X-Nginx-PushStream-Explain')
  if (told !== null) return told
  const text = body.trim()
  return text !== '' && text.length <= 200 && !text.startsWith('<') ? text : undefined
}

const kinds: Record<number, readonly [PublisherErrorCode, string]> = {
  401: ['forbidden', `Set 'headers' to what the server wants to see.`],
  403: ['forbidden', 'May this publisher be here (allow, deny), and is a limit of the server reached?'],
  404: ['not-found', `Is 'publisher' of the server what nginx has as its location?`],
  405: ['not-allowed', 'The location takes no such request: DELETE wants push_stream_publisher admin.'],
  413: ['too-large', 'Raise client_max_body_size, or publish less at once.'],
  429: ['busy', 'Publish slower, or raise the limit.'],
  503: ['busy', 'The server is overloaded, or not ready yet.'],
}

/** An answer that is none of success. */
export function refusal(answer: Answer, channels: readonly string[], changes: boolean): PublisherError {
  const { status } = answer
  // Some runtimes show no more of a redirect than that it is one.
  const redirected = status === 0 || (status >= 300 && status < 400)
  const [code, advice] = redirected
    ? (['not-allowed', `It points to ${answer.headers.get('Location') ?? 'another address'}: publish there.`] as const)
    : (kinds[status] ?? (status < 500 ? (['refused', ''] as const) : (['server', ''] as const)))
  const explain = explanationOf(answer)
  const retryAfter = retryAfterOf(answer.headers)
  // Who says when to come again has done nothing. Behind other errors of 5xx may be a server that has: a proxy tells so.
  const done = status >= 500 && !(status === 503 && retryAfter !== undefined)
  const outcome: Outcome = changes && (done || status === 408) ? 'unknown' : 'no'
  const said = explain === undefined ? '' : `: ${explain}`
  return new PublisherError(
    code,
    `The server answered ${status}${said}${advice ? `${said ? ' ' : '. '}${advice}` : ''}`,
    {
      channels,
      outcome,
      status,
      explain,
      retryAfter,
    },
  )
}

/** The failures of several requests, as one. */
export function combined(errors: readonly PublisherError[]): PublisherError {
  const [first] = errors as [PublisherError]
  const channels = errors.flatMap((error) => error.channels)
  const outcome = errors.some((error) => error.outcome === 'unknown') ? 'unknown' : 'no'
  const { code, status, explain, retryAfter } = first
  const cause = new AggregateError(errors)
  return new PublisherError(code, `${first.message} (${errors.length} requests failed)`, {
    channels,
    outcome,
    status,
    explain,
    retryAfter,
    cause,
  })
}
