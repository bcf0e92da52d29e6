import type { IncomingMessage } from '../message.js'
import { secondOf } from '../position.js'
import type { GapReason, Position } from '../types.js'
import type { Channel } from './channel.js'
import { newReplay, type Order } from './order.js'
import { forget, newSequence, type Outcome, type SequenceEvents, skipMissing, startAfter } from './sequencer.js'

/** Where messages go once they are in order. */
export interface ChannelStoreEvents {
  deliver(message: IncomingMessage): void
  gap(channel: string, first: number | 'unknown', last: number | 'unknown', reason: GapReason): void
}

/** How much of an address a name takes, with what stands around it. */
export const lengthOf = (name: string): number => encodeURIComponent(name).length + 4

/** What is known of every channel, and the point from which the server must be asked again. */
export class ChannelStore {
  /** The newest position seen on any channel. */
  newest: Position = -1
  /** Messages that came again and were dropped. */
  duplicates = 0
  /** How much of an address the names take. */
  length = 0
  /** A channel of another session that is named in every request, as the server takes these next to others alone. */
  companion: string | undefined
  readonly #channels = new Map<string, Channel>()
  readonly #order: Order
  readonly #now: () => number
  readonly #events: ChannelStoreEvents

  constructor(order: Order, now: () => number, events: ChannelStoreEvents) {
    this.#order = order
    this.#now = now
    this.#events = events
  }

  get all(): Channel[] {
    return [...this.#channels.values()]
  }

  get size(): number {
    return this.#channels.size
  }

  get(name: string): Channel | undefined {
    return this.#channels.get(name)
  }

  /** Adds a channel. `from`: a position it is to begin at. */
  add(name: string, backtrack: number, from: Position | undefined): void {
    this.length += lengthOf(name)
    this.#channels.set(name, {
      name,
      backtrack,
      sequence: newSequence(),
      events: this.#eventsOf(name),
      from,
      completeUpTo: from,
      joinedAt: undefined,
      lastEventId: undefined,
      mayHaveLostHistory: false,
      heardAt: 0,
      known: new Map(),
      lately: new Set(),
    })
  }

  #eventsOf(name: string): SequenceEvents<IncomingMessage> {
    return {
      deliver: (message) => this.#events.deliver(message),
      gap: (first, last, reason) => {
        if (reason === 'restart') this.#rewind()
        this.#events.gap(name, first, last, reason)
      },
    }
  }

  /** Hands a channel over, with all that is known of it. */
  move(channel: Channel, to: ChannelStore): void {
    this.remove(channel.name)
    to.length += lengthOf(channel.name)
    channel.events = to.#eventsOf(channel.name)
    to.#channels.set(channel.name, channel)
    if (to.companion === channel.name) to.companion = undefined
    to.advance(channel.sequence.position)
  }

  remove(name: string): boolean {
    const found = this.#channels.delete(name)
    if (found) this.length -= lengthOf(name)
    return found
  }

  /** Takes a message in. `undefined` when nobody listens to its channel. */
  receive(message: IncomingMessage, replay = newReplay(), at = this.#now()): Outcome | undefined {
    const channel = this.#channels.get(message.channel)
    if (channel === undefined) return undefined
    // Without one, what the channel goes on after can't be named.
    channel.lastEventId = message.eventId
    channel.heardAt = at
    const outcome = this.#order.receive(channel, message, replay, at)
    this.advance(message.position)
    if (outcome === 'dropped') this.duplicates++
    return outcome
  }

  /** The channel was deleted on the server. */
  forget(channel: Channel): void {
    forget(channel.sequence, channel.events)
  }

  /** The server may have lost what it stored. `heard`: only of channels of which something came counts. */
  suspectLoss(heard = false): void {
    for (const channel of this.#channels.values()) {
      if (channel.sequence.position !== undefined || (!heard && channel.joinedAt !== undefined))
        channel.mayHaveLostHistory = true
    }
  }

  /** A message from before the application listened: what comes after it is new. */
  startAfter(channel: Channel, message: IncomingMessage): void {
    channel.heardAt = this.#now()
    startAfter(channel.sequence, message)
    this.advance(message.position)
  }

  /** A position was seen. */
  advance(position = -1): void {
    if (position > this.newest) this.newest = position
  }

  /** Whether nothing is known by which the channel could be resumed. */
  isUnknown(channel: Channel): boolean {
    return channel.sequence.position === undefined && channel.completeUpTo === undefined
  }

  /** Up to where a channel is complete. */
  watermark(channel: Channel): Position | undefined {
    return this.#order.watermark(channel, this.newest, this.#now())
  }

  /** The point up to which all of these channels are complete. */
  lowWatermark(channels: readonly Channel[] = this.all): Position | undefined {
    const known = channels.map((channel) => this.watermark(channel)).filter((one) => one !== undefined)
    return known[0] === undefined ? undefined : Math.min(...known)
  }

  /** It is proven that these channels have brought everything up to a position. */
  advanceWatermark(channels: readonly Channel[], upTo: Position): void {
    if (upTo < 0) return
    for (const channel of channels) {
      if (channel.sequence.buffered.size === 0 && upTo > (channel.completeUpTo ?? -1)) channel.completeUpTo = upTo
    }
  }

  /** Channels with messages above a hole, and the id the hole begins after. */
  missing(): Map<Channel, number | undefined> {
    const held = this.all.filter(({ sequence }) => sequence.buffered.size > 0)
    return new Map(held.map((channel) => [channel, channel.sequence.last]))
  }

  /** What was missing then, and still is, can't be had any more. */
  skipMissing(holes: Map<Channel, number | undefined>): void {
    for (const [channel, after] of holes) {
      if (this.#channels.get(channel.name) === channel && channel.sequence.last === after) {
        skipMissing(channel.sequence, channel.events)
      }
    }
  }

  /** The server counts anew: within its second, what was known means nothing. */
  #rewind(): void {
    if (this.newest >= 0) this.newest = secondOf(this.newest)
    for (const channel of this.#channels.values()) {
      const { completeUpTo, sequence } = channel
      if (completeUpTo !== undefined) channel.completeUpTo = secondOf(completeUpTo)
      if (sequence.position !== undefined) sequence.position = secondOf(sequence.position)
    }
  }
}
