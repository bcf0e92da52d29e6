import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from './clock.js'

/** More timers than this in one `advance` and the code under test is rescheduling itself without end. */
const RUNAWAY = 100_000

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Timers set and not yet fired or cleared. */
  readonly pending: number
  /**
   * Let `ms` milliseconds go by: every timer that comes due runs in order of its time (of its making, where times are
   * equal), also those set on the way, and promises settle before the next one runs. An error thrown by a timer rejects,
   * with the clock standing where it was thrown.
   */
  advance(ms: number): Promise<void>
}

interface Timer {
  id: number
  at: number
  fn: () => void
}

/**
 * A deterministic clock for code that takes an injected one.
 *
 * ```ts
 * const clock = createManualClock()
 * clock.setTimeout(() => retry(), 1000)
 * await clock.advance(1000) // retry() ran
 * ```
 *
 * `start` is what `now()` says at first, in ms; default 0.
 */
export function createManualClock(start = 0): ManualClock {
  const timers = new Map<number, Timer>()
  let time = start
  let made = 0

  function nextDue(limit: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers.values()) {
      if (timer.at <= limit && (first === undefined || timer.at < first.at)) first = timer
    }
    return first
  }

  return {
    now: () => time,
    setTimeout(fn, ms) {
      const id = ++made
      timers.set(id, { id, at: time + Math.max(0, ms || 0), fn })
      return id
    },
    clearTimeout(id) {
      timers.delete(id)
    },
    get pending() {
      return timers.size
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`advance: ${ms} ms; time doesn't go backwards`)
      const end = time + ms
      await turn()
      for (let ran = 0; ; ran++) {
        const timer = nextDue(end)
        if (timer === undefined) break
        if (ran >= RUNAWAY) throw new Error(`advance(${ms}): ${RUNAWAY} timers ran and there is no end to them`)
        timers.delete(timer.id)
        time = Math.max(time, timer.at)
        timer.fn()
        await turn()
      }
      time = Math.max(time, end)
    },
  }
}
