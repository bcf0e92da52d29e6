import type { Channel } from '../delivery/channel.js'
import type { CloseReason } from '../types.js'
import { type Credentials, doubted } from './credentials.js'
import { isOpen, type Member, roomFor, type Sessions } from './member.js'
import { tooLong } from './reports.js'

/** How many sessions look for a refused channel at once. */
const mostTrials = 4

/** The server refuses at least one of these channels. Half of them go to a session of their own, until it is found. */
export function reject(sessions: Sessions, member: Member, channels: readonly Channel[], reason: CloseReason): void {
  const { store, session } = member
  const classified = sessions.settings.protocol.classify(reason)
  // Where the reason does not show, it may be this one.
  const { status = 401 } = classified
  if (sessions.unauthorized(member, channels, status, () => reject(sessions, member, channels, reason))) return
  const left = store.companion !== undefined && !sessions.of(store.companion)
  if ((classified.wantsCompany || left) && accompany(sessions, member, reason)) return
  const [only] = channels
  if (only === undefined) session.change()
  else if (store.size === 1) sessions.refuse(member, only, reason)
  else {
    // Each was taken, and all together are not, or their names are too long: from now on a session has room for less.
    const together = tooLong(classified) || member.merged
    if (together) sessions.limit = Math.max(store.size - channels.length, Math.ceil(store.size / 2))
    member.companions.clear()
    // What showed that these are refused together says nothing of those that are left.
    member.proofs = 0
    const other = sessions.make(together ? undefined : 'waiting')
    other.merged = member.merged
    for (const channel of channels.slice(channels.length / 2)) store.move(channel, other.store)
    session.change()
    if (together) other.session.connect()
  }
  arrange(sessions)
}

/** There are other credentials. Whatever is under way has those from before. */
export function renewAll({ members }: Sessions, credentials: Credentials): void {
  for (const { session } of members) {
    const { attempts, current, rejected, wanted } = session.state
    if (!wanted || (current && attempts.length === 0 && !rejected)) continue
    credentials.tried(doubted(session))
    session.renew()
    session.connect()
  }
}

/** Whether it may still open, so that `member` can be tried next to it. */
function mayOpen({ session: { state }, store }: Member, member: Member): boolean {
  // Several that were refused together are divided first, and only then one is given up.
  const divisible = state.current === undefined && store.size > 1 && member.store.size === 1
  return divisible || state.attempts.length > 0 || state.retryAt !== undefined
}

/** Asks for the channels of a session next to one that is open elsewhere. `false`: there is none to try. */
function accompany(sessions: Sessions, member: Member, reason: CloseReason): boolean {
  const { store, session, companions } = member
  if (isOpen(member)) return false
  const others = sessions.members.filter((one) => one.store.companion === undefined)
  const open = others.filter(isOpen).flatMap((one) => one.store.all)
  const untried = open.map(({ name }) => name).filter((name) => !companions.has(name))
  const next = untried.find((name) => name === sessions.companion) ?? untried[0]
  store.companion = next
  if (next !== undefined) {
    companions.add(next)
    session.change()
  } else if (others.some((one) => mayOpen(one, member))) member.postponed = reason
  else return false
  return true
}

/**
 * All attempts failed in a mode that does not show why. If another session works, the server refuses one of these
 * channels. If none does, one channel at a time is tried alone: should the server take it, the others are suspect.
 */
export function suspect(sessions: Sessions, member: Member, channels: readonly Channel[], reason: CloseReason): void {
  const [first] = channels
  if (first === undefined) return
  const { store, suspectedAt, trial } = member
  const working = sessions.members.find(isOpen)
  // What works may be dead, and that not be noticed yet: only one that was opened since shows that it is the channel.
  const proof = sessions.members.some(({ session }) => Number(session.current()?.openedAt) >= suspectedAt)
  // A replacement of what works is under way, which is to show that: another one would only begin anew.
  if (working && !proof && working.session.state.attempts.length > 0) return
  // An attempt that was under way while the network came back proves nothing: so twice in a row.
  member.proofs = proof ? member.proofs + 1 : 0
  member.suspectedAt = sessions.settings.environment.now()
  if (working !== undefined) {
    if (store.size > 1 || member.proofs > 1) reject(sessions, member, channels, reason)
    else working.session.renew()
    return
  }
  if (trial) {
    // Tried alone in vain, it goes to the end of the others.
    const target = roomFor(sessions, store)
    if (target === undefined) return
    merge(sessions, member, target)
    target.merged = false
  } else {
    if (channels.length === 1 || sessions.members.some((one) => one.trial)) return
    const { session, store: own } = sessions.make('waiting')
    // They take turns. Each is tried with a number of messages behind its name, and by its name alone the next time.
    session.turn = sessions.trials + (store.size % 2 ? 0 : Math.floor(sessions.trials / store.size))
    sessions.trials++
    store.move(first, own)
  }
  arrange(sessions)
}

function merge(sessions: Sessions, member: Member, target: Member): void {
  for (const channel of member.store.all) member.store.move(channel, target.store)
  sessions.drop(member)
}

/** Starts trials that wait. When none is left, the accepted channels go back to the others. */
export function arrange(sessions: Sessions): void {
  for (const member of sessions.members) {
    const { postponed } = member
    member.postponed = undefined
    if (postponed && member.session.state.rejected) reject(sessions, member, member.store.all, postponed)
  }
  const trials = sessions.members.filter((one) => one.trial)
  for (const member of trials) {
    const running = trials.filter((one) => one.trial === 'running' && !isOpen(one) && !one.postponed)
    if (member.trial !== 'waiting' || running.length >= mostTrials) continue
    member.trial = 'running'
    member.session.connect()
  }
  // What is under way decides about channels as well.
  const undecided = sessions.members.some((one) => {
    const { attempts, wanted } = one.session.state
    return attempts.length > 0 || (!isOpen(one) && (one.trial || wanted))
  })
  if (trials.length === 0 || undecided) return
  for (const trial of trials) {
    const target = roomFor(sessions, trial.store)
    trial.trial = undefined
    if (target === undefined) continue
    merge(sessions, trial, target)
    target.merged = true
  }
  for (const { session } of sessions.members) session.change()
}
