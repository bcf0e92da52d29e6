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
 * Waits for messages that others have overtaken, asks for them, and gives up those that are no longer available.
 *
 * @param verify asks for what is missing.
 */
export function createMissing(
  store: ChannelStore,
  poller: Poller,
  timers: Timers,
  timeout: number,
  { current, replace }: MissingActions,
  verify: (connection: Connection) => void,
) {
  /** Missing messages for which a replacement was opened. */
  let asked: ReturnType<ChannelStore['missing']> = new Map()

  /** No location answers about them: a replacement is asked, and what it does not bring either is gone. */
  function askReplacement(): void {
    store.skipMissing(asked)
    asked = store.missing()
    if (asked.size > 0) replace()
  }

  return {
    askReplacement,
    /** A message may have come above one that is missing. */
    wait(): void {
      const missing = store.missing()
      if (missing.size === 0 || timers.when('missing')) return
      // The next long-poll asks for it. If that hangs, it is not stored.
      if (current()?.repoll) return timers.in('missing', timeout, () => store.skipMissing(missing))
      timers.in('missing', patience, () => {
        const connection = current()
        if (store.missing().size === 0 || connection === undefined) return
        if (poller.possible) verify(connection)
        else askReplacement()
      })
    },
  }
}

export type Missing = ReturnType<typeof createMissing>
