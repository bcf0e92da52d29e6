import { type Outcome, PublisherError, type PublisherErrorCode } from './errors.js'

/** The server's answer to one request. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

// Codes of runtimes for a connection that was never made. After any other failure, the server may have read the
// request.
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

/** Whether another attempt would fail, too. Nothing was sent in this case. */
export function hopeless(error: unknown): boolean {
  for (let one = error as Trouble | undefined, depth = 0; one && depth < 5; one = one.cause as Trouble, depth++) {
    // The server's certificate is checked before a request is written.
    if (/^ERR_TLS_CERT|SELF_SIGNED_CERT|^UNABLE_TO_|^CERT_|^ERR_SSL_WRONG_VERSION/.test(String(one.code))) return true
    // A port that fetch blocks.
    if (one.message === 'bad port') return true
  }
  return false
}

/** Whether the server has certainly received nothing of a failed request. */
function neverSent(error: unknown): boolean {
  for (let one = error as Trouble | undefined, depth = 0; one && depth < 5; one = one.cause as Trouble, depth++) {
    // A name with several addresses: this must be true for each of them.
    if (Array.isArray(one.errors) && one.errors.length > 0) return one.errors.every(neverSent)
    if (neverConnected.has(String(one.code)) || one.syscall === 'connect') return true
    if (hopeless(one)) return true
    // Deno has no codes, only the text of its HTTP library.
    if (/^error sending request .*client error \(Connect\)/s.test(String(one.message))) return true
    if (one.socket && one.socket.bytesWritten === 0) return true
  }
  return false
}

function reasonOf(error: unknown): string {
  const cause = (error as Trouble).cause as { code?: unknown; message?: unknown } | undefined
  return String(cause?.code ?? cause?.message ?? (error as Error).message)
}

/** The error of a request without an answer. */
export function withoutAnswer(error: unknown, channels: readonly string[]): PublisherError {
  const outcome: Outcome = neverSent(error) ? 'no' : 'unknown'
  const message =
    outcome === 'no'
      ? `The server can't be reached (${reasonOf(error)}). Check 'url', and that the server is running.`
      : `The connection broke before the server answered (${reasonOf(error)}). It may have accepted the request.`
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
  const explain = headers.get('X-Nginx-PushStream-Explain')
  if (explain !== null) return explain
  const text = body.trim()
  return text !== '' && text.length <= 200 && !text.startsWith('<') ? text : undefined
}

const kinds: Record<number, readonly [PublisherErrorCode, string]> = {
  401: ['forbidden', `Set 'headers' to the credentials that the server expects.`],
  403: ['forbidden', 'Check who may publish (allow, deny), and whether a limit of the server is reached.'],
  404: ['not-found', `Set 'publisher' of the server to the location in nginx.`],
  405: ['not-allowed', 'The location does not allow this request: DELETE needs push_stream_publisher admin.'],
  413: ['too-large', 'Raise client_max_body_size, or publish smaller messages.'],
  429: ['busy', 'Publish more slowly, or raise the limit.'],
  503: ['busy', 'The server is overloaded or not ready yet.'],
}

/** The error of an answer that is not a success. */
export function refusal(answer: Answer, channels: readonly string[], changes: boolean): PublisherError {
  const { status } = answer
  // Some runtimes hide the status of a redirect.
  const redirected = status === 0 || (status >= 300 && status < 400)
  const [code, advice] = redirected
    ? ([
        'not-allowed',
        `It redirects to ${answer.headers.get('Location') ?? 'another address'}: publish there.`,
      ] as const)
    : (kinds[status] ?? (status < 500 ? (['refused', ''] as const) : (['server', ''] as const)))
  const explain = explanationOf(answer)
  const retryAfter = retryAfterOf(answer.headers)
  // A server that sends Retry-After has done nothing. After any other 5xx of a proxy, the server behind it may have.
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

/** One error for several failed requests. */
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
