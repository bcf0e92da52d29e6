import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { type IncomingMessage, isPlaced } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf, timeOf } from '../position.js'
import type { Position } from '../types.js'

/** A connection brings all channels in order of time, give or take this, in ms. */
const disorder = 1000

/**
 * Channels of which nothing is known, and how many stored messages each begins with: one shows where it stands. `plain`:
 * only where the application wants some, as the server may not know a name with a number of messages behind it.
 */
export function newcomersOf(
  store: ChannelStore,
  { protocol, lastEventId }: Settings,
  plain: boolean,
): Map<string, number> {
  const placed = plain || !protocol.capabilities.lastMessage || lastEventId !== undefined
  const unknown = store.all.filter(
    (channel) => store.watermark(channel) === undefined && (channel.backtrack > 0 || !placed),
  )
  return new Map(unknown.map(({ name, backtrack }) => [name, backtrack || 1]))
}

/** Whether a message is one that was stored before its channel was new here. Then one less of them may still come. */
export function takeStored(newcomers: Map<string, number>, message: IncomingMessage): boolean {
  const { channel: name } = message
  const left = newcomers.get(name)
  // What does not say where it stands may be a header template.
  if (left === undefined || !isPlaced(message)) return left !== undefined
  // Stored messages come in the order of the request: an earlier channel that brought nothing has nothing.
  for (const earlier of newcomers.keys()) {
    if (earlier === name) break
    newcomers.delete(earlier)
  }
  if (left > 1) newcomers.set(name, left - 1)
  else newcomers.delete(name)
  return true
}

/**
 * Where the channels of a connection stand that was accepted just now: what brought nothing has nothing stored. `before`:
 * the newest position of all when the connection was opened.
 */
export function placeNewcomers(
  store: ChannelStore,
  openedAt: number,
  channels: readonly Channel[],
  newcomers: ReadonlyMap<string, number>,
  before: Position,
): void {
  const asked = channels.filter(({ name }) => newcomers.has(name))
  let newest = -1
  for (const { sequence } of asked) newest = Math.max(newest, sequence.position ?? -1)
  // A second before the newest message is surely complete, and with no message at all everything is new.
  const upTo = Math.max(before, newest < 0 ? 0 : positionOf(timeOf(newest) - 1000, 0))
  store.advanceWatermark(asked, upTo)
  for (const channel of asked) {
    channel.completeUpTo ??= upTo
    channel.sequence.empty = channel.sequence.last === undefined
  }
  for (const channel of channels) if (store.isUnknown(channel)) channel.joinedAt ??= openedAt
}

/** Channels that were taken for empty, by a connection that never was subscribed, are asked for from its opening on. */
export function unplaceNewcomers(
  openedAt: number,
  channels: readonly Channel[],
  newcomers: ReadonlyMap<string, number>,
): void {
  for (const channel of channels) {
    if (!newcomers.has(channel.name) || channel.sequence.position !== undefined) continue
    channel.completeUpTo = channel.from
    channel.sequence.empty = false
    channel.joinedAt ??= openedAt
  }
}

/** The first message of a channel that was taken for empty may have been stored: nothing much older than it is new. */
export function placeLate(store: ChannelStore, message: IncomingMessage): void {
  const channel = store.get(message.channel)
  if (channel?.sequence.empty && channel.sequence.last === undefined)
    store.advanceWatermark([channel], positionOf(timeOf(message.position) - disorder, 0))
}

/** A channel that brought nothing next to others has nothing from before what they brought lately. */
export function placeSilent(
  store: ChannelStore,
  { live, newest }: { live: boolean; newest: Position },
  channels: readonly Channel[],
): void {
  if (live) store.advanceWatermark(channels, positionOf(timeOf(newest) - disorder, 0))
}
