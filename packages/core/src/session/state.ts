import type { ModeName } from '../types.js'
import { type BackoffPolicy, backoff } from './backoff.js'

/** One try with one mode. */
export interface Attempt {
  readonly key: number
  readonly mode: ModeName
}

/**
 * Everything a session has decided. There are no named states: it is open while it has a `current` connection, connecting
 * while attempts are under way, waiting otherwise. A `current` connection simply stays while a replacement is attempted.
 */
export interface State {
  /** Whether the application wants a connection. */
  readonly wanted: boolean
  /** This round looks for a better mode. If it fails, that is no failure of the session. */
  readonly upgrading: boolean
  /** The accepted connection. */
  readonly current: Attempt | undefined
  readonly attempts: readonly Attempt[]
  /** Modes of this round that have not been tried. */
  readonly queue: readonly ModeName[]
  /** A mode of this round was rejected, so the server may refuse a channel. */
  readonly rejected: boolean
  /** Failed rounds since a connection worked. */
  readonly failures: number
  /** How often an upgrade to a better mode failed. */
  readonly upgrades: number
  /** When the next mode of the round starts, in ms since 1970; so are the following. */
  readonly nextModeAt: number | undefined
  readonly retryAt: number | undefined
  /** Before this the server wants no other attempt, as the answers of this round said. */
  readonly notBefore: number
  readonly upgradeAt: number | undefined
  /** The key of the newest attempt. */
  readonly serial: number
  readonly round: number
}

/** What a session does about the end of a connection. `unsupported`: the mode does not work here. */
export type Action = 'reconnect' | 'backoff' | 'unsupported' | 'rejected'

export type Event =
  | {
      readonly type:
        | 'connect'
        | 'disconnect'
        /** Other channels are wanted, or the connection is in doubt: a replacement takes over when it is accepted. */
        | 'replace'
        /** The current connection is dead. */
        | 'dead'
        /** The network or the page came back. */
        | 'online'
        | TimerName
    }
  | { readonly type: 'accepted'; readonly key: number }
  | {
      readonly type: 'ended'
      readonly key: number
      readonly action: Action
      /** It brought something new, or lasted. Then its end is no failure. */
      readonly worked: boolean
      /** It got no answer in its time, and that was wait enough. */
      readonly hung?: boolean
      /** The server itself named the reason of a rejection, so no other mode needs to be tried. */
      readonly final: boolean
      readonly retryAfter?: number | undefined
    }

/** Deadlines in the state, by the event that they send. */
export const timerNames = { nextMode: 'nextModeAt', retry: 'retryAt', upgrade: 'upgradeAt' } as const
export type TimerName = keyof typeof timerNames

/** What a decision depends on besides the state. */
export interface Policy extends BackoffPolicy {
  readonly now: number
  readonly random: number
  readonly autoReconnect: boolean
  /** The modes in the order the application wants them. */
  readonly modes: readonly ModeName[]
  /** The modes in the order to try now: the one that worked lately first, those on cooldown last. */
  readonly order: readonly ModeName[]
  /** Modes that brought nothing lately. */
  readonly cooling: readonly ModeName[]
}

/** How long a mode is waited for before the next one starts next to it, in ms. */
export const attemptDelay = 500
/**
 * How long to stay away after the server ended a connection in good order, in ms. An nginx that reloads closes its
 * connections first and stops accepting new ones 100 ms later. A client that returns in between is served by a worker
 * that never delivers anything.
 */
export const reloadGrace = 115
/** The first time after which a better mode is tried, in ms. It doubles with every failure up to the second. */
const upgradeBase = 60_000
const upgradeCap = 15 * 60_000

export const initial: State = {
  wanted: false,
  upgrading: false,
  current: undefined,
  attempts: [],
  queue: [],
  rejected: false,
  failures: 0,
  upgrades: 0,
  nextModeAt: undefined,
  retryAt: undefined,
  notBefore: 0,
  upgradeAt: undefined,
  serial: 0,
  round: 0,
}

const stopped = ({ serial, round }: State): State => ({ ...initial, serial, round })

/** Ends a round. */
const over = { attempts: [], queue: [], nextModeAt: undefined, notBefore: 0 } as const
/** What a round begins with. */
const fresh = { ...over, rejected: false, retryAt: undefined } as const

function begin(state: State, queue: readonly ModeName[], policy: Policy, upgrading = false): State {
  return tryNext({ ...state, ...fresh, wanted: true, upgrading, queue, round: state.round + 1 }, policy)
}

/** A replacement in the mode that works, else in any. */
function replace(state: State, policy: Policy): State {
  const mode = state.current?.mode
  const first = mode !== undefined && policy.order.includes(mode) ? [mode] : []
  return begin(state, [...new Set([...first, ...policy.order])], policy)
}

function tryNext(state: State, policy: Policy): State {
  const [mode, ...queue] = state.queue
  // This runtime has none of the modes.
  if (mode === undefined) return exhausted(state, policy)
  const key = state.serial + 1
  const nextModeAt = queue.length > 0 ? policy.now + attemptDelay : undefined
  return { ...state, queue, nextModeAt, serial: key, attempts: [...state.attempts, { key, mode }] }
}

