/** What is to be called, by signal: many messages go with one, and runtimes warn of many listeners. */
const waiting = new WeakMap<AbortSignal, { readonly calls: Set<() => void>; readonly listener: () => void }>()

/** Calls back once when a signal is aborted from now on. Returns what takes that back; nothing stays with the signal then. */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal === undefined) return () => {}
  let known = waiting.get(signal)
  if (known === undefined) {
    const calls = new Set<() => void>()
    const listener = () => {
      waiting.delete(signal)
      for (const one of [...calls]) if (calls.delete(one)) one()
    }
    known = { calls, listener }
    waiting.set(signal, known)
    signal.addEventListener('abort', listener, { once: true })
  }
  const { calls, listener } = known
  // Wrapped, so that the same function twice is two.
  const one = () => call()
  calls.add(one)
  return () => {
    calls.delete(one)
    if (calls.size > 0 || waiting.get(signal)?.calls !== calls) return
    waiting.delete(signal)
    signal.removeEventListener('abort', listener)
  }
}

/** Waits, but not longer than until the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      off()
      resolve()
    }
    const timer = setTimeout(done, ms)
    const off = onAbort(signal, done)
    if (signal?.aborted) done()
  })
}
