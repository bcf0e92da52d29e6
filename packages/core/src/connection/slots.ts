import type { Environment } from './environment.js'

/** How long a poll may hang while others wait for its connection, in ms. */
const slice = 500

/** A connection that may be used for one poll. */
export interface Slot {
  /** Aborted when others wait: the poll is to be asked again later. */
  readonly until: AbortSignal
  release(): void
}

/**
 * Shares the few connections that a browser makes to one server over HTTP/1.1 among the polls of many channels: while
 * others wait, a poll that brings nothing gives way.
 */
export function createSlots(environment: Environment, limit: () => number) {
  const waiting: (() => void)[] = []
  /** Polls that hang, the longest first. */
  const hanging = new Set<AbortController>()
  let busy = 0

  function grant(): Slot {
    const abort = new AbortController()
    busy++
    const timer = environment.setTimeout(() => {
      if (waiting.length > 0) abort.abort()
      else hanging.add(abort)
    }, slice)
    let released = false
    return {
      until: abort.signal,
      release() {
        if (released) return
        released = true
        busy--
        environment.clearTimeout(timer)
        hanging.delete(abort)
        if (busy < limit()) waiting.shift()?.()
      },
    }
  }

  return {
    /** Resolves when there is a connection to use. */
    async take(): Promise<Slot> {
      if (busy >= limit() || waiting.length > 0) {
        const [longest] = hanging
        if (longest !== undefined) {
          hanging.delete(longest)
          longest.abort()
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
      return grant()
    },
  }
}

export type Slots = ReturnType<typeof createSlots>
