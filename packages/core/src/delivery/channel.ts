import type { IncomingMessage } from '../message.js'
import type { Position } from '../types.js'
import type { Sequence, SequenceEvents } from './sequencer.js'

/** One channel, and how far it is known. */
export interface Channel {
  readonly name: string
  /** Stored messages to begin with. */
  readonly backtrack: number
  readonly sequence: Sequence<IncomingMessage>
  events: SequenceEvents<IncomingMessage>
  /** Where the application wants it to begin. */
  from: Position | undefined
  /** Everything of this channel up to here has come, whether or not it was anything. */
  completeUpTo: Position | undefined
  /** When it was first listened to, by the page's clock: the last resort. */
  joinedAt: number | undefined
  lastEventId: string | undefined
  /** The server may have lost what it stored of it. */
  mayHaveLostHistory: boolean
  /** When something of it came last, by the page's clock. */
  heardAt: number
  /** Messages of which nothing but the text is known, and which connection brought each. */
  readonly lately: Set<{ readonly text: number; readonly replay: object; readonly at: number }>
  /** Texts that came lately, by position, where messages have no number. */
  readonly known: Map<Position | object, number>
}
