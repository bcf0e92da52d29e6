import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { bad, PushStreamError } from '../errors.js'
import type { IncomingMessage } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf, timeOf } from '../position.js'
import type { Classified } from '../protocols/protocol.js'
import { troubled } from '../symptoms.js'
import type { CloseReason, ModeName, Position, Transport } from '../types.js'
import { placeSilent } from './bootstrap.js'
import { acceptDelay, ageOf, type Connection } from './connection.js'
import { Health } from './health.js'
import { ModeMemory } from './memory.js'
import { Poller } from './poll.js'
import { doingOf, endOf, failureOf, saidBySelf, shown, tooLong, whatOf } from './reports.js'
import { createRequests } from './requests.js'
import {
  type Action,
  type Attempt,
  attemptDelay,
  type Event,
  initial,
  type Policy,
  reduce,
  type State,
  type TimerName,
  timerNames,
} from './state.js'
import { type Share, type Subscription, subscribe } from './subscription.js'
import { createTimers } from './timers.js'

/** How long a connection must last to count as having worked, in ms. */
const lasting = 5000
/** How long a mode that brought nothing is put last, in ms. */
const cooldown = 5 * 60_000
/**
 * How long an attempt may take where a connection worked before, in ms, and how many times what that one took. It grows by
 * half with every failure, up to `timeout`: a request that the network swallowed is never answered.
 */
const leastTimeout = 1500
const slower = 10
/** So many round trips later, a request that is still not answered hangs. */
const roundTrips = 3
/** How often a connection may be lost at one place before it is skipped. */
const mostStuck = 3

/** What a session reports. */
export interface SessionEvents {
  changed(): void
  opened(): void
  /** The server rejected a request for these channels, so it refuses at least one of them. */
  rejected(channels: readonly Channel[], ending: CloseReason): void
  /** A round failed in modes that do not show whether the server refuses these channels. */
  suspected(channels: readonly Channel[], ending: CloseReason): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  failed(error: PushStreamError): void
}

/**
 * Whether the sessions of a client ask for channels by their names alone. A server may know nothing of a name with a number
 * of messages behind it: a refusal is no reason to give up a channel before its name alone was asked for.
 */
export interface Names {
  plain: boolean | 'trying' | undefined
  /** It was reported that the server repeats nothing. */
  told: boolean
}

