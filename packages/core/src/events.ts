import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PushStreamError } from './errors.js'
import type { Message } from './message.js'
import type { GapReason, Guarantees, ModeName } from './types.js'

/**
 * The bodies of messages by channel and type, as a type or an interface. A channel may be a template.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * interface Shop {
 *   news: { item: { title: string } }
 *   [user: `user-${number}`]: { answer: { value: number }; question: { text: string } }
 * }
 * const stream = new PushStream<Shop>().addChannel('user-42')
 * stream.registerProcessor('user-42', 'answer', ({ value }) => console.log(value + 1))
 * ```
 */
export type Channels<C = Record<string, Record<string, unknown>>> = { readonly [Name in keyof C]: object }

/**
 * The data that may arrive on a channel.
 *
 * @example
 * ```ts
 * import type { DataOf } from '@pushstream/core'
 *
 * type Shop = { 'user-42': { answer: { value: number }; question: { text: string } } }
 * type Data = DataOf<Shop, 'user-42'> // { value: number } | { text: string }
 * ```
 */
export type DataOf<C, Name extends keyof C> = Name extends keyof C ? C[Name][keyof C[Name]] : never

/** The data that a processor for a channel and a type gets. */
type RoutedData<C, N extends string, T extends string> = N extends keyof C
  ? T extends keyof C[N]
    ? C[N][T]
    : DataOf<C, N>
  : string extends keyof C
    ? unknown
    : DataOf<C, keyof C>

/** A function that processes the messages of a channel with a type. */
export type Processor<C, N extends string, T extends string> = (
  data: RoutedData<C, N, T>,
  message: Message<RoutedData<C, N, T>>,
) => void

/** A message of any channel and type: to compare `channel` and `type` tells what `data` is. */
export type AnyMessage<C> = {
  [N in keyof C & string]: { [T in keyof C[N] & string]: Message<C[N][T], N, TypeName<T>> }[keyof C[N] & string]
}[keyof C & string]

/** Where the types are not listed, a message may have none. */
type TypeName<T extends string> = string extends T ? string | undefined : T

/** Messages of a channel that are no longer available. It is emitted before the message that follows them. */
export interface Gap {
  /** The name of the channel. */
  readonly channel: string
  /** The first missing id. `unknown`: messages have no ids, and some may be missing. */
  readonly first: number | 'unknown'
  /** The last missing id. `unknown`: the server's numbering started again, or messages have no ids. */
  readonly last: number | 'unknown'
  /**
   * `overflow`: the server no longer stores them (push_stream_max_messages_stored_per_channel, push_stream_message_ttl;
   * nchan_message_buffer_length, nchan_message_timeout; a day, for django-eventstream), or never did
   * (push_stream_store_messages). `restart`: the server lost what it stored.
   */
  readonly reason: GapReason
}

/** Data that can't be delivered as a message: an unreadable frame, or data that a schema rejects. */
export interface DeadLetter {
  /** The name of the channel, if it could be read. */
  readonly channel: string | undefined
  /** The text, or its beginning. */
  readonly raw: string
  /** Why it is not delivered, in English. */
  readonly reason: string
  /** The message, if only the schema of `registerWithSchema` rejected its data. */
  readonly message: Message | undefined
  /** The schema's issues with the data. */
  readonly issues: readonly StandardSchemaV1.Issue[] | undefined
}

/** A channel was deleted on the server. It stays subscribed: if it is created again, its messages arrive. */
export interface ChannelDeleted {
  /** The name of the channel. */
  readonly channel: string
  /** The text the server gave (the body of the DELETE request). */
  readonly text: string
}

/**
 * The state of a client. It is replaced by another object when something changes.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream().addChannel('news').connect()
 * stream.on('status', ({ state, retryAt = 0 }) => {
 *   if (state === 'waiting') console.log(`Offline. Next attempt in ${Math.ceil((retryAt - Date.now()) / 1000)} s.`)
 * })
 * ```
 */
export interface Status {
  /**
   * `closed`: not connected, and no attempt is planned. `connecting`: an attempt is under way. `waiting`: the next
   * attempt follows at `retryAt`. `open`: messages arrive.
   */
  readonly state: 'closed' | 'connecting' | 'waiting' | 'open'
  /** The mode in use, while `open`. */
  readonly mode: ModeName | undefined
  /** How many attempts in a row have failed. 0 while `open`. */
  readonly attempt: number
  /** When the next attempt is due, in ms since 1970, while waiting. */
  readonly retryAt: number | undefined
  /** The last error, until a connection is open again. */
  readonly error: PushStreamError | undefined
  /** When `state` or `mode` last changed, in ms since 1970. */
  readonly since: number
  /** What the server's message template lets the client resume by: see {@link Guarantees}. */
  readonly resume: Guarantees['resume']
  /** Whether missing messages are known by id. */
  readonly gaps: Guarantees['gaps']
}

/** Counters since the client was made. */
export interface Stats {
  /** Messages handed to the application. */
  readonly received: number
  /** Messages that arrived again and were dropped. */
  readonly duplicates: number
  /** `gap` events. */
  readonly gaps: number
  /** Connections opened after the first, without counting planned hand-overs. */
  readonly reconnects: number
}

/**
 * The events of a client, and the arguments of their listeners.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * type Shop = { news: { item: { title: string }; alarm: { level: number } } }
 * const stream = new PushStream<Shop>().addChannel('news').connect()
 * stream.on('message', ({ type, data }) => {
 *   if (type === 'alarm') console.log(data.level)
 * })
 * ```
 */
export type ClientEvents<C> = {
  /** A message arrived. Each is emitted once, in channel order. */
  message: AnyMessage<C>
  /** The status changed. */
  status: Status
  /** A connection is accepted, the first time and after every loss. */
  open: Status
  /** Messages are no longer available. It is emitted before the message that follows them. */
  gap: Gap
  /** A channel was deleted on the server. */
  channeldeleted: ChannelDeleted
  /** Data arrived that can't be delivered as a message. */
  deadletter: DeadLetter
  /** An error occurred. Its message says what the client does about it. Only a refused channel needs your help. */
  error: PushStreamError
}
