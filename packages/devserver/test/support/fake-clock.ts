import type { Clock, TimerHandle } from '../../src/clock.js'

interface Timer {
  due: number
  callback: () => void
}

/** Time that stands still until told otherwise. Timers due at the same moment fire in the order they were set. */
export class FakeClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(start: number) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const timer = { due: this.#now + ms, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as Timer)
  }

  /** Timers not yet fired. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves to a moment, firing what is due on the way. */
  advanceTo(moment: number): void {
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.due <= moment)
      if (due.length === 0) break
      const next = due.reduce((first, timer) => (timer.due < first.due ? timer : first))
      this.#now = Math.max(this.#now, next.due)
      this.#timers.delete(next)
      next.callback()
    }
    this.#now = Math.max(this.#now, moment)
  }

  advance(ms: number): void {
    this.advanceTo(this.#now + ms)
  }
}
