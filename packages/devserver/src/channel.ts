import type { Message } from './message.js'

/** One channel named in one subscription; a name given twice makes two. */
export interface Subscription {
  channel: Channel
  subscriber: Listener
}

/** A connection that waits for messages, as its channels, the store and the server see it. */
export interface Listener {
  readonly context: {
    /** The server that took the connection: several may share a store. */
    readonly owner: object
  }
  /** The simulated worker that holds the connection. */
  readonly worker: number
  readonly subscriptions: Set<Subscription>
  /** A message of one of its channels, just published. */
  receive(channel: Channel, message: Message): void
  /** One of its channels was deleted; `message` is the -2. */
  channelDeleted(channel: Channel, message: Message): void
  /** The server ends it in good order: its time is up, or nginx was reloaded. */
  expire(): void
  /** Closes the socket without a word. */
  abort(): void
  /** Ends the socket once everything is written. */
  hangUp(): void
  /** As after SIGQUIT: one more ping, then nothing until the connection's time is up. */
  quit(): void
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
