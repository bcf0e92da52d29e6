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
/** How long a message may take while nothing is broken, in ms. */
export const punctual = 5000

const modes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** One client, and the network of its own that it is behind. */
interface Receiver {
  readonly mode: ModeName
  readonly stream: PushStream
  readonly proxy: FaultProxy
  readonly events: Event[]
  /** What the client logged, and when. */
  readonly log: [at: number, line: string][]
}

/** Something that was broken, in ms since 1970. `until`: undefined as long as it is. */
interface Trouble {
  readonly name: string
  readonly from: number
  until: number | undefined
}

/**
 * A message that came. `delay`: how long it took while nothing was broken, in ms. `uninterrupted`: the longest part of
 * that without a fault.
 */
type Delayed = Sent & { readonly at: number; readonly delay: number; readonly uninterrupted: number }

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
  /** The longest part of such a delay without a fault, in ms. */
  readonly uninterrupted: number
  readonly evidence: readonly string[]
  /** Messages that were too late, with what happened meanwhile. */
  readonly late: readonly string[]
}

/** nginx with the module, a client of default options for each mode, and messages that are published. */
export class Stage {
  readonly nginx: Nginx
  readonly channels: readonly string[]
  readonly sent: Sent[] = []
  readonly #receivers: Receiver[] = []
  /** No two of them overlap. */
  readonly #troubles: Trouble[] = []
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
    const log: Receiver['log'] = []
    const note = (line: unknown) => void log.push([Date.now(), String(line)])
    const logger = { debug: note, info: note, warn: note, error: note }
    const stream = new PushStream({ url, modes: [mode], environment, logger })
    const events: Event[] = []
    stream.on('message', ({ channel, text }) => {
      events.push({ kind: 'message', channel, n: Number(text), at: Date.now() })
    })
    stream.on('gap', (gap) => events.push({ kind: 'gap', ...gap, at: Date.now() }))
    // What is reported as an error is part of the trouble; what it costs is counted.
    stream.on('error', () => {})
    for (const channel of this.channels) stream.addChannel(channel)
    stream.connect()
    this.#receivers.push({ mode, stream, proxy, events, log })
  }

  /** Publishes the next number, and waits for the answer. */
  async publish(channel = this.channels[this.#n % this.channels.length] as string): Promise<void> {
    const n = this.#n++
    const from = Date.now()
    const taken = await post(`${this.nginx.url}/pub?id=${channel}`, String(n))
    if (taken !== 'no') this.sent.push({ channel, n, from, taken })
  }

  /** Something breaks, until it is well again. */
  async trouble(name: string, breaks: () => Promise<unknown>): Promise<void> {
    const trouble: Trouble = { name, from: Date.now(), until: undefined }
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
      const delays = this.#delays(receiver)
      const longest = (of: 'delay' | 'uninterrupted') => delays.reduce((most, one) => Math.max(most, one[of]), 0)
      return {
        workers: this.nginx.workers,
        mode: receiver.mode,
        ...counted,
        lost: lostWithoutGap,
        latest: longest('delay'),
        uninterrupted: longest('uninterrupted'),
        late: this.#late(receiver, delays),
      }
    })
  }

  #delays({ events }: Receiver): Delayed[] {
    const published = new Map(this.sent.map((one) => [one.n, one]))
    return events.flatMap((event) => {
      const sent = event.kind === 'message' ? published.get(event.n) : undefined
      if (sent === undefined) return []
      const well = this.#well(sent.from, event.at)
      const delay = well.reduce((sum, part) => sum + part, 0)
      return { ...sent, at: event.at, delay, uninterrupted: Math.max(...well) }
    })
  }

  /** One line for the first of the messages that came late together, then what broke and what the client logged. */
  #late({ log }: Receiver, delays: readonly Delayed[]): string[] {
    let last = 0
    return delays.flatMap(({ n, from, taken, at, delay }) => {
      if (delay <= punctual) return []
      const together = at - last < 1000
      last = at
      if (together) return []
      const since = (when: number) => `${((when - from) / 1000).toFixed(2)} s`
      const broken = this.#troubles.filter(({ until = at }) => until > from - 2000).filter((one) => one.from < at)
      const logged = log.filter(([when]) => when > from - 2000 && when <= at).slice(-40)
      return [
        // A worker that hangs may take it when it goes on.
        `message ${n}${taken === 'yes' ? '' : ', not acknowledged,'} was ${delay} ms late and came after ${since(at)}`,
        ...broken.map((one) => `  ${since(one.from)} to ${since(one.until ?? at)}: ${one.name}`),
        ...logged.map(([when, line]) => `  ${since(when)}: ${line}`),
      ]
    })
  }

  /** The parts of a time in which nothing was broken, in ms each. */
  #well(begin: number, end: number): number[] {
    const parts: number[] = []
    let since = begin
    for (const { from, until = end } of this.#troubles) {
      if (until <= since || from >= end) continue
      parts.push(Math.max(0, from - since))
      since = Math.min(until, end)
    }
    return [...parts, end - since]
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