function upgradeLater(state: State, upgrades: number, { now, random }: Policy): State {
  const wait = Math.min(upgradeCap, upgradeBase * 2 ** upgrades) * (0.75 + random / 2)
  return { ...state, upgrades, upgradeAt: now + wait }
}

function wait(state: State, policy: Policy): State {
  const { current, failures, notBefore } = state
  if (current === undefined && !policy.autoReconnect) return stopped(state)
  const retryAt = Math.max(policy.now, notBefore) + backoff(policy, failures, policy.random)
  // Once the connection that works is lost, the server is asked at once.
  return { ...state, rejected: false, retryAt, notBefore: current ? 0 : notBefore }
}

/** No attempt of this round is left. `hung`: the last of them. */
function exhausted(state: State, policy: Policy, hung = false): State {
  const calm = { ...state, ...over }
  const { upgrading } = state
  if (state.current !== undefined && upgrading) {
    return upgradeLater({ ...calm, rejected: false }, state.upgrades + 1, policy)
  }
  // An upgrade did not ask in every mode.
  if (state.rejected && !upgrading) return calm
  const failures = state.failures + 1
  const next = wait({ ...calm, notBefore: state.notBefore, failures: hung && failures === 1 ? 0 : failures }, policy)
  return next.wanted ? { ...next, failures } : next
}

const withoutCurrent = (state: State): State => ({ ...state, current: undefined, upgradeAt: undefined })

/** The current connection ended, while no attempt was under way. */
function lost(state: State, worked: boolean, policy: Policy): State {
  // The first loss is no reason to hesitate. A connection that is lost again and again before it worked is.
  const failures = worked ? 0 : state.failures
  const next = wait({ ...withoutCurrent(state), upgrading: false, failures }, policy)
  return worked || !next.wanted ? next : { ...next, failures: failures + 1 }
}

function ended(state: State, event: Extract<Event, { type: 'ended' }>, policy: Policy): State {
  const { key, action, worked, final } = event
  const rejected = state.rejected || action === 'rejected'
  const least = Math.max(event.retryAfter ?? 0, action === 'reconnect' ? reloadGrace : 0)
  const next = { ...state, rejected, notBefore: Math.max(state.notBefore, policy.now + least) }
  if (state.current?.key === key) {
    if (state.attempts.length > 0) return { ...withoutCurrent(next), failures: worked ? 0 : state.failures }
    if (action === 'rejected') return { ...withoutCurrent(next), ...over, retryAt: undefined }
    return lost(next, worked, policy)
  }
  const attempts = state.attempts.filter((attempt) => attempt.key !== key)
  if (attempts.length === state.attempts.length) return state
  const left = { ...next, attempts }
  if (action === 'rejected' && final && !state.upgrading) return { ...left, ...over }
  if (left.queue.length > 0) return tryNext(left, policy)
  return attempts.length > 0 ? left : exhausted(left, policy, event.hung)
}

function accepted(state: State, key: number, policy: Policy): State {
  const current = state.attempts.find((attempt) => attempt.key === key)
  if (current === undefined) return state
  const upgrades = state.upgrading ? 0 : state.upgrades
  const next = { ...state, ...fresh, current, upgradeAt: undefined }
  return policy.modes.indexOf(current.mode) > 0 ? upgradeLater(next, upgrades, policy) : { ...next, upgrades }
}

function upgrade(state: State, policy: Policy): State {
  const mode = state.current?.mode
  if (mode === undefined) return { ...state, upgradeAt: undefined }
  const better = policy.modes.slice(0, policy.modes.indexOf(mode)).filter((one) => !policy.cooling.includes(one))
  // A replacement comes first, also one that is still to be made.
  const replacing = state.retryAt !== undefined || state.attempts.length > 0
  if (replacing || better.length === 0) return upgradeLater(state, state.upgrades, policy)
  return begin({ ...state, upgradeAt: undefined }, better, policy, true)
}

/** Decides. Pure: the same state, event and policy give the same state. */
export function reduce(state: State, event: Event, policy: Policy): State {
  const { wanted, current, attempts } = state
  const idle = current === undefined && attempts.length === 0
  switch (event.type) {
    case 'disconnect':
      return wanted ? stopped(state) : state
    case 'connect':
      return idle ? begin(state, policy.order, policy) : state
    case 'online':
      // The network is back: no reason to wait any longer, unless the server asked for it.
      return wanted && idle && policy.now >= state.notBefore ? begin(state, policy.order, policy) : state
    case 'retry':
      if (current !== undefined) return replace(state, policy)
      return wanted && idle ? begin(state, policy.order, policy) : { ...state, retryAt: undefined }
    case 'replace':
      // What waits is replaced by its next attempt anyway.
      return wanted && (!idle || state.rejected) ? replace(state, policy) : state
    case 'dead':
      // A replacement that did not come about by now hangs on the same dead link.
      return current === undefined ? state : lost({ ...state, ...over, notBefore: state.notBefore }, true, policy)
    case 'nextMode':
      return attempts.length > 0 && state.queue.length > 0
        ? tryNext(state, policy)
        : { ...state, nextModeAt: undefined }
    case 'upgrade':
      return upgrade(state, policy)
    case 'accepted':
      return accepted(state, event.key, policy)
    case 'ended':
      return ended(state, event, policy)
  }
}
