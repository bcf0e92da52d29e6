/** The timers of a store: the global ones, or a test's. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/**
 * Delays unsubscriptions, because a component may come back at once. All that are due run in one task, so that they are
 * one change of the connection.
 */
export function createGrace(ms: number, timers: Timers) {
  let young = new Set<() => void>()
  let old = new Set<() => void>()
  let timer: unknown

  const start = () => {
    timer = timers.setTimeout(sweep, ms)
  }

  // Everything added before the last sweep has waited for a whole interval, so one timer is enough.
  function sweep(): void {
    const due = old
    old = young
    young = new Set()
    timer = undefined
    if (old.size > 0) start()
    for (const end of due) end()
  }

  return {
    /** Calls `end` once, after at least `ms` and at most twice that. Returns a function that cancels it. */
    after(end: () => void): () => void {
      young.add(end)
      if (timer === undefined) start()
      return () => {
        young.delete(end)
        old.delete(end)
        if (young.size + old.size > 0) return
        timers.clearTimeout(timer)
        timer = undefined
      }
    },
  }
}
