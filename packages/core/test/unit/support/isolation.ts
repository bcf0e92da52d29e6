import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type FakeRequest,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { settingsOf } from '../../../src/options.js'
import { nchan } from '../../../src/protocols/nchan.js'
import { pushStream } from '../../../src/protocols/push-stream.js'
import { Pool } from '../../../src/session/pool.js'
import { eventsource } from '../../../src/transports/http.js'
import type { Transport } from '../../../src/types.js'

/** A subscription as the server saw it. */
export interface Asked {
  readonly names: readonly string[]
  readonly at: number
  state: 'asked' | 'open' | 'refused' | 'gone'
  /** The server ends it: a status where it has not answered yet, else the end of the stream. */
  end(): void
}

/** A pool of sessions, and a server that decides by the channels of a request whether it takes them. */
export class Isolation {
  /** Whether the server takes these channels together. `down`: nobody answers at all. */
  takes: (names: readonly string[]) => boolean | 'down' = () => true
  /** How long the server takes for an answer, in ms. */
  latency: (names: readonly string[]) => number = () => 20
  readonly clock: ManualClock = createManualClock(1_795_211_831_000)
  readonly asked: Asked[] = []
  readonly log: string[] = []
  readonly pool: Pool
  /** The most requests that were unanswered at once. */
  busiest = 0
  readonly #fake: FakeFetch

  /**
   * `blind`: the transport does not show why a connection is refused. `explain`: the server's reason for a 403.
   * `separate`: a connection for each channel.
   */
  constructor({ blind = false, explain = '', separate = false } = {}) {
    this.#fake = createFakeFetch({ greeting: ': \n\n', answer: (request) => this.#answer(request, explain) })
    const environment = manualEnvironment(this.clock, { fetch: this.#fake.fetch, connections: () => 100 })
    const options = {
      url: 'http://h',
      modes: [blind ? this.#opaque() : eventsource],
      protocol: separate ? nchan() : pushStream({}),
      environment,
    }
    this.pool = new Pool(settingsOf(options, {}), {
      changed() {},
      opened: () => this.log.push('opened'),
      refused: ({ channel, code }) => this.log.push(`refused ${channel} ${code}`),
      deleted() {},
      deadletter: (raw) => this.log.push(`dead ${raw}`),
      failed() {},
      deliver() {},
      gap: (channel) => this.log.push(`gap ${channel}`),
    })
  }

  #asking(path: string, end: () => void): Asked {
    const names = decodeURIComponent(path)
      .split('/')
      .slice(2)
      .map((name) => name.replace(/\.b\d+$/, ''))
    const asked: Asked = { names, at: this.clock.now(), state: 'asked', end }
    this.asked.push(asked)
    this.busiest = Math.max(this.busiest, this.asked.filter(({ state }) => state === 'asked').length)
    return asked
  }

  #answer(request: FakeRequest, explain: string): void {
    if (request.method === 'OPTIONS' || request.headers['x-nginx-pushstream-mode'] !== undefined) {
      return request.respond(304)
    }
    const asked = this.#asking(request.path, () => {
      asked.state = 'gone'
      request.end()
    })
    request.init.signal?.addEventListener('abort', () => {
      asked.state = 'gone'
    })
    this.clock.setTimeout(() => {
      if (!request.open) return
      const taken = this.takes(asked.names)
      asked.state = taken === true ? 'open' : 'refused'
      if (taken === 'down') request.cut()
      else if (taken) request.accept()
      else request.respond(403, explain === '' ? {} : { 'X-Nginx-PushStream-Explain': explain })
    }, this.latency(asked.names))
  }

  #opaque(): Transport {
    return {
      name: 'websocket',
      acceptedBy: 'time',
      opaque: true,
      uncounted: true,
      available: () => true,
      open: (next, events, environment) => {
        let asked: Asked | undefined
        let closed = false
        const end = (kind: 'refused' | 'end') => {
          if (closed) return
          closed = true
          if (asked !== undefined) asked.state = kind === 'end' ? 'gone' : 'refused'
          events.closed({ kind })
        }
        void next().then(({ url }) => {
          if (closed) return
          asked = this.#asking(new URL(url).pathname, () => end('end'))
          environment.setTimeout(() => {
            if (closed || asked === undefined) return
            if (this.takes(asked.names) !== true) return end('refused')
            asked.state = 'open'
            events.activity()
            events.open()
          }, this.latency(asked.names))
        })
        return {
          close() {
            closed = true
            if (asked !== undefined) asked.state = 'gone'
          },
        }
      },
    }
  }

  /** The channels of the connections that are open, those of each in one text. */
  get open(): string[] {
    return this.asked.filter(({ state }) => state === 'open').map(({ names }) => [...names].sort().join(' '))
  }

  get refused(): string[] {
    return this.log.filter((line) => line.startsWith('refused')).map((line) => line.split(' ')[1] as string)
  }

  async add(...names: string[]): Promise<void> {
    for (const name of names) this.pool.add(name, 0, undefined)
    this.pool.change()
    await this.clock.advance(0)
  }

  async remove(name: string): Promise<void> {
    this.pool.remove(name)
    this.pool.change()
    await this.clock.advance(0)
  }

  /** Waits in steps until it is so, or until so many ms have passed. */
  async until(so: () => boolean, ms = 60_000): Promise<void> {
    for (let passed = 0; passed < ms && !so(); passed += 10) await this.clock.advance(10)
  }
}
