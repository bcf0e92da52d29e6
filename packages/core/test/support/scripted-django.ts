import { createScriptedServer, type Exchange, type ScriptedServer } from '@pushstream/testkit'
import { DjangoStore, type Page } from './django-store.js'

export const opening = `:${' '.repeat(2048)}\n\nevent: stream-open\ndata:\n\n`
export const head = {
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

export const idOf = (ids: ReadonlyMap<string, number>) =>
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
  readonly store = new DjangoStore()
  url = ''
  /** Channels nobody may read. */
  readonly forbidden = new Set<string>()
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
    const n = this.store.add(channel, data, type)
    if (live) this.told(channel, n, data, type)
  }

  protected told(channel: string, n: number | undefined, data: string, type: string): void {
    for (const { channels, last, exchange } of this.#listeners) {
      if (!channels.includes(channel)) continue
      if (n !== undefined) last.set(channel, n)
      void exchange.write(event(type, last.size === 0 ? undefined : idOf(last), data))
    }
  }

  /** Takes a permission away: who listens is told, twice. */
  kick(channel: string): void {
    this.forbidden.add(channel)
    for (const { channels, exchange } of this.#listeners) {
      if (!channels.includes(channel)) continue
      void exchange.write(denied([channel]))
      exchange.end(denied([channel]))
    }
  }

  #subscribe(exchange: Exchange): void {
    const channels = exchange.request.query.getAll('channel')
    const bad = (text: string) =>
      exchange.respond(200, head, event('stream-error', 'error', JSON.stringify({ condition: 'bad-request', text })))
    if (channels.length === 0) return bad('Invalid request: No channels specified.')
    if (channels.length > 10) return bad('Invalid request: Channel limit exceeded.')
    const refused = channels.filter((channel) => this.forbidden.has(channel))
    if (refused.length > 0) return exchange.respond(200, head, denied(refused))
    const wanted = this.wanted(exchange)
    if (wanted === 'error')
      return exchange.respond(400, {}, `Invalid request: Can't resume session after stream-error.\n`)
    if (wanted === undefined) return bad('Invalid request: Failed to parse Last-Event-ID or lastEventId.')
    this.answer(exchange, channels, wanted)
  }

  /** The positions somebody asks to go on from; `undefined` when they can't be read. */
  protected wanted({ request: { query, headers } }: Exchange): Map<string, number> | 'error' | undefined {
    const asked = (headers['last-event-id'] as string | undefined) ?? query.getAll('lastEventId').findLast(Boolean)
    if (asked === 'error') return asked
    const wanted = new Map<string, number>()
    for (const part of asked?.split(',') ?? []) {
      const [name, n] = part.split(':') as [string, string | undefined]
      if (n === undefined) return undefined
      wanted.set(decodeURIComponent(name), Number(n))
    }
    return wanted
  }

  protected answer(exchange: Exchange, channels: readonly string[], wanted: Map<string, number>): void {
    exchange.respond(200, head)
    let body = opening
    let page: Page
    do {
      page = this.store.page(channels, wanted)
      body += textOf(page)
      for (const channel of page.reset) wanted.set(channel, this.store.counter(channel))
      // Only channels of which there is more go on from here: the others come again.
      for (const [channel, n] of page.more) wanted.set(channel, n)
    } while (page.more.size > 0)
    void exchange.write(body)
    const listener: Listener = { exchange, channels, last: page.last }
    this.#listeners.add(listener)
    void exchange.closed.then(() => this.#listeners.delete(listener))
  }
}

/** `last` goes on with what is in it. */
export function textOf({ items, last, reset }: Page, written = event): string {
  let body = reset.length === 0 ? '' : event('stream-reset', idOf(last), JSON.stringify({ channels: reset }))
  for (const [channel, events] of items) {
    for (const { n, data, type } of events) {
      last.set(channel, n)
      body += written(type, idOf(last), data)
    }
  }
  return body
}

export function denied(channels: readonly string[]): string {
  const text = `Permission denied to channels: ${channels.join(', ')}`
  return event('stream-error', 'error', JSON.stringify({ condition: 'forbidden', text, channels }))
}
