import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import type { Settings } from '../options.js'
import type { CloseReason } from '../types.js'
import type { Session } from './session.js'

/** How much of an address names may take. nginx has 8 KB for the line of a request, in which other arguments stand as well. */
const longest = 6000

/** Some channels, what is known of them, and the session that carries them. */
export interface Member {
  readonly store: ChannelStore
  readonly session: Session
  /** It was added while the client was open, and connects for the first time: a failure of its own. */
  late: boolean
  /** It finds out whether the server takes these channels. Then they go back to the others. */
  trial: 'waiting' | 'running' | undefined
  /** Each of its channels was accepted apart from the others. If all together are not, it is for their number. */
  merged: boolean
  /** When all attempts of its own failed last without a reason, in ms since 1970. */
  suspectedAt: number
  /** How often in a row that happened although another connection came about since. */
  proofs: number
  /** Channels of others that were named next to its own. */
  readonly companions: Set<string>
  /** A rejection that is decided about once another session is open, or no more on its way. */
  postponed?: CloseReason | undefined
}

/** The sessions of a pool, as isolation divides channels among them. */
export interface Sessions {
  readonly settings: Settings
  readonly members: readonly Member[]
  /** How many channels one session takes. Less, once the server refused so many at once. */
  readonly room: number
  /** The server refused more at once. */
  limit: number
  /** The channel that others were taken next to. */
  companion: string | undefined
  /** How often a channel was tried alone, as nothing showed why the server refused all of them. */
  trials: number
  /** The session of a channel. */
  of(name: string): Member | undefined
  make(trial?: 'waiting'): Member
  /** Ends a session that has no channel any more. */
  drop(member: Member): void
  /** Asks the application for other credentials, and refuses the channels if there are none. `false`: it was asked before. */
  unauthorized(member: Member, channels: readonly Channel[], status: number | undefined, refuse: () => void): boolean
  /** Gives a channel up. */
  refuse(member: Member, channel: Channel, reason: CloseReason): void
}

/** A session that takes so many channels more, whose names have this length. */
export const roomFor = (
  { members, room }: Sessions,
  { size, length }: Pick<ChannelStore, 'size' | 'length'>,
): Member | undefined =>
  members.find(({ store, trial }) => !trial && store.size + size <= room && store.length + length <= longest)

export const isOpen = ({ session }: Member): boolean => session.state.current !== undefined

const stateOf = ({ session: { state } }: Member): Status['state'] => {
  if (state.current !== undefined) return 'open'
  if (state.attempts.length > 0 || state.rejected) return 'connecting'
  return state.wanted ? 'waiting' : 'closed'
}

/** The worst first: what a client is when its sessions differ. */
const worst: readonly Status['state'][] = ['connecting', 'waiting', 'open']

/** The part of a client's status that its sessions say. */
export type PoolStatus = Pick<Status, 'state' | 'mode' | 'attempt' | 'retryAt' | 'error'>

/** A connection was accepted for every channel: what is published from now on comes. */
const areJoined = ({ store }: Member): boolean =>
  store.all.every((channel) => !store.isUnknown(channel) || channel.joinedAt !== undefined)

function stateOfAll(members: readonly Member[], before: boolean): Status['state'] {
  const wanted = members.filter(({ store }) => store.size > 0)
  const counted = wanted.filter(({ late, session }) => !late || session.state.failures > 0)
  const states = (counted.length > 0 ? counted : wanted).map(stateOf)
  const state = worst.find((one) => states.includes(one)) ?? 'closed'
  // A channel may have gone back to others that were asked for without it.
  return state === 'open' && !before && !wanted.every(areJoined) ? 'connecting' : state
}

/** `before`: whether it was open until now, whatever was added since. `refusal`: why a channel was given up last. */
export function statusOf(members: readonly Member[], before: boolean, refusal?: PushStreamError): PoolStatus {
  const state = stateOfAll(members, before)
  // The session that says how the client is.
  const member = members.find((one) => stateOf(one) === state)
  const { current, failures = 0, retryAt } = member?.session.state ?? {}
  return {
    state,
    mode: current?.mode,
    attempt: current ? 0 : failures,
    retryAt: current ? undefined : retryAt,
    error: (current ? undefined : refusal) ?? members.map(({ session }) => session.error).find(Boolean),
  }
}
