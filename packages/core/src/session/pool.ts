import type { Channel } from '../delivery/channel.js'
import { ChannelStore, type ChannelStoreEvents, lengthOf } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { Settings } from '../options.js'
import type { CloseReason, ModeName, Position } from '../types.js'
import type { Connection } from './connection.js'
import { hasRoom, type Member, memberOf, type PoolStatus, statusOf } from './member.js'
import type { Share } from './parts.js'
import type { Names } from './rejection.js'
import { refusalOf, shown, tooLong } from './reports.js'
import { Session, type SessionEvents } from './session.js'

/** How many sessions look for a refused channel at once. */
const mostTrials = 4

/** What a pool reports. */
export interface PoolEvents extends Omit<SessionEvents, 'rejected' | 'suspected'>, ChannelStoreEvents {
  /** The server refuses a channel, which is given up. */
  refused(error: PushStreamError): void
}

/** The sessions of a client: one for all of its channels, or several where a connection can't carry them all. */
export function createPool(settings: Settings, events: PoolEvents) {
  const { environment, protocol } = settings
  const { channelsPerConnection, schedulePolls } = protocol.capabilities
  /** How many channels one session takes. Less, once the server refused so many at once. */
  let room = channelsPerConnection
  const members = new Set<Member>()
  /** In the order they were added. */
  const names = new Set<string>()
  /** Refused channels, with all that is known of them: one that is added again goes on where it was. */
  const parked = new ChannelStore(protocol.order, environment.now, events)
  /** Channels that were accepted in a trial. */
  const proven = new WeakSet<Channel>()
  const polls = settings.transports.some((one) => one.polls)
  const scheduler = polls ? schedulePolls?.(environment, settings.origin) : undefined
  const own = scheduler ? { ...settings, environment: scheduler.timed } : settings
  const share: Share | undefined = scheduler && {
    get scarce() {
      return members.size > scheduler.limit()
    },
    take: scheduler.take,
  }
  const naming: Names = { plain: undefined, told: false }
  let open = false
  /** The channel that others were taken next to. */
  let companion: string | undefined
  /** Why a channel was given up last, until a connection is accepted. */
  let refusal: PushStreamError | undefined
  /** Of sessions that are gone. */
  let duplicates = 0
  let reconnects = 0

  const all = () => [...members]
  const of = (name: string) => all().find(({ store }) => store.get(name))

  function make(trial: Member['trial'] = 'none'): Member {
    const store = new ChannelStore(protocol.order, environment.now, events)
    const session = new Session(
      own,
      store,
      {
        ...events,
        changed() {
          const names = session.current()?.names
          // They were taken together. If the server refuses them later, it is not for their number.
          if (member.trial === 'none' && names !== undefined && names.size > 1) {
            for (const channel of store.all) if (names.has(channel.name)) proven.delete(channel)
          }
          changed()
          conclude()
        },
        opened() {
          member.late = false
          member.suspectedBeside = undefined
          member.proofs = 0
          companion = store.companion ?? companion
          refusal = undefined
          if (member.trial !== 'none') member.trial = 'accepted'
          // A channel was given back to it meanwhile.
          else if (member.changed) update(member)
          conclude()
        },
        deadletter(raw, reason) {
          const shared = session.connections.some((one) => one.names.size > 1)
          spread()
          // What names no channel is asked for again, by a connection for each.
          if (room > 1 || !shared) events.deadletter(raw, reason)
        },
        rejected: (channels, reason) => reject(member, channels, reason),
        suspected: (channels, reason) => suspect(member, channels, reason),
      },
      naming,
      share,
    )
    const member = memberOf(store, session, open, trial)
    members.add(member)
    return member
  }

  /** Messages turned out not to name their channels: each gets a session of its own. */
  function spread(): void {
    if (protocol.capabilities.channelsPerConnection > 1 || room === 1) return
    room = 1
    for (const member of all()) {
      const [first, ...others] = member.store.all
      if (first === undefined || others.length === 0) continue
      // What came by a shared connection may have been of another channel, with numbers of its own.
      for (const { sequence } of member.store.all) sequence.last = sequence.recent = undefined
      for (const channel of others) {
        const { store, session } = make()
        member.store.move(channel, store)
        if (member.session.state.wanted) session.connect()
      }
      update(member)
    }
    events.changed()
  }

  function changed(): void {
    events.changed()
    const was = open
    open = statusOf(all()).state === 'open'
    if (open && !was) events.opened()
  }

  /** Ends a session that has no channel any more. The only one that has room for any is kept for others. */
  function drop(member: Member): void {
    if (member.store.size > 0 || (members.size === 1 && room === Number.POSITIVE_INFINITY)) return
    members.delete(member)
    duplicates += member.store.duplicates
    reconnects += member.session.reconnects
    member.session.disconnect()
  }

  /** The server refuses at least one of these channels. Half of them go to a session of their own, until it is found. */
  function reject(member: Member, rejected: readonly Channel[], reason: CloseReason): void {
    const classified = protocol.classify(reason)
    const { companion } = member.store
    const wantsCompany = classified.wantsCompany || (companion !== undefined && !names.has(companion))
    const channels = rejected.filter((channel) => member.store.get(channel.name) === channel)
    const [only] = channels
    if (!members.has(member) || (wantsCompany && accompany(member, () => reject(member, channels, reason)))) return
    if (only === undefined) update(member)
    else if (member.store.size === 1) refuse(member, only, reason)
    else {
      // Each was taken, and all together are not, or their names are too long: from now on a session has room for less.
      const together = tooLong(classified) || channels.every((channel) => proven.has(channel))
      if (together) room = Math.max(member.store.size - channels.length, Math.ceil(member.store.size / 2))
      member.companions.clear()
      const other = make(together ? 'none' : 'waiting')
      for (const channel of channels.slice(Math.floor(channels.length / 2))) member.store.move(channel, other.store)
      update(member)
      if (together) other.session.connect()
    }
    conclude()
  }

  /** Asks for the channels of a session next to one that is open elsewhere. `false`: there is none to try. */
  function accompany(member: Member, later: () => void): boolean {
    const others = all().filter((one) => one !== member && one.store.companion === undefined && one.store.size > 0)
    const { store, session, companions } = member
    if (session.state.current !== undefined) return false
    const open = others.filter((one) => one.session.state.current !== undefined).flatMap((one) => one.store.all)
    const untried = open.filter(({ name }) => !companions.has(name))
    const next = untried.find(({ name }) => name === companion) ?? untried[0]
    store.companion = next?.name
    if (next !== undefined) {
      companions.add(next.name)
      update(member)
    } else if (others.some((one) => one.session.state.attempts.length > 0)) member.postponed = later
    else return false
    return true
  }

  /**
   * All attempts failed in a mode that does not show why. If another session works, the server refuses one of these
   * channels. If none does, one channel at a time is tried alone: should the server take it, the others are suspect.
   */
  function suspect(member: Member, channels: readonly Channel[], reason: CloseReason): void {
    const [first] = channels
    if (first === undefined) return
    const works = all().filter(({ session }) => session.state.current !== undefined)
    // What works may be dead, and that not be noticed yet: only one that was opened since shows that it is the channel.
    const before = member.suspectedBeside
    const proof = before !== undefined && works.some(({ session }) => !before.includes(session.current() as Connection))
    // An attempt that was under way while the network came back proves nothing: so twice in a row.
    member.proofs = proof ? member.proofs + 1 : 0
    member.suspectedBeside = all().flatMap(({ session }) => session.connections)
    if (works[0] !== undefined) {
      if (member.store.size > 1 || member.proofs > 1) reject(member, channels, reason)
      else works[0].session.renew()
      return
    }
    if (member.trial !== 'none') return giveBack(member)
    if (channels.length === 1 || all().some(({ trial }) => trial !== 'none')) return
    member.store.move(first, make('waiting').store)
    conclude()
  }

  /** A channel was tried alone in vain. It goes to the end of the others. */
  function giveBack(member: Member): void {
    const { size, length } = member.store
    const target = all().find((one) => one.trial === 'none' && one.store.size > 0 && hasRoom(one, room, size, length))
    if (member.trial === 'none' || target === undefined || target.session.state.current !== undefined) return
    for (const channel of member.store.all) member.store.move(channel, target.store)
    target.changed = true
    drop(member)
    conclude()
  }

  /** Its session carries the channels that it has now. */
  function update(member: Member): void {
    member.changed = false
    if (member.store.size > 0) member.session.change()
    else member.session.disconnect()
  }

  /** Starts trials that wait. When none is left, the accepted channels go back to the others. */
  function conclude(): void {
    for (const member of members) {
      const { postponed } = member
      member.postponed = undefined
      postponed?.()
    }
    for (const member of members) {
      const running = all().filter(({ trial }) => trial === 'running').length
      if (member.trial !== 'waiting' || running >= mostTrials) continue
      member.trial = 'running'
      member.session.connect()
    }
    const trials = all().filter(({ trial }) => trial !== 'none')
    if (trials.length === 0 || trials.some(({ trial }) => trial !== 'accepted')) return
    const others = all().filter(({ trial }) => trial === 'none')
    // What is under way decides about channels as well.
    if (others.some(({ session: { state } }) => state.attempts.length > 0 || (!state.current && state.wanted))) return
    for (const trial of trials) {
      trial.trial = 'none'
      for (const channel of trial.store.all) proven.add(channel)
      const { size, length } = trial.store
      const target = others.find((one) => one.store.size > 0 && hasRoom(one, room, size, length))
      if (target === undefined) {
        others.push(trial)
        continue
      }
      for (const channel of trial.store.all) trial.store.move(channel, target.store)
      drop(trial)
      target.changed = true
    }
    for (const member of others) {
      for (const channel of member.changed ? [] : member.store.all) proven.add(channel)
      if (member.changed) update(member)
    }
  }

  function refuse(member: Member, channel: Channel, reason: CloseReason): void {
    const { name } = channel
    const error = refusalOf(name, reason, protocol.classify(reason), environment.location)
    refusal = error
    if (member.store.isUnknown(channel)) member.store.remove(name)
    else member.store.move(channel, parked)
    names.delete(name)
    drop(member)
    events.refused(error)
    update(member)
    changed()
  }

  return {
    /** How the client is, as far as its sessions say it. */
    get status(): PoolStatus {
      return statusOf(all(), refusal)
    },
    /** A request that keeps channels waiting, if one does. */
    get stuck(): { url: string | undefined; mode: ModeName | undefined } | undefined {
      const member = all().find(({ store, session: { state } }) => store.size > 0 && state.current === undefined)
      const { asked } = member?.session.connections[0] ?? {}
      return member && { url: shown(asked?.url), mode: asked?.mode }
    },
    get channels(): string[] {
      return [...names]
    },
    get duplicates() {
      return all().reduce((sum, { store }) => sum + store.duplicates, duplicates)
    },
    get reconnects() {
      return all().reduce((sum, { session }) => sum + session.reconnects, reconnects)
    },
    /** Adds a channel; `false` if it is there. */
    add(name: string, backtrack: number, from: Position | undefined): boolean {
      if (names.has(name)) return false
      names.add(name)
      spread()
      const member = all().find((one) => one.trial === 'none' && hasRoom(one, room, 1, lengthOf(name))) ?? make()
      const before = parked.get(name)
      if (before === undefined) member.store.add(name, backtrack, from)
      else parked.move(before, member.store)
      member.changed = true
      return true
    },
    /** Takes a channel away; `false` if it isn't there. Nothing of it is delivered any more. */
    remove(name: string): boolean {
      parked.remove(name)
      const member = of(name)
      if (!member?.store.remove(name)) return false
      names.delete(name)
      drop(member)
      member.changed = true
      return true
    },
    removeAll() {
      for (const name of [...names, ...parked.all.map((channel) => channel.name)]) this.remove(name)
    },
    /** The channels of each session that has some. */
    groups: () => all().flatMap(({ store }) => (store.size > 0 ? [store.all.map(({ name }) => name)] : [])),
    /** Sends a text by the connection of this channel, if that can. */
    send: (name: string, text: string): boolean => of(name)?.session.current()?.send(text) ?? false,
    connect() {
      for (const member of all()) {
        // What is under way may have begun without the newest of them.
        if (!member.session.state.wanted) member.changed = false
        if (member.store.size > 0 && member.trial !== 'waiting') member.session.connect()
      }
      conclude()
    },
    /** Other channels are wanted now. */
    change() {
      for (const member of all()) {
        const { store, session, changed, trial } = member
        if (trial === 'waiting') continue
        member.changed = false
        if (store.size === 0) session.disconnect()
        else if (!session.state.wanted) session.connect()
        else if (room === 1 || !changed) session.yield()
        else session.change()
      }
      conclude()
    },
    disconnect() {
      for (const { session } of all()) session.disconnect()
    },
  }
}

export type Pool = ReturnType<typeof createPool>
