import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { Settings } from '../options.js'
import type { CloseReason } from '../types.js'
import type { Before } from './acceptance.js'
import { placeSilent } from './bootstrap.js'
import { acceptDelay, type Connection } from './connection.js'
import { doubted } from './credentials.js'
import { Health, type Silence } from './health.js'
import { Intake, type SessionEvents } from './intake.js'
import type { Parts, Turns } from './parts.js'
import { Poller } from './poll.js'
import { type Names, Rejection } from './rejection.js'
import { doingOf, endOf, whatOf } from './reports.js'
import { createRequests } from './requests.js'
import { type Attempt, type Event, initial, reduce, type State, type TimerName, timerNames } from './state.js'
import { Strategy } from './strategy.js'
import { Stuck } from './stuck.js'
import { type Subscription, subscribe } from './subscription.js'
import { createTimers } from './timers.js'

/** Keeps one connection to the server for some channels: makes connections and timers follow the state. */
export class Session {
  state: State = initial
  /** Odd: where nothing shows why all is refused, the first round asks for the names alone. */
  turn = 0
  readonly #events: SessionEvents
  readonly parts: Parts
  readonly #strategy: Strategy
  readonly #timers
  readonly #rejection: Rejection
  readonly #stuck = new Stuck()
  readonly #subscriptions = new Map<number, Subscription>()
  readonly #queue: Event[] = []
  #reconnects = -1
  /** The server that this round tries. */
  #host
  /** The server may reload: it ended the connection before this one. */
  #reloading = false
  #unlisten: (() => void)[] = []
  /** It is to go on when the page comes back, or is shown at last. */
  #rests: boolean | undefined

