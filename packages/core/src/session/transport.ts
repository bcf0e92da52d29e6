import type { Channel } from '../delivery/channel.js'
import type { IncomingMessage } from '../message.js'
import type { CutTransport } from '../protocols/protocol.js'
import type { Answer, CloseReason, Exchange, Position } from '../types.js'
import type { Before } from './acceptance.js'
import type { Connection } from './connection.js'
import type { Parts } from './parts.js'

/** What makes the requests of a connection that polls. */
export interface Polling {
  next(): Promise<Exchange>
  /** Sends the next poll at once. Returns whether the server is known to answer it at once. */
  readonly repoll: (() => boolean) | undefined
  message(message: IncomingMessage): void
  answered(answer: Answer): void
  /** Why the connection ended, where what it asked for itself may have ended it. */
  ended(reason: CloseReason): CloseReason
  stop(): void
}

/** The connection that polls. */
export interface PollingTask {
  readonly parts: Parts
  /** Those of its channels that are still wanted. */
  wanted(): Channel[]
  /** Makes a request that begins at a position. */
  make(channels: readonly Channel[], position: Position | undefined): Promise<Exchange>
  connection(): Connection
}

/** A transport, with the parts of a session that only it needs: a page ships them with it (`modes.ts`). */
export interface SessionTransport extends CutTransport {
  /** For a transport with `polls`: makes one poll after the other. */
  readonly polling?: (task: PollingTask) => Polling
  /** Accepts a connection whose opening does not show that it is well. */
  readonly prove?: (connection: Connection, before: Before, parts: Parts) => Promise<void>
}
