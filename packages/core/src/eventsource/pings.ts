import type { Environment } from '../types.js'

/** Silence of so many intervals is death. */
const patience = 2.5
/** What comes closer together than this, in ms, is one ping, or what a server greets with. */
const shortest = 500
/** As many intervals are remembered. */
const remembered = 3

/** What watches one connection. */
export interface Pings {
  /** Bytes came. */
  life(): void
  /** They were a ping. */
  ping(): void
  stop(): void
}

/**
 * Learns the interval of a server's pings, and calls back when a connection is silent for too long. It is measured from ping
 * to ping: some servers send them whatever else they send, and some to all pages at once, so neither the silence before a
 * ping nor the time before the first one tells it.
 *
 * @param silence what is too long, in ms, where that is known.
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
