import type { Ending, Environment, Exchange } from '../types.js'
import type { Sink } from './mode.js'

const explainHeader = 'X-Nginx-PushStream-Explain'

/** `Retry-After` in ms: seconds or an HTTP date. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const seconds = Number(value)
  const ms = Number.isNaN(seconds) ? Date.parse(value) - now : seconds * 1000
  return ms >= 0 ? ms : undefined
}

/** What a status other than success means for the transport. */
export function statusEnding(response: Response, environment: Environment): Ending {
  const after = retryAfter(response.headers.get('Retry-After'), environment.now())
  const explain = response.headers.get(explainHeader)
  return {
    kind: 'status',
    status: response.status,
    ...(explain === null ? {} : { explain }),
    ...(after === undefined ? {} : { retryAfter: after }),
  }
}

/** Makes one request. A redirect to a login page is followed as fetch does; the content then tells. */
export function request(
  exchange: Exchange,
  signal: AbortSignal,
  environment: Environment,
  method = 'GET',
): Promise<Response> {
  return environment.fetch(exchange.url, {
    method,
    headers: exchange.headers,
    credentials: exchange.credentials,
    cache: 'no-store',
    signal,
  })
}

/** Reads a body as text, piece by piece, and reports how it ended. Resolves when there is nothing more to come. */
export async function readBody(
  response: Response,
  sink: Pick<Sink, 'life'>,
  text: (piece: string) => void,
): Promise<void> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    sink.life()
    text(decoder.decode(value, { stream: true }))
  }
  const rest = decoder.decode()
  if (rest !== '') text(rest)
}
