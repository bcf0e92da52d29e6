import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PushStreamError } from './errors.js'
import type { Message } from './message.js'
import type { GapReason, ModeName, Promises } from './types.js'

/** Which types of messages come on which channels, and what their bodies are: `{ 'user-42': { answer: { value: number } } }`. */
export type Channels = Record<string, Record<string, unknown>>

/** What may come on a channel. */
export type DataOf<C extends Channels, Name extends keyof C> = Name extends keyof C ? C[Name][keyof C[Name]] : never

/** A channel of the type parameter, or `'*'` for any. */
export type Name<C extends Channels> = (keyof C & string) | '*'
/** A type on that channel, or `'*'` for any. */
export type TypeOn<C extends Channels, N extends string> = (N extends keyof C ? keyof C[N] & string : string) | '*'
/** What a processor for a channel and a type gets. */
export type Routed<C extends Channels, N extends string, T extends string> = N extends keyof C
  ? T extends keyof C[N]
    ? C[N][T]
    : DataOf<C, N>
  : string extends keyof C
    ? unknown
    : DataOf<C, keyof C>

/** Messages of a channel that can't be had any more. Comes before the message that follows them. */
export interface Gap {
  readonly channel: string
  /** The first missing id; `unknown` where messages have no ids, and some may be missing. */
  readonly first: number | 'unknown'
  /** The last missing id; `unknown` when the server's numbering began anew, or there is none. */
  readonly last: number | 'unknown'
  /**
   * `overflow`: the server does not store them any more (push_stream_max_messages_stored_per_channel,
   * push_stream_message_ttl; nchan_message_buffer_length, nchan_message_timeout; a day, for django-eventstream), or never did
   * (push_stream_store_messages). `restart`: the server lost what it stored.
   */
  readonly reason: GapReason
}

/** Something that came and can't be handed on as a message. */
export interface DeadLetter {
  /** The channel, where it could be read. */
  readonly channel: string | undefined
  /** What came, or the beginning of it. */
  readonly raw: string
  readonly reason: string
  /** The message, where only a processor's schema refused it. */
  readonly message: Message | undefined
  /** What the schema says. */
  readonly issues: readonly StandardSchemaV1.Issue[] | undefined
}

/** A channel was deleted on the server. It stays subscribed: if it is made again, its messages come again. */
export interface ChannelDeleted {
  readonly channel: string
  /** The text the server gave (the body of the DELETE request). */
  readonly text: string
}

/** How the client is, as a snapshot that is replaced when something changes. */
export interface Status {
  /** `closed`: nothing is wanted. `connecting`: on its way. `waiting`: back-off until `retryAt`. `open`: messages come. */
  readonly state: 'closed' | 'connecting' | 'waiting' | 'open'
  /** The mode in use, when open. */
  readonly mode: ModeName | undefined
  /** Failures in a row. 0 when all is well. */
  readonly attempt: number
  /** When the next attempt is due, in ms since 1970, while waiting. */
  readonly retryAt: number | undefined
  /** The last trouble, until a connection is open again. */
  readonly error: PushStreamError | undefined
  /** Since when `state` and `mode` are what they are, in ms since 1970. */
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
  /** Messages that came again, and were dropped. */
  readonly duplicates: number
  /** `gap` events. */
  readonly gaps: number
  /** Connections opened after the first, without counting planned hand-overs. */
  readonly reconnects: number
}

/** What `on` can be asked for, and what its listeners get. */
export type ClientEvents<C extends Channels> = {
  /** Each message once, in the order of its channel. */
  message: Message<DataOf<C, keyof C>>
  /** Whenever the status changes. */
  status: Status
  /** A connection is accepted, the first time and after every loss. */
  open: Status
  /** Messages that can't be had any more. */
  gap: Gap
  channeldeleted: ChannelDeleted
  deadletter: DeadLetter
  /** Trouble. What the client does about it stands in the error's message; only a refused channel needs you. */
  error: PushStreamError
}
