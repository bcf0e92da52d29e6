import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type ModeName, PushStream } from '@pushstream/core'
import { createFaultProxy, type FaultProxy } from '@pushstream/testkit'
import WebSocket from 'ws'
import { account, type Event, type Sent } from '../matrix/accounting.js'
import { type Nginx, startNginx } from '../support/nginx.js'

/** How long what was published may take to arrive once everything is well, in ms. */
const patience = 90_000
/** What comes twice, comes soon, in ms. */
const settling = 2500

const modes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** One client, and the network of its own that it is behind. */
interface Receiver {
  readonly mode: ModeName
  readonly stream: PushStream
  readonly proxy: FaultProxy
  readonly events: Event[]
}

/** What became of the messages at one client. */
export interface Result {
  readonly workers: number
  readonly mode: ModeName
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly gaps: number
  readonly inGaps: number
  readonly doubled: number
  readonly outOfOrder: number
  /** The longest that a message took, without the time for which anything was broken, in ms. */
  readonly latest: number
  readonly evidence: readonly string[]
}

/** nginx with the module, a client of default options for each mode, and messages that are published. */
export class Stage {
  readonly nginx: Nginx
  readonly channels: readonly string[]
  readonly sent: Sent[] = []
  readonly #receivers: Receiver[] = []
  /** When something was broken, in ms since 1970. No two of them overlap. */
  readonly #troubles: { from: number; until: number | undefined }[] = []
  #n = 0

  private constructor(nginx: Nginx, channels: readonly string[]) {
    this.nginx = nginx
    this.channels = channels
  }

  static async start(workers: number, channels: readonly string[]): Promise<Stage> {
    const values = { listen: workers > 1 ? 'reuseport' : '' }
    const stage = new Stage(await startNginx('push-stream', { workers, values }), channels)
    for (const mode of modes) await stage.#receive(mode)
    for (const { mode, stream } of stage.#receivers) {
      for (let waited = 0; stream.status.state !== 'open'; waited += 20) {
        if (waited > 15_000) throw new Error(`${mode} does not open: ${stream.status.error}`)
        await pause(20)
      }
    }
    return stage
  }

  get proxies(): readonly FaultProxy[] {
    return this.#receivers.map(({ proxy }) => proxy)
  }

  async #receive(mode: ModeName): Promise<void> {
    const proxy = createFaultProxy({ target: this.nginx.url })
    const { url } = await proxy.listen()
    const environment = { WebSocket }
    const stream = new PushStream({ url, modes: [mode], environment })
    const events: Event[] = []
    stream.on('message', ({ channel, text }) => {
      events.push({ kind: 'message', channel, n: Number(text), at: Date.now() })
    })
    stream.on('gap', (gap) => events.push({ kind: 'gap', ...gap, at: Date.now() }))
    // What is reported as an error is part of the trouble; what it costs is counted.
    stream.on('error', () => {})
    for (const channel of this.channels) stream.addChannel(channel)
    stream.connect()
    this.#receivers.push({ mode, stream, proxy, events })
  }

  /** Publishes the next number, and waits for the answer. */
  async publish(channel = this.channels[this.#n % this.channels.length] as string): Promise<void> {
    const n = this.#n++
    const from = Date.now()
    const taken = await post(`${this.nginx.url}/pub?id=${channel}`, String(n))
    if (taken !== 'no') this.sent.push({ channel, n, from, taken })
  }

  /** Something breaks, until it is well again. */
  async trouble(breaks: () => Promise<unknown>): Promise<void> {
    const trouble: { from: number; until: number | undefined } = { from: Date.now(), until: undefined }
    this.#troubles.push(trouble)
    await breaks()
    trouble.until = Date.now()
  }

  /** Waits until everything came, or can't be waited for any longer, and counts. */
  async results(): Promise<Result[]> {
    const end = Date.now() + patience
    const last = this.channels.map((channel) =>
      this.sent.findLast((one) => one.channel === channel && one.taken === 'yes'),
    )
    const complete = ({ events }: Receiver) =>
      last.every((one) => one === undefined || events.some((event) => event.kind === 'message' && event.n === one.n))
    while (!this.#receivers.every(complete) && Date.now() < end) await pause(50)
    await pause(settling)
    return this.#receivers.map((receiver) => {
      const { lostWithoutGap, ...counted } = account(this.sent, receiver.events)
      return {
        workers: this.nginx.workers,
        mode: receiver.mode,
        ...counted,
        lost: lostWithoutGap,
        latest: this.#latest(receiver.events),
      }
    })
  }

  #latest(events: readonly Event[]): number {
    const from = new Map(this.sent.map((one) => [one.n, one.from]))
    let latest = 0
    for (const event of events) {
      const sentAt = event.kind === 'message' ? from.get(event.n) : undefined
      if (sentAt !== undefined) latest = Math.max(latest, this.#well(sentAt, event.at))
    }
    return latest
  }

  /** How much of a time nothing was broken, in ms. */
  #well(begin: number, end: number): number {
    let well = end - begin
    for (const { from, until = end } of this.#troubles) {
      well -= Math.max(0, Math.min(end, until) - Math.max(begin, from))
    }
    return well
  }

  async close(): Promise<void> {
    for (const { stream, proxy } of this.#receivers) {
      stream.close()
      await proxy.close()
    }
    await this.nginx.close()
  }
}

/** Whether the server took a message. A connection of its own each: a kept one may lead to a worker on its way out. */
function post(url: string, text: string): Promise<'yes' | 'no' | 'unknown'> {
  return new Promise((resolve) => {
    const posting = request(url, { method: 'POST', agent: false, timeout: 2000 }, (answer) => {
      answer.resume()
      answer.once('error', () => resolve('unknown'))
      answer.once('end', () => resolve(answer.statusCode === 200 ? 'yes' : 'unknown'))
    })
    posting.once('timeout', () => posting.destroy())
    posting.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'no' : 'unknown'))
    posting.end(text)
  })
}
