/** Callbacks by signal. Many messages may share a signal, and runtimes warn of many listeners. */
const waiting = new WeakMap<AbortSignal, { readonly calls: Set<() => void>; readonly listener: () => void }>()

/** Calls back once when a signal is aborted later. Returns a function that removes the callback from the signal. */
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
  // Wrapped, so that the same function may be added twice.
  const one = () => call()
  calls.add(one)
  return () => {
    calls.delete(one)
    if (calls.size > 0 || waiting.get(signal)?.calls !== calls) return
    waiting.delete(signal)
    signal.removeEventListener('abort', listener)
  }
}

/** Waits, or until the signal is aborted. */
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

/** Settles like the promise, or rejects as soon as the signal is aborted. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = onAbort(signal, () => reject(signal.reason))
    if (signal.aborted) reject(signal.reason)
    promise.then(resolve, reject).finally(off)
  })
}

/** The items of an iterable until the signal is aborted, even during the wait for the next one. */
export async function* untilAborted<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  const iterator =
    Symbol.asyncIterator in items
      ? (items as AsyncIterable<T>)[Symbol.asyncIterator]()
      : (items as Iterable<T>)[Symbol.iterator]()
  let over = false
  try {
    while (!signal?.aborted) {
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        const off = onAbort(signal, () => resolve(undefined))
        const asked = (async () => iterator.next())()
        asked.then(resolve, reject).finally(off)
      }).catch((error) => {
        over = true
        throw error
      })
      if (next === undefined) return
      if (next.done) {
        over = true
        return
      }
      yield next.value
    }
  } finally {
    // Not awaited: a generator that waits for something itself ends only after that.
    if (!over) (async () => iterator.return?.())().catch(() => {})
  }
}

/** A signal that is aborted when one of the two is. */
export function either(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one !== undefined && other !== undefined && one !== other ? AbortSignal.any([one, other]) : (one ?? other)
}
