import type { ModeName } from '@pushstream/core'
import type { Fault, FaultName } from './faults.js'
import type { Server } from './servers.js'

/** A rule for combinations that make no sense. */
interface Rule {
  readonly fault: FaultName
  readonly what: string
  readonly why: string
  applies(server: Server, mode: ModeName): boolean
}

/** Everything else is run. */
export const rules: readonly Rule[] = [
  {
    fault: 'failover',
    what: 'a node killed, on servers with one node',
    why: 'there is no other node to change over to; the end of the only one is what restart shows',
    applies: ({ nodes }) => nodes < 2,
  },
  {
    fault: 'redis-restart',
    what: 'a restart of Redis, on servers without it',
    why: 'there is nothing to restart',
    applies: ({ redis }) => !redis,
  },
  {
    fault: 'buffering',
    what: 'buffering, of a websocket',
    why: 'what buffers HTTP answers passes on an upgraded connection as it comes, or refuses the upgrade',
    applies: (_, mode) => mode === 'websocket',
  },
]

/** Why this combination is not run. */
export const leftOut = (server: Server, mode: ModeName, fault: Fault): string | undefined =>
  rules.find((rule) => rule.fault === fault.name && rule.applies(server, mode))?.why
