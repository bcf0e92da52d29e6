// Types that more than one folder uses. Only platform.ts is below it, so every file may import it.
import type { Locks, Memory, SentCredentials, WebSocketClass } from './platform.js'

/** A way to connect. `stream` (push_stream_subscriber streaming) is used only if `modes` names it. */
export type ModeName = 'websocket' | 'eventsource' | 'stream' | 'longpolling'

/**
 * A point in a server's stream: a second and the server's counter within it, as one number, so that comparing positions
 * is cheap.
 */
export type Position = number

/** The part of a message that the sequencer needs. */
export interface Sequenced {
  /** The message's number on its channel, from 1. `undefined` if the template has none. */
  readonly id: number | undefined
  /** The message's position in the server's stream. NaN if the template has none. */
  readonly position: Position
  /** Distinguishes messages that have neither id nor position. */
  readonly fingerprint: string
}

/**
 * Why messages are missing. `overflow`: the server no longer stores them, or never did. `restart`: it lost what it
 * stored, and its numbering started again.
 */
export type GapReason = 'overflow' | 'restart'

/** What a server allows to promise: for the client's `status`, and for the position at which a connection starts. */
export interface Guarantees {
  /**
   * What the server resumes by. `position`: second and counter, exact. `second`: the server repeats the whole second,
   * and the client drops known messages. `event-id`: only channels whose last message had one. `none`: messages that
   * are published while the connection is down are lost.
   */
  readonly resume: 'position' | 'second' | 'event-id' | 'none'
  /**
   * `exact`: missing messages are known by id. `possible`: messages have no numbers, so a `gap` says that some may be
   * missing, but not which. `none`: a loss is not noticed.
   */
  readonly gaps: 'exact' | 'possible' | 'none'
}

/** One request of a protocol. */
export interface Exchange {
  readonly url: string
  readonly headers: Record<string, string>
  readonly credentials: SentCredentials
  /**
   * How the text of a poll's answer is framed: as an event stream, or as one `message` that may be empty and is
   * described by the headers. Default: as the protocol's decoder splits it.
   */
  readonly framing?: 'eventsource' | 'message'
  /** Ends a poll before it is answered: the next one follows. */
  readonly until?: AbortSignal
  /** A status that, like 304, ends a poll without messages. */
  readonly timeoutStatus?: number
  /** Recognises a response with status 200 that is not the push server's, by its headers. */
  readonly foreign?: (headers: Headers) => Symptom | undefined
  /** The subprotocols a websocket offers. */
  readonly subprotocols?: readonly string[]
}

/** Why a transport ended. */
export interface CloseReason {
  /**
   * `end`: the server ended it cleanly. `refused`: it never opened. `lost`: it broke.
   * `status`: an HTTP status other than success. `close`: a websocket close frame with a code.
   * `invalid`: the response is not of this mode (a login page, for example).
   */
  readonly kind: 'end' | 'refused' | 'lost' | 'status' | 'close' | 'invalid'
  /** HTTP status, or the websocket's close code. */
  readonly status?: number
  /** The server's explanation: a header or the close reason. */
  readonly explain?: string | undefined
  /** `Retry-After`, in ms. */
  readonly retryAfter?: number | undefined
  readonly cause?: unknown
  /** The known cause. */
  readonly symptom?: Symptom | undefined
  /** The request. */
  readonly asked?: (Exchange & { readonly mode: ModeName }) | undefined
}

/** Why no messages arrive: a heading of docs/troubleshooting.md. */
export type Symptom =
  | 'unreachable'
  | 'cors'
  | 'credentials'
  | 'mixed'
  | 'csp'
  | 'websocket'
  | 'foreign'
  | 'missing'
  | 'nchan'
  | 'module'
  | 'buffered'
  | 'slow'
  | 'forbidden'
  | 'unreadable'
  | 'template'
  | 'unstored'
  | 'idle'

