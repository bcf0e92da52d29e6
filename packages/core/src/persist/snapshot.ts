import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { startAfter } from '../delivery/sequencer.js'
import { anyText } from '../delivery/unnumbered.js'
import { positionOf } from '../position.js'
import type { Guarantees } from '../types.js'

/**
 * How far a channel is: its name, the last id, the position of that message, up to where it is complete, and when something of
 * it came last. `null`: unknown. Nothing of a message is in it.
 */
export type Snapshot = readonly [
  name: string,
  last: number | null,
  position: number | null,
  complete: number | null,
  heardAt: number | null,
]

/** Clocks differ: what was listened to since a time of the page's clock is asked for from this much earlier, in ms. */
const clockMargin = 2000
/** So far may a server's clock be ahead of the page's, in ms. What is later than that is damaged. */
const day = 24 * 60 * 60_000

/** What to keep of a channel. `undefined`: nothing by which it could be resumed. */
export function snapshotOf(channel: Channel, { resume }: Guarantees): Snapshot | undefined {
  const { completeUpTo, heardAt, joinedAt, name, sequence } = channel
  const { buffered, last = null, position = null } = sequence
  const joined = joinedAt === undefined || (last ?? position) !== null ? null : positionOf(joinedAt - clockMargin, 0)
  // Above a hole nothing is complete: it is asked for again.
  const complete = buffered.size > 0 && position !== null ? null : (completeUpTo ?? joined)
  const resumable = resume === 'position' || resume === 'second'
  return resumable && (last ?? position ?? complete) !== null ? [name, last, position, complete, heardAt] : undefined
}

/** How far it is, as a number to compare by. */
export const progressOf = ([, last, position]: Snapshot): number => position ?? last ?? -1

/** Whether this is a snapshot, and of no time that can't be. */
export function isSnapshot(value: unknown, now: number): value is Snapshot {
  const latest = positionOf(now + day, 0)
  const fits = (one: unknown) =>
    one === null || (Number.isSafeInteger(one) && (one as number) >= 0 && (one as number) <= latest)
  return Array.isArray(value) && value.length === 5 && typeof value[0] === 'string' && value.slice(1).every(fits)
}

/** A channel of which nothing is known goes on from there. */
export function restore(store: ChannelStore, channel: Channel, [, last, position, complete, heardAt]: Snapshot): void {
  const { known, sequence } = channel
  if (position !== null) {
    startAfter(sequence, { id: last ?? undefined, position, fingerprint: '' })
    known.set(position, anyText)
    if (position > store.newest) store.newest = position
  } else if (last !== null) sequence.last = last
  // The first of all may be overtaken by the second.
  else channel.from = complete ?? undefined
  sequence.empty = last === null
  channel.completeUpTo = complete ?? undefined
  channel.heardAt = heardAt ?? 0
}
