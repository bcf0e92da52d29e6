import type { Clock, Random } from './clock.js'
import type { LocationOptions } from './location.js'
import type { RelayOptions } from './relay.js'
import type { Settings } from './settings.js'
import type { Store } from './store.js'

/**
 * The options of `createDevServer`.
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
  /** A Basic HTTP Push Relay in addition, as django-pushserver's `PUSH_SERVER` describes it. Default: none. */
  relay?: RelayOptions
  /** The channels and messages, shared with another server like two `server` blocks of one nginx. Default: its own. */
  store?: Store
  /** Time. Default the machine's. */
  clock?: Clock
  /**
   * The number of simulated nginx workers. With more than one, ids sometimes arrive out of order, new subscribers get
   * messages twice, and long-polls lose some, as with nginx. Default 1.
   */
  workers?: number
  /**
   * Whether to deliver messages one turn after they are stored, so that a subscriber who joins in between gets them
   * twice. Default: only with several workers.
   */
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
  /** The host name in statistics. Default: the machine's. */
  hostname?: string
}
