import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
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
  /** Asks for what is missing. */
  verify(connection: Connection): void
}

/** Waits for messages that others have overtaken, asks for them, and gives up what can't be had any more. */
export function createMissing(
  ledger: Ledger,
  poller: Poller,
  timers: Timers,
  timeout: number,
  { current, replace, verify }: MissingActions,
) {
  /** Missing messages for which a replacement was opened. */
  let asked = new Map<Channel, number | undefined>()

  /** No location answers about them: a replacement is asked, and what it does not bring either is gone. */
  function askReplacement(): void {
    ledger.settle(asked)
    asked = ledger.holes()
    if (asked.size > 0) replace()
  }

  return {
    askReplacement,
    /** A message came above one that is missing. */
    wait(): void {
      if (timers.has('missing')) return
      if (current()?.repoll !== undefined) {
        // The next long-poll asks for it. If that hangs, it is not stored.
        const missing = ledger.holes()
        return timers.in('missing', timeout, () => ledger.settle(missing))
      }
      timers.in('missing', patience, () => {
        const connection = current()
        if (ledger.holes().size === 0 || connection === undefined) return
        if (poller.possible) verify(connection)
        else askReplacement()
      })
    },
  }
}
