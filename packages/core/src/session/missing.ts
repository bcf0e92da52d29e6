import type { ChannelStore } from '../delivery/channel-store.js'
import type { Connection } from './connection.js'
import type { Poller } from './poll.js'
import type { Timers } from './timers.js'

/** How long a missing message is waited for before the server is asked, in ms: workers deliver out of order by a few. */
const patience = 200

/** What can be done about missing messages. */
export interface MissingActions {
  current(): Connection | undefined
  /** Opens another connection, which begins before what is missing. */
  replace(): void
}

/**
 * Waits for messages that others have overtaken, asks for them, and gives up those that are no longer available. Returns
 * what to call when a message may have come above one that is missing.
 */
export function createMissing(
  store: ChannelStore,
  poller: Poller,
  timers: Timers,
  timeout: number,
  { current, replace }: MissingActions,
) {
  /** Missing messages for which a replacement was opened. */
  let asked: ReturnType<ChannelStore['missing']> = new Map()

  async function ask(): Promise<void> {
    const connection = current()
    const channels = [...store.missing().keys()]
    if (channels.length === 0 || connection === undefined) return
    const result = await poller.verify(channels, timeout)
    if (result === 'answered' || connection !== current()) return
    // No location answers about them: a replacement is asked, and what it does not bring either is gone.
    store.skipMissing(asked)
    asked = store.missing()
    if (asked.size > 0) replace()
  }

  return (): void => {
    const missing = store.missing()
    if (missing.size === 0 || timers.when('missing')) return
    // The next long-poll asks for it. If that hangs, it is not stored.
    if (current()?.repoll) timers.in('missing', timeout, () => store.skipMissing(missing))
    else timers.in('missing', patience, () => void ask())
  }
}
