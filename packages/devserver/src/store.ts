import { Channel, type Listener, type Subscription } from './channel.js'
import { toBytes } from './channel-names.js'
import { type Clock, seconds, systemClock, type TimerHandle } from './clock.js'
import { type Delivery, DirectDelivery } from './delivery.js'
import { CONTROL_ID, controlMessage, type Message } from './message.js'
import { resolveSettings, type StoreSettings } from './settings.js'

/** How often expired messages and forgotten channels are looked for, ms. */
const SWEEP_INTERVAL = 1000

/** What the events channel tells. */
type ChannelEvent = 'channel_created' | 'channel_destroyed' | 'client_subscribed' | 'client_unsubscribed'

/**
 * The options of `publish`.
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * createDevServer().publish('news', 'The shop is open.', { eventId: 'news-17', eventType: 'item' })
 * ```
 */
export interface PublishOptions {
  /** `Event-Id`: becomes the SSE `id:` line. */
  eventId?: string | null | undefined
  /** `Event-Type`: becomes the SSE `event:` line. */
  eventType?: string | null | undefined
}

/** No more channels: 403. */
export class TooManyChannels extends Error {}

/**
 * The shared memory of the server: channels, messages, counters. Two servers with the same store are like two `server`
 * blocks of one nginx.
 *
 * @example
 * ```ts
 * import { createDevServer, Store } from '@pushstream/devserver'
 *
 * const store = new Store()
 * const [first, second] = [createDevServer({ store }), createDevServer({ store })]
 * first.publish('news', 'hello') // subscribers of both get it
 * ```
 */
export class Store {
  /** The settings it was made with. */
  readonly settings: StoreSettings
  /** How messages are delivered to subscribers. */
  readonly delivery: Delivery
  /** Everyone connected, of all servers that share the store. */
  readonly subscribers = new Set<Listener>()
  /** Messages published since start, events not counted. */
  published = 0
  /** Start, in seconds since 1970. */
  startedAt: number
  readonly #clock: Clock
  #channels = new Map<string, Channel>()
  #lastTime = 0
  #lastTag = 0
  #sweep: TimerHandle | null = null
  #closed = false

  constructor(settings: Partial<StoreSettings> = {}, clock: Clock = systemClock, delivery?: Delivery) {
    this.settings = resolveSettings(settings)
    this.#clock = clock
    this.delivery = delivery ?? new DirectDelivery()
    this.startedAt = seconds(clock)
    this.#createEventsChannel()
  }

