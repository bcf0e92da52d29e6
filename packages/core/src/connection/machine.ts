import type { ModeName } from '../modes/mode.js'
import type { Verdict } from '../protocols/protocol.js'
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

/** Everything the machine knows. */
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
  /** The longest `Retry-After` of this round, in ms. */
  readonly floor: number
  readonly serial: number
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
  floor: 0,
  serial: 0,
}

type Handler<E> = (context: Context, event: E, policy: Policy) => Step
type Handlers = { [T in Event['type']]: Handler<Extract<Event, { type: T }>> }

const stay: Handler<unknown> = (context) => ({ context, effects: [] })
const closing = (contenders: readonly (Contender | undefined)[]): Effect[] =>
  contenders.flatMap((contender) => (contender === undefined ? [] : [{ type: 'close', key: contender.key }]))

/** A new round: prime, then race. */
function begin(context: Context, purpose: Purpose, queue: readonly ModeName[]): Step {
  return {
    context: { ...context, state: 'priming', purpose, queue, racing: [], retryAt: undefined, floor: 0 },
    effects: [
      ...closing(context.racing),
      { type: 'cancel', name: 'retry' },
      { type: 'cancel', name: 'headstart' },
      { type: 'prime' },
    ],
  }
}

const connect = (context: Context, policy: Policy): Step => begin(context, 'connect', policy.order)

/** A successor in the mode that works, or in any. */
function change(context: Context, policy: Policy): Step {
  const mode = context.current?.mode
  return begin(
    context,
    'change',
    mode === undefined ? policy.order : [mode, ...policy.order.filter((other) => other !== mode)],
  )
}

function startNext(context: Context, effects: readonly Effect[] = []): Step {
  const [mode, ...queue] = context.queue
  if (mode === undefined) return { context, effects }
  const key = context.serial + 1
  return {
    context: { ...context, state: 'connecting', queue, serial: key, racing: [...context.racing, { key, mode }] },
    effects: [
      ...effects,
      { type: 'open', key, mode },
      queue.length > 0 ? { type: 'timer', name: 'headstart', ms: headstart } : { type: 'cancel', name: 'headstart' },
    ],
  }
}

const climbTimer = (climbs: number, random: number): Effect => ({
  type: 'timer',
  name: 'climb',
  ms: Math.min(climbCap, climbBase * 2 ** climbs) * (0.75 + random / 2),
})

/** Nothing of this round is left. */
function exhausted(context: Context, policy: Policy): Step {
  const calm: Context = { ...context, racing: [], queue: [] }
  if (context.current !== undefined && context.purpose === 'climb') {
    const climbs = context.climbs + 1
    return { context: { ...calm, state: 'open', climbs }, effects: [climbTimer(climbs, policy.random)] }
  }
  return wait({ ...calm, failures: context.failures + 1 }, policy)
}

function wait(context: Context, policy: Policy): Step {
  if (context.current === undefined && !policy.autoReconnect) return disconnect(context)
  const ms = backoff(policy, context.failures, policy.random, context.floor)
  return {
    context: {
      ...context,
      state: context.current === undefined ? 'waiting' : 'open',
      retryAt: policy.now + ms,
      floor: 0,
    },
    effects: [
      { type: 'cancel', name: 'headstart' },
      { type: 'timer', name: 'retry', ms },
    ],
  }
}

function disconnect(context: Context): Step {
  return {
    context: { ...initial, serial: context.serial },
    effects: [
      ...closing([...context.racing, context.current]),
      { type: 'cancel', name: 'retry' },
      { type: 'cancel', name: 'headstart' },
      { type: 'cancel', name: 'climb' },
    ],
  }
}

function accepted(context: Context, key: number, policy: Policy): Step {
  const winner = context.racing.find((contender) => contender.key === key)
  if (winner === undefined) return stay(context, undefined, policy)
  const lesser = policy.modes.indexOf(winner.mode) > 0
  const climbs = context.purpose === 'climb' ? 0 : context.climbs
  return {
    context: { ...context, state: 'open', current: winner, racing: [], queue: [], climbs, retryAt: undefined },
    effects: [
      { type: 'accept', key, mode: winner.mode, lesser },
      ...closing([...context.racing.filter((other) => other !== winner), context.current]),
      { type: 'cancel', name: 'headstart' },
      { type: 'cancel', name: 'retry' },
      lesser ? climbTimer(climbs, policy.random) : { type: 'cancel', name: 'climb' },
    ],
  }
}

type Ended = Extract<Event, { type: 'ended' }>

/** The accepted connection ended, while nothing else was under way. */
function lost(context: Context, worked: boolean, policy: Policy): Step {
  // The first loss is no reason to hesitate; a connection that is lost again and again before it worked is.
  const failures = worked ? 0 : context.failures
  const waiting = wait({ ...context, current: undefined, purpose: 'connect', failures }, policy)
  const counted = worked || waiting.context.state === 'closed' ? 0 : failures + 1
  const step = { ...waiting, context: { ...waiting.context, failures: counted } }
  return { ...step, effects: [...step.effects, { type: 'cancel', name: 'climb' }] }
}

