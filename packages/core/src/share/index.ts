// `import { share } from '@pushstream/core/share'`: one connection for all tabs of an origin.
import type { Share } from '../options.js'
import type { SharedCarrier } from '../session/carrier.js'
import { groupOf } from './group.js'
import { SharedPool } from './shared-pool.js'

export type { Share }

/**
 * How tabs find those that they share a connection with.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { share } from '@pushstream/core/share'
 *
 * const user = document.body.dataset.user ?? 'nobody'
 * const params = () => ({ token: localStorage.getItem('token') ?? '' })
 * const stream = new PushStream({ params, share: share({ key: user }) })
 * ```
 */
export interface ShareOptions {
  /**
   * Tells clients apart whose options can't be compared. Required if `params`, `headers` or a setting is a function: tabs
   * with the same key share a connection, so make it depend on what the functions return, such as the user's id.
   */
  key?: string
}

/**
 * Lets all tabs of an origin share one connection. Tabs share if their options are the same. Each gets the messages of its
 * own channels, each once and in order. Where the browser has no Web Locks or no BroadcastChannel, every tab has a connection
 * of its own.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { share } from '@pushstream/core/share'
 *
 * const stream = new PushStream({ url: 'https://push.example.org', share: share() })
 * ```
 */
export function share({ key }: ShareOptions = {}): Share {
  return (options) => {
    const group = groupOf(options, key)
    const shared: SharedCarrier = (settings, events, make) => {
      const { locks = globalThis.navigator?.locks, BroadcastChannel: Channel = globalThis.BroadcastChannel } =
        settings.environment
      return locks && Channel ? new SharedPool(settings, events, group, locks, Channel, make) : undefined
    }
    return shared
  }
}
