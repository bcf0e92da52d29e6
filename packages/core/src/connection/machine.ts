import type { Verdict } from '../protocols/protocol.js'
import type { ModeName } from '../types.js'
import { type BackoffPolicy, backoff } from './backoff.js'

/**
 * - `closed`: nothing is wanted.
 * - `priming`: finding out where new channels stand, before a connection is opened.
 * - `connecting`: modes race; the first accepted one wins.
 * - `sifting`: the server rejected a request; finding out which channels it meant.
 * - `waiting`: back-off.
 * - `open`: a connection is accepted and nothing else is under way.
 *
 * In `priming`, `connecting` and `sifting` a working connection may still be there (`current`): make before break.
 */
export type State = 'closed' | 'priming' | 'connecting' | 'sifting' | 'waiting' | 'open'

/** One attempt with one mode. */
export interface Contender {
  readonly key: number
  readonly mode: ModeName
}

/** What an attempt is for, as far as it matters when it fails. */
export type Purpose = 'connect' | 'change' | 'climb'

/** Everything the machine knows. What is to be done about it follows from how it changed: see {@link step}. */
export interface Context {
  readonly state: State
  readonly purpose: Purpose
  /** Failures since something worked. */
  readonly failures: number
  /** The accepted connection. */
  readonly current: Contender | undefined
  /** Attempts under way. */
  readonly racing: readonly Contender[]
  /** Modes of this round that have not been started. */
  readonly queue: readonly ModeName[]
  /** How often climbing back to a better mode failed. */
  readonly climbs: number
  /** When the next attempt is due, in ms since 1970. */
  readonly retryAt: number | undefined
  /** Before this, in ms since 1970, the server wants no other attempt. */
  readonly notBefore: number
  /** When a better mode is tried, in ms since 1970. */
  readonly climbAt: number | undefined
  /** The longest `Retry-After` of this round, in ms. */
  readonly floor: number
  /** The key of the newest attempt. */
  readonly serial: number
  /** The number of the round. */
  readonly round: number
  /** A change was asked for while it could not be begun. */
  readonly pending: boolean
}

/** What can happen. */
export type Event =
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'primed' }
  | { readonly type: 'accepted'; readonly key: number }
  /** `worked`: it brought something, or lasted; then the end is no failure. */
  | {
      readonly type: 'ended'
      readonly key: number
      readonly verdict: Verdict
      readonly worked: boolean
      readonly retryAfter?: number | undefined
    }
  /** The server rejected the request that was to prime. */
  | { readonly type: 'rejected' }
  | { readonly type: 'sifted'; readonly left: boolean; readonly found: boolean }
  | { readonly type: 'headstart' }
  | { readonly type: 'retry' }
  | { readonly type: 'climb' }
  /** Other channels are wanted now, or the connection is doubted: a successor is to take over. */
  | { readonly type: 'change' }
  /** The current connection is dead. */
  | { readonly type: 'dead' }
  /** The network or the page came back. */
  | { readonly type: 'back' }

/** The timers of the machine. Setting one replaces it. */
export type TimerName = 'headstart' | 'retry' | 'climb'

/** What is to be done. */
export type Effect =
  | { readonly type: 'prime' }
  | { readonly type: 'open'; readonly key: number; readonly mode: ModeName }
  | { readonly type: 'close'; readonly key: number }
  | { readonly type: 'accept'; readonly key: number; readonly mode: ModeName; readonly lesser: boolean }
  | { readonly type: 'sift' }
  | { readonly type: 'timer'; readonly name: TimerName; readonly ms: number }
  | { readonly type: 'cancel'; readonly name: TimerName }

/** What the machine decides by besides its context: never changes within one event. */
export interface Policy extends BackoffPolicy {
  readonly now: number
  readonly random: number
  readonly autoReconnect: boolean
  /** The modes in the order wanted. */
  readonly modes: readonly ModeName[]
  /** The modes in the order to try now: what worked lately first. */
  readonly order: readonly ModeName[]
  /** Modes that brought nothing lately. */
  readonly resting?: readonly ModeName[]
}

export interface Step {
  readonly context: Context
  readonly effects: readonly Effect[]
}

/** How long a mode is waited for before the next one starts beside it, in ms. */
export const headstart = 500
/**
 * How long to keep away after the server ended a connection in good order, in ms. An nginx that reloads ends its
 * connections first and stops accepting 100 ms later; who comes back in between is taken in by a worker that will never
 * deliver anything.
 */
export const farewell = 115
/** The first time after which a lesser mode is left for a better one, if that works; doubled with every failure. */
const climbBase = 60_000
const climbCap = 15 * 60_000