/** The metadata of a frame. */
export interface FrameMeta {
  readonly event?: string | undefined
  readonly id?: string | undefined
  /** The headers of the answer, if it is one message. */
  readonly headers?: Headers | undefined
  /** The bytes, if the frame is not text. */
  readonly binary?: Uint8Array | undefined
}

/** An answer to a poll: everything up to here has arrived. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
}

/** The events of an open transport. After `closed`, or after a call of `close()`, it reports nothing more. */
export interface TransportEvents {
  /** The transport is open. The server may still reject the subscription. */
  open(): void
  /** Bytes arrived. */
  activity(): void
  /** A sign of life that is not a message: an event stream's comment, or '' for an event without data. */
  comment(text: string): void
  frame(text: string, meta?: FrameMeta): void
  /** One poll was answered completely. */
  answered(answer: Answer): void
  closed(reason: CloseReason): void
}

/** A transport that is open. */
export interface OpenTransport {
  close(): void
  /** Sends a text to the server, if the transport can. Returns `false` if it could not be sent. */
  send?(text: string): boolean
}

/** Asks for the next request. A rejection is reported as an error of the application. */
export type NextExchange = () => Promise<Exchange>

/** Moves bytes. It knows nothing about servers and has no policy. */
export interface Transport {
  /** Its mode. It tells the protocol the location and the form of its requests. */
  readonly name: ModeName
  /**
   * What shows that the server accepted the subscription: `time` (150 ms without a rejection), a first `byte`, or the
   * `opening`. Polls open with their first answer.
   */
  readonly acceptedBy: 'time' | 'byte' | 'opening'
  /**
   * Each answer ends a request, and the next request starts where that answer ended. `longpolling` brings what that takes,
   * so a transport of your own that polls is `{ ...longpolling, open }`.
   */
  readonly polls?: boolean
  /** It does not count towards the browser's limit of connections per host over HTTP/1.1. */
  readonly uncounted?: boolean
  /** The browser hides from the page why a connection is refused, and the comments of an event stream. */
  readonly opaque?: boolean
  /** Whether this runtime supports the transport. */
  available(environment: Environment): boolean
  open(next: NextExchange, events: TransportEvents, environment: Environment): OpenTransport
}

/** The transports by the name of their mode. */
export type NamedTransports = Readonly<Partial<Record<ModeName, Transport>>>

/** The page's lifecycle, for a connection. */
export interface Page {
  /** Calls back when the page comes back (visible, resumed, restored, activated). `lost`: connections may be dead (online). */
  onBack(callback: (lost?: unknown) => void): () => void
  /** Calls back with a URL that the page's Content-Security-Policy blocks. */
  onBlocked?(callback: (url: string) => void): () => void
  /** Calls back when the page is left. It may come back from the back/forward cache. */
  onLeave(callback: () => void): () => void
  /** Whether nobody sees the page yet: the client connects when it is activated. */
  prerendering?: boolean | undefined
}

/**
 * Everything that a connection takes from its surroundings. The default is the browser's own. Tests inject a clock and
 * seeded random numbers, and a runtime without a global WebSocket (Node 20) injects one.
 */
export interface Environment {
  /** Wall clock in ms since 1970. */
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Uniform in [0, 1). All jitter comes from here. */
  random(): number
  fetch: typeof fetch
  WebSocket: WebSocketClass | undefined
  EventSource: typeof EventSource | undefined
  /** The base of relative addresses: the page's own, if there is a page. */
  location: { protocol: string; hostname: string; port: string } | undefined
  /**
   * How many requests to a server of this origin may stay open at once. Default: as many as the browser makes. Browsers
   * allow six over HTTP/1.1, and some are the page's.
   */
  connections?: ((origin: string) => number) | undefined
  page: Page | undefined
  /** By these, tabs share a connection. Default: the browser's. */
  locks?: Locks | null
  BroadcastChannel?: typeof BroadcastChannel | null
  memory: Memory | undefined
}

