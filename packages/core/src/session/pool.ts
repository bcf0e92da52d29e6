import type { Channel } from '../delivery/channel.js'
import { ChannelStore, type ChannelStoreEvents, lengthOf } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { Restore, Settings } from '../options.js'
import type { CloseReason, ModeName, Position } from '../types.js'
import { Credentials, doubted } from './credentials.js'
import type { SessionEvents } from './intake.js'
import { arrange, reject, renewAll, suspect } from './isolation.js'
import { isOpen, type Member, type PoolStatus, roomFor, type Sessions, statusOf } from './member.js'
import type { Turns } from './parts.js'
import type { Names } from './rejection.js'
import { refusalOf, shown } from './reports.js'
import { Session } from './session.js'

/** What a pool reports. */
export interface PoolEvents extends Omit<SessionEvents, 'rejected' | 'suspected'>, ChannelStoreEvents {
  /** The server refuses a channel, which is given up. */
  refused(error: PushStreamError): void
}

/** The sessions of a client: one for all of its channels, or several where a connection can't carry them all. */
export class Pool implements Sessions {
  readonly settings: Settings
  readonly #events: PoolEvents
  readonly #turns: Turns | undefined
  readonly #naming: Names
  /** Gives a channel the position that it had on the page before. */
  restore: Restore | undefined
  /** In the order they were added. */
  readonly #names = new Set<string>()
  /** Refused channels, with all that is known of them: one that is added again goes on where it was. */
  readonly #parked: ChannelStore
  /** How many channels one session takes. Less, once the server refused so many at once. */
  limit = Number.POSITIVE_INFINITY
  companion: string | undefined
  trials = 0
  members: readonly Member[] = []
  #open = false
  /** Why a channel was given up last, until a connection is accepted. */
  #refusal: PushStreamError | undefined
  /** Of sessions that are gone. */
  #duplicates = 0
  /** Connections opened after the first of a session. */
  reconnects = 0

