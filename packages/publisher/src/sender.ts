import { onAbort, orAborted, pause } from './aborts.js'
import { PublisherError } from './errors.js'
import { type Answer, hopeless, refusal, withoutAnswer } from './failures.js'
import { Slots } from './queue.js'
import type { ServerRequest } from './servers/server.js'

/**
 * When to send requests again.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * const retry = { attempts: 3, repeat: 'with-event-id' } as const
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080', retry })
 * ```
 */
export interface RetryOptions {
  /**
   * The most attempts after the first one. Default 8, which take about 12 s with the waits between them; 0 is never.
   */
  attempts?: number
  /** The first wait in ms. Each following one is twice as long. Default 100. */
  delay?: number
  /** The longest wait in ms. If the server asks for more (`Retry-After`), the publisher gives up. Default 5000. */
  maxDelay?: number
  /**
   * Whether to publish a message again if the server may have accepted it: the connection broke, or no answer came in
   * time.
   *
   * - `never` (default): the call rejects with an error whose `outcome` is `unknown`.
   * - `with-event-id`: only messages with an event id. A page can drop repetitions by this id; neither the server nor
   *   the client does so.
   * - `always`: use it if repetitions do no harm.
   */
  repeat?: 'never' | 'with-event-id' | 'always'
}

/** What the headers of `fetch` are given as: `HeadersInit`, also without the DOM library. */
export type SentHeaders = NonNullable<RequestInit['headers']>

export interface SenderSettings {
  readonly base: string
  readonly headers: () => SentHeaders | Promise<SentHeaders>
  readonly timeout: number
  readonly retry: Required<RetryOptions>
  readonly concurrency: number
  readonly keepAlive: boolean
  readonly fetch: typeof globalThis.fetch
  readonly random: () => number
}

export interface SendOptions {
  readonly channels: readonly string[]
  /** Whether the request may reach the server twice. */
  readonly repeatable: boolean
  /** Whether the request changes anything on the server. */
  readonly changes: boolean
  /** Statuses other than 2xx that are an answer, not an error. */
  readonly takes?: readonly number[]
  readonly signal?: AbortSignal | undefined
}

/** Sends requests, a few at a time, and retries them if that does no harm. */
export class Sender {
  readonly #settings: SenderSettings
  readonly #slots: Slots

  constructor(settings: SenderSettings) {
    this.#settings = settings
    this.#slots = new Slots(settings.concurrency)
  }

  /** Resolves with the answer, and with how many earlier attempts may have reached the server. */
  async send(request: ServerRequest, options: SendOptions): Promise<Answer & { readonly repeated: number }> {
    const { attempts } = this.#settings.retry
    let repeated = 0
    for (let attempt = 0; ; attempt++) {
      try {
        const { signal, channels } = options
        const answer = await this.#slots.with(
          () => this.#once(request, options),
          signal,
          () => aborted(channels, 'no', signal as AbortSignal),
        )
        return { ...answer, repeated }
      } catch (error) {
        if (!(error instanceof PublisherError) || attempt >= attempts || !this.#again(error, options)) {
          // An earlier attempt may have reached the server, whatever the outcome of the last one.
          throw repeated > 0 && error instanceof PublisherError && error.outcome === 'no' ? doubtful(error) : error
        }
        if (error.outcome === 'unknown') repeated++
        await this.#pause(attempt, error, options, repeated > 0)
      }
    }
  }

  #again(error: PublisherError, { repeatable }: SendOptions): boolean {
    const { code, outcome, retryAfter, cause } = error
    const passing = code === 'unreachable' || code === 'timeout' || code === 'busy' || code === 'server'
    if (!passing || (retryAfter ?? 0) > this.#settings.retry.maxDelay || hopeless(cause)) return false
    return repeatable || outcome === 'no'
  }

  async #once(request: ServerRequest, options: SendOptions): Promise<Answer> {
    const { base, fetch, timeout, keepAlive } = this.#settings
    const { channels, signal, changes, takes = [] } = options
    if (signal?.aborted) throw aborted(channels, 'no', signal)
    const abort = new AbortController()
    const off = onAbort(signal, () => abort.abort(signal?.reason))
    let late = false
    const timer = setTimeout(() => {
      late = true
      abort.abort()
    }, timeout)
    let sent = false
    let answer: Answer
    try {
      const given = await orAborted(this.#headers(request, channels), abort.signal)
      if (!keepAlive) given.set('Connection', 'close')
      const { method, path, body } = request
      sent = true
      const going = fetch(`${base}${path}`, {
        method,
        headers: given,
        // A redirected POST becomes a GET, whose success would look like a published message.
        redirect: 'manual',
        signal: abort.signal,
        ...(body !== undefined && { body: body as BodyInit }),
      })
      // Some implementations of fetch ignore the signal.
      const response = await orAborted(going, abort.signal)
      answer = {
        status: response.status,
        headers: response.headers,
        body: await orAborted(response.text(), abort.signal),
      }
    } catch (error) {
      const outcome = changes && sent ? 'unknown' : 'no'
      if (late) {
        const doubt = outcome === 'unknown' ? ' The server may have accepted the request.' : ''
        const message = sent ? `No answer within ${timeout} ms.${doubt}` : `'headers' took more than ${timeout} ms.`
        throw new PublisherError('timeout', message, { channels, outcome, cause: error })
      }
      if (signal?.aborted) throw aborted(channels, outcome, signal)
      throw sent ? withoutAnswer(error, channels) : error
    } finally {
      clearTimeout(timer)
      off()
    }
    if ((answer.status >= 200 && answer.status < 300) || takes.includes(answer.status)) return answer
    throw refusal(answer, channels, changes)
  }

  async #headers(request: ServerRequest, channels: readonly string[]): Promise<Headers> {
    try {
      const headers = new Headers(await this.#settings.headers())
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, value)
      return headers
    } catch (cause) {
      const message = `'headers' failed: ${cause instanceof Error ? cause.message : String(cause)}`
      throw new PublisherError('bad-option', message, { channels, cause })
    }
  }

  async #pause(
    attempt: number,
    error: PublisherError,
    { signal, channels }: SendOptions,
    mayBeDone: boolean,
  ): Promise<void> {
    const { delay, maxDelay } = this.#settings.retry
    const whole = Math.min(maxDelay, delay * 2 ** attempt)
    // Jitter, so that not all channels retry at once.
    const ms = Math.max(error.retryAfter ?? 0, whole * (0.5 + this.#settings.random() / 2))
    await pause(ms, signal)
    if (signal?.aborted) throw aborted(channels, mayBeDone ? 'unknown' : 'no', signal)
  }
}

/** The error of a request that its caller has aborted. */
export function aborted(channels: readonly string[], outcome: 'no' | 'unknown', signal: AbortSignal): PublisherError {
  const message = outcome === 'no' ? 'Aborted before it was sent.' : 'Aborted: the server may have accepted it.'
  return new PublisherError('aborted', message, { channels, outcome, cause: signal.reason })
}

function doubtful(error: PublisherError): PublisherError {
  const { code, message, channels, status, explain, retryAfter, cause } = error
  return new PublisherError(code, `${message} An earlier attempt may have reached the server.`, {
    channels,
    outcome: 'unknown',
    status,
    explain,
    retryAfter,
    cause,
  })
}
