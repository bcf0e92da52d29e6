/**
 * Where time comes from. Everything in this package that waits takes one of these, so that a test can pass a
 * {@link createManualClock manual clock} and decide itself when time goes by.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; only differences mean anything. */
  now(): number
  /** Run `fn` once after `ms` milliseconds. The handle is a number and never 0. */
  setTimeout(fn: () => void, ms: number): number
  /** Forget a timer. An unknown or already fired handle is ignored. */
  clearTimeout(id: number): void
}

/** The real time of this machine. The default wherever a clock can be passed. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Node hands out objects; their primitive is a number that clearTimeout takes as well.
  setTimeout: (fn, ms) => setTimeout(fn, ms)[Symbol.toPrimitive](),
  clearTimeout: (id) => clearTimeout(id),
}