  constructor(settings: Settings, events: PoolEvents) {
    const { environment, origin, protocol, transports } = settings
    const polls = transports.some((one) => one.polls)
    const scheduler = polls ? protocol.capabilities.schedulePolls?.(environment, origin) : undefined
    const sessions = () => this.members.length
    this.settings = scheduler ? { ...settings, environment: scheduler.timed } : settings
    this.#events = events
    this.#naming = { plain: undefined, told: false, credentials: new Credentials(settings) }
    this.#parked = this.#newStore()
    this.#turns = scheduler && {
      get scarce() {
        return sessions() > scheduler.limit()
      },
      take: scheduler.take,
    }
  }

  /** How the client is, as far as its sessions say it. */
  get status(): PoolStatus {
    return statusOf(this.members, this.#open, this.#refusal)
  }

  /** A request that keeps channels waiting, if one does. */
  get stuck(): { url: string | undefined; mode: ModeName | undefined } | undefined {
    const member = this.members.find((one) => one.session.state.wanted && !isOpen(one))
    const { asked } = member?.session.connections[0] ?? {}
    return member && { url: shown(asked?.url), mode: asked?.mode }
  }

  get room(): number {
    return Math.min(this.limit, this.settings.protocol.capabilities.channelsPerConnection)
  }

  get channels(): string[] {
    return [...this.#names]
  }

  /** What is known of every channel, refused ones too. */
  get stores(): [refused: Pick<ChannelStore, 'all'>, ...others: Pick<ChannelStore, 'all'>[]] {
    return [this.#parked, ...this.members.map(({ store }) => store)]
  }

  get duplicates(): number {
    return this.members.reduce((sum, { store }) => sum + store.duplicates, this.#duplicates)
  }

  /** The channels of each session that has some. */
  get groups(): string[][] {
    const groups = this.members.map(({ store }) => store.all.map(({ name }) => name))
    return groups.filter(({ length }) => length > 0)
  }

  /** Adds a channel; `false` if it is there. */
  add(name: string, backtrack: number, from: Position | undefined): boolean {
    if (this.#names.has(name)) return false
    this.#names.add(name)
    const member = roomFor(this, { size: 1, length: lengthOf(name) }) ?? this.make()
    member.merged = false
    const before = this.#parked.get(name)
    if (before === undefined) {
      member.store.add(name, backtrack, from)
      this.restore?.(member.store, name)
    } else this.#parked.move(before, member.store)
    return true
  }

  /** Takes a channel away; `false` if it isn't there. Nothing of it is delivered any more. */
  remove(name: string): boolean {
    this.#parked.remove(name)
    const member = this.of(name)
    if (member === undefined) return false
    member.store.remove(name)
    this.drop(member)
    return this.#names.delete(name)
  }

  removeAll(): void {
    for (const name of [...this.#names, ...this.#parked.all.map((channel) => channel.name)]) this.remove(name)
  }

  /** Sends a text by the connection of this channel, if that can. */
  send(name: string, text: string): boolean {
    return this.of(name)?.session.current()?.send(text) ?? false
  }

  connect(): void {
    for (const { session, trial } of this.members) if (trial !== 'waiting') session.connect()
    arrange(this)
  }

  /** Other channels are wanted now. `anew`: and other credentials. */
  change(anew = false): void {
    for (const { session, trial } of this.members) {
      if (trial === 'waiting') continue
      if (!session.state.wanted) session.connect()
      else if (anew) session.renew()
      else session.change()
    }
    arrange(this)
  }

  disconnect(): void {
    // Whatever waits for another session is decided when it was asked for again.
    for (const member of this.members) member.postponed = undefined
    for (const { session } of this.members) session.disconnect()
  }

  #newStore(): ChannelStore {
    return new ChannelStore(this.settings.protocol.order, this.settings.environment.now, this.#events)
  }

  of(name: string): Member | undefined {
    return this.members.find(({ store }) => store.get(name))
  }

  make(trial?: 'waiting'): Member {
    const store = this.#newStore()
    const events: SessionEvents = {
      ...this.#events,
      changed: () => {
        const carried = session.current()?.names
        // They were taken together. If the server refuses them later, it is not for their number.
        if (carried && store.all.every(({ name }) => carried.has(name))) member.merged = false
        this.#changed()
        arrange(this)
      },
      opened: () => this.#opened(member),
      deadletter: (raw, reason) => {
        const shared = session.connections.some((one) => one.names.size > 1)
        this.#spread()
        // What names no channel is asked for again, by a connection for each.
        if (this.room > 1 || !shared) this.#events.deadletter(raw, reason)
      },
      rejected: (channels, reason) => reject(this, member, channels, reason),
      suspected: (channels, reason) => suspect(this, member, channels, reason),
    }
    const session = new Session(this.settings, store, events, this.#naming, this.#turns)
    const member: Member = {
      store,
      session,
      late: this.#open,
      trial,
      merged: false,
      suspectedAt: Number.POSITIVE_INFINITY,
      proofs: 0,
      companions: new Set(),
    }
    this.members = [...this.members, member]
    return member
  }

  /** Ends a session that has no channel any more. The only one that has room for any is kept for others. */
  drop(member: Member): void {
    const { store, session } = member
    if (store.size > 0) return
    if (this.members.length === 1 && this.room === Number.POSITIVE_INFINITY) {
      member.trial = undefined
      return
    }
    this.members = this.members.filter((one) => one !== member)
    this.#duplicates += store.duplicates
    session.disconnect()
  }

  #changed(): void {
    this.#events.changed()
    const before = this.#open
    this.#open = this.status.state === 'open'
    if (this.#open && !before) this.#events.opened()
  }

  #opened(member: Member): void {
    member.late = false
    this.#refusal = undefined
    if (member.session.reconnects > 0) this.reconnects++
    member.suspectedAt = Number.POSITIVE_INFINITY
    this.companion = member.store.companion ?? this.companion
    // A channel may have been given back to it meanwhile.
    member.session.change()
    arrange(this)
  }

  /** Messages turned out not to name their channels: each gets a session of its own. */
  #spread(): void {
    if (this.settings.protocol.capabilities.channelsPerConnection > 1) return
    for (const { store, session } of this.members) {
      const [, ...others] = store.all
      if (others.length === 0) continue
      // What came by a shared connection may have been of another channel, with numbers of its own.
      for (const { sequence } of store.all) sequence.last = sequence.recent = undefined
      for (const channel of others) {
        const other = this.make()
        store.move(channel, other.store)
        if (session.state.wanted) other.session.connect()
      }
      session.change()
    }
    this.#events.changed()
  }

  unauthorized(member: Member, channels: readonly Channel[], status: number | undefined, refuse: () => void): boolean {
    const { session, store } = member
    if (!this.#naming.credentials.asks(status, doubted(session))) return false
    const { round } = session.state
    const refused = () => {
      const same = channels.every((one) => store.get(one.name) === one)
      if (session.state.wanted && session.state.round === round && same) refuse()
    }
    this.#naming.credentials.tried(doubted(session))
    this.#naming.credentials.renew(() => renewAll(this, this.#naming.credentials), refused, this.#events.failed)
    return true
  }

  refuse(member: Member, channel: Channel, reason: CloseReason): void {
    const { environment, protocol } = this.settings
    const { name } = channel
    this.#giveUp(member, channel, refusalOf(name, reason, protocol.classify(reason), environment.location))
  }

  /** Another tab was refused a channel of this one. */
  giveUp(error: PushStreamError): void {
    const member = this.of(error.channel as string)
    const channel = member?.store.get(error.channel as string)
    if (member && channel) this.#giveUp(member, channel, error)
  }

  #giveUp(member: Member, channel: Channel, error: PushStreamError): void {
    const { store, session } = member
    const { name } = channel
    this.#refusal = error
    this.#naming.credentials.decided([channel])
    if (store.isUnknown(channel)) store.remove(name)
    else store.move(channel, this.#parked)
    this.#names.delete(name)
    this.drop(member)
    this.#events.refused(error)
    session.change()
    this.#changed()
  }
}
