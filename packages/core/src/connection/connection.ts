import type { Channel, Ledger } from '../delivery/ledger.js'
import { PushStreamError } from '../errors.js'
import type { Received } from '../message.js'
import { eventsource, nativeEventsource } from '../modes/eventsource.js'
import { longpolling } from '../modes/longpolling.js'
import type { Ending, Mode, ModeName } from '../modes/mode.js'
import { stream } from '../modes/stream.js'
import { websocket } from '../modes/websocket.js'
import { bad, type Settings } from '../options.js'
import { Checks } from './checks.js'
import { LongPollChain } from './longpoll.js'
import { type Context, type Effect, type Event, initial, step, type TimerName } from './machine.js'
import { ModeMemory } from './memory.js'
import { Requests } from './requests.js'
import { ageOf, grace, Source } from './source.js'

/** How long a hole is waited for before the server is asked, in ms: workers deliver out of order by a few. */
const holeWait = 200
/** How long after a burst of long-poll answers it is checked, in ms. */
const burstWait = 1000
/** How long a connection may take to bring what an audit found, in ms. */
const deafWait = 1000
/** How long a connection must last to count as having worked, in ms. */
const lasting = 5000
/** How long after the server ended a connection its successor is replaced once more, in ms, at least. */
const renewal = 1000
/** What comes this long after the opening, in ms, is no backlog. */
const backlog = 500
/** How long a mode that brought nothing is put last, in ms. */
const demotion = 5 * 60_000

/** Timers beside the machine's. */
type Chore = 'hole' | 'burst' | 'deaf' | 'renew' | 'stale'

/** What the connection tells its client. */
export interface ConnectionEvents {
  changed(): void
  opened(): void
  /** A channel is given up: the server doesn't want it. */
  refused(channel: string, error: PushStreamError): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  failed(error: PushStreamError): void
}

/** Keeps one connection to the server for all channels: runs what the machine decides. */
export class Connection {
  /** Connections accepted after the first. */
  reconnects = 0
  /** The last trouble, until something is accepted. */
  error: PushStreamError | undefined
  readonly #settings: Settings
  readonly #ledger: Ledger
  readonly #events: ConnectionEvents
  readonly #requests: Requests
  readonly #checks: Checks
  readonly #memory: ModeMemory
  readonly #modes: Record<ModeName, Mode>
  readonly #sources = new Map<number, Source>()
  readonly #timers = new Map<TimerName | Chore, unknown>()
  readonly #demoted = new Map<ModeName, number>()
  readonly #probes = new Set<Source>()
  readonly #queue: Event[] = []
  #context: Context = initial
  #skew = Number.POSITIVE_INFINITY
  #rejection: Ending | undefined
  #renewed = false
  #primeFailed = false
  #opened = false
  #dismissed = false
  #auditing = false
  #round = 0
  /** Holes for which a successor was opened. */
  #doubted: Map<Channel, number | undefined> = new Map()
  #stopListening: (() => void) | undefined

