import type { Gap } from '../events.js'
import type { SentCredentials } from '../platform.js'
import type { PushStreamSettings } from '../protocols/push-stream.js'
import type { Environment, Params, Provider } from '../types.js'
import type { ClassicError } from './error.js'

/**
 * The callbacks of the classic client, as settings or as properties. They may be assigned at any time.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core/classic'
 *
 * const pushstream = new PushStream()
 * pushstream.onstatuschange = (state) => console.log(state === PushStream.OPEN)
 * pushstream.ongap = (channel, first, last) => console.warn(`${channel}: ${first} to ${last} are lost`)
 * ```
 */
export interface ClassicCallbacks {
  /**
   * Gets every message, once and in the order of its channel.
   *
   * - `text`: percent-decoded. If the template has unquoted JSON (`"text":~text~`), it is an object.
   * - `id`: the channel's running number; `undefined` if the template has no `~id~`.
   * - `channel`: the server's name of the channel.
   * - `eventid`: the `Event-Id` it was published with, or `''`.
   * - `isLastMessageFromBatch`: `false` only for messages of a long-poll answer that others follow.
   * - `time`: when the server accepted it, as an HTTP date; `undefined` if the template has no `~time~`.
   */
  onmessage?:
    | ((
        text: unknown,
        id: number | undefined,
        channel: string,
        eventid: string,
        isLastMessageFromBatch: boolean,
        time: string | undefined,
      ) => void)
    | null
  /** Gets errors. The client reconnects by itself, unless `autoReconnect` is false. */
  onerror?: ((error: ClassicError) => void) | null
  /** Gets `readyState` when it has changed: 0 CLOSED, 1 CONNECTING, 2 OPEN. */
  onstatuschange?: ((readyState: number) => void) | null
  /** Gets the name of a channel that was deleted on the server. It stays subscribed. */
  onchanneldeleted?: ((channel: string) => void) | null
  /**
   * New: messages that are no longer available, before the message that follows them. `first` and `last` are ids, or
   * `'unknown'`; `reason` is `'overflow'` if the server no longer stores them, `'restart'` if it was restarted.
   */
  ongap?: ((channel: string, first: Gap['first'], last: Gap['last'], reason: Gap['reason']) => void) | null
}

/**
 * The settings of `new PushStream(…)` in the classic client. All are optional. Unknown ones are ignored, as in the
 * original script.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core/classic'
 *
 * const pushstream = new PushStream({
 *   host: 'push.example.org',
 *   useSSL: true,
 *   extraParams: () => ({ token: localStorage.getItem('token') ?? '' }),
 *   onmessage: (text) => console.log(text),
 * })
 * ```
 */
export interface ClassicSettings
  extends ClassicCallbacks,
    Omit<PushStreamSettings, 'messageTemplate' | 'messagesControlByArgument' | 'text'> {
  /** Whether to use https and wss. Default: as the page does. */
  useSSL?: boolean
  /** The server's host name. Default: the page's own. */
  host?: string
  /** The server's port. Default 80, or 443 with `useSSL`. */
  port?: number | string
  /**
   * The ways to connect, separated by `|`, the most wanted first. Modes that the browser lacks are skipped. Default
   * `'eventsource|websocket|stream|longpolling'`.
   */
  modes?: string
  /** How long to wait for the server's answer, in ms. Default 30000. */
  timeout?: number
  /** The longest time without a message, in ms, after which the connection is checked. Default 30000. */
  pingtimeout?: number
  /**
   * The first wait after a failed attempt, in ms. It doubles with every failure and is spread at random. Default 3000.
   */
  reconnectOnTimeoutInterval?: number
  /** The longest wait after failures, and the wait until a refused channel is asked for again, in ms. Default 60000. */
  reconnectOnChannelUnavailableInterval?: number
  /** Whether to connect again after a loss. Default true. */
  autoReconnect?: boolean
  /** Continue after the message with this `Event-Id` (push_stream_last_event_id). Default: begin with new messages. */
  lastEventId?: string | null
  /**
   * Begin with messages published after this: a Date, or a number of seconds before `connect`. A negative number asks
   * for all that the server stores. Default: begin with new messages.
   */
  messagesPublishedAfter?: number | string | Date
  /**
   * Whether the position goes only into the query, to `timeArgument`, `tagArgument` and `eventIdArgument`. Default false:
   * it goes into the query and into headers.
   */
  messagesControlByArgument?: boolean
  /** Has no effect: pages of another origin use CORS (push_stream_allowed_origins). */
  useJSONP?: boolean
  /** Query arguments to add, such as a token. It is called before every request. */
  extraParams?: () => Params
  /** New: push_stream_message_template, if it is not JSON or names no channel. Default: JSON with the `json…Key`s. */
  messageTemplate?: string
  /**
   * New: whether to send cookies to another origin. Default `'same-origin'`; `'include'` needs Allow-Credentials from
   * nginx.
   */
  credentials?: SentCredentials
  /**
   * New: headers for every request except a websocket's. A function is called before every request and may be async.
   */
  headers?: Provider<Record<string, string>>
  /**
   * For tests, and for runtimes that lack something: replaces the clock, random numbers, `fetch`, `WebSocket` and so
   * on.
   */
  environment?: Partial<Environment>
}
