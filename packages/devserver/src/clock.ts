/** The result of `Clock.setTimeout`. Only the clock that made it can read it. */
export type TimerHandle = unknown

/** Time as the server sees it. Inject your own to test minutes in milliseconds. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `callback` once after `ms` milliseconds. */
  setTimeout(callback: () => void, ms: number): TimerHandle
  /** Cancels a timer. An unknown or already fired one is ignored. */
  clearTimeout(handle: TimerHandle): void
}

/**
 * The machine's own time. Its timers do not keep the process alive; open connections do.
 *
 * @example
 * ```ts
 * import { createDevServer, systemClock } from '@pushstream/devserver'
 *
 * const tomorrow = { ...systemClock, now: () => systemClock.now() + 86_400_000 }
 * const server = createDevServer({ clock: tomorrow })
 * ```
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}

/** Numbers in [0, 1). */
export type Random = () => number

/**
 * A small seeded generator (mulberry32): the same seed gives the same misbehaviour.
 *
 * @example
 * ```ts
 * import { createDevServer, seededRandom } from '@pushstream/devserver'
 *
 * const server = createDevServer({ workers: 4, random: seededRandom(7) })
 * ```
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** nginx stamps messages and headers with whole seconds. */
export function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000)
}
