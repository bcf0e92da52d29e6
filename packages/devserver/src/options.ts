import type { Clock, Random } from './clock.js'
import type { LocationOptions } from './location.js'
import type { RelayOptions } from './relay.js'
import type { Settings } from './settings.js'
import type { Store } from './store.js'

/**
 * Options of `createDevServer`.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer({ base: '/events', settings: { pingMessageInterval: 2000 }, workers: 4, seed: 7 })
 * ```
 */
export interface DevServerOptions {
  /** A path before all locations, e.g. `/events`. Default none. */
  base?: string
  /** Settings for all locations, and those of the store. Named after the directives, see `Settings`. */
  settings?: Partial<Settings>
  /** The locations. Default: `/pub`, `/channels-stats`, `/ws/`, `/ev/`, `/lp/`, `/pl/`, `/sub/`. */
  locations?: readonly LocationOptions[]
  /** A Basic HTTP Push Relay beside them, as django-pushserver's `PUSH_SERVER` describes it. Default none. */
  relay?: RelayOptions
  /** Channels and messages of another server, to have two `server` blocks of one nginx. Default its own. */
  store?: Store
  /** Time. Default the machine's. */
  clock?: Clock
  /** Simulated nginx workers, default 1. With more, ids arrive now and then out of order, joins double and long-polls lose, as with nginx. */
  workers?: number
  /** Hand messages out one turn after they are stored, so that a join in between gets them twice. Default: only with several workers. */
  deliverNextTurn?: boolean
  /** With several workers: chance in [0, 1] that a message is overtaken by the next one. Default 0.05. */
  reorder?: number
  /** With several workers: how long a message waits to be overtaken, ms. Default 5. */
  reorderDelay?: number
  /** Seed of the misbehaviour, default 1. */
  seed?: number
  /** Numbers in [0, 1), instead of `seed`. */
  random?: Random
  /** The `Server` header, default `pushstream-devserver`. */
  serverHeader?: string
  /** The host name that statistics tell, default the machine's. */
  hostname?: string
}
