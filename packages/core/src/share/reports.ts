import type { PoolEvents } from '../session/pool.js'
import type { GapReason } from '../types.js'
import type { News } from './said.js'

/**
 * What a tab's pool reports goes to the other tabs, and to the tab's own client if it wants that.
 *
 * @param own the tab's own channels.
 * @param delivered called after a message.
 */
export function reports(
  { deliver, gap, deleted, deadletter, failed, refused }: PoolEvents,
  own: Set<string>,
  tell: (type: keyof News, ...news: unknown[]) => void,
  delivered: () => void,
  changed: () => void,
): PoolEvents {
  /** Why messages are missing before the next one of a channel. */
  const gaps = new Map<string, GapReason>()
  return {
    deliver(message) {
      const { channel } = message
      tell('deliver', message, gaps.get(channel))
      gaps.delete(channel)
      if (own.has(channel)) deliver(message)
      delivered()
    },
    gap(...what) {
      gaps.set(what[0], what[3])
      if (own.has(what[0])) gap(...what)
    },
    deleted(...what) {
      tell('deleted', ...what)
      if (own.has(what[0])) deleted(...what)
    },
    deadletter(...what) {
      tell('deadletter', ...what)
      deadletter(...what)
    },
    failed(error) {
      tell('failed', error)
      failed(error)
    },
    refused(error) {
      tell('refused', error)
      if (own.delete(error.channel as string)) refused(error)
    },
    changed,
    // Follows from the status.
    opened() {},
  }
}