export const initial: Context = {
  state: 'closed',
  purpose: 'connect',
  failures: 0,
  current: undefined,
  racing: [],
  queue: [],
  climbs: 0,
  retryAt: undefined,
  notBefore: 0,
  climbAt: undefined,
  floor: 0,
  serial: 0,
  round: 0,
  pending: false,
}

type Handler<E> = (context: Context, event: E, policy: Policy) => Context
type Handlers = { [T in Event['type']]: Handler<Extract<Event, { type: T }>> }

const stay: Handler<unknown> = (context) => context

/** A new round: prime, then race. */
const begin = (context: Context, purpose: Purpose, queue: readonly ModeName[]): Context => ({
  ...context,
  state: 'priming',
  purpose,
  queue,
  racing: [],
  retryAt: undefined,
  floor: 0,
  round: context.round + 1,
  pending: false,
})

const connect: Handler<unknown> = (context, _, policy) => begin(context, 'connect', policy.order)

/** The network is back: no reason to wait any longer, unless the server asked for it. */
const backAgain: Handler<unknown> = (context, event, policy) =>
  policy.now < context.notBefore ? context : connect(context, event, policy)

/** A successor in the mode that works, or in any. */
const change: Handler<unknown> = ({ current, ...context }, _, { order }) =>
  begin(
    { ...context, current },
    'change',
    current === undefined || !order.includes(current.mode)
      ? order
      : [current.mode, ...order.filter((mode) => mode !== current.mode)],
  )

function startNext(context: Context): Context {
  const [mode, ...queue] = context.queue
  if (mode === undefined) return context
  const key = context.serial + 1
  return { ...context, state: 'connecting', queue, serial: key, racing: [...context.racing, { key, mode }] }
}

const climbAt = (climbs: number, { now, random }: Policy) =>
  now + Math.min(climbCap, climbBase * 2 ** climbs) * (0.75 + random / 2)

/** Nothing of this round is left. */
function exhausted(context: Context, policy: Policy): Context {
  const calm: Context = { ...context, racing: [], queue: [] }
  if (context.current !== undefined && context.purpose === 'climb') {
    const climbs = context.climbs + 1
    return { ...calm, state: 'open', climbs, climbAt: climbAt(climbs, policy) }
  }
  return wait({ ...calm, failures: context.failures + 1 }, policy)
}

function wait(context: Context, policy: Policy): Context {
  const { current, failures, floor } = context
  if (current === undefined && !policy.autoReconnect) return disconnect(context, undefined, policy)
  return {
    ...context,
    state: current === undefined ? 'waiting' : 'open',
    retryAt: policy.now + backoff(policy, failures, policy.random, floor),
    notBefore: policy.now + floor,
    floor: 0,
  }
}

const disconnect: Handler<unknown> = ({ serial, round }) => ({ ...initial, serial, round })

function accepted(context: Context, key: number, policy: Policy): Context {
  const current = context.racing.find((contender) => contender.key === key)
  if (current === undefined) return context
  const climbs = context.purpose === 'climb' ? 0 : context.climbs
  return {
    ...context,
    state: 'open',
    current,
    racing: [],
    queue: [],
    climbs,
    retryAt: undefined,
    floor: 0,
    climbAt: policy.modes.indexOf(current.mode) > 0 ? climbAt(climbs, policy) : undefined,
  }
}

/** The accepted connection ended, while nothing else was under way. */
function lost(context: Context, worked: boolean, policy: Policy): Context {
  // The first loss is no reason to hesitate; a connection that is lost again and again before it worked is.
  const failures = worked ? 0 : context.failures
  const next = wait({ ...context, current: undefined, climbAt: undefined, purpose: 'connect', failures }, policy)
  return worked || next.state === 'closed' ? next : { ...next, failures: failures + 1 }
}

/** The next mode of the round, if one is left. */
const goOn: Handler<unknown> = (context, _, policy) =>
  context.queue.length > 0 ? startNext(context) : exhausted(context, policy)

type Ended = Extract<Event, { type: 'ended' }>

/** An attempt, or the connection that was to be succeeded, ended. */
function endedInRound(context: Context, event: Ended, policy: Policy): Context {
  const floor = Math.max(context.floor, event.retryAfter ?? 0)
  if (context.current?.key === event.key) {
    return { ...deadInRound(context, event, policy), failures: event.worked ? 0 : context.failures, floor }
  }
  const racing = context.racing.filter((contender) => contender.key !== event.key)
  if (racing.length === context.racing.length) return context
  const left: Context = { ...context, racing, floor }
  if (event.verdict === 'rejected') return rejected(left, event, policy)
  return racing.length > 0 && left.queue.length === 0 ? left : goOn(left, event, policy)
}

