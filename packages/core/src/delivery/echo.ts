import type { IncomingMessage } from '../message.js'
import { everything, secondOf } from '../position.js'
import type { CloseReason, Position } from '../types.js'
import type { Channel } from './channel.js'
import { textOf } from './text.js'

/** How long a server may take to show what it stores, in ms. One that stores nothing does not answer. */
const patience = 5000

/** Holds what a chain of polls brings until it can be handed on. */
export interface Gate {
  /** Whether it looks at what the server stores, to verify that the polls missed nothing. */
  readonly verifies?: boolean
  /** Whether there is nothing to verify by: the server stores nothing, or does not let the client look. */
  readonly blind?: boolean
  /** Whether something is held back: what follows it is not to overtake it. */
  readonly busy?: boolean
  /** Called before a poll leaves, for what has to be seen first. */
  before?(): Promise<void> | undefined
  /** A poll leaves. `exact`: it begins directly after the last message that is known. */
  sent(exact: boolean): void
  /** The poll that left last brought a message. */
  message(message: IncomingMessage): void
  /** It was answered. `told`: the position that the answer's headers tell. */
  answered?(told: Position | undefined): void
  /** The connection is gone, and with it what is held back. */
  end(): void
}

/** What a gate needs of the connection. */
export interface EchoEvents {
  now(): number
  /** How long a server that reloads goes on answering from what it had, in ms. */
  readonly farewell: number
  /** Calls back later, unless the connection ends before. */
  after(ms: number, callback: () => void): void
  /** Asks for what is stored after a position. `told`: the position that the answer's headers tell. */
  ask(
    after: Position,
    deadline?: number,
  ): Promise<{
    messages: readonly IncomingMessage[]
    ending: CloseReason | undefined
    told?: Position | undefined
  }>
  /** Ends the poll that hangs. The next one follows. */
  interrupt(): void
  message(message: IncomingMessage): void
  /** The server may have begun anew: what is held back is not to be trusted. */
  doubt(ending: CloseReason): void
}

/** What a poll brought. */
interface Held {
  /** When the poll was sent. */
  readonly sentAt: number
  readonly message: IncomingMessage
}

/**
 * A poll that begins exactly where the one before it ended skips silently when the server began anew between the two and
 * counts from 0 within the same second. So what polls bring is held back until the server was seen, some time after they
 * were sent, to have the last message that is known: not at once, as a server that reloads goes on answering for a
 * while from what it had. On a quiet channel all that is over long before the next message comes.
 */
export class Echo implements Gate {
  readonly verifies = true
  readonly #channel: Channel
  readonly #events: EchoEvents
  /** What polls brought, with when the poll was sent. */
  protected readonly held: Held[] = []
  #sentAt = 0
  /** The poll that left last begins with something known, which shows by itself. */
  #sure = false
  /** Polls sent up to then can be trusted. */
  #provenTo = Number.NEGATIVE_INFINITY
  blind = false
  /** The server was seen to store messages. */
  #stores = false
  /** When it first did not have what it had just delivered. */
  #missedAt = Number.POSITIVE_INFINITY
  protected planned = false
  /** What an answer brings no other poll brings. */
  protected readonly serial: boolean = false
  /** Messages may not be stored for longer than this, in ms. */
  protected readonly expiry: number = Number.POSITIVE_INFINITY
  #ended = false
  /** One answer brings many messages. */
  #many = false
  #brought = 0

  constructor(channel: Channel, events: EchoEvents) {
    this.#channel = channel
    this.#events = events
  }

  /** Whether something is held back: what follows it is not to overtake it. */
  get busy(): boolean {
    return this.held.length > 0
  }

  sent(exact: boolean): void {
    this.#sentAt = this.#events.now()
    this.#brought = 0
    this.#sure = !exact
    if (exact && !this.blind) this.plan()
  }

  message(message: IncomingMessage): void {
    this.#many ||= ++this.#brought > 1
    if (this.#sure || this.#sentAt <= this.#provenTo) this.#events.message(message)
    else this.held.push({ sentAt: this.#sentAt, message })
  }

  end(): void {
    this.#ended = true
  }

  protected plan(): void {
    if (this.planned) return
    this.planned = true
    this.#events.after(this.#events.farewell, () => void this.ask())
  }

  /** Asks whether the server has what is known, and hands on what that proves. */
  protected async ask(): Promise<void> {
    const now = this.#events.now()
    const upTo = now - this.#events.farewell
    const found = await this.#look()
    if (this.#ended) return
    if (found.ending !== undefined) return this.#events.doubt(found.ending)
    const { proven, missed = 0, live } = found
    const last = this.held[missed - 1]
    // Once, it may be a server that began anew after it had delivered that. What polls bring that it takes later tells.
    this.blind = found.blind || (last?.sentAt ?? 0) >= this.#missedAt + this.#events.farewell
    if (missed > 0) this.#missedAt = Math.min(this.#missedAt, this.#events.now())
    this.#stores ||= proven ?? false
    if (this.blind) this.#provenTo = Number.POSITIVE_INFINITY
    else if (proven) this.#provenTo = Math.max(this.#provenTo, upTo)
    // Where nothing is stored, nobody brings it again.
    if (live !== undefined) this.held.push({ sentAt: now, message: live })
    const trusted = this.held.findIndex(({ sentAt }, index) => index >= missed && sentAt > this.#provenTo)
    for (const { message } of this.held.splice(0, trusted < 0 ? this.held.length : trusted)) {
      this.#events.message(message)
    }
    this.planned = false
    if (this.#sentAt > upTo || this.held.length > 0) this.plan()
  }

  async #look(): Promise<Found> {
    const { heardAt: heard, known, sequence } = this.#channel
    const last = sequence.position
    if (last === undefined) return { proven: true }
    const same = ({ position, fingerprint }: IncomingMessage, place = position) =>
      !(position < place || position > place) && known.get(place) === textOf({ fingerprint })
    // The oldest message that is stored tells, unless it is as new as the newest. A position, in a store that is empty
    // by now, some servers can't take from two at a time. Where one answer brings them all that would be too many.
    let delivered = -1
    for (const after of this.#many ? [last - 1] : [everything, last - 1]) {
      const [next] = this.held
      const missed = this.held.length
      for (const { message } of this.held) if (message.position > delivered) delivered = message.position
      const { messages, ending } = await this.#events.ask(after, patience)
      const [first] = messages
      // The server takes no second subscriber.
      if (ending?.status === 403) return { blind: true }
      if (ending?.kind === 'status' || ending?.cause !== undefined) return { ending }
      if (first !== undefined) {
        if (after === everything ? same(first) || secondOf(first.position) < secondOf(last) : same(first, last)) {
          return { proven: true }
        }
        // What was known is not stored any more.
        if (first.position === next?.message.position && this.#events.now() - heard > this.expiry)
          return { proven: true }
      }
      // What was delivered was not stored.
      if (first === undefined || (delivered >= 0 && first.position > delivered)) {
        return this.#stores ? { ending: ending ?? { kind: 'end' } } : { missed, live: this.serial ? first : undefined }
      }
      delivered = first.position
    }
    return { ending: { kind: 'end' } }
  }
}

/** What the server was seen to have. */
interface Found {
  /** The last message that is known. */
  proven?: boolean
  /** So many of those that are held, though it delivered them just now: nothing. */
  missed?: number
  /** What it delivered instead. */
  live?: IncomingMessage | undefined
  /** Nobody may look. */
  blind?: boolean
  /** Why it is not to be trusted. */
  ending?: CloseReason
}
