import type { Settings } from '../options.js'
import type { Connection } from './connection.js'

/** The silence, in ms, that is never unusual. */
const leastSilence = 3000
/** How many times the usual silence is unusual. */
const unusual = 3

/** How long a connection may be silent. */
export function createSilence({ pingtimeout, protocol }: Settings, takesTurns: () => boolean) {
  const { keepAlive } = protocol.capabilities
  return {
    /** When its silence means that it is dead, in ms since 1970. */
    deadAt: ({ heartbeat, lastLife }: Connection): number =>
      lastLife + (keepAlive ?? heartbeat.deadAfter ?? Number.POSITIVE_INFINITY),

    /** When its silence calls for a check, in ms since 1970. */
    unusualAt({ heartbeat }: Connection): number {
      const usual = takesTurns() ? undefined : heartbeat.usual
      const limit = usual === undefined ? pingtimeout : Math.max(leastSilence, unusual * usual)
      // Where keep-alives or pings are known, they say when the connection is dead.
      const known = keepAlive ?? (usual === undefined ? heartbeat.deadAfter : undefined)
      return known === undefined ? heartbeat.well + Math.min(limit, pingtimeout) : Number.POSITIVE_INFINITY
    },
  }
}

export type Silence = ReturnType<typeof createSilence>
