import type { Exchange } from '@pushstream/testkit'
import type { Page } from './django-store.js'
import { denied, event, head, idOf, opening, ScriptedDjango, textOf } from './scripted-django.js'

/** Python's `quote`, which leaves a slash as it is. */
const quote = (name: string) => encodeURIComponent(name).replace(/%2F/g, '/')
/** For Pushpin, which puts ids into what it sends. */
const literal = (text: string) => text.replaceAll('%', '%%')
const escaped: typeof event = (type, id, data) => event(literal(type), id, literal(data))
const keepAlive = 'event: keep-alive\\ndata:\\n\\n; format=cstring; timeout=20'

/**
 * The same behind a GRIP proxy, which holds the connections: each answer tells it channels, where they stand and how to ask
 * for what it missed.
 */
export class GripDjango extends ScriptedDjango {
  /** Where the proxy takes what is published. It needs the address of this one first. */
  control = ''
  #sent: Promise<unknown> = Promise.resolve()

  /** Everything published so far has reached the proxy. */
  get sent(): Promise<unknown> {
    return this.#sent
  }

  override kick(channel: string): void {
    this.forbidden.add(channel)
    const meta = { require_sub: `events-${channel}` }
    // Python's notation, not JSON.
    const content = denied([channel]).replaceAll('"', "'")
    this.#send({
      channel: 'user-anonymous',
      id: 'kick-1',
      meta,
      formats: { 'http-stream': { content } },
    })
    const close = { 'http-stream': { action: 'close' } }
    this.#send({ channel: 'user-anonymous', id: 'kick-2', 'prev-id': 'kick-1', meta, formats: close })
  }

  protected override told(channel: string, n: number | undefined, data: string, type: string): void {
    const numbered = n !== undefined
    const content = numbered ? escaped(type, '%I', data) : event(type, undefined, data)
    this.#send({
      channel: `events-${quote(channel)}`,
      ...(numbered && { id: String(n), 'prev-id': String(n - 1) }),
      formats: { 'http-stream': { content, ...(numbered && { 'content-filters': ['build-id'] }) } },
    })
  }

  #send(item: object): void {
    const body = JSON.stringify({ items: [item] })
    const headers = { 'content-type': 'application/json' }
    this.#sent = this.#sent.then(async () => {
      const { status } = await fetch(`${this.control}/publish/`, { method: 'POST', headers, body })
      if (status !== 200) throw new Error(`the proxy took an item with ${status}`)
    })
  }

  protected override wanted(exchange: Exchange): Map<string, number> | 'error' | undefined {
    const { query, headers } = exchange.request
    if (query.get('recover') !== 'true') return super.wanted(exchange)
    const wanted = new Map<string, number>()
    for (const one of String(headers['grip-last']).split(',')) {
      const [, name, n] = /^\s*events-(.*); last-id=(\d+)/.exec(one) ?? []
      if (name !== undefined) wanted.set(decodeURIComponent(name), Number(n))
    }
    return wanted
  }

  protected override answer(exchange: Exchange, channels: readonly string[], wanted: Map<string, number>): void {
    if (exchange.request.headers['grip-sig'] === undefined) return super.answer(exchange, channels, wanted)
    const page = this.store.page(channels, wanted)
    const first = exchange.request.query.get('link') !== 'next'
    const body = (first ? opening : '') + textOf(page, escaped)
    exchange.respond(200, { ...head, ...instructions(exchange, channels, page) }, body)
  }
}

function instructions(exchange: Exchange, channels: readonly string[], { last, more }: Page): Record<string, string> {
  const query = new URLSearchParams(exchange.request.query)
  query.delete('recover')
  query.delete('lastEventId')
  query.set('link', 'next')
  if (more.size > 0) query.set('lastEventId', idOf(last))
  else query.set('recover', 'true')
  const subscriptions = channels.map((channel) => {
    const n = last.get(channel)
    return `events-${quote(channel)}${n === undefined ? '' : `; prev-id=${n}; filter=build-id`}; filter=skip-users`
  })
  const ids = [...last.keys()].map((channel) => `${literal(quote(channel))}:%(events-${quote(channel)})s`)
  return {
    ...(more.size === 0 && { 'grip-hold': 'stream' }),
    'grip-channel': [...subscriptions, 'user-anonymous; filter=require-sub'].join(', '),
    'grip-keep-alive': keepAlive,
    'grip-set-meta': `${ids.length > 0 ? `id_format="${ids.join(',')}", ` : ''}user="anonymous"`,
    'grip-link': `</events/?${query}>; rel=next`,
  }
}
