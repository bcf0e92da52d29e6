/** What a store needs of the world: the global timers, or a test's. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

/**
 * Puts endings off, for what may be wanted again at once. All that is due comes in one task, so that it is one change of
 * the connection.
 */
export function createGrace(ms: number, timers: Timers) {
  let young = new Set<() => void>()
  let old = new Set<() => void>()
  let timer: unknown

  const start = () => {
    timer = timers.setTimeout(sweep, ms)
  }

  // What came in before the last sweep has waited once through: no timer an ending is needed.
  function sweep(): void {
    const due = old
    old = young
    young = new Set()
    timer = undefined
    if (old.size > 0) start()
    for (const end of due) end()
  }

  return {
    /** Calls `end` once, after `ms` at least and twice that at most. Returns what takes it back. */
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
