import type { Environment } from '../types.js'
import type { PollScheduler, Slot } from './protocol.js'

/** How long a poll may hang while others wait for its connection, in ms, where the way to the server takes no longer. */
const slice = 500
/** So many polls that gave way, one after the other, may be for the way having become longer: then one has this time, in ms. */
const doubtful = 20
const patience = 5000
/** How many answers tell how long the way is. */
const recent = 8
/** Who gets one answer after the other goes on for so many times as long. */
const turn = 4

/** Over HTTP/2 the browser's limit is far away; what the page has loaded from there tells which it is. */
function connections(origin: string): number {
  if (typeof document === 'undefined') return Number.POSITIVE_INFINITY
  const entries = performance.getEntries() as PerformanceResourceTiming[]
  const multiplexed = entries.some(
    ({ name, nextHopProtocol }) => /^h[23]/.test(nextHopProtocol ?? '') && name.startsWith(`${origin}/`),
  )
  return multiplexed ? 90 : 4
}

/**
 * Shares the few connections that a browser makes to one server over HTTP/1.1 among the polls of many channels: while
 * others wait, a poll that brings nothing gives way, when it has had the time to be answered.
 */
export function createPollScheduler(environment: Environment, origin: string): PollScheduler {
  const limit = () => (environment.connections ?? connections)(origin)
  const waiting: (() => void)[] = []
  /** Polls that hang, the longest first. */
  const hanging = new Set<AbortController>()
  /** How long the last answers took. The shortest waited for nothing but the way. */
  const answers: number[] = []
  let busy = 0
  let unanswered = 0

  function time(): number {
    // Before connections became few, polls hung for as long as they liked: their answers tell of no way.
    if (unanswered < doubtful)
      return Math.min(patience, Math.max(slice, answers.length > 0 ? 3 * Math.min(...answers) : 0))
    unanswered = 0
    return patience
  }

  function grant(): Slot {
    const abort = new AbortController()
    const length = time()
    let end = environment.now() + turn * length
    let timer: unknown
    const start = () => {
      timer = environment.setTimeout(() => {
        if (waiting.length === 0) return hanging.add(abort)
        unanswered++
        abort.abort()
      }, length)
    }
    start()
    let released = false
    return {
      until: abort.signal,
      again() {
        const now = environment.now()
        if (waiting.length === 0) end = now + turn * length
        if (abort.signal.aborted || now >= end) return false
        environment.clearTimeout(timer)
        hanging.delete(abort)
        start()
        return true
      },
      release() {
        if (released) return
        released = true
        environment.clearTimeout(timer)
        hanging.delete(abort)
        // The place is handed on: who asks now is behind those that wait.
        if (waiting.length > 0 && busy <= limit()) waiting.shift()?.()
        else busy--
      },
    }
  }

  /** A request was answered after so many ms. */
  function answered(ms: number): void {
    unanswered = 0
    answers.push(ms)
    if (answers.length > recent) answers.shift()
  }

  return {
    async take() {
      if (busy >= limit() || waiting.length > 0) {
        const [longest] = hanging
        if (longest !== undefined) {
          hanging.delete(longest)
          longest.abort()
        }
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else busy++
      return grant()
    },
    limit,
    answered,
    timed: {
      ...environment,
      async fetch(input, init) {
        const sent = environment.now()
        const response = await environment.fetch(input, init)
        answered(environment.now() - sent)
        return response
      },
    },
  }
}
