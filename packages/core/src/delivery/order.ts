import { type IncomingMessage, isPlaced } from '../message.js'
import { positionOf } from '../position.js'
import type { Position } from '../types.js'
import type { Channel } from './channel.js'
import type { EchoEvents, Gate } from './echo.js'
import { type Outcome, sequence } from './sequencer.js'
import { textOf } from './text.js'

/** Clocks differ: what is asked for by the page's own clock begins this much earlier, in ms. */
const clockMargin = 2000
/** How long after one connection another may bring the same message, in ms, and how many are remembered. */
const skew = 500
const recent = 128

/** How far a connection has come in what it repeats. */
export interface Replay {
  /** When it was opened, in ms since 1970. */
  readonly since: number
  /** Channels of which it brought something known, or what goes on directly after that: nothing was missed. */
  readonly proven: Set<Channel>
  /** Channels of which it has passed what is known: whatever it brings is new. */
  readonly past: Set<Channel>
  /** The server may have lost what it stored, before this connection was opened. */
  wiped: boolean
  /** What came and waits for what follows to tell its place. */
  readonly waiting: IncomingMessage[]
}

/** A connection of which nothing has come yet. */
export const newReplay = (since = 0): Replay => ({
  since,
  proven: new Set(),
  past: new Set(),
  wiped: false,
  waiting: [],
})

/** How a server's messages are put in order, and from where it is asked for a channel again. */
export interface Order {
  /** Decides about one message. `undefined`: it was none. `now` in ms since 1970. */
  receive(channel: Channel, message: IncomingMessage, replay: Replay, now: number): Outcome | undefined
  /**
   * Up to where a channel is complete; `undefined` when nothing is known. `newest`: the newest position of all channels.
   * `now` in ms since 1970.
   */
  watermark(channel: Channel, newest: Position, now: number): Position | undefined
  /** What keeps a long-polling chain from being misled, where its polls can be. */
  echo?(channel: Channel, events: EchoEvents): Gate
}

/**
 * Whether another connection has brought this message, of which nothing but its text is known: while one replaces the
 * other, both bring what is published. Each of its messages counts once.
 */
function broughtTwice({ lately }: Channel, message: IncomingMessage, replay: Replay, now: number): boolean {
  const text = textOf(message)
  for (const one of lately) {
    if (one.text !== text || one.replay === replay || one.at < Math.max(replay.since, now - skew)) continue
    return lately.delete(one)
  }
  for (const oldest of lately) if (lately.size >= recent) lately.delete(oldest)
  lately.add({ text, replay, at: now })
  return false
}

/** For servers that number the messages of a channel: the numbers tell what is missing. */
export const numbered: Order = {
  receive(channel, message, replay, now) {
    const unknown = !isPlaced(message)
    if (unknown && broughtTwice(channel, message, replay, now)) return 'dropped'
    return sequence(channel.sequence, message, channel.events)
  },
  watermark({ sequence: { position, buffered: held }, completeUpTo, joinedAt }) {
    if (held.size > 0) return position ?? completeUpTo
    if (position === undefined && completeUpTo === undefined) {
      return joinedAt === undefined ? undefined : positionOf(joinedAt - clockMargin, 0)
    }
    return Math.max(position ?? -1, completeUpTo ?? -1)
  },
}
