/**
 * What went wrong, as a stable word to switch on.
 *
 * - `bad-option`: an option is unknown, contradictory or not of its type; `headers` that could not be made.
 * - `bad-channel`: a name that the server can't be asked for.
 * - `bad-data`: data that can't be sent: nothing at all, a circular object, half a surrogate pair.
 * - `unsupported`: this server has no such thing.
 * - `unreachable`: the connection could not be made, or broke before an answer came.
 * - `timeout`: no answer in time.
 * - `aborted`: the caller's signal.
 * - `busy`: the server is overloaded or on its way (429, 503), or `maxPending` changes wait already.
 * - `forbidden`: the server doesn't let this publisher, or this channel (401, 403).
 * - `not-found`: nothing answers to this address (404).
 * - `not-allowed`: the location doesn't take this method (405), or redirects.
 * - `too-large`: `client_max_body_size` (413).
 * - `refused`: any other answer of 4xx.
 * - `server`: any other answer of 5xx.
 * - `unexpected`: an answer that no such server gives.
 */
export type PublisherErrorCode =
  | 'bad-option'
  | 'bad-channel'
  | 'bad-data'
  | 'unsupported'
  | 'unreachable'
  | 'timeout'
  | 'aborted'
  | 'busy'
  | 'forbidden'
  | 'not-found'
  | 'not-allowed'
  | 'too-large'
  | 'refused'
  | 'server'
  | 'unexpected'

/** Whether the server did what it was asked for. `no`: certainly not. `unknown`: it may have. */
export type Outcome = 'no' | 'unknown'

/** The context of an error. */
export interface PublisherErrorDetails {
  channels?: readonly string[] | undefined
  outcome?: Outcome | undefined
  status?: number | undefined
  explain?: string | undefined
  retryAfter?: number | undefined
  cause?: unknown
}

/**
 * Every error this package throws. `message` says what to do about it.
 *
 * @example
 * ```ts
 * import { Publisher, PublisherError } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * await publisher.publish('user-42', { type: 'answer', value: 42 }).catch((error) => {
 *   if (error instanceof PublisherError && error.outcome === 'unknown') console.warn('It may have been published.')
 *   else throw error
 * })
 * ```
 */
export class PublisherError extends Error {
  override readonly name = 'PublisherError'
  readonly code: PublisherErrorCode
  /** The channels concerned. */
  readonly channels: readonly string[]
  /**
   * Whether what failed may have happened all the same. After `no`, publishing again can't double; after `unknown`, it
   * may.
   */
  readonly outcome: Outcome
  /** The HTTP status. */
  readonly status: number | undefined
  /** What the server said: `X-Nginx-PushStream-Explain`, or its answer when that is plain text. */
  readonly explain: string | undefined
  /** How long the server asks to wait, in ms (`Retry-After`). */
  readonly retryAfter: number | undefined

  constructor(code: PublisherErrorCode, message: string, details: PublisherErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.channels = details.channels ?? []
    this.outcome = details.outcome ?? 'no'
    this.status = details.status
    this.explain = details.explain
    this.retryAfter = details.retryAfter
  }
}

/** An option that isn't what it should be. */
export const badOption = (message: string): PublisherError => new PublisherError('bad-option', message)
