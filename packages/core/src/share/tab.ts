import { newReplay } from '../delivery/order.js'
import type { PushStreamError } from '../errors.js'
import type { Settings } from '../options.js'
import type { Locks } from '../platform.js'
import type { PoolStatus } from '../session/member.js'
import type { Pool, PoolEvents } from '../session/pool.js'
import {
  advanceWatermark,
  channelOf,
  haveReached,
  lowWatermark,
  receive,
  restore,
  type States,
  someFresh,
  statesOf,
} from './channel-state.js'
import { createLeadership } from './leadership.js'
import { reports } from './reports.js'
import { type Mark, type News, packed, type Said, unpacked } from './said.js'

/** How long a leader may take to answer, in ms, before a tab connects by itself. */
const patience = 400

type Handlers = { [K in keyof Said]: (...said: Said[K]) => void }

/** One tab of those that share a connection: it leads, follows the leader's feed, or has a connection of its own. */
export class Tab {
  protected readonly settings: Settings
  readonly #events: PoolEvents
  protected readonly pool: Pool
  readonly #open: () => BroadcastChannel
  readonly #leadership
  readonly #id = crypto.randomUUID()
  /** The tab's own channels. */
  protected readonly own = new Set<string>()
  /** There, while the tab takes part. */
  protected channel: BroadcastChannel | undefined
  #leads = false
  /** It has a connection of its own, and does not lead. */
  #alone = false
  #hurry: unknown

  /** How far the feed has come: its own, or the leader's. `undefined`: something is missing, or nobody leads. */
  #at: Mark | undefined

  // As a follower.
  /** How far the leader had come when it answered. */
  protected known: States = {}
  /** What was told since, while the tab is behind. */
  #queue: News['deliver'][] | undefined
  readonly #replay = newReplay()
  #told: PoolStatus | undefined
  #isOpen = false
  #wasOpen = false

  // As the leader.
  /** What each other tab wants. */
  readonly #tabs = new Map<string, readonly string[]>()

  constructor(
    settings: Settings,
    events: PoolEvents,
    name: string,
    locks: Locks,
    Channel: typeof BroadcastChannel,
    make: (events: PoolEvents) => Pool,
  ) {
    this.settings = settings
    this.#events = events
    this.#open = () => new Channel(name)
    const tell = (type: keyof News, ...news: unknown[]) => this.#tell(type, news)
    const report = reports(events, this.own, tell, this.#check.bind(this), this.#changed.bind(this))
    this.pool = make(report)
    this.#leadership = createLeadership(
      locks,
      name,
      settings.environment,
      (leads) => (leads ? this.#lead() : this.#yield()),
      () => this.#post('ask'),
    )
  }

  protected get connected(): boolean {
    return this.#alone || this.#leads
  }

  get status(): PoolStatus {
    const { status } = this.pool
    if (!this.channel || this.connected || this.own.size === 0) return status
    const placed = this.#wasOpen || !someFresh(this.pool, this.own)
    return placed && this.#told && this.#at && !this.#queue ? this.#told : { ...status, state: 'connecting' }
  }

  protected start(): void {
    const channel = this.#open()
    const handlers = this.#handlers()
    this.channel = channel
    channel.onmessage = ({ data: [type, ...said] }) => handlers[type as 'news'](...(said as Said['news']))
    this.#leadership.begin()
    this.join()
  }

  protected stop(): void {
    this.#post('join', this.#id, {}, false)
    this.channel?.close()
    this.channel = undefined
    this.#leadership.end()
    this.#follow()
    this.#alone = false
    this.pool.disconnect()
  }

  #calm(): void {
    this.settings.environment.clearTimeout(this.#hurry)
  }

  #post<K extends keyof Said>(type: K, ...said: Said[K]): void {
    this.channel?.postMessage([type, ...said])
  }