  /** All channels, oldest first. */
  get channels(): Channel[] {
    return [...this.#channels.values()]
  }

  /** The channel of that name (a byte string), if there is one. */
  find(id: string): Channel | undefined {
    return this.#channels.get(id)
  }

  /** The channel of that name, made if need be. Throws `TooManyChannels`. */
  open(id: string): Channel {
    const known = this.#channels.get(id)
    if (known !== undefined) return known
    const wildcard = this.isWildcard(id)
    const limit = wildcard ? this.settings.maxNumberOfWildcardChannels : this.settings.maxNumberOfChannels
    if (limit !== null && this.count(wildcard) >= limit) throw new TooManyChannels(id)
    const channel = new Channel(id, { forEvents: false, wildcard, expires: this.#inactiveAt() })
    this.#channels.set(id, channel)
    this.#startSweeping()
    this.#tell(channel, 'channel_created')
    return channel
  }

  /** Whether a name begins with `wildcardChannelPrefix`. */
  isWildcard(id: string): boolean {
    const prefix = toBytes(this.settings.wildcardChannelPrefix)
    return prefix !== '' && id.startsWith(prefix)
  }

  /** How many channels there are, wildcard or not. */
  count(wildcard: boolean): number {
    return this.channels.filter((channel) => channel.wildcard === wildcard).length
  }

  /** Messages in the store, events not counted. */
  get stored(): number {
    return this.channels.reduce((sum, channel) => sum + (channel.forEvents ? 0 : channel.messages.length), 0)
  }

  /** Publishes to a channel; unstored messages consume ids and tags too. */
  publish(channel: Channel, text: Buffer, options: PublishOptions, keep: boolean): Message {
    const now = seconds(this.#clock)
    this.#lastTag = now === this.#lastTime ? this.#lastTag + 1 : 1
    this.#lastTime = now
    const { messageTtl, maxMessagesStoredPerChannel } = this.settings
    const message: Message = {
      id: ++channel.lastId,
      time: now,
      tag: this.#lastTag,
      text,
      eventId: options.eventId ?? null,
      eventType: options.eventType ?? null,
      expires: messageTtl === null ? 0 : now + Math.ceil(messageTtl / 1000),
    }
    channel.lastTime = message.time
    channel.lastTag = message.tag
    channel.expires = this.#inactiveAt()
    if (keep) channel.messages.push(message)
    if (maxMessagesStoredPerChannel !== null) {
      channel.messages.splice(0, Math.max(0, channel.messages.length - maxMessagesStoredPerChannel))
    }
    if (!channel.forEvents) this.published++
    this.delivery.publish(channel, message)
    return message
  }

  /** Deletes a channel; its subscribers get -2 with `text`. False if it is gone already. */
  delete(channel: Channel, text?: Buffer): boolean {
    if (channel.deleted || channel.forEvents) return false
    channel.deleted = true
    this.#channels.delete(channel.id)
    const message = controlMessage(
      CONTROL_ID.channelDeleted,
      text ?? Buffer.from(this.settings.channelDeletedMessageText),
    )
    for (const subscription of [...channel.subscriptions]) {
      if (!channel.subscriptions.has(subscription)) continue
      this.unsubscribe(subscription)
      subscription.subscriber.channelDeleted(channel, message)
    }
    channel.messages.length = 0
    this.#tell(channel, 'channel_destroyed')
    return true
  }

  /** Adds a subscriber to a channel; the same one may come twice. */
  subscribe(channel: Channel, subscriber: Listener): Subscription {
    const subscription = { channel, subscriber }
    channel.subscriptions.add(subscription)
    channel.workers.add(subscriber.worker)
    channel.expires = this.#inactiveAt()
    this.#tell(channel, 'client_subscribed')
    return subscription
  }

  /** Ends a subscription; one that has ended is no error. */
  unsubscribe(subscription: Subscription): void {
    const { channel, subscriber } = subscription
    if (!channel.subscriptions.delete(subscription)) return
    subscriber.subscriptions.delete(subscription)
    this.#tell(channel, 'client_unsubscribed')
  }

  /** As after a restart of nginx: nothing stored, ids and counters from 1. */
  clear(): void {
    for (const channel of this.#channels.values()) channel.deleted = true
    this.#channels = new Map()
    this.#lastTime = this.#lastTag = this.published = 0
    this.startedAt = seconds(this.#clock)
    this.#createEventsChannel()
  }

  /** Stops all timers. */
  close(): void {
    this.#closed = true
    this.delivery.close()
    if (this.#sweep !== null) this.#clock.clearTimeout(this.#sweep)
    this.#sweep = null
  }

  #createEventsChannel(): void {
    const id = toBytes(this.settings.eventsChannelId)
    if (id !== '') this.#channels.set(id, new Channel(id, { forEvents: true, wildcard: false, expires: 0 }))
  }

  #tell(channel: Channel, type: ChannelEvent): void {
    if (this.settings.eventsChannelId === '' || channel.forEvents) return
    const events = this.#channels.get(toBytes(this.settings.eventsChannelId))
    if (events === undefined) return
    const text = Buffer.from(`{"type": "${type}", "channel": "${channel.id}"}`, 'latin1')
    this.publish(events, text, { eventType: type }, true)
  }

  #inactiveAt(): number {
    return seconds(this.#clock) + Math.ceil(this.settings.channelInactivityTime / 1000)
  }

  #startSweeping(): void {
    if (this.#sweep !== null || this.#closed) return
    this.#sweep = this.#clock.setTimeout(() => {
      this.#sweep = null
      this.#forget()
      if (this.#channels.size > 0) this.#startSweeping()
    }, SWEEP_INTERVAL)
  }

  #forget(): void {
    const now = seconds(this.#clock)
    for (const channel of this.channels) {
      const fresh = channel.messages.findIndex((message) => message.expires === 0 || message.expires > now)
      channel.messages.splice(0, fresh < 0 ? channel.messages.length : fresh)
      const idle = channel.messages.length === 0 && channel.subscriptions.size === 0 && channel.expires < now
      if (!idle || channel.forEvents) continue
      channel.deleted = true
      this.#channels.delete(channel.id)
      this.#tell(channel, 'channel_destroyed')
    }
  }
}
