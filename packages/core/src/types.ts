// Types that more than one folder uses. This file imports nothing, so every file may import it.

/** The ways a message can come. `stream` is used on request only. */
export type ModeName = 'websocket' | 'eventsource' | 'stream' | 'longpolling'

/**
 * A point in a server's stream: a second and the server's counter within it, as one number, so that comparing
 * positions costs nothing on the way of a message.
 */
export type Position = number

/** What the sequencer needs to know of a message. */
export interface Sequenced {
  /** The channel's running number, from 1. `undefined` where the template has none. */
  readonly id: number | undefined
  /** Where the message stands in the server's stream, NaN where the template does not tell. */
  readonly position: Position
  /** Tells two messages apart that have neither id nor position. */
  readonly fingerprint: string
}

/** Why messages are missing. `overflow`: no longer stored. `restart`: the server's numbering began anew. */
export type GapReason = 'overflow' | 'restart'

/** What can be promised, read by the client's `status` and by nothing that decides. */
export interface Promises {
  /**
   * What the server resumes by. `position`: second and counter, exact. `second`: the whole second again, and what is
   * known is dropped. `event-id`: only channels whose last message had one. `none`: what comes while the connection is
   * down is lost.
   */
  readonly resume: 'position' | 'second' | 'event-id' | 'none'
  /**
   * `exact`: missing messages are known by id. `possible`: messages have no numbers, so a `gap` says that some may be
   * missing, and not which. `none`: a loss can't be seen.
   */
  readonly gaps: 'exact' | 'possible' | 'none'
}

/** One request, as a protocol wants it made. */
export interface Exchange {
  readonly url: string
  readonly headers: Record<string, string>
  readonly credentials: RequestCredentials
  /**
   * How the text of a poll's answer is framed: as an event stream, or as one `message` that may be empty and is described
   * by the headers. Default: as the protocol's decoder splits it.
   */
  readonly framing?: 'eventsource' | 'message'
  /** Ends a poll before it is answered: the next one follows. */
  readonly until?: AbortSignal
  /** A status that, like 304, ends a poll that brought nothing in its time. */
  readonly timeoutStatus?: number
  /** The subprotocols a websocket offers. */
  readonly subprotocols?: readonly string[]
}

/** Why a transport ended. */
export interface Ending {
  /**
   * `end`: the server ended it in good order. `refused`: it never opened. `lost`: it broke.
   * `status`: an HTTP status other than success. `close`: a websocket close frame with a code.
   * `invalid`: what came back is not of this mode (a login page, for example).
   */
  readonly kind: 'end' | 'refused' | 'lost' | 'status' | 'close' | 'invalid'
  /** HTTP status, or the websocket's close code. */
  readonly status?: number
  /** The server's explanation: a header or the close reason. */
  readonly explain?: string
  /** `Retry-After`, in ms. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** What came with a frame. */
export interface FrameMeta {
  readonly event?: string | undefined
  readonly id?: string | undefined
  /** Of the answer, where it is one message. */
  readonly headers?: Headers | undefined
  /** What came, where it was no text. */
  readonly binary?: Uint8Array | undefined
}

/** An answer to a poll: everything up to here has come. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
}

/** What the page tells a connection about itself. */
export interface Page {
  /** Calls back when the network or the page comes back (online, visible, restored from the back/forward cache). */
  onBack(callback: () => void): () => void
  /** Calls back when the page is left. It may come back from the back/forward cache. */
  onLeave(callback: () => void): () => void
}

/** The part of `Storage` that is used to remember which mode worked. */
export type Memory = Pick<Storage, 'getItem' | 'setItem'>

/**
 * Everything a connection takes from the world around it. The browser's own by default; tests inject a clock and a
 * seeded random, and a runtime without a global WebSocket (Node 20) injects one.
 */
export interface Environment {
  /** Wall clock in ms since 1970. */
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Uniform in [0, 1). All jitter comes from here. */
  random(): number
  fetch: typeof fetch
  WebSocket: typeof WebSocket | undefined
  EventSource: typeof EventSource | undefined
  /** Where relative addresses belong to: the page's own, if there is a page. */
  location: { protocol: string; hostname: string; port: string } | undefined
  /**
   * How many requests to a server of this origin may stay open at once. Browsers allow six over HTTP/1.1, and some are
   * the page's.
   */
  connections(origin: string): number
  page: Page | undefined
  memory: Memory | undefined
}

/** A value, or a function that is asked for it anew before every request. */
export type Provider<T> = T | (() => T | Promise<T>)

/** Query arguments to add to every request. */
export type Params = Record<string, string | number | boolean>

/** Where a client writes what it does. `console` fits. Never receives message texts, headers or arguments. */
export interface Logger {
  debug(...values: unknown[]): void
}

/** The options that mean the same to every protocol. `ClientOptions` adds the protocol itself. */
export interface CommonOptions {
  /**
   * The server's address, with a path prefix if it has one: `https://push.example.org/events`. It may be relative to the
   * page. Default: the page's own origin.
   *
   * An array names several servers that store the same messages, such as Nchan nodes that share one Redis. The client uses
   * the first one until it can't be reached, then the next, and after the last one the first again.
   */
  url?: string | readonly string[]
  /**
   * The ways to connect, most wanted first, as an array or `'websocket|eventsource|longpolling'`. The next one starts
   * when the one before it is not accepted within half a second. Default: websocket, eventsource, longpolling, as far as the
   * protocol has them.
   * `stream` (push_stream_subscriber streaming) is used when named.
   */
  modes?: string | readonly ModeName[]
  /** Silence in ms after which the connection is checked. Default 30000; lower it to notice a dead websocket sooner, at the price of a small request per interval of silence. */
  pingtimeout?: number
  /** How long to wait for the server's answer, in ms, before it counts as none. Default 10000. */
  timeout?: number
  /** Whether to connect again after a loss. Default true. */
  autoReconnect?: boolean
  /** The first back-off after a failed attempt, in ms, doubled with every failure and spread at random. Default 1000. */
  reconnectOnTimeoutInterval?: number
  /** The longest back-off, in ms. Default 60000. */
  reconnectOnChannelUnavailableInterval?: number
  /** Go on after the message with this `Event-Id` (push_stream_last_event_id). */
  lastEventId?: string
  /** Begin with what was published after this: a Date, or a number of seconds before now (the sign doesn't matter). */
  messagesPublishedAfter?: Date | number
  /** More query arguments, for a token for example; a function is asked before every request and may be async. */
  params?: Provider<Params>
  /** Headers for every request that can carry some (all but websocket's). A function is asked before every request and may be async. */
  headers?: Provider<Record<string, string>>
  /** Whether cookies go with the requests. Default `same-origin`; another origin's server needs `include`, and Allow-Credentials from nginx. */
  credentials?: RequestCredentials
  /** `native` uses the browser's EventSource instead of fetch, for pages whose policy needs it: pings and statuses are not seen then. Default `fetch`. */
  eventSource?: 'fetch' | 'native'
  /** Closes the client when it is aborted. */
  signal?: AbortSignal
  /** Gets a line for whatever the client does. Default: none. */
  logger?: Logger
  /** For tests, and for runtimes that lack something: replaces the clock, the random, fetch, WebSocket. */
  environment?: Partial<Environment>
}
