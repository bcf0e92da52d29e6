import type { Answer, Ending, Environment, Exchange, FrameMeta, ModeName } from '../types.js'

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
