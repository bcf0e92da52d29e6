import type { ModeName, Symptom } from './types.js'

/**
 * What went wrong, as a stable word to switch on.
 *
 * - `bad-option`: an option is unknown, contradictory or not of its type. Thrown by the constructor.
 * - `bad-channel`: a channel name that the server cannot be asked for. Thrown by `addChannel`.
 * - `closed`: the client was used after `close()`.
 * - `forbidden`: the server refuses this channel. Final for the channel; the others go on.
 * - `unauthorized`: the server wants credentials (401). Final for the channel.
 * - `bad-request`: the server can't take this channel (too long, for example). Final for the channel.
 * - `unreachable`: no mode reached the server. The client tries again by itself.
 * - `http`: the server answered with a status that is not the channel's fault. The client tries again by itself.
 * - `silent`: the connection showed no sign of life and was given up. The client connects again by itself.
 * - `listener`: a listener, processor or provider of the application threw. Nothing else is affected.
 * - `setup`: the server or the page is set up so that messages can be lost. `message` names what to change.
 * - `send`: a message could not be published.
 */
export type ErrorCode =
  | 'bad-option'
  | 'bad-channel'
  | 'closed'
  | 'forbidden'
  | 'unauthorized'
  | 'bad-request'
  | 'unreachable'
  | 'http'
  | 'silent'
  | 'listener'
  | 'setup'
  | 'send'

/** The context of an error. */
export interface ErrorDetails {
  channel?: string | undefined
  mode?: ModeName | undefined
  status?: number | undefined
  url?: string | undefined
  symptom?: Symptom | undefined
  cause?: unknown
}

/**
 * Every error this package throws or reports. `message` says what to do about it.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream().addChannel('user-42').connect()
 * stream.on('error', ({ code, message }) => {
 *   if (code === 'unauthorized') location.assign('/login')
 *   else console.warn(message)
 * })
 * ```
 */
export class PushStreamError extends Error {
  override readonly name = 'PushStreamError'
  readonly code: ErrorCode
  /** The channel concerned, where it is one channel's error. */
  readonly channel: string | undefined
  /** The mode of the request that failed. */
  readonly mode: ModeName | undefined
  /** The HTTP status the server gave, also where it came in a websocket's close reason. */
  readonly status: number | undefined
  /** The address of the request that failed, without the values of its query. */
  readonly url: string | undefined
  /** What to look up in docs/troubleshooting.md. */
  readonly symptom: Symptom | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.channel = details.channel
    this.mode = details.mode
    this.status = details.status
    this.url = details.url
    this.symptom = details.symptom
  }
}

/** The error of an option that can't be used. */
export const bad = (message: string, cause?: unknown) => new PushStreamError('bad-option', message, { cause })
