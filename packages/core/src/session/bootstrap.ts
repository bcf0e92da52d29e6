import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
import type { Received } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf, timeOf } from '../position.js'
import type { Position } from '../types.js'
import type { Connection } from './connection.js'

/** A connection brings all channels in order of time, give or take this, in ms. */
const disorder = 1000

/**
 * Channels of which nothing is known, and how many stored messages each begins with: one shows where it stands. `plain`:
 * only where the application wants some, as the server may not know a name with a number of messages behind it.
 */
export function newcomersOf(ledger: Ledger, { protocol, lastEventId }: Settings, plain: boolean): Map<string, number> {
  const placed = plain || !protocol.capabilities.lastMessage || lastEventId !== undefined
  const unknown = ledger.all.filter(
    (channel) => ledger.known(channel) === undefined && (channel.backtrack > 0 || !placed),
  )
  return new Map(unknown.map(({ name, backtrack }) => [name, backtrack || 1]))
}

/**
 * Where the channels of a connection stand that was accepted just now: what brought nothing has nothing stored. `before`:
 * the newest position of all when the connection was opened. `joined`: whether it is sure that they are followed now.
 */
export function settleNewcomers(
  ledger: Ledger,
  { openedAt }: Connection,
  channels: readonly Channel[],
  newcomers: ReadonlyMap<string, number>,
  before: Position,
  joined: boolean,
): void {
  const asked = channels.filter(({ name }) => newcomers.has(name))
  let newest = -1
  for (const { sequence } of asked) newest = Math.max(newest, sequence.position ?? -1)
  // A second before the newest message is surely complete, and with no message at all everything is new.
  const upTo = Math.max(before, newest < 0 ? 0 : positionOf(timeOf(newest) - 1000, 0))
  ledger.witness(asked, upTo)
  for (const channel of asked) {
    channel.complete ??= upTo
    channel.sequence.empty = channel.sequence.last === undefined
  }
  for (const channel of channels) if (joined && ledger.unknown(channel)) channel.joined ??= openedAt
}

/** The first message of a channel that was taken for empty may have been stored: nothing much older than it is new. */
export function settleLate(ledger: Ledger, message: Received): void {
  const channel = ledger.get(message.channel)
  if (channel?.sequence.empty && channel.sequence.last === undefined)
    ledger.witness([channel], positionOf(timeOf(message.position) - disorder, 0))
}

/** A channel that brought nothing next to others has nothing from before what they brought lately. */
export function settleSilent(ledger: Ledger, { live, newest }: Connection, channels: readonly Channel[]): void {
  if (live) ledger.witness(channels, positionOf(timeOf(newest) - disorder, 0))
}
