import type { Channel, Listener, Subscription } from './channel.js'
import type { Clock, TimerHandle } from './clock.js'
import type { Location } from './location.js'
import type { Message } from './message.js'
import { paddingFor } from './padding.js'
import type { Store } from './store.js'

/** nginx leaves a timer alone that would move by less than this, ms: pings come by so much early. */
const LAZY_TIMER = 300

/** What every subscriber needs to know of its server. */
export interface SubscriberContext {
  /** The server that took the connection. */
  owner: object
  store: Store
  location: Location
  clock: Clock
  userAgent: string
}

/** What the connections of all modes have in common. */
export abstract class Subscriber implements Listener {
  readonly subscriptions = new Set<Subscription>()
  readonly worker: number
  protected ended = false
  readonly context: SubscriberContext
  readonly #timers: { ttl: TimerHandle | null; ping: TimerHandle | null } = { ttl: null, ping: null }
  #pingAt = 0
  #quitting = false

  constructor(context: SubscriberContext) {
    this.context = context
    this.worker = context.store.delivery.nextWorker()
  }

  abstract receive(channel: Channel, message: Message): void
  abstract channelDeleted(channel: Channel, message: Message): void
  abstract expire(): void
  abstract abort(): void
  abstract hangUp(): void
  /** Sends a ping. */
  protected abstract ping(): void

  quit(): void {
    this.#quitting = true
  }

  protected get silent(): boolean {
    return this.ended || this.#quitting
  }

  protected register(ttl: number | null, pingInterval: number | null): void {
    const { store, clock } = this.context
    store.subscribers.add(this)
    if (ttl !== null) {
      this.#timers.ttl = clock.setTimeout(() => {
        const quitting = this.#quitting
        this.expire()
        if (quitting) this.hangUp()
      }, ttl)
    }
    if (pingInterval !== null) this.#armPing(pingInterval)
  }

  protected subscribe(channel: Channel): void {
    this.subscriptions.add(this.context.store.subscribe(channel, this))
  }

  /** Leaves all channels and drops the timers. */
  leave(): void {
    if (this.ended) return
    this.ended = true
    const { store, clock } = this.context
    clock.clearTimeout(this.#timers.ttl)
    clock.clearTimeout(this.#timers.ping)
    for (const subscription of [...this.subscriptions]) store.unsubscribe(subscription)
    store.subscribers.delete(this)
  }

  /** A message went out: the silence before a ping starts anew. */
  protected restPing(): void {
    const interval = this.context.location.settings.pingMessageInterval
    if (this.#timers.ping === null || interval === null) return
    if (this.context.clock.now() + interval - this.#pingAt < LAZY_TIMER) return
    this.context.clock.clearTimeout(this.#timers.ping)
    this.#armPing(interval)
  }

  #armPing(interval: number): void {
    this.#pingAt = this.context.clock.now() + interval
    this.#timers.ping = this.context.clock.setTimeout(() => {
      this.#timers.ping = null
      this.ping()
      if (!this.silent) this.#armPing(interval)
    }, interval)
  }
}

/** The pieces a message is sent in: in eventsource its id and type go first; padding goes last. */
export function messageChunks(context: SubscriberContext, channel: string, message: Message): Buffer[] {
  const { location } = context
  const chunks: Buffer[] = []
  if (location.mode === 'eventsource') {
    if (message.eventId !== null) chunks.push(Buffer.from(`id: ${message.eventId}\n`, 'latin1'))
    if (message.eventType !== null) chunks.push(Buffer.from(`event: ${message.eventType}\n`, 'latin1'))
  }
  const text = location.template.format(message, channel)
  chunks.push(text)
  return chunks
}

/** The filling for a client that holds back short answers, or nothing. */
export function filling(context: SubscriberContext, length: number, kind: 'header' | 'message'): Buffer[] {
  const { location, userAgent } = context
  if (userAgent === '' || location.mode === 'websocket') return []
  const padding = location.paddings.find((candidate) => candidate.agent.test(userAgent))
  if (padding === undefined) return []
  const filled = paddingFor(padding[kind], length, location.mode === 'eventsource')
  return filled === null ? [] : [filled]
}
