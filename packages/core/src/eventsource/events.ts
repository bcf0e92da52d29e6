import type { PushMessageEvent } from '../platform.js'

/** The event that `error` listeners get. */
export interface PushErrorEvent extends Event {
  /** The HTTP status, if it caused the error. */
  readonly status: number | undefined
  readonly message: string
}

/** Events by name. */
export interface PushEventSourceEventMap {
  open: Event
  error: PushErrorEvent
  message: PushMessageEvent
}
