import type { Received } from '../message.js'
import { everything, secondOf } from '../position.js'
import type { CloseReason, Position } from '../types.js'
import type { Channel } from './channel.js'
import { textOf } from './text.js'

/** Holds what a chain of polls brings until it can be handed on. */
export interface Gate {
  /** A poll leaves. `exact`: it begins directly after the last message that is known. */
  sent(exact: boolean): void
  /** The poll that left last brought a message. */
  message(message: Received): void
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
    messages: readonly Received[]
    ending: CloseReason | undefined
    told?: Position | undefined
  }>
  message(message: Received): void
  /** The server may have begun anew: what is held back is not to be trusted. */
  doubt(ending: CloseReason): void
}

/**
 * A poll that begins exactly where the one before it ended skips silently when the server began anew between the two and
 * counts from 0 within the same second. So what polls bring is held back until the server was seen, some time after they
 * were sent, to have the last message that is known: not at once, as a server that reloads goes on answering for a
 * while from what it had. On a quiet channel all that is over long before the next message comes.
 */
export class Echo implements Gate {
  readonly #channel: Channel
  readonly #events: EchoEvents
  /** What polls brought, with when the poll was sent. */
  readonly #held: { sentAt: number; message: Received }[] = []
  #sentAt = 0
  /** The poll that left last begins with something known, which shows by itself. */
  #sure = false
  /** Polls sent up to then can be trusted. */
  #provenTo = Number.NEGATIVE_INFINITY
  #asking = false
  #ended = false
  /** One answer brings many messages. */
  #many = false
  #brought = 0

  constructor(channel: Channel, events: EchoEvents) {
    this.#channel = channel
    this.#events = events
  }

  sent(exact: boolean): void {
    this.#sentAt = this.#events.now()
    this.#brought = 0
    this.#sure = !exact
    if (exact) this.#plan()
  }

  message(message: Received): void {
    this.#many ||= ++this.#brought > 1
    if (this.#sure || this.#sentAt <= this.#provenTo) this.#events.message(message)
    else this.#held.push({ sentAt: this.#sentAt, message })
  }

  end(): void {
    this.#ended = true
  }

  #plan(): void {
    if (this.#asking) return
    this.#asking = true
    this.#events.after(this.#events.farewell, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    const upTo = this.#events.now() - this.#events.farewell
    const ending = await this.#look()
    if (this.#ended) return
    if (ending !== undefined) return this.#events.doubt(ending)
    this.#provenTo = Math.max(this.#provenTo, upTo)
    while (this.#held.length > 0 && (this.#held[0]?.sentAt as number) <= upTo) {
      this.#events.message((this.#held.shift() as { message: Received }).message)
    }
    this.#asking = false
    if (this.#sentAt > upTo) this.#plan()
  }

  /** Resolves with why the server is not to be trusted, if it isn't. */
  async #look(): Promise<CloseReason | undefined> {
    const { known, sequence } = this.#channel
    const last = sequence.position
    if (last === undefined) return undefined
    const same = ({ position, fingerprint }: Received, place = position) =>
      !(position < place || position > place) && known.get(place) === textOf({ fingerprint })
    // The oldest message that is stored tells, unless it is as new as the newest. A position, in a store that is empty
    // by now, some servers can't take from two at a time. Where one answer brings them all that would be too many.
    if (!this.#many) {
      const { messages, ending } = await this.#events.ask(everything)
      const [oldest] = messages
      if (oldest === undefined) return ending ?? { kind: 'end' }
      if (same(oldest) || secondOf(oldest.position) < secondOf(last)) return undefined
    }
    const { messages, ending } = await this.#events.ask(last - 1)
    const [echo] = messages
    if (echo !== undefined && same(echo, last)) return undefined
    return (echo === undefined ? ending : undefined) ?? { kind: 'end' }
  }
}
