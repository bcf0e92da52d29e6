import type { Environment } from '../types.js'

/** What a silent connection is given up for, as a multiple of the server's ping interval. */
const patience = 2.5
/** Two signs of life closer together than this, in ms, are not the ping interval. */
const shortest = 500

export interface LivenessEvents {
  /** Pings came regularly, and now they don't: the connection is dead. */
  dead(): void
  /** Silence on a connection whose pings can't be seen: it needs to be checked. */
  idle(): void
}

/** Watches one connection for signs of life. Learns the rhythm of the pings where there are any. */
export class Liveness {
  /** The last sign of life, in ms since 1970. */
  last: number
  #before: number
  #rhythms: number[] = []
  #timer: unknown
  #stopped = false
  readonly #environment: Environment
  readonly #pingtimeout: number
  readonly #silence: number | undefined
  readonly #events: LivenessEvents

  /** `silence`: what is death, where the server says so. */
  constructor(environment: Environment, pingtimeout: number, events: LivenessEvents, silence?: number) {
    this.#environment = environment
    this.#pingtimeout = pingtimeout
    this.#events = events
    this.#silence = silence
    this.last = this.#before = environment.now()
    this.#arm(this.#limit())
  }

  /** Bytes came. */
  life(): void {
    this.#before = this.last
    this.last = this.#environment.now()
  }

  /** The bytes that came were a ping: the silence before it is the server's ping interval. */
  ping(): void {
    const rhythm = this.last - this.#before
    if (rhythm < shortest) return
    this.#rhythms = [...this.#rhythms.slice(-2), rhythm]
    this.#arm(this.#limit())
  }

  /** The connection was found to be well by other means. */
  checked(): void {
    this.life()
    this.#arm(this.#limit())
  }

  stop(): void {
    this.#stopped = true
    this.#environment.clearTimeout(this.#timer)
  }

  #limit(): number {
    const learned = this.#rhythms.length > 0 ? patience * Math.max(...this.#rhythms) : this.#pingtimeout
    return this.#silence ?? learned
  }

  #arm(ms: number): void {
    if (this.#stopped) return
    this.#environment.clearTimeout(this.#timer)
    this.#timer = this.#environment.setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    const left = this.last + this.#limit() - this.#environment.now()
    if (left > 0) this.#arm(left)
    else if (this.#silence || this.#rhythms.length > 0) this.#events.dead()
    else {
      this.#events.idle()
      this.#arm(this.#pingtimeout)
    }
  }
}