/** An attempt, or the connection that was to be succeeded, ended. */
function endedInRound(context: Context, event: Ended, policy: Policy): Step {
  const floor = Math.max(context.floor, event.retryAfter ?? 0)
  if (context.current?.key === event.key) {
    const failures = event.worked ? 0 : context.failures
    return { context: { ...context, current: undefined, failures, floor }, effects: [] }
  }
  if (!context.racing.some((contender) => contender.key === event.key)) return stay(context, event, policy)
  const racing = context.racing.filter((contender) => contender.key !== event.key)
  if (event.verdict === 'rejected') {
    return {
      context: { ...context, state: 'sifting', racing: [], floor },
      effects: [...closing(racing), { type: 'cancel', name: 'headstart' }, { type: 'sift' }],
    }
  }
  const left: Context = { ...context, racing, floor }
  if (left.queue.length > 0) return startNext(left)
  return racing.length > 0 ? { context: left, effects: [] } : exhausted(left, policy)
}

/** The current connection is dead, while a successor is on its way. */
const deadInRound: Handler<unknown> = (context) => ({
  context: { ...context, current: undefined },
  effects: closing([context.current]),
})

const rejected: Handler<unknown> = (context) => ({
  context: { ...context, state: 'sifting', racing: [] },
  effects: [...closing(context.racing), { type: 'cancel', name: 'headstart' }, { type: 'sift' }],
})

/** Total by type: a missing cell does not compile. */
export const table: { readonly [S in State]: Handlers } = {
  closed: {
    connect: (context, _, policy) => connect(context, policy),
    disconnect: stay,
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
  },
  priming: {
    connect: stay,
    disconnect,
    primed: (context) => startNext(context),
    accepted: stay,
    ended: endedInRound,
    rejected,
    sifted: stay,
    headstart: stay,
    retry: stay,
    climb: stay,
    change: (context, _, policy) => change(context, policy),
    dead: deadInRound,
    back: stay,
  },
  connecting: {
    connect: stay,
    disconnect,
    primed: stay,
    accepted: (context, { key }, policy) => accepted(context, key, policy),
    ended: endedInRound,
    rejected: stay,
    sifted: stay,
    headstart: (context) => startNext(context),
    retry: stay,
    climb: stay,
    change: (context, _, policy) => change(context, policy),
    dead: deadInRound,
    back: stay,
  },
  sifting: {
    connect: stay,
    disconnect,
    primed: stay,
    accepted: stay,
    ended: endedInRound,
    rejected: stay,
    sifted(context, { left, found }, policy) {
      if (!left) return disconnect(context)
      // Every channel alone was fine, so it was the mode or the moment: on with the round, and then back-off.
      if (!found) return context.queue.length > 0 ? startNext(context) : exhausted(context, policy)
      return change(context, policy)
    },
    headstart: stay,
    retry: stay,
    climb: stay,
    change: stay,
    dead: deadInRound,
    back: stay,
  },
  waiting: {
    connect: (context, _, policy) => connect(context, policy),
    disconnect,
    primed: stay,
    accepted: stay,
    ended: stay,
    rejected: stay,
    sifted: stay,
    headstart: stay,
    retry: (context, _, policy) => connect(context, policy),
    climb: stay,
    change: stay,
    dead: stay,
    back: (context, _, policy) => connect(context, policy),
  },
  open: {
    connect: stay,
    disconnect,
    primed: stay,
    accepted: stay,
    ended(context, event, policy) {
      if (context.current?.key !== event.key) return stay(context, event, policy)
      const floor = Math.max(event.retryAfter ?? 0, event.verdict === 'again' ? farewell : 0)
      if (event.verdict === 'rejected') return rejected({ ...context, current: undefined }, event, policy)
      return lost({ ...context, floor }, event.worked, policy)
    },
    rejected: stay,
    sifted: stay,
    headstart: stay,
    retry: (context, _, policy) => change(context, policy),
    climb(context, _, policy) {
      const better = policy.modes.slice(0, policy.modes.indexOf(context.current?.mode as ModeName))
      return better.length === 0 ? stay(context, undefined, policy) : begin(context, 'climb', better)
    },
    change: (context, _, policy) => change(context, policy),
    dead(context, _, policy) {
      const step = lost(context, true, policy)
      return { ...step, effects: [...closing([context.current]), ...step.effects] }
    },
    back: stay,
  },
}

/** One event. Pure: the same context, event and policy give the same step. */
export function step(context: Context, event: Event, policy: Policy): Step {
  return (table[context.state][event.type] as Handler<Event>)(context, event, policy)
}
