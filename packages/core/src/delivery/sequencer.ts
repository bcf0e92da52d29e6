import { secondOf } from '../position.js'
import type { GapReason, Position, Sequenced } from '../types.js'

/** Where the sequencer's decisions go, in order. */
export interface SequenceEvents<T> {
  deliver(item: T): void
  gap(first: number | 'unknown', last: number | 'unknown', reason: GapReason): void
}

const RECENT = 256
const REMEMBERED = 1024

/** What is remembered of one channel. Nothing else influences a decision. */
export interface Sequence<T extends Sequenced> {
  /** Every id up to here was delivered or declared missing. `undefined` until the first message or anchor. */
  last: number | undefined
  /** Nothing was stored when the channel was first asked about: its first message may be overtaken by its second. */
  empty: boolean
  /** The position of `last`. */
  position: Position | undefined
  /** The current numbering began after this position; what stands before it belongs to the numbering before. */
  began: Position | undefined
  /** Messages above a hole. */
  readonly buffered: Map<number, T>
  /** Positions of the newest ids, by id modulo its length: they tell a repeated message from a restarted numbering. */
  recent: Float64Array | undefined
  /** Messages without ids that were delivered lately. */
  readonly seen: Set<number | string>
}

/** A channel of which nothing is known yet. */
export const newSequence = <T extends Sequenced>(): Sequence<T> => ({
  last: undefined,
  empty: false,
  position: undefined,
  began: undefined,
  buffered: new Map(),
  recent: undefined,
  seen: new Set(),
})

/** What became of a message. */
export type Outcome = 'delivered' | 'buffered' | 'dropped'

/**
 * Once, in order, or said: decides about one message. A pure function of (what is remembered, message): it has no
 * clock, and how long a hole is waited for is the caller's business, who ends the wait with {@link skipMissing}.
 */
export function sequence<T extends Sequenced>(state: Sequence<T>, item: T, out: SequenceEvents<T>): Outcome {
  const { id } = item
  if (id === undefined) return withoutId(state, item, out)
  if (state.last !== undefined) {
    if (state.began !== undefined && item.position <= state.began) return 'dropped'
    if (id <= state.last) {
      if (!restarted(state, item, state.last)) return 'dropped'
      restart(state, item, out)
    }
  }
  if (id > (state.last ?? (state.empty ? 0 : id)) + 1) {
    if (state.buffered.has(id)) return 'dropped'
    state.buffered.set(id, item)
    return 'buffered'
  }
  pass(state, item, id, out)
  drain(state, out)
  return 'delivered'
}

/** Starts a channel after a message that the application did not ask for: what follows it is new. */
export function startAfter<T extends Sequenced>(state: Sequence<T>, item: Sequenced): void {
  place(state, item, item.id ?? state.last)
  // Without an id, what stands before it would look new when it comes again.
  if (item.id === undefined) state.began = state.position
}

/** Ends the wait for missing ids: nothing more can be had, so they are declared missing and what is held goes out. */
export function skipMissing<T extends Sequenced>(state: Sequence<T>, out: SequenceEvents<T>): void {
  while (state.buffered.size > 0) {
    let next = Number.POSITIVE_INFINITY
    for (const id of state.buffered.keys()) if (id < next) next = id
    // What came before the first message of all was never waited for.
    const first = (state.last ?? next - 1) + 1
    // A late message of the gap must not meet what an older id left in its place.
    for (let id = Math.max(first, next - RECENT); state.recent && id < next; id++)
      state.recent[id % RECENT] = Number.NaN
    if (first < next) out.gap(first, next - 1, 'overflow')
    state.last = next - 1
    drain(state, out)
  }
}

/** The channel was deleted: its next message is number 1 again, and nothing is lost by that. */
export function forget<T extends Sequenced>(state: Sequence<T>, out: SequenceEvents<T>): void {
  skipMissing(state, out)
  const { position } = state
  state.last = 0
  // Without a tag, what follows may be of the same second.
  state.began = position !== undefined && secondOf(position) === position ? position - 1 : position
  state.recent = undefined
}

function withoutId<T extends Sequenced>(state: Sequence<T>, item: T, out: SequenceEvents<T>): Outcome {
  const { position } = item
  if (!Number.isNaN(position)) {
    const last = state.position ?? -1
    // Without a tag several messages share a position: then only the text tells them apart.
    const key = secondOf(position) === position ? `${position} ${item.fingerprint}` : position
    const old = position < secondOf(last) || (typeof key === 'number' && key <= (state.began ?? -1))
    if (old || state.seen.has(key)) return 'dropped'
    state.seen.add(key)
    if (state.seen.size > REMEMBERED) state.seen.delete(state.seen.values().next().value as number)
    state.position = Math.max(last, position)
  }
  out.deliver(item)
  return 'delivered'
}

/** The message is the last one that is known. */
function place(state: Sequence<Sequenced>, item: Sequenced, id: number | undefined): void {
  state.last = id
  if (!Number.isNaN(item.position)) state.position = item.position
  if (id === undefined) return
  state.recent ??= new Float64Array(RECENT).fill(Number.NaN)
  state.recent[id % RECENT] = mark(item)
}

function pass<T extends Sequenced>(state: Sequence<T>, item: T, id: number, out: SequenceEvents<T>): void {
  place(state, item, id)
  out.deliver(item)
}

/** Hands on what was held for the message before it. */
function drain<T extends Sequenced>(state: Sequence<T>, out: SequenceEvents<T>): void {
  for (;;) {
    const id = (state.last as number) + 1
    const item = state.buffered.get(id)
    if (item === undefined) return
    state.buffered.delete(id)
    pass(state, item, id, out)
  }
}

/** 32 bits made of a message's text. */
export const hashOf = ({ fingerprint }: Pick<Sequenced, 'fingerprint'>): number => {
  let hash = 0
  for (let i = 0; i < fingerprint.length; i++) hash = (hash * 31 + fingerprint.charCodeAt(i)) >>> 0
  return hash
}

/** What is remembered of a message: its position, or something below 0 made of its text. */
const mark = (item: Sequenced): number => (Number.isNaN(item.position) ? -1 - hashOf(item) : item.position)

/** A low id is a repeated message, or the first of a numbering that began anew: its position tells. */
function restarted(state: Sequence<Sequenced>, item: Sequenced, last: number): boolean {
  const id = item.id as number
  const { recent } = state
  if (recent === undefined) return true
  const told = !Number.isNaN(item.position)
  // One that can't be read, among others that can, proves nothing.
  if (!told && state.position !== undefined) return false
  if (id > last - RECENT) {
    const known = recent[id % RECENT] as number
    if (told ? known >= 0 : known < 0) return known !== mark(item)
  }
  if (!told) return id <= last - RECENT
  // Not remembered itself: a repeated message stands before the oldest one that is, or in its second without a tag.
  for (let i = Math.max(1, id, last - RECENT + 1); i <= last; i++) {
    const oldest = recent[i % RECENT] as number
    if (oldest >= 0) return item.position > oldest
  }
  return false
}

function restart<T extends Sequenced>(state: Sequence<T>, item: T, out: SequenceEvents<T>): void {
  skipMissing(state, out)
  out.gap((state.last as number) + 1, 'unknown', 'restart')
  state.last = 0
  state.recent = undefined
  if (!Number.isNaN(item.position)) {
    // The server's counter began anew too, so within this second the old position means nothing.
    state.position = secondOf(Math.min(item.position, state.position ?? item.position))
    state.began = state.position - 1
  }
}
