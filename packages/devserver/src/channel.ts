import type { Message } from './message.js'
import type { Subscriber } from './subscriber.js'

/** One channel named in one subscription; a name given twice makes two. */
export interface Subscription {
  channel: Channel
  subscriber: Subscriber
}

/** A channel: its ids, what is stored of it, and who listens. */
export class Channel {
  /** The name, one character per byte. */
  readonly id: string
  /** It tells of the others: see `eventsChannelId`. */
  readonly forEvents: boolean
  readonly wildcard: boolean
  readonly messages: Message[] = []
  readonly subscriptions = new Set<Subscription>()
  /** Workers that have had a subscriber of it: only they are told of its messages. */
  readonly workers = new Set<number>()
  lastId = 0
  lastTime = 0
  lastTag = 0
  deleted = false
  /** When it may go, in seconds since 1970, if nothing is stored and no one listens. */
  expires: number

  constructor(id: string, options: { forEvents: boolean; wildcard: boolean; expires: number }) {
    this.id = id
    this.forEvents = options.forEvents
    this.wildcard = options.wildcard
    this.expires = options.expires
  }
}