/** A value, or a function that returns it. The function is called before every request and may be async. */
export type Provider<T> = T | (() => T | Promise<T>)

/** Query arguments, by name. Values are percent-encoded. */
export type Params = Record<string, string | number | boolean>

/** Where a client writes what it does, such as `console`. It never gets message texts, headers or query arguments. */
export interface Logger {
  /** Gets one line. */
  debug(...values: unknown[]): void
}

/** Words, separated by `|`. */
type Joined<Word extends string> =
  | Word
  | `${Word}|${Word}`
  | `${Word}|${Word}|${Word}`
  | `${Word}|${Word}|${Word}|${Word}`

/** The options that have the same meaning for every protocol. */
export interface CommonOptions {
  /**
   * The server's address, with a path prefix if it has one: `https://push.example.org/events`. It may be relative to
   * the page. Default: the page's own origin.
   *
   * An array names several servers that store the same messages, such as Nchan nodes that share one Redis. The client
   * uses the first one until it can't be reached, then the next, and after the last one the first again.
   */
  url?: string | readonly string[]
  /**
   * The ways to connect, the most wanted first: an array of names or transports, or names with `|` between them. The
   * next one starts if the one before is not accepted within half a second. Name only modes that the server has a
   * location for. `stream` (push_stream_subscriber streaming) is used only if it is named here.
   *
   * Default: `['websocket', 'eventsource', 'longpolling']`, as far as the protocol has them.
   */
  modes?: Joined<ModeName> | readonly (ModeName | Transport)[]
  /**
   * The longest time without a message, in ms, after which the connection is checked. The first checks come after one
   * to three seconds, the following ever later, up to this. A check is a small request, or another connection where no
   * listed mode answers one. Lower it to notice sooner that a silent connection delivers nothing. Default 30000.
   */
  pingtimeout?: number
  /**
   * How long to wait for the server's answer at most, in ms. Raise it for slow networks. Once a connection worked, the
   * first attempts to replace it wait ten times as long as that one took, at least 1.5 s. Default 10000.
   */
  timeout?: number
  /** Whether to connect again after a loss. If false, call `connect` yourself. Default true. */
  autoReconnect?: boolean
  /**
   * The first wait after a failed attempt, in ms. It doubles with every failure of a longer outage and is spread at
   * random, so that not all pages come back at once. Default 1000.
   */
  reconnectOnTimeoutInterval?: number
  /** The longest wait after failed attempts, in ms. Default 60000. */
  reconnectOnChannelUnavailableInterval?: number
  /** Continue after the message with this `Event-Id` (push_stream_last_event_id). Default: begin with new messages. */
  lastEventId?: string
  /**
   * Begin with messages that were published after this: a Date, or a number of seconds before now, with either sign.
   * The server must store them (push_stream_store_messages) and take the time from `timeArgument` or from a header.
   * Default: begin with new messages.
   */
  messagesPublishedAfter?: Date | number
  /**
   * Query arguments to add to every request, such as a token. A function is called before every request and may be
   * async: `params: async () => ({ token: await freshToken() })`. Default: none.
   */
  params?: Provider<Params>
  /**
   * Headers to add to every request. A websocket can have none. A function is called before every request and
   * may be async. Default: none.
   */
  headers?: Provider<Record<string, string>>
  /**
   * Whether to send cookies. For another origin, set `'include'`; nginx must then answer with the page's origin and
   * Access-Control-Allow-Credentials. Default `'same-origin'`.
   */
  credentials?: SentCredentials
  /** Closes the client when it is aborted. Default: none. */
  signal?: AbortSignal
  /** Gets a line for everything that the client does, such as `console`. Default: none. */
  logger?: Logger
  /**
   * Replaces the clock, the random numbers, `fetch`, `WebSocket` and so on: for tests, and for runtimes that lack
   * something, such as Node 20 (`{ WebSocket }` from ws). Default: the runtime's own.
   */
  environment?: Partial<Environment>
}
