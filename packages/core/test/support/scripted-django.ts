import { createScriptedServer, type Exchange, type ScriptedServer } from '@pushstream/testkit'

const opening = `:${' '.repeat(2048)}\n\nevent: stream-open\ndata:\n\n`
const head = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
  'access-control-allow-origin': '*',
}

export const event = (type: string, id: string | undefined, data: string): string =>
  `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}${data
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('')}\n`

const idOf = (ids: ReadonlyMap<string, number>) =>
  [...ids].map(([name, n]) => `${encodeURIComponent(name)}:${n}`).join(',')

interface Listener {
  readonly exchange: Exchange
  readonly channels: readonly string[]
  readonly last: Map<string, number>
}

/**
 * What django-eventstream with its model storage was seen to do, on a scripted server: pages with their repetitions,
 * resets, errors in good answers, ten channels at most.
 */
export class ScriptedDjango {
  readonly server: ScriptedServer = createScriptedServer()
  url = ''
  /** Channels nobody may read. */
  readonly forbidden = new Set<string>()
  /** Channels that are not stored. */
  readonly unreliable = new Set<string>()
  /** What begins a page of a replay: how many events, divided by the number of channels. */
  pageSize = 100
  readonly #events = new Map<string, { n: number; data: string; type: string }[]>()
  readonly #counters = new Map<string, number>()
  readonly #listeners = new Set<Listener>()

  async start(): Promise<this> {
    this.server.on('GET /events/', (exchange) => this.#subscribe(exchange))
    this.url = (await this.server.listen()).url
    return this
  }

  close(): Promise<void> {
    return this.server.close()
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** `send_event`. `live: false`: another process did it, and nobody is told. */
  publish(channel: string, data: string, { type = 'message', live = true } = {}): void {
    const reliable = !this.unreliable.has(channel)
    const n = (this.#counters.get(channel) ?? 0) + 1
    if (reliable) {
      this.#counters.set(channel, n)
      this.#events.set(channel, [...(this.#events.get(channel) ?? []), { n, data, type }])
    }
    if (!live) return
    for (const listener of this.#listeners) {
      if (!listener.channels.includes(channel)) continue
      if (reliable) listener.last.set(channel, n)
      void listener.exchange.write(event(type, listener.last.size === 0 ? undefined : idOf(listener.last), data))
    }
  }

  /** Only the newest events stay. */
  trim(channel: string, keep: number): void {
    const events = this.#events.get(channel) ?? []
    this.#events.set(channel, events.slice(events.length - keep))
  }

  /** The database was lost. */
  wipe(): void {
    this.#events.clear()
    this.#counters.clear()
  }

  /** Takes a permission away: who listens is told, twice. */
  kick(channel: string): void {
    this.forbidden.add(channel)
    for (const { channels, exchange } of this.#listeners) {
      if (!channels.includes(channel)) continue
      void exchange.write(this.#denied([channel]))
      exchange.end(this.#denied([channel]))
    }
  }

  #denied(channels: readonly string[]): string {
    const text = `Permission denied to channels: ${channels.join(', ')}`
    return event('stream-error', 'error', JSON.stringify({ condition: 'forbidden', text, channels }))
  }

  #subscribe(exchange: Exchange): void {
    const { query, headers } = exchange.request
    const channels = query.getAll('channel')
    const asked = (headers['last-event-id'] as string | undefined) ?? query.getAll('lastEventId').findLast(Boolean)
    if (asked === 'error')
      return exchange.respond(400, {}, `Invalid request: Can't resume session after stream-error.\n`)
    const bad = (text: string) =>
      exchange.respond(200, head, event('stream-error', 'error', JSON.stringify({ condition: 'bad-request', text })))
    if (channels.length === 0) return bad('Invalid request: No channels specified.')
    if (channels.length > 10) return bad('Invalid request: Channel limit exceeded.')
    const denied = channels.filter((channel) => this.forbidden.has(channel))
    if (denied.length > 0) return exchange.respond(200, head, this.#denied(denied))
    const wanted = new Map<string, number>()
    for (const part of asked?.split(',') ?? []) {
      const [name, n] = part.split(':') as [string, string | undefined]
      if (n === undefined) return bad('Invalid request: Failed to parse Last-Event-ID or lastEventId.')
      wanted.set(decodeURIComponent(name), Number(n))
    }
    exchange.respond(200, head)
    const { body, last } = this.#replay(channels, wanted)
    void exchange.write(opening + body)
    const listener: Listener = { exchange, channels, last }
    this.#listeners.add(listener)
    void exchange.closed.then(() => this.#listeners.delete(listener))
  }

  #replay(channels: readonly string[], wanted: Map<string, number>): { body: string; last: Map<string, number> } {
    const page = Math.max(1, Math.floor(this.pageSize / channels.length))
    const stored = channels.filter((channel) => !this.unreliable.has(channel))
    let body = ''
    for (;;) {
      const last = new Map<string, number>()
      const reset: string[] = []
      const more = new Map<string, number>()
      const items: [string, { n: number; data: string; type: string }[]][] = []
      for (const channel of stored) {
        const current = this.#counters.get(channel) ?? 0
        const events = this.#events.get(channel) ?? []
        let after = wanted.get(channel) ?? current
        const whole = events.length === current
        if (after !== current && !events.some(({ n }) => n === after) && !(after === 0 && whole)) {
          reset.push(channel)
          wanted.set(channel, current)
          after = current
        }
        last.set(channel, after)
        const found = events.filter(({ n }) => n > after)
        if (found.length > page) more.set(channel, (found[page - 1] as { n: number }).n)
        items.push([channel, found.slice(0, page)])
      }
      if (reset.length > 0) body += event('stream-reset', idOf(last), JSON.stringify({ channels: reset }))
      for (const [channel, found] of items) {
        for (const { n, data, type } of found) {
          last.set(channel, n)
          body += event(type, idOf(last), data)
        }
      }
      if (more.size === 0) return { body, last }
      // Only channels of which there is more go on from here: the others come again.
      for (const [channel, n] of more) wanted.set(channel, n)
    }
  }
}
