import type { Channel } from './channel.js'
import type { Clock, Random, TimerHandle } from './clock.js'
import type { Message } from './message.js'

/** How a published message gets from the store to those who listen. */
export interface Delivery {
  publish(channel: Channel, message: Message): void
  /** Runs `work` with nothing handed out before it has returned: an answer counts who is still there. */
  hold(work: () => void): void
  /** The worker of the next connection. */
  nextWorker(): number
  close(): void
}

/** One worker, everything at once: in order, and never twice. */
export class DirectDelivery implements Delivery {
  #held: Array<[Channel, Message]> | null = null

  publish(channel: Channel, message: Message): void {
    if (this.#held === null) handOut(channel, message)
    else this.#held.push([channel, message])
  }

  hold(work: () => void): void {
    const held: Array<[Channel, Message]> = []
    this.#held = held
    try {
      work()
    } finally {
      this.#held = null
      for (const [channel, message] of held) handOut(channel, message)
    }
  }

  nextWorker(): number {
    return 0
  }

  close(): void {}
}

/** How nginx misbehaves with its workers. */
export interface RaceOptions {
  /** Workers to simulate. Connections are spread over them at random. */
  workers: number
  /** Chance in [0, 1] that a message is overtaken by the next one. One worker overtakes nothing. */
  reorder: number
  /** Longest time a message waits to be overtaken, ms. */
  reorderDelay: number
}

/**
 * Workers as nginx has them. A message is stored first and handed out in a later turn, so whoever joins in between
 * gets it twice: from the backlog and in flight. With several workers the hand-over is not atomic either: a message
 * may be overtaken by the next one, and a long-poll answered by that one carries an Etag that skips it.
 */
export class WorkerDelivery implements Delivery {
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: RaceOptions
  #queue: Array<{ channel: Channel; message: Message; workers: number[] }> = []
  #held: { channel: Channel; message: Message; workers: number[] } | null = null
  #turn: TimerHandle | null = null
  #release: TimerHandle | null = null

  constructor(clock: Clock, random: Random, options: RaceOptions) {
    this.#clock = clock
    this.#random = random
    this.#options = options
  }

  hold(work: () => void): void {
    work()
  }

  nextWorker(): number {
    return Math.floor(this.#random() * this.#options.workers)
  }

  publish(channel: Channel, message: Message): void {
    const entry = { channel, message, workers: [...channel.workers] }
    const { workers, reorder, reorderDelay } = this.#options
    if (this.#held === null && workers > 1 && this.#random() < reorder) {
      this.#held = entry
      this.#release = this.#clock.setTimeout(() => this.#letGo(), reorderDelay)
      return
    }
    this.#enqueue(entry)
    this.#letGo()
  }

  close(): void {
    if (this.#turn !== null) this.#clock.clearTimeout(this.#turn)
    if (this.#release !== null) this.#clock.clearTimeout(this.#release)
    this.#turn = this.#release = this.#held = null
    this.#queue = []
  }

  #letGo(): void {
    if (this.#held === null) return
    if (this.#release !== null) this.#clock.clearTimeout(this.#release)
    this.#enqueue(this.#held)
    this.#held = this.#release = null
  }

  #enqueue(entry: { channel: Channel; message: Message; workers: number[] }): void {
    this.#queue.push(entry)
    this.#turn ??= this.#clock.setTimeout(() => this.#flush(), 0)
  }

  #flush(): void {
    this.#turn = null
    const queue = this.#queue
    this.#queue = []
    for (const { channel, message, workers } of queue) handOut(channel, message, workers)
  }
}

function handOut(channel: Channel, message: Message, workers?: number[]): void {
  for (const { subscriber } of [...channel.subscriptions]) {
    if (workers === undefined || workers.includes(subscriber.worker)) subscriber.receive(channel, message)
  }
}
