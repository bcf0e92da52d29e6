import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from './clock.js'

/** If more timers run in one `advance`, the code under test reschedules itself without end. */
const RUNAWAY = 100_000

/** A clock that stands still until a test advances it. */
export interface ManualClock extends Clock {
  /** The number of timers that are set, and neither fired nor cleared. */
  readonly pending: number
  /**
   * Advances time by `ms`. All due timers run in order of their time, or in order of creation if they have the same
   * time. This includes timers that are set meanwhile. Promises settle before the next timer runs. If a timer throws,
   * the call rejects and the clock stops there.
   */
  advance(ms: number): Promise<void>
  /** The machine sleeps for `ms`: no timer runs. Those that are due by then run with the next `advance`, late. */
  sleep(ms: number): void
}

interface Timer {
  id: number
  at: number
  fn: () => void
}

/**
 * Creates a deterministic clock for code with an injected clock.
 *
 * `start`: the first value of `now()`, in ms. Default 0.
 *
 * @example
 * ```ts
 * import { createManualClock } from '@pushstream/testkit'
 *
 * const clock = createManualClock()
 * clock.setTimeout(() => console.log('one second later'), 1000)
 * await clock.advance(1000)
 * ```
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
    sleep(ms) {
      time += ms
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`advance: ${ms} is not a number of ms`)
      const end = time + ms
      await turn()
      for (let ran = 0; ; ran++) {
        const timer = nextDue(end)
        if (timer === undefined) break
        if (ran >= RUNAWAY) throw new Error(`advance(${ms}): ${RUNAWAY} timers ran, and there are still more`)
        timers.delete(timer.id)
        time = Math.max(time, timer.at)
        timer.fn()
        await turn()
      }
      time = Math.max(time, end)
    },
  }
}
