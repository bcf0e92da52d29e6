import type { Received } from '../message.js'
import { positionOf } from '../position.js'
import type { Position } from '../types.js'
import type { Channel } from './channel.js'
import type { Echo, EchoEvents } from './echo.js'
import { type Outcome, sequence } from './sequencer.js'

/** Clocks differ: what is asked for by the page's own clock begins this much earlier, in ms. */
const clockMargin = 2000

/** How far a connection has come in what it repeats. */
export interface Replay {
  /** Channels of which it brought something known, or what goes on directly after that: nothing was missed. */
  readonly proven: Set<Channel>
  /** Channels of which it has passed what is known: whatever it brings is new. */
  readonly past: Set<Channel>
  /** The server may have lost what it stored, before this connection was opened. */
  wiped: boolean
  /** What came and waits for what follows to tell its place. */
  readonly waiting: Received[]
}

/** A connection of which nothing has come yet. */
export const newReplay = (): Replay => ({ proven: new Set(), past: new Set(), wiped: false, waiting: [] })

/** How a server's messages are put in order, and from where it is asked for a channel again. */
export interface Order {
  /** Decides about one message. `undefined`: it was none. */
  receive(channel: Channel, message: Received, replay: Replay, now: () => number): Outcome | undefined
  /**
   * Up to where a channel is complete; `undefined` when nothing is known. `newest`: the newest position of all channels.
   * `now` in ms since 1970.
   */
  known(channel: Channel, newest: Position, now: number): Position | undefined
  /** What keeps a long-polling chain from being misled, where its polls can be. */
  echo?(channel: Channel, events: EchoEvents): Echo
}

/** For servers that number the messages of a channel: the numbers tell what is missing. */
export const numbered: Order = {
  receive: ({ sequence: state, outlet }, message) => sequence(state, message, outlet),
  known({ sequence: { position, held }, complete, joined }) {
    if (held.size > 0) return position ?? complete
    if (position === undefined && complete === undefined) {
      return joined === undefined ? undefined : positionOf(joined - clockMargin, 0)
    }
    return Math.max(position ?? -1, complete ?? -1)
  },
}
