import type { ChannelStore } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import type { Connection } from './connection.js'
import type { Session } from './session.js'

/** How much of an address names may take. nginx has 8 KB for the line of a request, in which other arguments stand as well. */
const longest = 6000

/** Some channels, what is known of them, and the session that carries them. */
export interface Member {
  readonly store: ChannelStore
  readonly session: Session
  /** It was added while the client was open, and connects for the first time: a failure of its own. */
  late: boolean
  /** Channels were added or taken away. */
  changed: boolean
  /** The connections that there were when all attempts of its own failed without a reason. */
  suspectedBeside: readonly Connection[] | undefined
  /** How often in a row that happened although another connection came about since. */
  proofs: number
  /** It finds out whether the server takes these channels. Then they go back to the others. */
  trial: 'none' | 'waiting' | 'running' | 'accepted'
  /** Channels of others that were named next to its own. */
  readonly companions: Set<string>
  /** What to do about a rejection once another session is open, or no more on its way. */
  postponed: (() => void) | undefined
}

/** Whether so many channels more, whose names have this length, fit into a session. `room`: how many it takes at most. */
export const hasRoom = ({ store }: Member, room: number, count: number, length: number): boolean =>
  store.size + count <= room && store.length + length <= longest

const stateOf = ({ session: { state } }: Member): Status['state'] => {
  if (state.current !== undefined) return 'open'
  if (state.attempts.length > 0 || state.rejected) return 'connecting'
  return state.wanted ? 'waiting' : 'closed'
}

/** The worst first: what a client is when its sessions differ. */
const worst: readonly Status['state'][] = ['connecting', 'waiting', 'open']

export const memberOf = (store: ChannelStore, session: Session, late: boolean, trial: Member['trial']): Member => ({
  store,
  session,
  late,
  changed: true,
  suspectedBeside: undefined,
  proofs: 0,
  trial,
  companions: new Set(),
  postponed: undefined,
})

/** The part of a client's status that its sessions say. */
export type PoolStatus = Pick<Status, 'state' | 'mode' | 'attempt' | 'retryAt' | 'error'>

function stateOfAll(members: readonly Member[]): Status['state'] {
  const wanted = members.filter(({ store }) => store.size > 0)
  const counted = wanted.filter(({ late, session }) => !late || session.state.failures > 0)
  const states = (counted.length > 0 ? counted : wanted).map(stateOf)
  return worst.find((one) => states.includes(one)) ?? 'closed'
}

/** `refusal`: why a channel was given up last. */
export function statusOf(members: readonly Member[], refusal?: PushStreamError): PoolStatus {
  const state = stateOfAll(members)
  // The session that says how the client is.
  const member = members.find((one) => stateOf(one) === state)
  const { current, failures = 0, retryAt } = member?.session.state ?? {}
  const open = state === 'open'
  return {
    state,
    mode: open ? current?.mode : undefined,
    attempt: open ? 0 : failures,
    retryAt: state === 'waiting' ? retryAt : undefined,
    error: (open ? undefined : refusal) ?? members.find(({ session }) => session.error !== undefined)?.session.error,
  }
}
