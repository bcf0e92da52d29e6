import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PushStreamError } from './errors.js'
import type { Message } from './message.js'
import type { GapReason, ModeName, Promises } from './types.js'

/** The bodies of messages by channel and type: `{ 'user-42': { answer: { value: number } } }`. */
export type Channels = Record<string, Record<string, unknown>>

/** The data that may arrive on a channel. */
export type DataOf<C extends Channels, Name extends keyof C> = Name extends keyof C ? C[Name][keyof C[Name]] : never

/** A channel of the type parameter, or `'*'` for any. */
export type Name<C extends Channels> = (keyof C & string) | '*'
/** A type on that channel, or `'*'` for any. */
export type TypeOn<C extends Channels, N extends string> = (N extends keyof C ? keyof C[N] & string : string) | '*'
/** The data that a processor for a channel and a type gets. */
export type Routed<C extends Channels, N extends string, T extends string> = N extends keyof C
  ? T extends keyof C[N]
    ? C[N][T]
    : DataOf<C, N>
  : string extends keyof C
    ? unknown
    : DataOf<C, keyof C>

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

/** The state of a client. It is replaced by another object when something changes. */
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
  /** What the server's message template lets the client resume by: see {@link Promises}. */
  readonly resume: Promises['resume']
  /** Whether missing messages are known by id. */
  readonly gaps: Promises['gaps']
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

/** The events of a client, and the arguments of their listeners. */
export type ClientEvents<C extends Channels> = {
  /** A message arrived. Each is emitted once, in channel order. */
  message: Message<DataOf<C, keyof C>>
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
