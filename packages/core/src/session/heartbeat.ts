import type { Environment } from '../types.js'

/** A connection that pings is dead after this many of its ping intervals without one. */
const patience = 2.5
/** Signs of life closer together than this, in ms, are one. */
const shortest = 500
/** How many intervals are remembered. */
const remembered = 8
/** The silence, in ms, that is never unusual. */
const leastSilence = 3000
/** A timer that is late by so many ms shows that the page was throttled, or asleep. */
const late = 100
/** How many times the usual silence is unusual. */
const unusual = 3

interface Rhythm {
  readonly pings: number[]
  readonly intervals: number[]
}

/**
 * What the signs of life of one connection tell: when it is unusually silent, and when it is dead.
 *
 * @param most the silence, in ms, that calls for a check at the latest.
 * @param keepAlive the silence, in ms, after which a connection is dead to a server that is never silent for so long.
 */
export function createHeartbeat({ now }: Pick<Environment, 'now'>, most: number, keepAlive?: number) {
  let last = now()
  /** The sign of life before the last one. */
  let before = last
  /** The last ping, or the greeting of the server: what follows in silence shows the server's ping interval. */
  let since: number | undefined
  /** The last sign of life that was counted as one of its own. */
  let counted = last
  let checked = 0
  /** Until when it is not dead, as the page may still have to read what came, in ms since 1970. */
  let spared = 0
  let pings: number[] = []
  let intervals: number[] = []

  /** The longest silence that was usual so far, in ms. `undefined` while too little is known. */
  const usual = () => (intervals.length < 3 ? undefined : Math.max(...intervals, checked - last))

  return {
    /** When something last came, in ms since 1970. */
    get last() {
      return last
    },
    /** When the connection was last found to be well by other means, in ms since 1970. */
    get checked() {
      return checked
    },
    /** Bytes came. */
    beat() {
      before = last
      last = now()
      spared = 0
      // How long a server takes to answer says nothing of how often it sends something.
      if (since === undefined) counted = since = last
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
    /** Another connection takes over. This one has a last chance, once in a silence. */
    spare() {
      checked = now()
      spared ||= checked + leastSilence
    },
    usual,
    /** When its silence means that it is dead, in ms since 1970. */
    get deadAt() {
      const shown = pings.length > 0 ? patience * Math.max(...pings) : Number.POSITIVE_INFINITY
      return Math.max(spared, last + (keepAlive ?? shown))
    },
    /** It would have been dead for a while: the page may not have read yet what came. True once in a silence. */
    late() {
      if (spared > 0 || now() - this.deadAt <= late) return false
      this.spare()
      return true
    },
    /** It was silent for too long. */
    get silent() {
      return now() >= Math.min(this.deadAt, this.unusualAt(false))
    },
    /** When its silence calls for a check, in ms since 1970. `takesTurns`: its polls wait for others, so it is often silent. */
    unusualAt(takesTurns: boolean) {
      const longest = takesTurns ? undefined : usual()
      // Where only keep-alives or pings are known, they say when the connection is dead.
      if (keepAlive !== undefined || (longest === undefined && pings.length > 0)) return Number.POSITIVE_INFINITY
      const limit = longest === undefined ? most : Math.max(leastSilence, unusual * longest)
      return Math.max(last, checked) + Math.min(limit, most)
    },
  }
}

export type Heartbeat = ReturnType<typeof createHeartbeat>
