import type { Environment } from '../types.js'

/** After this many intervals of silence, a connection is dead. */
const patience = 2.5
/** Pings that are closer together than this, in ms, are one ping, or the server's greeting. */
const shortest = 500
/** How many intervals are remembered. */
const remembered = 3

/** Watches one connection. */
export interface Pings {
  /** Bytes came. */
  life(): void
  /** The bytes were a ping. */
  ping(): void
  stop(): void
}

/**
 * Learns the interval of a server's pings, and calls back if a connection is silent for too long. The interval is
 * measured from ping to ping. Some servers send pings in addition to events, and some send them to all pages at once,
 * so neither the silence before a ping nor the time before the first one is the interval.
 *
 * @param silence the longest silence, in ms, if it is known.
 */
export function watchPings(environment: Environment, silence: number | undefined, dead: () => void): Pings {
  const openedAt = environment.now()
  let last = openedAt
  let before: number | undefined
  let intervals: number[] = []
  let timer: unknown

  function look(): void {
    environment.clearTimeout(timer)
    const limit = silence ?? patience * Math.max(0, ...intervals)
    const left = last + limit - environment.now()
    if (limit > 0) timer = environment.setTimeout(() => (last + limit > environment.now() ? look() : dead()), left)
  }
  look()

  return {
    life() {
      last = environment.now()
    },
    ping() {
      const now = environment.now()
      if (now - (before ?? openedAt) < shortest) return
      if (before !== undefined) intervals = [...intervals.slice(1 - remembered), now - before]
      before = now
      look()
    },
    stop: () => environment.clearTimeout(timer),
  }
}
