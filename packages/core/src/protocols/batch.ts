import type { IncomingMessage } from '../message.js'
import type { CloseReason } from '../types.js'
import type { DecoderEvents } from './protocol.js'

/** Keeps a message back until it is known whether it is the last of its answer. */
export class Batch implements DecoderEvents {
  readonly #events: DecoderEvents
  #waiting: IncomingMessage | undefined

  constructor(events: DecoderEvents) {
    this.#events = events
  }

  message(message: IncomingMessage): void {
    if (this.#waiting !== undefined) this.#waiting.last = false
    this.flush()
    this.#waiting = message
  }

  ping(): void {
    this.#events.ping()
  }

  deleted(channel: string, text: string): void {
    this.flush()
    this.#events.deleted(channel, text)
  }

  dead(raw: string, reason: string): void {
    this.flush()
    this.#events.dead(raw, reason)
  }

  over(ending: CloseReason): void {
    this.#events.over(ending)
  }

  flush(): void {
    const message = this.#waiting
    this.#waiting = undefined
    if (message !== undefined) this.#events.message(message)
  }
}