  #lead(): void {
    const since = this.#queue ? undefined : this.#at
    this.#follow()
    // It connects before it says that it leads, so that it is not closed to the others.
    this.#alone = true
    this.pool.connect()
    this.#alone = false
    this.#leads = true
    this.#at = [crypto.randomUUID(), 0]
    this.#announce(since)
    this.#changed()
  }

  /** Another tab took the lead. The connection stays until the feed has all that the tab needs. */
  #yield(): void {
    this.#alone = true
    this.#follow()
    this.join()
  }

  /** Forgets the feed that it followed, or led. */
  #follow(): void {
    this.#calm()
    this.#leads = false
    this.#at = this.#queue = undefined
    this.#tabs.clear()
    this.prune()
  }

  /** Drops what nobody wants any more. */
  protected prune(): void {
    for (const name of this.pool.channels) {
      if (!this.own.has(name) && ![...this.#tabs.values()].some((names) => names.includes(name))) this.pool.remove(name)
    }
  }

  #tell(type: keyof News, news: unknown[]): void {
    if (!this.#leads || !this.#at) return
    this.#at = [this.#at[0], this.#at[1] + 1]
    this.#post('news', this.#at, type, ...news.map(packed))
  }

  /** Says that it lives, and how it is. */
  #announce(since?: Mark): void {
    if (this.#leads) this.#post('lead', this.#at as Mark, this.#packed, lowWatermark(this.pool), since)
  }

  get #packed(): PoolStatus {
    const { status } = this.pool
    return { ...status, error: packed(status.error) }
  }

  /** Says which channels the tab wants. What is not answered in time, it fetches by itself. */
  protected join(retry = false): void {
    if (this.connected) this.pool[retry ? 'connect' : 'change']()
    if (this.#leads) return
    this.#calm()
    this.#hurry = this.settings.environment.setTimeout(() => {
      this.#at = this.#queue = undefined
      this.#connect()
    }, patience)
    this.#post('join', this.#id, statesOf(this.pool, this.own), retry)
  }

  #connect(): void {
    this.#alone = true
    this.pool.change()
    this.#changed()
  }

  #handlers(): Handlers {
    return {
      join: (tab, states, retry) => {
        if (!this.#leads) return
        this.#tabs.set(tab, Object.keys(states))
        this.prune()
        for (const [name, state] of Object.entries(states)) {
          // What is new here begins where that tab has come.
          if (!this.pool.of(name) && this.pool.add(name, state.backtrack, state.from)) restore(this.pool, name, state)
        }
        this.pool[retry ? 'connect' : 'change']()
        this.#post('welcome', tab, this.#at as Mark, this.#packed, statesOf(this.pool, Object.keys(states)))
      },
      ask: () => this.#announce(),
      lead: (at, status, low, since) => {
        // A leader that hears of another does not know yet that it leads no more.
        if (this.#leads) return
        this.#leadership.heard()
        const [leader, n = 0] = this.#at ?? []
        this.#hear(status)
        // It goes on from something that this tab has.
        if (since && leader === since[0] && n >= since[1] && !this.#queue) this.#at = at
        const same = `${this.#at}` === `${at}`
        if (!same) this.#at = undefined
        if (same && leader === at[0] && !this.#queue && !someFresh(this.pool, this.own))
          advanceWatermark(this.pool, low)
        else this.join()
        this.#changed()
      },
      welcome: (tab, at, status, states) => {
        if (this.#leads || tab !== this.#id) return
        this.#calm()
        this.#at = at
        this.#hear(status)
        this.known = states
        this.#queue = []
        const anew = this.#wasOpen || this.settings.lastEventId === undefined
        for (const name of this.own) {
          const state = states[name]
          if (anew && state && channelOf(this.pool, name)?.backtrack === 0) restore(this.pool, name, state)
        }
        if (!this.#catchUp()) this.#connect()
      },
      news: (at, type, ...news) => {
        if (this.#leads || this.#at?.[0] !== at[0]) return
        const follows = this.#at[1] === at[1] - 1
        this.#at = at
        if (follows) this.#take(type, news.map(unpacked))
        else this.#rejoin()
      },
    }
  }

  /** Asks the leader how far it has come, as something is missing here. */
  #rejoin(): void {
    this.#at = undefined
    this.join()
  }

  #hear(status: PoolStatus): void {
    this.#told = { ...status, error: unpacked(status.error) }
  }

  /** Takes in what the leader tells. */
  #take(type: keyof News, news: readonly unknown[]): void {
    if (type === 'deliver') {
      const [message, gap] = news as News['deliver']
      if (this.#queue) this.#queue.push([message, gap])
      else if (this.known[message.channel] && !receive(this.pool, message, gap, this.#replay)) this.#rejoin()
    } else if (type === 'refused') this.pool.giveUp(news[0] as PushStreamError)
    // A tab with a connection of its own learns this by itself.
    else if (!this.#alone) {
      const [name] = news as [string]
      const channel = channelOf(this.pool, name)
      if (type === 'deleted' && !channel) return
      if (type === 'deleted' && channel) this.pool.of(name)?.store.forget(channel)
      this.#events[type](...(news as [never, never]))
    }
  }

  /** Whether the tab has come as far as the leader had. Then it takes in what was told since, and needs no connection. */
  #catchUp(): boolean {
    if (!haveReached(this.pool, this.own, this.known)) return false
    const queue = this.#queue ?? []
    this.#queue = undefined
    for (const news of queue) this.#take('deliver', news)
    if (this.#alone && this.#at) {
      this.#alone = false
      this.pool.disconnect()
    }
    this.#changed()
    return true
  }

  /** Looks, once the step under way is done, whether the tab can do without its connection. */
  #check(): void {
    if (this.#alone) queueMicrotask(() => this.#alone && this.#at && this.#catchUp())
  }

  #changed(): void {
    this.#announce()
    this.#check()
    const before = this.#isOpen
    this.#isOpen = this.status.state === 'open'
    this.#wasOpen ||= this.#isOpen
    this.#events.changed()
    if (this.#isOpen && !before) this.#events.opened()
  }
}
