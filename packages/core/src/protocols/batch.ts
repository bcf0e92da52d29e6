import type { Received } from '../message.js'
import type { CloseReason } from '../types.js'
import type { Inlet } from './protocol.js'

/** Keeps a message back until it is known whether it is the last of its answer. */
export class Batch implements Inlet {
  readonly #inlet: Inlet
  #waiting: Received | undefined

  constructor(inlet: Inlet) {
    this.#inlet = inlet
  }

  message(message: Received): void {
    if (this.#waiting !== undefined) this.#waiting.last = false
    this.flush()
    this.#waiting = message
  }

  ping(): void {
    this.#inlet.ping()
  }

  deleted(channel: string, text: string): void {
    this.flush()
    this.#inlet.deleted(channel, text)
  }

  dead(raw: string, reason: string): void {
    this.flush()
    this.#inlet.dead(raw, reason)
  }

  over(ending: CloseReason): void {
    this.#inlet.over(ending)
  }

  flush(): void {
    const message = this.#waiting
    this.#waiting = undefined
    if (message !== undefined) this.#inlet.message(message)
  }
}
