/** A message as the store holds it. Strings are byte strings (one character per byte). */
export interface Message {
  /** 1, 2, 3… within its channel; negative for control messages. */
  id: number
  /** Seconds since 1970. */
  time: number
  /** Counts the messages of the whole server within one second, from 1. */
  tag: number
  /** The body, exactly as published. */
  text: Buffer
  /** The `Event-Id` it was published with. */
  eventId: string | null
  /** The `Event-Type` it was published with. */
  eventType: string | null
  /** When it leaves the store, in seconds since 1970. 0 is never. */
  expires: number
}

/** Ids of the messages that no one published. */
export const CONTROL_ID = { ping: -1, channelDeleted: -2, timedOut: -3 } as const

/** A control message: tag 0, time 1970, no event id. */
export function controlMessage(id: number, text: Buffer): Message {
  return { id, time: 0, tag: 0, text, eventId: null, eventType: null, expires: 0 }
}
