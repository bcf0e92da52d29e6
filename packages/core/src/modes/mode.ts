import type { Environment } from '../environment.js'

/** The ways a message can come. `stream` is used on request only. */
export type ModeName = 'websocket' | 'eventsource' | 'stream' | 'longpolling'

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

/** Where a mode reports to. After `end`, or after `close()` was called, it reports nothing more. */
export interface Sink {
  /** The transport is open. Open is not accepted. */
  open(): void
  /** Bytes came. */
  life(): void
  /** A sign of life that is no message (an event stream's comment). */
  pulse(text: string): void
  frame(text: string, meta?: FrameMeta): void
  /** One poll was answered completely. */
  answered(answer: Answer): void
  end(ending: Ending): void
}

/** An open transport. */
export interface Transport {
  close(): void
  /** Sends a text to the server, where the mode can. `false` if it could not be sent. */
  send?(text: string): boolean
}

/** Asks for the next request. A rejection is the application's error, and is reported as one. */
export type NextExchange = () => Promise<Exchange>

/** Moves bytes. Knows no server, holds no policy. */
export interface Mode {
  readonly name: ModeName
  /** Whether this runtime has what the mode needs. */
  available(environment: Environment): boolean
  open(next: NextExchange, sink: Sink, environment: Environment): Transport
}
