import type { ChannelStore } from '../delivery/channel-store.js'
import type { Settings } from '../options.js'
import type { Slot } from '../protocols/protocol.js'
import type { Health } from './health.js'
import type { Intake } from './intake.js'
import type { Poller } from './poll.js'
import type { Requests } from './requests.js'

/** Where connections are few, and others want some too. */
export interface Turns {
  /** Whether there are fewer connections than channels, so that none can be kept open. */
  readonly scarce: boolean
  /** Waits for a connection to use. */
  take(): Promise<Slot>
}

/** What all subscriptions of a session use. */
export interface Parts {
  readonly settings: Settings
  readonly store: ChannelStore
  readonly requests: Requests
  readonly intake: Intake
  readonly poller: Poller
  readonly health: Health
  readonly turns: Turns | undefined
}