  constructor(settings: Settings, store: ChannelStore, events: SessionEvents, names: Names, turns?: Turns) {
    this.#events = events
    this.#host = settings.hosts.current
    this.#strategy = new Strategy(settings, turns)
    this.#rejection = new Rejection(names, settings)
    this.#timers = createTimers(settings.environment)
    const requests = createRequests(settings, store)
    const intake = new Intake(settings, store, events, names, this)
    const poller = new Poller(settings, store, requests, intake)
    const health = new Health(settings, store, poller, this.#timers, {
      current: () => this.current(),
      replace: () => this.renew(),
      dead: (connection, why) => this.#dead(connection, why),
      penalize: ({ mode }) => this.#strategy.penalize(mode),
      takesTurns: () => turns?.scarce ?? false,
    })
    this.parts = { settings, store, requests, intake, poller, health, turns }
  }

  current(): Connection | undefined {
    const { current } = this.state
    return current && this.#subscriptions.get(current.key)?.connection
  }

  /** The one that is accepted, and those under way. */
  get connections(): readonly Connection[] {
    return [...this.#subscriptions.values()].map(({ connection }) => connection)
  }

  /** The last failure, until a connection is accepted. */
  get error(): PushStreamError | undefined {
    return this.parts.intake.error
  }

  /** Connections opened after the first. */
  get reconnects(): number {
    return Math.max(0, this.#reconnects)
  }

  connect(): void {
    if (this.parts.store.size === 0) return
    this.#strategy.check()
    const { page } = this.parts.settings.environment
    if (page !== undefined && this.#unlisten.length === 0) {
      // Some browsers keep the connections of a page that was left.
      this.#unlisten = [page.onBack(this.#back), page.onLeave(() => this.#rest())]
    }
    this.#rests = page?.prerendering
    if (!this.#rests) this.#dispatch({ type: 'connect' })
  }

  /** The page came back, or the network. */
  readonly #back = (lost?: unknown): void => {
    const connection = this.current()
    this.#strategy.hurry()
    if (connection ? this.parts.health.check(connection, lost, this.#strategy.timeout(0)) : lost) this.renew()
    if (this.state.wanted) this.#dispatch({ type: 'online' })
    else if (this.#rests) this.connect()
  }

  /** Other channels are wanted now, or its mode can't be kept: it is replaced, unless that is under way already. */
  change(): void {
    const newest = this.state.attempts.at(-1) ?? this.state.current
    const channels = newest && this.#subscriptions.get(newest.key)?.channels
    const { size } = this.parts.store
    if (size === 0) return this.disconnect()
    const fits =
      !channels || (channels.length === size && channels.every((one) => this.parts.store.get(one.name) === one))
    if (!newest || !fits || !this.#strategy.usable.includes(newest.mode)) this.renew()
  }

  /** Another connection takes over when it is accepted. */
  renew(): void {
    this.#dispatch({ type: 'replace' })
  }

  disconnect(): void {
    for (const stop of this.#unlisten) stop()
    this.#unlisten = []
    this.#rest()
  }

  /** Ends everything that is under way. */
  #rest(): void {
    this.#rests ||= this.state.wanted
    this.parts.poller.stop()
    this.#dispatch({ type: 'disconnect' })
    this.#timers.clear()
  }

  /** One event after the other: what a listener sets off waits until the step before it is done. */
  #dispatch(event: Event): void {
    this.#queue.push(event)
    if (this.#queue.length > 1) return
    for (let next: Event | undefined = event; next !== undefined; next = this.#queue[0]) {
      this.#step(next)
      this.#queue.shift()
    }
    if (this.state.attempts.length > 0) return
    const ending = this.#rejection.over()
    if (ending === undefined) return
    // No mode is left that might not be rejected.
    if (this.state.rejected) this.#events.rejected(this.undecided(), ending)
    else if (this.state.wanted && this.#rejection.blind) this.#events.suspected(this.undecided(), ending)
  }

  #step(event: Event): void {
    const { environment, hosts, logger } = this.parts.settings
    const before = this.state
    const predecessor = this.current()
    const state = reduce(before, event, this.#strategy.policy)
    if (state === before) return
    this.state = state
    if (state.round !== before.round) this.#host = hosts.current
    if (state.failures > before.failures) hosts.failed(this.#host)
    logger?.debug(`pushstream: ${event.type}: ${doingOf(state, environment.now())}`)
    this.#reconcile(before, predecessor)
    this.#events.changed()
    if (before.current === undefined && this.state.current !== undefined) {
      this.#reconnects++
      this.#events.opened()
    }
  }

  /** Connections and timers become what the state says. */
  #reconcile(before: State, predecessor: Connection | undefined): void {
    const state = this.state
    const successor = this.current()
    if (successor !== undefined && successor !== predecessor) this.#accepted(successor, predecessor)
    const wanted = [...state.attempts, state.current].map((attempt) => attempt?.key)
    for (const [key, { connection }] of this.#subscriptions) {
      if (wanted.includes(key)) continue
      this.#subscriptions.delete(key)
      connection.close()
    }
    for (const [name, field] of Object.entries(timerNames) as [TimerName, (typeof timerNames)[TimerName]][]) {
      this.#timers.at(name, state[field], () => this.#expired(name))
    }
    for (const attempt of state.attempts) {
      if (attempt.key <= before.serial) continue
      // Changes of one tick are one change: what is added right after this comes by the same connection.
      queueMicrotask(() => this.state.attempts.some(({ key }) => key === attempt.key) && this.#open(attempt))
    }
  }

  #expired(name: TimerName): void {
    const go = () => this.#dispatch({ type: name })
    // A mode that has opened is about to be accepted or rejected: no reason to start another one next to it.
    const opening =
      name === 'nextMode' && this.state.attempts.some(({ key }) => this.#subscriptions.get(key)?.connection.opened)
    if (opening) this.#timers.in(name, acceptDelay, go)
    else go()
  }

  /** The channels that the connection that works does not carry. */
  undecided(): readonly Channel[] {
    const carried = this.current()?.names
    return this.parts.store.all.filter(({ name }) => !carried?.has(name))
  }

  #open({ key, mode }: Attempt): void {
    const { settings, store, requests, poller } = this.parts
    const { failures } = this.state
    const transport = this.#strategy.transportOf(mode)
    const predecessor = this.current()
    if (predecessor !== undefined) this.#placeSilent(predecessor)
    const subscription = subscribe(this.parts, transport, {
      timeout: this.#strategy.timeout(failures),
      plain: this.#rejection.plain(failures + this.turn),
      // After what no connection can take, if that is what ends them.
      beginning: (channels) =>
        (poller.possible ? undefined : this.#stuck.beyond(store.newest)) ?? requests.begin(channels),
      accepted: () => this.#dispatch({ type: 'accepted', key }),
      ended: (reason) => this.#ended(key, subscription, reason),
    })
    this.#subscriptions.set(key, subscription)
    const shows = settings.transports.length > 1 || !settings.protocol.capabilities.lastMessage
    if (transport.acceptedBy !== 'opening' || (shows && !transport.polls)) return
    const lost = predecessor === undefined ? 'loss' : 'success'
    const before: Before = failures > 0 ? 'failure' : this.#reconnects < 0 ? 'nothing' : lost
    void transport.prove?.(subscription.connection, before, this.parts)
  }

  /** What a connection that ends or is replaced shows of its silent channels. */
  #placeSilent(connection: Connection): void {
    const { lastMessage } = this.parts.settings.protocol.capabilities
    if (lastMessage) placeSilent(this.parts.store, connection, this.parts.health.covered(connection))
  }

  #accepted(connection: Connection, predecessor: Connection | undefined): void {
    this.parts.intake.error = undefined
    this.#rejection.accepted(connection, Boolean(this.#subscriptions.get(this.state.current?.key ?? 0)?.asksLast))
    this.#rejection.credentials.decided(this.parts.health.covered(connection))
    this.#strategy.accepted(connection)
    // A successor goes on where the one before it was well.
    if (predecessor !== undefined) {
      connection.worked ||= predecessor.succeeded
      if (predecessor.mode === connection.mode) connection.heartbeat.follow(predecessor.heartbeat)
      // A server that was well until now has what it stored.
      connection.after(acceptDelay, () => connection.brought || this.parts.intake.unrepeated(connection.from))
    }
    this.parts.health.accepted(connection, predecessor, this.#reloading)
    this.#reloading = false
  }

  #ended(key: number, { asksLast, connection, unplace }: Subscription, reason: CloseReason): void {
    const { environment, logger, protocol } = this.parts.settings
    const wasCurrent = key === this.state.current?.key
    this.#subscriptions.delete(key)
    const classified = protocol.classify(reason)
    if (this.#rejection.denies(connection, reason)) unplace()
    const renamed = asksLast && this.#rejection.triesPlain(reason, classified, connection.opened)
    if (renamed && !connection.accepted) return this.renew()
    this.parts.intake.ended(connection, reason, classified)
    // A replacement for the same channels is no reason to give one up.
    const replaced = !wasCurrent && this.undecided().length === 0
    const asks = this.#rejection.credentials.asks(classified.status, doubted(this))
    const action = renamed ? 'backoff' : this.#rejection.actionOf(classified, replaced, asks)
    const what = whatOf(connection.mode, reason, classified)
    logger?.debug(`pushstream: ${endOf(what, connection, action)}`)
    if (action === 'rejected') this.#rejection.rejected(reason)
    else if (action !== 'reconnect') {
      this.#rejection.failed(reason, connection, action)
      // The names alone may be taken.
      if (!renamed) this.parts.intake.trouble(what, reason, classified)
    }
    // A network that breaks may hide that the server reloads just then.
    const unseen = reason.kind === 'lost' && this.parts.poller.immediate
    this.#reloading ||= (action === 'reconnect' || unseen) && wasCurrent
    const worked = connection.succeeded
    if (worked && wasCurrent) this.#strategy.lost()
    this.#placeSilent(connection)
    this.#stuck.ended(connection, reason, worked, environment.now())
    // Again and again accepted, and lost before anything new came: this mode may be unable to take what comes next.
    if (connection.accepted && !worked && this.state.failures > 0) this.#strategy.penalize(connection.mode)
    this.#dispatch({
      type: 'ended',
      key,
      action,
      worked,
      hung: reason.symptom === 'slow',
      final: asks || classified.explain !== undefined,
      retryAfter: reason.retryAfter,
    })
  }

  #dead(connection: Connection, why: Silence): void {
    if (connection !== this.current()) return
    if (connection.heartbeat.late()) return this.#back(true)
    this.parts.intake.silent(connection, why)
    if (connection.succeeded) this.#strategy.lost()
    this.#dispatch({ type: 'dead' })
  }
}
