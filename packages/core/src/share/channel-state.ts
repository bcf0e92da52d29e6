import type { Channel } from '../delivery/channel.js'
import type { Replay } from '../delivery/order.js'
import { IncomingMessage } from '../message.js'
import type { Pool } from '../session/pool.js'
import type { GapReason, Position } from '../types.js'

/** All that is known of a channel, as data that another tab can go on from. */
export type ChannelState = Omit<Channel, 'name' | 'events' | 'lately'>

/** The states of channels, by name. */
export type States = Record<string, ChannelState>

export const channelOf = (pool: Pool, name: string): Channel | undefined => pool.of(name)?.store.get(name)

/** The states of channels. Without what is held above a hole: it is delivered, and so told, once the hole is closed. */
export function statesOf(pool: Pool, names: Iterable<string>): States {
  const states: States = {}
  for (const name of names) {
    const channel = channelOf(pool, name)
    if (!channel) continue
    const { events: _, lately: __, ...state } = channel
    states[name] = { ...state, sequence: { ...state.sequence, buffered: new Map() } }
  }
  return states
}

/** Whether nothing is known yet of where a channel stands, if there is one. */
const isFresh = (state: ChannelState | undefined): boolean =>
  state !== undefined &&
  (state.sequence.last ?? state.sequence.position ?? state.completeUpTo ?? state.joinedAt) === undefined

/** Whether that is so for one of these channels. */
export const someFresh = (pool: Pool, names: Iterable<string>): boolean =>
  [...names].some((name) => isFresh(channelOf(pool, name)))

/** Lets a channel of which nothing is known go on from a state. */
export function restore(pool: Pool, name: string, { sequence, ...rest }: ChannelState): void {
  const { store } = pool.of(name) ?? {}
  const channel = store?.get(name)
  if (!store || !channel || !isFresh(channel)) return
  store.advance(sequence.position)
  Object.assign(channel.sequence, sequence)
  Object.assign(channel, rest)
}

/**
 * Whether a channel has come as far as in another tab. `asked`: it has a connection, so what it knows is what the server has.
 * A number alone may be of another numbering, which only the server can tell.
 */
function hasReached(channel: Channel, other: ChannelState, asked: boolean): boolean {
  if (isFresh(channel) || isFresh(other)) {
    return isFresh(channel) && isFresh(other) && channel.backtrack === other.backtrack
  }
  const { buffered, last = -1, position = -1 } = channel.sequence
  const { last: lastThere = -1, position: positionThere } = other.sequence
  if (buffered.size > 0) return false
  return positionThere === undefined ? last === lastThere || (asked && last > lastThere) : position >= positionThere
}

/** Whether that is so for all of these channels that the other tab has. */
export const haveReached = (pool: Pool, names: Iterable<string>, states: States): boolean =>
  [...names].every((name) => {
    const channel = channelOf(pool, name)
    const state = states[name]
    return !channel || !state || hasReached(channel, state, pool.status.state === 'open')
  })

/** Up to where all channels are complete. */
export const lowWatermark = (pool: Pool): Position =>
  Math.min(...pool.members.map(({ store }) => store.lowWatermark() ?? -1))

/** All channels are complete up to there. */
export function advanceWatermark(pool: Pool, upTo: Position): void {
  for (const { store } of pool.members) {
    const known = store.all.filter((channel) => !store.isUnknown(channel))
    store.advanceWatermark(known, upTo)
  }
}

/**
 * Takes in what another tab delivered. `false` if something before it is missing here. `gap`: why something before it is
 * missing there. `replay`: to the stores, all that comes from other tabs is one connection.
 */
export function receive(pool: Pool, data: IncomingMessage, gap: GapReason | undefined, replay: Replay): boolean {
  const message: IncomingMessage = Object.setPrototypeOf(data, IncomingMessage.prototype)
  const { store } = pool.of(message.channel) ?? {}
  const channel = store?.get(message.channel)
  if (!store || !channel) return true
  // Without a time, only the server can tell whether a low number is an old message or a new one.
  if (gap && Number.isNaN(message.position)) return false
  replay.past.add(channel)
  replay.wiped = gap === 'restart'
  if (gap) replay.proven.clear()
  else replay.proven.add(channel)
  const follows = store.receive(message, replay) !== 'buffered'
  if (follows || !gap) return follows
  store.skipMissing(new Map([[channel, channel.sequence.last]]))
  return true
}
