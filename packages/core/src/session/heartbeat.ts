import type { Environment } from '../types.js'

/** A connection that pings is dead after this many of its ping intervals without one. */
const patience = 2.5
/** Signs of life closer together than this, in ms, are one. */
const shortest = 500
/** How many intervals are remembered. */
const remembered = 8

interface Rhythm {
  readonly pings: number[]
  readonly intervals: number[]
}

/** What the signs of life of one connection tell: when it is unusually silent, and when it is dead. */
export function createHeartbeat({ now }: Pick<Environment, 'now'>) {
  let last = now()
  /** The sign of life before the last one. */
  let before = last
  /** The last ping, or the greeting of the server: what follows in silence shows the server's ping interval. */
  let since: number | undefined
  /** The last sign of life that was counted as one of its own. */
  let counted = last
  let checked = 0
  let pings: number[] = []
  let intervals: number[] = []
  return {
    /** When something last came, in ms since 1970. */
    get last() {
      return last
    },
    /** When the connection was last found to be well by other means, in ms since 1970. */
    get checked() {
      return checked
    },
    /** When the connection was last known to be well. */
    get well() {
      return Math.max(last, checked)
    },
    /** Bytes came. */
    beat() {
      before = last
      last = now()
      since ??= last
      if (last - counted < shortest) return
      intervals = [...intervals.slice(1 - remembered), last - counted]
      counted = last
    },
    /**
     * The bytes that came were a ping. The silence since the one before it is the server's ping interval. With anything in
     * between it may be shorter: not everything that a server sends puts off its next ping.
     */
    ping() {
      const begin = since ?? last
      if (last - begin >= shortest && before - begin < shortest) pings = [...pings.slice(-2), last - begin]
      since = last
    },
    /** The connection follows one of the same kind: the server's rhythm is known. */
    follow(other: { readonly rhythm: Rhythm }) {
      ;({ pings, intervals } = other.rhythm)
    },
    get rhythm(): Rhythm {
      return { pings, intervals }
    },
    /** The connection was found to be well by other means. That is no part of its rhythm. */
    check() {
      checked = now()
    },
    /** The silence, in ms, after which a connection that pings is dead. */
    get deadAfter(): number | undefined {
      return pings.length > 0 ? patience * Math.max(...pings) : undefined
    },
    /** The longest silence that was usual so far, in ms. `undefined` while too little is known. */
    get usual(): number | undefined {
      return intervals.length < 3 ? undefined : Math.max(...intervals, checked - last)
    },
  }
}

export type Heartbeat = ReturnType<typeof createHeartbeat>