/** The current connection is dead, while a successor is on its way. */
const deadInRound: Handler<unknown> = (context) => ({ ...context, current: undefined, climbAt: undefined })

const rejected: Handler<unknown> = (context) => ({ ...context, state: 'sifting', racing: [] })

const nothing: Handlers = {
  connect: stay,
  disconnect,
  primed: stay,
  accepted: stay,
  ended: stay,
  rejected: stay,
  sifted: stay,
  headstart: stay,
  retry: stay,
  climb: stay,
  change: stay,
  dead: stay,
  back: stay,
}

/** What happens while something is under way. */
const underWay: Handlers = { ...nothing, ended: endedInRound, change, dead: deadInRound }

/** Every state answers every event: the events are total by {@link nothing}, the states by the type of this table. */
export const table: { readonly [S in State]: Handlers } = {
  closed: { ...nothing, disconnect: stay, connect },
  priming: {
    ...underWay,
    primed: goOn,
    rejected,
  },
  connecting: {
    ...underWay,
    accepted: (context, { key }, policy) => accepted(context, key, policy),
    headstart: startNext,
  },
  sifting: {
    ...underWay,
    change: (context) => ({ ...context, pending: true }),
    sifted(context, { left, found }, policy) {
      if (!left) return disconnect(context, undefined, policy)
      if (found || context.pending) return change(context, undefined, policy)
      // Every channel alone was fine, so it was the mode or the moment: on with the round, and then back-off.
      return goOn(context, undefined, policy)
    },
  },
  waiting: { ...nothing, connect, retry: connect, back: backAgain },
  open: {
    ...nothing,
    ended(context, event, policy) {
      if (context.current?.key !== event.key) return context
      const { verdict, worked, retryAfter = 0 } = event
      if (verdict === 'rejected') return rejected(deadInRound(context, event, policy), event, policy)
      return lost({ ...context, floor: Math.max(retryAfter, verdict === 'again' ? farewell : 0) }, worked, policy)
    },
    retry: change,
    climb(context, _, policy) {
      // A change that is still to be made comes first.
      if (context.retryAt !== undefined) return { ...context, climbAt: climbAt(context.climbs, policy) }
      const better = policy.modes
        .slice(0, policy.modes.indexOf(context.current?.mode as ModeName))
        .filter((mode) => !policy.resting?.includes(mode))
      if (better.length === 0) return { ...context, climbAt: climbAt(context.climbs, policy) }
      return begin({ ...context, climbAt: undefined }, 'climb', better)
    },
    change,
    dead: (context, _, policy) => lost(context, true, policy),
  },
}

/**
 * What the way from one context to the next asks for: accept, close what is no longer in it, prime or sift, open.
 * What ended by itself is not closed, and a timer that fired is not set any more.
 */
function effectsOf(before: Context, after: Context, policy: Policy, event: Event): Effect[] {
  const effects: Effect[] = []
  const { current, racing, state } = after
  if (current !== undefined && current !== before.current) {
    effects.push({ type: 'accept', ...current, lesser: policy.modes.indexOf(current.mode) > 0 })
  }
  for (const contender of [...before.racing, before.current]) {
    if (contender === undefined || contender === current || racing.includes(contender)) continue
    if (event.type !== 'ended' || contender.key !== event.key) effects.push({ type: 'close', key: contender.key })
  }
  const timer = (name: TimerName, at: number | undefined, was: number | undefined) => {
    if (at !== (event.type === name ? undefined : was))
      effects.push(at === undefined ? { type: 'cancel', name } : { type: 'timer', name, ms: at - policy.now })
  }
  timer('retry', after.retryAt, before.retryAt)
  timer('climb', after.climbAt, before.climbAt)
  const waitsForMode = (context: Context) => context.state === 'connecting' && context.queue.length > 0
  if (!waitsForMode(after) && waitsForMode(before)) effects.push({ type: 'cancel', name: 'headstart' })
  if (state === 'priming' && after.round !== before.round) effects.push({ type: 'prime' })
  if (state === 'sifting' && before.state !== state) effects.push({ type: 'sift' })
  for (const contender of racing) {
    if (contender.key > before.serial) effects.push({ type: 'open', ...contender })
  }
  if (waitsForMode(after) && after.serial !== before.serial) {
    effects.push({ type: 'timer', name: 'headstart', ms: headstart })
  }
  return effects
}

/** One event. Pure: the same context, event and policy give the same step. */
export function step(context: Context, event: Event, policy: Policy): Step {
  const next = (table[context.state][event.type] as Handler<Event>)(context, event, policy)
  return { context: next, effects: next === context ? [] : effectsOf(context, next, policy, event) }
}
