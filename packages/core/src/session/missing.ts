import type { Channel } from '../delivery/channel.js'
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
  /** Asks for what is missing. */
  verify(connection: Connection): void
}

/** Waits for messages that others have overtaken, asks for them, and gives up those that are no longer available. */
export class Missing {
  readonly #store: ChannelStore
  readonly #poller: Poller
  readonly #timers: Timers
  readonly #timeout: number
  readonly #actions: MissingActions
  /** Missing messages for which a replacement was opened. */
  #asked = new Map<Channel, number | undefined>()

  constructor(store: ChannelStore, poller: Poller, timers: Timers, timeout: number, actions: MissingActions) {
    this.#store = store
    this.#poller = poller
    this.#timers = timers
    this.#timeout = timeout
    this.#actions = actions
  }

  /** No location answers about them: a replacement is asked, and what it does not bring either is gone. */
  askReplacement(): void {
    this.#store.skipMissing(this.#asked)
    this.#asked = this.#store.missing()
    if (this.#asked.size > 0) this.#actions.replace()
  }

  /** A message came above one that is missing. */
  wait(): void {
    if (this.#timers.has('missing')) return
    if (this.#actions.current()?.repoll !== undefined) {
      // The next long-poll asks for it. If that hangs, it is not stored.
      const missing = this.#store.missing()
      return this.#timers.in('missing', this.#timeout, () => this.#store.skipMissing(missing))
    }
    this.#timers.in('missing', patience, () => {
      const connection = this.#actions.current()
      if (this.#store.missing().size === 0 || connection === undefined) return
      if (this.#poller.possible) this.#actions.verify(connection)
      else this.askReplacement()
    })
  }
}
