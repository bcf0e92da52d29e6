import { type Ids, unreachable } from './event-ids.js'
import type { Wanted } from './protocol.js'

/**
 * So many empty answers to a position, and the channel is asked for without one. Pushpin fails at what is stored of channels
 * whose names are percent-encoded: django-eventstream doesn't escape the id for it. What comes live is fine.
 */
const patience = 3

/** From where the channels of one client are asked for, and what its connections have learned about that. */
export class ResumeState {
  /** Where channels begin of which the client knows nothing. */
  readonly initial: Ids
  /** What was asked for last. */
  readonly requested: Ids = new Map()
  /** Whether the server numbers what it sends. */
  stored: boolean | undefined
  /** Channels of which the server doesn't tell where they stand: they are not asked for that again. */
  readonly unprobed = new Set<string>()
  /** Channels that were asked for without a position, as one is answered with nothing. */
  readonly #positionless = new Set<string>()
  /** How often in a row asking a channel from a position was answered with nothing. */
  readonly #empty = new Map<string, number>()

  constructor(initial: Ids) {
    this.initial = initial
  }

  /** The ids to ask for these channels with. `probe`: whether the server can be asked where a channel stands. */
  request(channels: readonly Wanted[], probe: boolean): Ids {
    const ids: Ids = new Map()
    for (const { name, after } of channels) {
      if (after !== undefined) this.initial.delete(name)
      const place = after ?? this.initial.get(name) ?? (probe && !this.unprobed.has(name) ? unreachable : undefined)
      if (place === undefined || this.#unresumable(name)) this.requested.delete(name)
      else {
        ids.set(name, place)
        this.requested.set(name, place)
      }
    }
    return ids
  }

  /**
   * The server has answered. Returns whether the channel is given up: it was asked for without a position, because one is
   * answered with nothing, and what was missed is no longer available.
   */
  answered(name: string): boolean {
    if (this.requested.has(name) || !(this.#unresumable(name) || this.#positionless.has(name))) {
      this.#empty.delete(name)
      return false
    }
    this.initial.delete(name)
    // Nothing is to be learned from a probe, and the next time one empty answer is enough.
    this.unprobed.add(name)
    this.#positionless.add(name)
    this.#empty.set(name, patience - 1)
    return true
  }

  /** The server has answered with nothing at all. */
  answeredEmpty(name: string): void {
    if (this.requested.has(name)) this.#empty.set(name, (this.#empty.get(name) ?? 0) + 1)
    else this.#empty.delete(name)
  }

  #unresumable(name: string): boolean {
    return (this.#empty.get(name) ?? 0) >= patience
  }
}
