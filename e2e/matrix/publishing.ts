import { setTimeout as pause } from 'node:timers/promises'
import type { Sent } from './accounting.js'
import type { Stage } from './servers.js'

/** How long a server may be away before the row is given up, in ms. */
const patience = 30_000

/** Numbered messages `{ type: 'number', n }` on channels in turn, each sent when the one before it was answered. */
export class Publishing {
  readonly sent: Sent[] = []
  /** Messages that the server is known to have taken. */
  taken = 0
  readonly #stage: Stage
  readonly #channels: readonly string[]
  readonly #count: number
  #released = false
  #waiting: { taken: number; resolve: () => void }[] = []

  constructor(stage: Stage, channels: readonly string[], count: number) {
    this.#stage = stage
    this.#channels = channels
    this.#count = count
  }

  /** Resolves when so many have been taken. */
  reached(taken: number): Promise<void> {
    if (this.taken >= taken) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ taken, resolve }))
  }

  /** The last tenth may go. */
  release(): void {
    this.#released = true
  }

  /** The first message whose request began at this moment or later. */
  since(moment: number): Sent | undefined {
    return this.sent.find(({ from, taken }) => from >= moment && taken === 'yes')
  }

  /** Publishes until the server has taken all. What it refuses is offered again; what it leaves open gets no other try. */
  async run(perSecond: number): Promise<void> {
    /** What the server said to messages that it did not take, and how often. */
    const answers = new Map<string, number>()
    let due = Date.now()
    let progress = Date.now()
    for (let n = 0; this.taken < this.#count; ) {
      const behind = Date.now() - due
      if (behind < 0) await pause(-behind)
      // A server that was away is not made up for by a burst.
      due = (behind > 50 ? Date.now() : due) + 1000 / perSecond
      if (this.taken >= this.#count * 0.9 && !this.#released) {
        await pause(10)
        progress = Date.now()
        continue
      }
      const channel = this.#channels[n % this.#channels.length] as string
      const from = Date.now()
      const { outcome, said } = await this.#stage.publish(channel, JSON.stringify({ type: 'number', n }))
      if (outcome === 'taken') {
        this.sent.push({ channel, n, from, taken: 'yes' })
        this.taken++
        this.#waiting = this.#waiting.filter(({ taken, resolve }) => this.taken < taken || resolve())
        progress = Date.now()
      } else if (outcome === 'unknown') this.sent.push({ channel, n, from, taken: 'unknown' })
      if (outcome !== 'refused') n++
      if (outcome !== 'taken') await pause(20)
      if (outcome !== 'taken') answers.set(said, (answers.get(said) ?? 0) + 1)
      if (Date.now() - progress > patience) {
        throw new Error(`the server takes no message after ${this.taken}: ${JSON.stringify([...answers])}`)
      }
    }
  }
}
