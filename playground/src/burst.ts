import type { Message } from '@pushstream/core'
import { byId, setText } from './dom.js'
import { pageId, publish } from './publisher.js'
import type { Session } from './session.js'

/** One burst and what became of it. */
interface Run {
  readonly name: string
  readonly channel: string
  readonly of: number
  sent: number
  received: number
  /** The highest number that came. */
  last: number
  /** Came at another place than after their predecessors. */
  disordered: number
  failed: string | undefined
  done: boolean
}

/** Publishes numbered messages at a rate, and keeps account of how they arrive. */
export class BurstView {
  readonly #session: Session
  readonly #channel: () => string
  readonly #count = byId('burst-count', HTMLInputElement)
  readonly #rate = byId('burst-rate', HTMLInputElement)
  readonly #button = byId('burst-button', HTMLButtonElement)
  readonly #result = byId('burst-result', HTMLElement)
  #run: Run | undefined
  #runs = 0

  constructor(session: Session, channel: () => string) {
    this.#session = session
    this.#channel = channel
    session.on('message', (message) => this.#receive(message))
    byId('burst', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      if (this.#run === undefined || this.#run.done) void this.#start()
      else this.#run.done = true
    })
  }

  tick(): void {
    const run = this.#run
    setText(this.#button, run === undefined || run.done ? 'Send burst' : 'Stop')
    if (run !== undefined) setText(this.#result, account(run))
  }

  async #start(): Promise<void> {
    const of = Math.min(10_000, Math.max(1, Math.round(Number(this.#count.value)) || 1))
    const rate = Math.min(1000, Math.max(0.1, Number(this.#rate.value) || 1))
    const name = `${pageId}-${++this.#runs}`
    const run: Run = {
      name,
      channel: this.#channel(),
      of,
      sent: 0,
      received: 0,
      last: 0,
      disordered: 0,
      failed: undefined,
      done: false,
    }
    this.#run = run
    this.tick()
    const begun = performance.now()
    try {
      // One after the other: beside each other they might be stored in another order.
      for (let n = 1; n <= of && !run.done; n++) {
        const wait = begun + ((n - 1) * 1000) / rate - performance.now()
        if (wait > 0) await new Promise((resolve) => window.setTimeout(resolve, wait))
        if (run.done) break
        const body = { type: 'burst', n, of, run: name, sentAt: Date.now(), from: pageId }
        run.sent = n
        await publish(this.#session.base, run.channel, JSON.stringify(body))
      }
    } catch (error) {
      run.sent--
      run.failed = (error as Error).message
    }
    run.done = true
    this.tick()
  }

  #receive(message: Message): void {
    const run = this.#run
    const data = message.data as { run?: unknown; n?: unknown } | null
    if (run === undefined || typeof data !== 'object' || data === null || data.run !== run.name) return
    if (typeof data.n !== 'number') return
    run.received++
    if (data.n <= run.last) run.disordered++
    run.last = Math.max(run.last, data.n)
  }
}

function account({ sent, of, received, last, disordered, failed, done }: Run): string {
  const order = received === 0 ? '' : disordered === 0 ? ', in order' : `, ${disordered} out of order`
  // In order, so what did not come before the last one will not come any more.
  const missing = last > received ? `, ${last - received} missing` : ''
  const awaited = done && sent > last ? `, ${sent - last} not here yet` : ''
  const trouble = failed === undefined ? '' : ` Stopped: ${failed}`
  return `Sent ${sent} of ${of}, received ${received}${order}${missing}${awaited}.${trouble}`
}
