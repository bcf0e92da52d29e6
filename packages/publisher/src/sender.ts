import { onAbort, orAborted, pause } from './aborts.js'
import { PublisherError } from './errors.js'
import { type Answer, hopeless, refusal, withoutAnswer } from './failures.js'
import { Slots } from './queue.js'
import type { ServerRequest } from './servers/server.js'

/** When requests are sent again. */
export interface RetryOptions {
  /** How often at most, after the first time. Default 8, which with the waits between them is about 12 s; 0 is never. */
  attempts?: number
  /** The first wait in ms; each next one is twice as long. Default 100. */
  delay?: number
  /** The longest wait in ms. A server that asks for more (`Retry-After`) is not waited for. Default 5000. */
  maxDelay?: number
  /**
   * Whether a message is published again when nobody knows if the server took it (the connection broke, or no answer
   * came in time). `never` (default): its caller gets an error whose `outcome` is `unknown`. `with-event-id`: messages
   * with an event id, by which pages can drop what they know; neither the server nor the client does so. `always`: where
   * twice does no harm.
   */
  repeat?: 'never' | 'with-event-id' | 'always'
}

export interface SenderSettings {
  readonly base: string
  readonly headers: () => HeadersInit | Promise<HeadersInit>
  readonly timeout: number
  readonly retry: Required<RetryOptions>
  readonly concurrency: number
  readonly keepAlive: boolean
  readonly fetch: typeof globalThis.fetch
  readonly random: () => number
}

export interface SendOptions {
  readonly channels: readonly string[]
  /** Whether it is harmless when the server gets it twice. */
  readonly repeatable: boolean
  /** Whether it changes anything. */
  readonly changes: boolean
  /** Statuses that are an answer, and no error. */
  readonly takes?: readonly number[]
  readonly signal?: AbortSignal | undefined
}

/** Sends requests: some at a time, and again where that does no harm. */
export class Sender {
  readonly #settings: SenderSettings
  readonly #slots: Slots

  constructor(settings: SenderSettings) {
    this.#settings = settings
    this.#slots = new Slots(settings.concurrency)
  }

  /** Resolves with the answer and how many attempts before it may have reached the server. */
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
          // An earlier attempt may have come through, whatever the last one says.
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
        // A redirected POST becomes a GET: that would be told as published.
        redirect: 'manual',
        signal: abort.signal,
        ...(body !== undefined && { body: body as BodyInit }),
      })
      // Not every fetch listens to its signal.
      const response = await orAborted(going, abort.signal)
      answer = {
        status: response.status,
        headers: response.headers,
        body: await orAborted(response.text(), abort.signal),
      }
    } catch (error) {
      const outcome = changes && sent ? 'unknown' : 'no'
      if (late) {
        const doubt = outcome === 'unknown' ? ': nobody knows whether the server took the request' : ''
        const message = sent
          ? `No answer within ${timeout} ms${doubt}.`
          : `'headers' were not there within ${timeout} ms.`
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
      const message = `'headers' could not be made: ${cause instanceof Error ? cause.message : String(cause)}`
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
    // Not all channels at once.
    const ms = Math.max(error.retryAfter ?? 0, whole * (0.5 + this.#settings.random() / 2))
    await pause(ms, signal)
    if (signal?.aborted) throw aborted(channels, mayBeDone ? 'unknown' : 'no', signal)
  }
}

/** The caller's signal. */
export function aborted(channels: readonly string[], outcome: 'no' | 'unknown', signal: AbortSignal): PublisherError {
  const message = outcome === 'no' ? 'Given up before it was sent.' : 'Given up: the server may have taken it.'
  return new PublisherError('aborted', message, { channels, outcome, cause: signal.reason })
}

function doubtful(error: PublisherError): PublisherError {
  const { code, message, channels, status, explain, retryAfter, cause } = error
  return new PublisherError(code, `${message} An earlier attempt may have come through.`, {
    channels,
    outcome: 'unknown',
    status,
    explain,
    retryAfter,
    cause,
  })
}