/** Keeps one connection to the server for some channels: makes connections and timers follow the state. */
export function createSession(
  settings: Settings,
  store: ChannelStore,
  events: SessionEvents,
  names: Names,
  share?: Share,
) {
  const { environment, hosts, protocol } = settings
  const { capabilities } = protocol
  const { now } = environment
  const transportOf = (mode: ModeName) => settings.transports.find(({ name }) => name === mode) as Transport
  const requests = createRequests(settings, store)
  const poller = new Poller(settings, store, requests, {
    message: receive,
    deleted,
    deadletter: (raw, reason) => events.deadletter(raw, reason),
    unrepeated,
  })
  const memory = new ModeMemory(environment, settings.origin)
  const timers = createTimers(environment)
  const health: Health = new Health(settings, store, poller, timers, {
    current,
    replace,
    dead,
    penalize,
    takesTurns: () => share?.scarce ?? false,
  })
  const opaque = settings.transports.every((one) => one.opaque)
  /** No mode that reaches the server shows why it is refused. */
  let blind = opaque
  const connections = new Map<number, Connection>()
  /** What a connection was opened for. */
  const subscriptions = new WeakMap<Connection, Subscription>()
  const coolingUntil = new Map<ModeName, number>()
  const queue: Event[] = []
  let state: State = initial
  /** How much the page's clock is ahead of the server's, in ms, at most. */
  let clockOffset = Number.POSITIVE_INFINITY
  /** Why the server rejected a request of this round. */
  let rejection: CloseReason | undefined
  /** A mode that shows why it is refused did not reach the server in this round. */
  let unreached = false
  /** The server that this round tries. */
  let host = hosts.current
  let error: PushStreamError | undefined
  let reconnects = -1
  /** How long the last connection took to be accepted, in ms. */
  let took = Number.POSITIVE_INFINITY
  /** When a connection that worked was lost. */
  let lostAt = Number.NEGATIVE_INFINITY
  /** How often in a row a connection was lost before it brought anything new: it may be unable to take what comes next. */
  let stuck = 0
  let stuckAt = 0
  /** Rejected credentials were asked for once more. */
  let renewed = false
  /** The server may reload: it ended the connection before this one. */
  let reloading = false
  let unlisten: (() => void)[] = []

  function current(): Connection | undefined {
    return state.current && connections.get(state.current.key)
  }

  /** The modes wanted, as far as this runtime has them. */
  function usable(): readonly ModeName[] {
    const available = settings.transports.filter((one) => one.available(environment))
    // Only polls can take turns.
    const kept = share?.scarce ? available.filter((one) => one.uncounted || one.polls) : available
    return kept.map(({ name }) => name)
  }

  function policy(): Policy {
    const time = now()
    const available = usable()
    const cooling = available.filter((mode) => (coolingUntil.get(mode) ?? 0) > time)
    const last = (mode: ModeName) => Number(cooling.includes(mode))
    return {
      now: time,
      random: environment.random(),
      autoReconnect: settings.autoReconnect,
      base: settings.backoffBase,
      // Only long outages make attempts rare.
      cap: Math.min(settings.backoffCap, Math.max(settings.backoffBase, (time - lostAt) / 4)),
      others: hosts.count - 1,
      modes: available,
      cooling,
      order: [...memory.order(available)].sort((a, b) => last(a) - last(b)),
    }
  }

  /** One event after the other: what a listener sets off waits until the step before it is done. */
  function dispatch(event: Event): void {
    queue.push(event)
    if (queue.length > 1) return
    for (let next: Event | undefined = event; next !== undefined; next = queue[0]) {
      step(next)
      queue.shift()
    }
    if (state.attempts.length > 0) return
    const ending = rejection
    blind = opaque || (ending !== undefined && !unreached)
    rejection = undefined
    unreached = false
    if (ending === undefined) return
    // It was not for what is behind the names.
    if (names.plain === 'trying') names.plain = false
    // No mode is left that might not be rejected.
    if (state.rejected) events.rejected(undecided(), ending)
    else if (state.wanted && blind) events.suspected(undecided(), ending)
  }

  function step(event: Event): void {
    const before = state
    const predecessor = current()
    state = reduce(before, event, policy())
    if (state === before) return
    if (state.round !== before.round) host = hosts.current
    if (state.failures > before.failures) hosts.failed(host)
    settings.logger?.debug(`pushstream: ${event.type}: ${doingOf(state, now())}`)
    reconcile(before, predecessor)
    events.changed()
    if (before.current === undefined && state.current !== undefined) {
      reconnects++
      events.opened()
    }
  }

  /** Connections and timers become what the state says. */
  function reconcile(before: State, predecessor: Connection | undefined): void {
    const successor = current()
    if (successor !== undefined && successor !== predecessor) accepted(successor, predecessor)
    const wanted = [...state.attempts, state.current].map((attempt) => attempt?.key)
    for (const [key, connection] of connections) {
      if (wanted.includes(key)) continue
      connections.delete(key)
      connection.close()
    }
    for (const [name, field] of Object.entries(timerNames) as [TimerName, (typeof timerNames)[TimerName]][]) {
      timers.at(name, state[field], () => expired(name))
    }
    for (const { key, mode } of state.attempts) {
      if (key <= before.serial) continue
      // Changes of one tick are one change: what is added right after this comes by the same connection.
      queueMicrotask(() => state.attempts.some((attempt) => attempt.key === key) && open(key, mode))
    }
  }

  function expired(name: TimerName): void {
    // A mode that has opened is about to be accepted or rejected: no reason to start another one next to it.
    const opening = name === 'nextMode' && state.attempts.some(({ key }) => connections.get(key)?.opened)
    if (opening) timers.in(name, acceptDelay, () => dispatch({ type: name }))
    else dispatch({ type: name })
  }

  /** The channels that the connection that works does not carry. */
  function undecided(): readonly Channel[] {
    const carried = current()?.names
    return store.all.filter(({ name }) => !carried?.has(name))
  }

  /** Where a connection begins: after what no connection can take, if that is what ends them. */
  function beginning(channels: readonly Channel[]): Position | undefined {
    const { newest } = store
    if (stuck < mostStuck || newest < 0 || poller.possible) return requests.begin(channels)
    // It is the next message, or one of a later second. What is skipped shows as a gap.
    const seconds = 2 ** (stuck - mostStuck - 1)
    return seconds < 1 ? newest + 1 : positionOf(timeOf(newest) + 1000 * seconds, 0)
  }

  function open(key: number, name: ModeName): void {
    const transport = transportOf(name)
    const predecessor = current()
    if (predecessor !== undefined && capabilities.lastMessage)
      placeSilent(store, predecessor, health.covered(predecessor))
    // A page can't see why a websocket is refused: it may be for the names, so every other round asks for them alone.
    const plain = names.plain || (blind && state.failures % 2 === 1)
    const timeout = Math.min(settings.timeout, Math.max(leastTimeout, slower * took) * 1.5 ** state.failures)
    const context = { settings, store, requests, poller, health, share, clockOffset, timeout, plain, beginning }
    const subscription = subscribe(context, transport, {
      accepted: () => dispatch({ type: 'accepted', key }),
      ended: (reason) => ended(key, subscription, reason),
      message: receive,
      deleted,
      deadletter: (raw, reason) => events.deadletter(raw, reason),
      buffered: ({ mode, asked }) =>
        failed(troubleOf(`${mode} opened, and nothing follows`, { kind: 'lost', asked, symptom: 'buffered' })),
      unrepeated,
    })
    const { connection } = subscription
    connections.set(key, connection)
    subscriptions.set(connection, subscription)
    // A request that hangs looks the same on a good network and on none, and so does a stream before its first message.
    const alone = settings.transports.length === 1 && capabilities.lastMessage
    if (transport.acceptedBy === 'opening' && (transport.polls || alone)) void prove(connection)
  }

  /** Accepts a connection that can't show by itself that it is well: an answer next to it shows it, else time has to. */
  async function prove(connection: Connection): Promise<void> {
    const { timeout, transports } = settings
    const channels = health.covered(connection)
    // Other modes, which show more, may need longer. Once one worked, or failed, there is no hurry.
    const first = transports.length === 1 && state.failures === 0 && reconnects < 0
    const unproven = first ? attemptDelay : timeout / 5
    const asked = now()
    const verified = poller.immediate && (await poller.verify(channels, timeout)) === 'answered'
    if (verified && connection.newcomers.size === 0) return connection.accept()
    if (!verified && poller.immediate) return
    const { probe, lastMessage } = capabilities
    // What broke the connection before may have swallowed this one's request, too.
    const doubtful = state.failures > 0 || (reconnects >= 0 && state.current === undefined && probe === 'OPTIONS')
    const asks = probe !== undefined && (connection.newcomers.size > 0 || !lastMessage || doubtful)
    const patience = probe === 'HEAD' ? unproven : timeout
    const known = verified || (asks && (await poller.reachable(connection.mode, channels, patience)))
    const hidden = troubleOf(`${connection.mode} refused`, { kind: 'refused', asked: connection.asked })
    if (
      known === undefined &&
      probe === 'HEAD' &&
      !connection.closed &&
      /cors|credentials/.test(hidden.symptom ?? '')
    ) {
      // The page sees no answer: none that would show that the poll is well, either.
      connection.patient = true
      return failed(hidden)
    }
    // Its own answer, a rejection or stored messages, may take longer than the one next to it.
    const waited = now() - asked
    connection.acceptIn(known ? Math.max(acceptDelay, roundTrips * waited) : unproven - waited)
  }

  function accepted(connection: Connection, predecessor: Connection | undefined): void {
    error = undefined
    renewed = false
    rejection = undefined
    took = now() - connection.openedAt
    // That time has passed without a refusal does not show it.
    if (names.plain === 'trying' && connection.opened) names.plain = true
    memory.remember(connection.mode === usable()[0] ? undefined : connection.mode)
    // A successor goes on where the one before it was well.
    if (predecessor !== undefined) {
      connection.worked ||= worked(predecessor)
      if (predecessor.mode === connection.mode) connection.heartbeat.follow(predecessor.heartbeat)
      // A server that was well until now has what it stored.
      connection.after(acceptDelay, () => connection.brought || unrepeated(connection.from))
    }
    health.accepted(connection, predecessor, reloading)
    reloading = false
  }

  function ended(key: number, { connection, asksLast }: Subscription, reason: CloseReason): void {
    connections.delete(key)
    const classified = protocol.classify(reason)
    const { explain, status = 0 } = classified
    // A location or an authorisation may know channels by their names alone.
    const named = status >= 400 && status < 500 && !tooLong(classified)
    if (asksLast && !connection.accepted && names.plain === undefined && !explain && named) {
      names.plain = 'trying'
      return replace()
    }
    if (classified.historyLost) store.suspectLoss(!saidBySelf(reason))
    // A connection that closes before its first message may have been closed because of its resume position.
    else if (reason.kind === 'lost' && connection.brought === 0) store.suspectLoss(true)
    const action = actionOf(key, classified)
    const what = whatOf(connection.mode, reason, classified)
    settings.logger?.debug(`pushstream: ${endOf(what, connection, action)}`)
    // Which channel the server rejected is to be found out first.
    if (action === 'rejected') rejection = reason
    else if (action !== 'reconnect') {
      // A page can't see why a websocket is refused, and no other mode may show it.
      if (reason.kind === 'refused' && connection.transport.opaque) rejection ??= reason
      else if (reason.kind === 'refused') unreached = true
      failed(troubleOf(what, reason, classified))
    }
    // A network that breaks may hide that the server reloads just then.
    const unseen = reason.kind === 'lost' && poller.immediate
    reloading ||= (action === 'reconnect' || unseen) && key === state.current?.key
    const well = worked(connection)
    if (well && key === state.current?.key) lostAt = now()
    if (capabilities.lastMessage) placeSilent(store, connection, health.covered(connection))
    // Networks break anywhere. A message that a browser can't take ends each connection at the same place, at once.
    const place = !well && reason.kind === 'lost' && now() - connection.lastLife < 100 ? connection.brought : 0
    stuck = place > 0 && place === stuckAt ? stuck + 1 : 0
    stuckAt = place
    // Again and again accepted, and lost before anything new came: this mode may be unable to take what comes next.
    if (connection.accepted && !well && state.failures > 0) penalize(connection)
    dispatch({ type: 'ended', key, action, worked: well, final: explain !== undefined, retryAfter: reason.retryAfter })
  }

  /** What to do about the end of a connection. */
  function actionOf(key: number, { action, explain }: Classified): Action {
    if (action !== 'rejected') return action
    // Credentials may just have run out: the functions that give them are asked once more.
    const functions = typeof settings.params === 'function' || typeof settings.headers === 'function'
    if (explain === undefined && !renewed && functions) {
      renewed = true
      return 'backoff'
    }
    // A replacement for the same channels is no reason to give one up.
    return key !== state.current?.key && undecided().length === 0 ? 'backoff' : action
  }

  const troubleOf = (what: string, reason: CloseReason, classified: Pick<Classified, 'status'> = {}) =>
    failureOf(what, reason, classified, environment.location)

  /** The server repeats nothing, although a message came just now: it stores none, or takes no position. */
  function unrepeated(position: Position | undefined): void {
    const { newest } = store
    const age = now() - clockOffset - timeOf(newest)
    if (names.told || !capabilities.lastMessage || position === undefined || position > newest || age > lasting) return
    names.told = true
    const asked = current()?.asked
    events.failed(
      troubled('setup', 'The server sends no message again, so those of an interruption are lost.', {
        mode: asked?.mode,
        url: shown(asked?.url),
        symptom: 'unstored',
      }),
    )
  }

  /** Whether its end is no failure. */
  function worked(connection: Connection): boolean {
    return connection.accepted && (connection.worked || now() - connection.openedAt > lasting)
  }

  function failed(reason: PushStreamError): void {
    error = reason
    events.failed(reason)
  }

  function penalize({ mode }: Connection): void {
    coolingUntil.set(mode, now() + cooldown)
  }

  function dead(connection: Connection, why: string): void {
    if (connection !== current()) return
    const url = shown(connection.asked?.url)
    failed(new PushStreamError('silent', `${why} The client reconnects to ${url}.`, { mode: connection.mode, url }))
    if (worked(connection)) lostAt = now()
    dispatch({ type: 'dead' })
  }

  function receive(message: IncomingMessage, connection?: Connection): void {
    if (connection !== undefined) {
      const age = ageOf(message, connection.lastLife)
      if (age < clockOffset) clockOffset = age
      if (message.position > store.newest) connection.advanced()
    }
    const outcome = store.receive(message, connection?.replay)
    if (outcome === 'dropped' || outcome === undefined) return
    if (connection !== undefined) {
      connection.worked = true
      health.news(connection)
    }
    if (outcome === 'buffered') health.missing()
  }

  function deleted(name: string, text: string, connection?: Connection): void {
    const channel = store.get(name)
    if (channel === undefined) return
    store.forget(channel)
    events.deleted(name, text)
    // The server doesn't deliver a channel of that name to this connection when it is made again.
    if (connection !== undefined && !connection.transport.polls && store.size > 1) replace()
  }

  function replace(): void {
    dispatch({ type: 'replace' })
  }

  /** Other channels are wanted now, unless what is under way already is for just these. */
  function change(): void {
    const fits = ({ key }: Attempt) => {
      const connection = connections.get(key)
      const { channels } = (connection && subscriptions.get(connection)) ?? {}
      return !channels || (channels.length === store.size && channels.every((one) => store.get(one.name) === one))
    }
    const newest = state.attempts.at(-1) ?? state.current
    if (!newest || !fits(newest)) replace()
  }

  /** Ends everything that is under way. */
  function rest(): void {
    poller.stop()
    dispatch({ type: 'disconnect' })
    timers.clear()
  }

  return {
    current,
    get state() {
      return state
    },
    /** The one that is accepted, and those under way. */
    get connections() {
      return [...connections.values()]
    },
    /** The last failure, until a connection is accepted. */
    get error() {
      return error
    },
    /** Connections opened after the first. */
    get reconnects() {
      return Math.max(0, reconnects)
    },
    connect() {
      if (usable().length === 0) {
        const modes = settings.transports.map(({ name }) => name).join(', ')
        throw bad(`This runtime has none of the modes ${modes}: use others, or 'environment'.`)
      }
      const { page } = environment
      if (page !== undefined && unlisten.length === 0) {
        const back = () => {
          const connection = current()
          if (connection !== undefined) health.check(connection)
          // From the cache it comes back as it was left: closed, and still wanted.
          dispatch({ type: !state.wanted && store.size > 0 ? 'connect' : 'online' })
        }
        // Some browsers keep the connections of a page that was left.
        unlisten = [page.onBack(back), page.onLeave(rest)]
      }
      dispatch({ type: 'connect' })
    },
    change,
    /** Another connection is to show that the server can be reached. */
    renew: replace,
    /** The mode in use can't be kept: connections have become few. */
    yield() {
      const mode = state.current?.mode
      if (mode !== undefined && !usable().includes(mode)) replace()
    },
    disconnect() {
      for (const stop of unlisten) stop()
      unlisten = []
      rest()
    },
  }
}

export type Session = ReturnType<typeof createSession>
