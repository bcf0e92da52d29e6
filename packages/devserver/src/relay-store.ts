import { type Clock, seconds } from './clock.js'

/**
 * A relay's store, as django-pushserver's settings name it. 0 is "no limit".
 *
 * @example
 * ```ts
 * import { createDevServer } from '@pushstream/devserver'
 *
 * const server = createDevServer({
 *   relay: { store: { default: { max_messages: 10 }, archive: { message_timeout: 3600 } } },
 * })
 * ```
 */
export interface RelayStoreOptions {
  /** Only `memory` is supported. */
  type?: 'memory'
  /** The number of messages of a channel that are kept even after `message_timeout`. Default 0. */
  min_messages?: number
  /** The most messages of a channel that are kept. The oldest are removed first. Default 0. */
  max_messages?: number
  /** The seconds until a message is removed. Default 0. */
  message_timeout?: number
}

/** A message: its second, and its number within that second, from 0. */
export interface RelayMessage {
  readonly time: number
  readonly tag: number
  readonly contentType: string
  readonly body: Buffer
}

/** Waits for what follows a position. `undefined`: the channel was deleted. */
export type RelayListener = (message: RelayMessage | undefined) => void

/** One channel. */
export interface RelayChannel {
  messages: RelayMessage[]
  readonly waiting: Set<RelayListener>
  /** The newest message's place, kept when the message goes. */
  time: number
  tag: number
  /** Seconds since 1970 of the last request by a subscriber. */
  requested: number | undefined
}

/** The channels of a relay. */
export class RelayStore {
  readonly #limits: Required<Omit<RelayStoreOptions, 'type'>>
  readonly #clock: Clock
  readonly #channels = new Map<string, RelayChannel>()

  constructor(options: RelayStoreOptions, clock: Clock) {
    const { type = 'memory', min_messages = 0, max_messages = 0, message_timeout = 0, ...unknown } = options
    if (type !== 'memory') throw new Error(`relay store: type "${String(type)}" is not there, only "memory" is`)
    for (const name of Object.keys(unknown)) throw new Error(`relay store: unknown option "${name}"`)
    this.#limits = { min_messages, max_messages, message_timeout }
    for (const [name, value] of Object.entries(this.#limits)) {
      if (!Number.isFinite(value) || value < 0) throw new Error(`relay store: "${name}" must be a number from 0`)
    }
    this.#clock = clock
  }

  find(id: string): RelayChannel | undefined {
    return this.#channels.get(id)
  }

  /** The channel of that name, made if need be. */
  open(id: string): RelayChannel {
    const channel = this.find(id) ?? { messages: [], waiting: new Set(), time: 0, tag: -1, requested: undefined }
    this.#channels.set(id, channel)
    return channel
  }

  /** Stores a message and hands it to who waits. Tells how many did. */
  publish(channel: RelayChannel, body: Buffer, contentType: string): number {
    const time = seconds(this.#clock)
    channel.tag = time === channel.time ? channel.tag + 1 : 0
    channel.time = time
    const message = { time, tag: channel.tag, contentType, body }
    channel.messages.push(message)
    const waiting = [...channel.waiting]
    channel.waiting.clear()
    for (const listener of waiting) listener(message)
    return waiting.length
  }

  /** What is stored of a channel, without what has gone. */
  stored(channel: RelayChannel): readonly RelayMessage[] {
    const { min_messages, max_messages, message_timeout } = this.#limits
    if (max_messages > 0) channel.messages = channel.messages.slice(-max_messages)
    const least = seconds(this.#clock) - message_timeout
    while (message_timeout > 0 && channel.messages.length > min_messages) {
      if ((channel.messages[0] as RelayMessage).time >= least) break
      channel.messages.shift()
    }
    return channel.messages
  }

  /** The first message after a position. */
  after(channel: RelayChannel, time: number, tag: number): RelayMessage | undefined {
    channel.requested = seconds(this.#clock)
    return this.stored(channel).find((one) => one.time > time || (one.time === time && one.tag > tag))
  }

  /** Who waits is told. False if there is no such channel. */
  delete(id: string): boolean {
    const channel = this.find(id)
    if (channel === undefined) return false
    this.#channels.delete(id)
    for (const listener of channel.waiting) listener(undefined)
    return true
  }

  /** Forgets everything; who waits is told nothing. */
  clear(): void {
    this.#channels.clear()
  }
}
