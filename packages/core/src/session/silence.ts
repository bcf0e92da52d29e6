import type { Settings } from '../options.js'
import type { Connection } from './connection.js'

/** The silence, in ms, that is never unusual. */
const leastSilence = 3000
/** How many times the usual silence is unusual. */
const unusual = 3

/** How long a connection may be silent. */
export class Silence {
  readonly #pingtimeout: number
  readonly #keepAlive: number | undefined
  readonly #takesTurns: () => boolean

  constructor({ pingtimeout, protocol }: Settings, takesTurns: () => boolean) {
    this.#pingtimeout = pingtimeout
    this.#keepAlive = protocol.capabilities.keepAlive
    this.#takesTurns = takesTurns
  }

  /** When its silence means that it is dead, in ms since 1970. */
  deadAt({ heartbeat, lastLife }: Connection): number {
    return lastLife + (this.#keepAlive ?? heartbeat.deadAfter ?? Number.POSITIVE_INFINITY)
  }

  /** When its silence calls for a check, in ms since 1970. */
  unusualAt({ heartbeat }: Connection): number {
    if (this.#keepAlive !== undefined) return Number.POSITIVE_INFINITY
    const { deadAfter, well } = heartbeat
    const usual = this.#takesTurns() ? undefined : heartbeat.usual
    const limit = usual === undefined ? this.#pingtimeout : Math.max(leastSilence, unusual * usual)
    // Where the pings are known, they say when the connection is dead.
    if (usual === undefined && deadAfter !== undefined) return Number.POSITIVE_INFINITY
    return well + Math.min(limit, this.#pingtimeout)
  }
}
