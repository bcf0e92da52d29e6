import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'

interface Stored {
  /** Seconds since 1970. */
  readonly time: number
  /** Which one of its second it is. */
  readonly tag: number
  readonly text: string
}

/** Nchan as long-polls of one channel see it. */
export class SimulatedNchan {
  readonly clock = createManualClock(Date.UTC(2026, 10, 30, 12, 0, 0))
  readonly stored: Stored[] = []
  /** Polls that wait for a message. */
  waiting: { request: FakeRequest; deaf: boolean }[] = []
  /** Polls that begin now are held by a worker on its way out. */
  deaf = false
  /** How long an answer takes, in ms. */
  roundTrip = 0
  /** How long it takes to tell the oldest message that is stored, in ms. */
  slow = 0
  /** Every request that was sent, as its method. */
  readonly requests: string[] = []
  /** Requests that are still sent on a connection that is dead. */
  #deadKept = 0
  #blackHole = false
  readonly #server = createFakeFetch({ answer: (request) => this.#arrive(request) })

  get environment() {
    return manualEnvironment(this.clock, { fetch: this.#server.fetch })
  }

  publish(text: string): void {
    const time = Math.floor(this.clock.now() / 1000)
    this.stored.push({ time, tag: this.stored.filter((one) => one.time === time).length, text })
    const heard = this.waiting.filter(({ deaf }) => !deaf)
    this.waiting = this.waiting.filter(({ deaf }) => deaf)
    for (const { request } of heard) this.#tell(request, this.stored.at(-1) as Stored)
  }

  /** SIGHUP: what waits is answered with 410. */
  reload(): void {
    const ended = this.waiting
    this.waiting = []
    for (const { request } of ended) if (request.open) request.respond(410)
  }

  /** Nothing gets across any more, or again. `deadKept`: so many requests are still sent on connections from before. */
  blackHole(on: boolean, deadKept = 0): void {
    if (on) this.waiting = []
    this.#blackHole = on
    this.#deadKept = deadKept
  }

  #arrive(request: FakeRequest): void {
    this.requests.push(request.method)
    if (this.#blackHole || this.#deadKept-- > 0) return
    this.clock.setTimeout(() => request.open && this.#answer(request), this.roundTrip)
  }

  #answer(request: FakeRequest): void {
    if (request.method === 'OPTIONS') return request.respond(200)
    const id = request.query.get('last_event_id')
    const [second = 0, last = 0] = (id ?? '').split(':').map(Number)
    const next = this.stored.find(({ time, tag }) => time > second || (time === second && tag > last))
    if (next === undefined) this.waiting.push({ request, deaf: this.deaf })
    else if (id === '0:0') this.clock.setTimeout(() => this.#tell(request, next), this.slow)
    else this.#tell(request, next)
  }

  #tell(request: FakeRequest, { time, tag, text }: Stored): void {
    if (!request.open) return
    const headers = {
      'Last-Modified': new Date(time * 1000).toUTCString(),
      Etag: `${tag}`,
      'Content-Type': 'text/plain',
    }
    request.respond(200, headers, text)
  }
}