  constructor(settings: Settings, ledger: Ledger, events: ConnectionEvents) {
    this.#settings = settings
    this.#ledger = ledger
    this.#events = events
    this.#requests = new Requests(settings, ledger)
    this.#checks = new Checks(settings, ledger, this.#requests, {
      message: (message) => this.#receive(message),
      deleted: (channel, text) => this.#deleted(channel, text),
      deadletter: (raw, reason) => events.deadletter(raw, reason),
    })
    this.#memory = new ModeMemory(settings.environment, settings.origin)
    this.#modes = {
      websocket,
      eventsource: settings.nativeEventSource ? nativeEventsource : eventsource,
      stream,
      longpolling,
    }
  }

  get context(): Context {
    return this.#context
  }

  get current(): Source | undefined {
    return this.#context.current && this.#sources.get(this.#context.current.key)
  }

  connect(): void {
    if (this.#usable().length === 0) {
      throw bad(`This runtime has none of the modes ${this.#settings.modes.join(', ')}: use others, or 'environment'.`)
    }
    this.#stopListening ??= this.#settings.environment.page?.onBack(() => this.#back())
    this.#dispatch({ type: 'connect' })
  }

  /** Other channels are wanted now. */
  change(): void {
    this.#dispatch({ type: 'change' })
  }

  disconnect(): void {
    this.#stopListening?.()
    this.#stopListening = undefined
    this.#round++
    this.#checks.stop()
    this.#dispatch({ type: 'disconnect' })
    for (const name of this.#timers.keys()) this.#cancel(name)
    for (const probe of this.#probes) probe.close()
    this.#probes.clear()
  }

  /** One event after the other: what a listener sets off waits until the step before it is done. */
  #dispatch(event: Event): void {
    this.#queue.push(event)
    if (this.#queue.length > 1) return
    for (let next: Event | undefined = event; next !== undefined; next = this.#queue[0]) {
      this.#step(next)
      this.#queue.shift()
    }
  }

  #step(event: Event): void {
    const { environment, autoReconnect, backoffBase, backoffCap } = this.#settings
    const usable = this.#usable()
    const now = environment.now()
    const demoted = (mode: ModeName) => ((this.#demoted.get(mode) ?? 0) > now ? 1 : 0)
    const before = this.#context
    const { context, effects } = step(before, event, {
      now,
      random: environment.random(),
      autoReconnect,
      base: backoffBase,
      cap: backoffCap,
      modes: usable,
      order: [...this.#memory.order(usable)].sort((a, b) => demoted(a) - demoted(b)),
    })
    this.#context = context
    if (effects.length > 0)
      this.#settings.logger?.debug('pushstream', event.type, `${before.state} > ${context.state}`, effects)
    for (const effect of effects) this.#run(effect)
    if (context !== before) this.#events.changed()
    if (before.current === undefined && context.current !== undefined) {
      if (this.#opened) this.reconnects++
      this.#opened = true
      this.#events.opened()
    }
  }

  /** The modes wanted, as far as this runtime has them. */
  #usable(): readonly ModeName[] {
    return this.#settings.modes.filter((mode) => this.#modes[mode].available(this.#settings.environment))
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'prime':
        return void this.#prime()
      case 'open':
        return this.#open(effect.key, effect.mode)
      case 'close':
        this.#sources.get(effect.key)?.close()
        this.#sources.delete(effect.key)
        return
      case 'accept':
        return this.#accepted(effect.mode, effect.lesser)
      case 'sift':
        return void this.#sift()
      case 'timer':
        return this.#later(effect.name, effect.ms, () => this.#due(effect.name))
      case 'cancel':
        return this.#cancel(effect.name)
    }
  }

  #due(name: TimerName): void {
    // Who has opened is about to be accepted or rejected: no reason to start another mode beside it.
    const opening = this.#context.racing.some(({ key }) => this.#sources.get(key)?.opened)
    if (name === 'headstart' && opening) this.#later(name, grace, () => this.#dispatch({ type: name }))
    else this.#dispatch({ type: name })
  }

  #later(name: TimerName | Chore, ms: number, callback: () => void): void {
    this.#cancel(name)
    const timer = this.#settings.environment.setTimeout(() => {
      this.#timers.delete(name)
      callback()
    }, ms)
    this.#timers.set(name, timer)
  }

  #cancel(name: TimerName | Chore): void {
    this.#settings.environment.clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
  }

  async #prime(): Promise<void> {
    const round = ++this.#round
    // Changes of one tick are one change: what is added right after this is primed with it.
    await undefined
    const ending = await this.#checks.prime()
    if (round !== this.#round) return
    if (ending !== undefined && this.#settings.protocol.verdict(ending) === 'rejected') {
      this.#rejection = ending
      this.#dispatch({ type: 'rejected' })
      return
    }
    this.#primeFailed = ending !== undefined
    this.#dispatch({ type: 'primed' })
  }

  #open(key: number, name: ModeName): void {
    const channels = this.#ledger.all
    const names = new Set(channels.map((channel) => channel.name))
    const { environment, protocol, nativeEventSource } = this.#settings
    const wanted = () => channels.filter((channel) => this.#ledger.get(channel.name) === channel)
    const chain =
      name === 'longpolling' ? new LongPollChain(this.#ledger, this.#requests, protocol, environment.now) : undefined
    const sourceReady: { source?: Source } = {}
    const next = async () => {
      const pause = chain?.pause ?? 0
      if (pause > 0) await new Promise<void>((resolve) => sourceReady.source?.after(pause, resolve))
      const still = wanted()
      const position = chain === undefined ? this.#requests.begin(still) : chain.next(still)
      const kind = name
      const exchange = await this.#requests.make(kind, still, position, (channel) => channel.backtrack)
      return name === 'eventsource' && nativeEventSource ? { ...exchange, headers: {} } : exchange
    }
    const source = new Source(this.#modes[name], names, this.#skew, next, this.#settings, {
      accepted: () => this.#dispatch({ type: 'accepted', key }),
      ended: (ending) => this.#ended(key, source, ending),
      idle: () => this.#idle(source),
      dead: () => this.#dead(source, 'The pings of the server stopped.'),
      ping: () => this.#ledger.witness(this.#covered(source), this.#ledger.newest),
      message: (message) => this.#receive(message, source),
      deleted: (channel, text) => this.#deleted(channel, text, source),
      deadletter: (raw, reason) => this.#events.deadletter(raw, reason),
      answered: (answer) => {
        if (chain?.answered(answer, wanted()) && !this.#timers.has('burst')) {
          this.#later('burst', burstWait, () => {
            chain.calm()
            void this.#audit(source, false)
          })
        }
      },
    })
    sourceReady.source = source
    this.#sources.set(key, source)
    // A request that hangs looks the same on a good network and on none, and so does a stream before its first message.
    if (chain !== undefined || (name === 'stream' && this.#settings.modes.length === 1)) void this.#prove(source)
  }

  /** Accepts a source that can't show by itself that it is well: an answered poll shows it, else time has to. */
  async #prove(source: Source): Promise<void> {
    if (this.#checks.possible === true && (await this.#checks.audit(this.#covered(source), false)) === undefined) {
      return source.accept()
    }
    if (this.#checks.possible !== true) source.after(this.#settings.timeout / 5, () => source.accept())
  }

  #accepted(mode: ModeName, lesser: boolean): void {
    this.error = undefined
    this.#renewed = false
    this.#memory.remember(lesser ? mode : undefined)
    if (this.#primeFailed && this.#checks.possible === undefined) this.#checks.possible = false
    const source = this.current
    for (const channel of this.#covered(source)) {
      if (this.#ledger.unknown(channel)) channel.joined ??= source?.openedAt
    }
    if (this.#ledger.holes().size > 0) this.#waitForHoles()
    this.#watchStale()
    // What ended the connections before may be something on the way that this mode can't take: polls may bring it.
    if (source !== undefined && this.#context.failures > 0 && this.#checks.possible === true)
      void this.#audit(source, false)
    if (this.#dismissed && source !== undefined && mode !== 'longpolling') this.#renew(source)
    this.#dismissed = false
  }

  /**
   * A server that reloads may take the next connection into a worker on its way out, which looks open and delivers
   * nothing. Unless something live shows that it isn't so, the connection is replaced once more when that is over.
   */
  #renew(source: Source): void {
    this.#later('renew', renewal * (1 + this.#settings.environment.random()), () => {
      if (source === this.current && !source.live) this.change()
    })
  }

  /** A silent channel beside a busy one is known to an ever older position, unless it is asked about. */
  #watchStale(): void {
    this.#later('stale', this.#settings.pingtimeout, () => {
      const source = this.current
      const channels = this.#covered(source)
      const behind = this.#stale(channels)
      if (source !== undefined && this.#checks.possible === true && behind.length < channels.length) {
        void this.#audit(source, false)
      }
      this.#watchStale()
    })
  }

  /** The channels a source was opened for, as far as they are still wanted. */
  #covered(source: Source | undefined): Channel[] {
    return this.#ledger.all.filter((channel) => source?.names.has(channel.name))
  }

  #ended(key: number, source: Source, ending: Ending): void {
    this.#sources.delete(key)
    const { protocol, environment, params, headers } = this.#settings
    let verdict = protocol.verdict(ending)
    const { status, explain } = protocol.explanation(ending)
    if (verdict === 'rejected') {
      this.#rejection = ending
      // Credentials may just have run out: the functions that give them are asked once more.
      if (explain === undefined && !this.#renewed && (typeof params === 'function' || typeof headers === 'function')) {
        this.#renewed = true
        verdict = 'retry'
      }
    }
    if (verdict !== 'again') {
      const where = `${source.mode} ${ending.kind}${status === undefined ? '' : ` with status ${status}`}${explain ? `: ${explain}` : ''}`
      this.#trouble(
        ending.cause instanceof PushStreamError
          ? ending.cause
          : new PushStreamError(status === undefined ? 'unreachable' : 'http', `${where}. The client goes on trying.`, {
              mode: source.mode,
              status,
              cause: ending.cause,
            }),
      )
    }
    this.#dismissed ||= verdict === 'again' && key === this.#context.current?.key
    const worked = source.accepted && (source.worked || environment.now() - source.openedAt > lasting)
    // Again and again accepted, and lost before anything new came: it may be this mode that can't take what comes next.
    if (source.accepted && !worked && this.#context.failures > 0) this.#demote(source.mode)
    this.#dispatch({ type: 'ended', key, verdict, worked, retryAfter: ending.retryAfter })
  }

  #demote(mode: ModeName): void {
    this.#demoted.set(mode, this.#settings.environment.now() + demotion)
  }

  #trouble(error: PushStreamError): void {
    this.error = error
    this.#events.failed(error)
  }

  #receive(message: Received, source?: Source): void {
    if (source !== undefined) {
      const age = ageOf(message, source.lastLife)
      if (!source.live && message.position > this.#ledger.newest) {
        source.live = source.lastLife - source.openedAt > backlog
      }
      if (age < this.#skew) this.#skew = age
    }
    const outcome = this.#ledger.receive(message)
    if (outcome === 'dropped' || outcome === undefined) return
    if (source !== undefined) source.worked = true
    if (outcome === 'held' && !this.#timers.has('hole')) this.#waitForHoles()
  }

  #waitForHoles(): void {
    this.#later('hole', holeWait, () => {
      const holes = this.#ledger.holes()
      const source = this.current
      if (holes.size === 0 || source === undefined) return
      if (this.#checks.possible !== false) return void this.#audit(source, true)
      // A successor was opened for these holes already: what it did not bring is gone.
      this.#ledger.settle(this.#doubted)
      this.#doubted = this.#ledger.holes()
      if (this.#doubted.size > 0) this.change()
    })
  }

  #deleted(name: string, text: string, source?: Source): void {
    const channel = this.#ledger.get(name)
    if (channel === undefined) return
    this.#ledger.forget(channel)
    this.#events.deleted(name, text)
    // The server doesn't deliver a channel of that name to this connection when it is made again.
    if (source !== undefined && source.mode !== 'longpolling' && this.#ledger.size > 1) this.change()
  }

  #dead(source: Source, why: string): void {
    if (source !== this.current) return
    this.#trouble(new PushStreamError('silent', `${why} The client connects anew.`, { mode: source.mode }))
    this.#dispatch({ type: 'dead' })
  }

  #idle(source: Source): void {
    if (source === this.current) void this.#audit(source, false)
  }

  /** Asks what the connection should have brought. `again`: for holes, from the whole second. */
  async #audit(source: Source, again: boolean): Promise<void> {
    if (this.#auditing || source !== this.current) return
    if (this.#checks.possible === false) {
      // No way to ask beside the connection, so a successor has to show whether it was well.
      source.checked()
      const { lastLife } = source
      this.#later('deaf', this.#settings.timeout, () => {
        if (source === this.current && source.lastLife === lastLife) {
          this.#dead(source, 'The connection was silent, and no other came about.')
        }
      })
      return this.change()
    }
    const channels = again ? [...this.#ledger.holes().keys()] : this.#stale(this.#covered(source))
    const { brought } = source
    const before = this.#ledger.newest
    this.#auditing = true
    const ending = await this.#checks.audit(channels, again)
    this.#auditing = false
    if (source !== this.current) return
    if (ending !== undefined) {
      // The first poll of all may fail because polls are not possible (another origin's preflight, for one).
      this.#checks.possible ??= false
      if (this.#checks.possible === false) return void this.#audit(source, again)
      if (!again || this.#ledger.holes().size === 0)
        return this.#dead(source, 'The connection was silent, and asking the server failed.')
      return this.#waitForHoles()
    }
    source.checked()
    if (!again && this.#ledger.newest > before && source.brought === brought) {
      this.#later('deaf', deafWait, () => {
        if (source !== this.current || source.brought !== brought) return
        if (brought === 0) this.#demote(source.mode)
        this.#dead(source, 'The connection did not bring what the server has.')
      })
    }
  }

  /** The channels that were silent for as long as it takes to doubt them. */
  #stale(channels: Channel[]): Channel[] {
    const { newest } = this.#ledger
    const behind = channels.filter((channel) => (this.#ledger.known(channel) ?? -1) < newest)
    return behind.length > 0 ? behind : channels
  }

  #back(): void {
    const source = this.current
    if (source !== undefined) void this.#audit(source, false)
    this.#dispatch({ type: 'back' })
  }

  /** Finds out which channels the server rejects, so that the others can go on. */
  async #sift(): Promise<void> {
    const round = ++this.#round
    const rejection = this.#rejection as Ending
    const known = this.current?.names
    const candidates = this.#ledger.all.filter((channel) => !known?.has(channel.name))
    const alone = candidates.length === 1
    const verdicts = await Promise.all(
      candidates.map(async (channel) => ({ channel, ending: alone ? rejection : await this.#alone(channel) })),
    )
    if (round !== this.#round) return
    let found = false
    for (const { channel, ending } of verdicts) {
      if (ending === undefined || this.#settings.protocol.verdict(ending) !== 'rejected') continue
      if (this.#ledger.get(channel.name) !== channel) continue
      found = true
      this.#refuse(channel, ending)
    }
    this.#dispatch({ type: 'sifted', left: this.#ledger.size > 0, found })
  }

  #refuse(channel: Channel, ending: Ending): void {
    const { status, explain } = this.#settings.protocol.explanation(ending)
    const code = status === 401 ? 'unauthorized' : status === 403 ? 'forbidden' : 'bad-request'
    this.#ledger.remove(channel.name)
    this.#events.refused(
      channel.name,
      new PushStreamError(
        code,
        `The server refuses the channel '${channel.name.slice(0, 80)}' with status ${status}${explain ? `: ${explain.replace(/\.$/, '')}` : ''}. ` +
          'It is given up; the others go on. Check its name and who may subscribe to it, then add it again.',
        { channel: channel.name, status },
      ),
    )
  }

  /** Asks for one channel alone. Resolves with the ending if there was one. */
  async #alone(channel: Channel): Promise<Ending | undefined> {
    if (this.#checks.possible !== false) {
      const { ending } = await this.#checks.poll([channel], undefined, this.#settings.timeout, () => 0)
      if (ending === undefined || this.#settings.protocol.verdict(ending) !== 'mode') return ending
    }
    const mode = this.#usable()[0] as ModeName
    return new Promise((resolve) => {
      const done = (ending?: Ending) => {
        this.#probes.delete(source)
        source.close()
        resolve(ending)
      }
      const next = () => this.#requests.make(mode, [channel], undefined, () => 0)
      const source: Source = new Source(this.#modes[mode], new Set([channel.name]), this.#skew, next, this.#settings, {
        accepted: () => queueMicrotask(() => done()),
        ended: (ending) => queueMicrotask(() => done(ending)),
        idle() {},
        dead() {},
        ping() {},
        message() {},
        deleted() {},
        deadletter() {},
        answered() {},
      })
      this.#probes.add(source)
      if (mode === 'longpolling') source.after(this.#settings.timeout / 5, () => done())
    })
  }
}
