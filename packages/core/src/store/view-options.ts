import type { PushStreamError } from '../errors.js'
import type { Gap, Status } from '../events.js'
import type { Message } from '../message.js'

/**
 * The options of a component. `D`: the data of its channels.
 *
 * @example
 * ```ts
 * import type { ChannelOptions } from '@pushstream/core/store'
 *
 * const options: ChannelOptions<{ title: string }> = { backtrack: 3, onMessage: ({ title }) => alert(title) }
 * ```
 */
export interface ChannelOptions<D> {
  /**
   * How many stored messages to start with (`.bN` of push_stream_channels_path). Default 0. If the page has already
   * subscribed to the channel, they are the messages that it has kept.
   */
  backtrack?: number
  /** How many of the latest messages to keep in `messages`. Default 0: none. */
  history?: number
  /**
   * Called with every message once, in order, even if the framework renders only the last one of a burst. It may be
   * another function at every render. If it throws, the client reports an `error`, and nothing else is affected.
   */
  onMessage?: (data: D, message: Message<D>) => void
}

/**
 * The options of a component that may show something else than the latest message's data: `R` or `S`.
 *
 * @example
 * ```ts
 * import type { DerivedOptions } from '@pushstream/core/store'
 *
 * const unread: DerivedOptions<unknown, unknown, number> = { initial: 0, reduce: (count) => count + 1 }
 * ```
 */
export type DerivedOptions<D, R, S> = ChannelOptions<D> &
  (
    | {
        /** Derives the value to show from the latest message. If it stays the same (`Object.is`), nothing is rendered. */
        select?: (data: D, message: Message<D>) => R
        reduce?: never
        initial?: never
      }
    | {
        /** Returns the next state to show, given the previous one and a message. It may change at every render. */
        reduce: (state: S, data: D, message: Message<D>) => S
        /** The state before the first message. */
        initial: S
        select?: never
      }
  )

/**
 * All options, as a view takes them.
 *
 * @example
 * ```ts
 * import type { ViewOptions } from '@pushstream/core/store'
 *
 * const options: ViewOptions = { history: 10, select: (_, { channel, text }) => `${channel}: ${text}` }
 * ```
 */
export interface ViewOptions extends ChannelOptions<unknown> {
  select?: (data: unknown, message: Message) => unknown
  reduce?: (state: unknown, data: unknown, message: Message) => unknown
  initial?: unknown
}

/** The state that a component shows. It is the same object until something changes. */
export interface ChannelState<T, D = unknown> {
  /** The data of the latest message, or the result of `select` or `reduce`. */
  readonly data: T
  /** The latest messages, oldest first, up to `history`. */
  readonly messages: readonly Message<D>[]
  /** The connection's state. Also `closed` if nothing is subscribed: no channel, a refused one, or on a server. */
  readonly status: Status['state']
  /** Why a channel was refused, or else the connection's error. */
  readonly error: PushStreamError | undefined
  /** The latest gap: messages that are no longer available. */
  readonly gap: Gap | undefined
}
