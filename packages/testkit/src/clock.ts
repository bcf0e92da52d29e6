/**
 * A source of time. Everything in this package that waits takes one, so that a test can pass a
 * {@link createManualClock manual clock} and control time.
 */
export interface Clock {
  /** Milliseconds since some fixed moment. Only differences have a meaning. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds. The handle is a number, never 0. */
  setTimeout(fn: () => void, ms: number): number
  /** Cancels a timer. An unknown or already fired handle is ignored. */
  clearTimeout(id: number): void
}

/**
 * The machine's time. It is the default wherever a clock can be passed.
 *
 * @example
 * ```ts
 * import { type Clock, systemClock } from '@pushstream/testkit'
 *
 * const later = (clock: Clock = systemClock) => clock.setTimeout(() => console.log('late'), 1000)
 * ```
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Node returns objects. Their primitive value is a number, which clearTimeout accepts as well.
  setTimeout: (fn, ms) => setTimeout(fn, ms)[Symbol.toPrimitive](),
  clearTimeout: (id) => clearTimeout(id),
}
