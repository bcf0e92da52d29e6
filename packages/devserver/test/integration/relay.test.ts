import { createUpdates } from '@pushstream/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDevServer, type RelayLocationOptions, type RelayOptions } from '../../src/index.js'
import { FakeClock } from '../support/fake-clock.js'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const begin = Date.parse('2026-11-20T22:00:00Z')
const at = (second: number) => new Date(begin + second * 1000).toUTCString()
const epoch = { 'If-None-Match': '0', 'If-Modified-Since': 'Thu, 1 Jan 1970 00:00:00 GMT' }

/** The locations of django-pushserver's documentation. */
async function start(subscriber: Partial<RelayLocationOptions> = {}, more: RelayOptions = {}) {
  const clock = new FakeClock(begin)
  const server = createDevServer({
    clock,
    relay: {
      locations: [
        { type: 'subscriber', url: '/updates/([^/]+)', create_on_get: true, ...subscriber },
        { type: 'publisher', url: '/send-update/([^/]+)' },
      ],
      ...more,
    },
  })
  open.push(() => server.close())
  const { url } = await server.listen(0)
  return {
    server,
    clock,
    url,
    publish: (body: string, channel = 'main', init: RequestInit = {}) =>
      fetch(`${url}/send-update/${channel}`, {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json' },
        ...init,
      }),
    async get(headers: Record<string, string> = epoch, channel = 'main') {
      const response = await fetch(`${url}/updates/${channel}`, { headers })
      const { status } = response
      return [status, await response.text(), response.headers.get('last-modified'), response.headers.get('etag')]
    },
    /** Waits until so many wait for a channel. */
    waiting: (count: number, channel = 'main') =>
      vi.waitFor(async () => {
        const response = await fetch(`${url}/send-update/${channel}`, { headers: { Accept: 'text/json' } })
        expect(await response.json()).toMatchObject({ subscribers: count })
      }, 5000),
  }
}

describe('a Basic HTTP Push Relay', () => {
  it('stored messages → one an answer, each with its place', async () => {
    const { publish, get, clock, url } = await start()
    for (const body of ['1', '2']) expect((await publish(body)).status).toBe(202)
    await clock.advance(1000)
    await publish('3')
    expect(await get()).toEqual([200, '1', at(0), '0'])
    expect(await get({})).toEqual([200, '1', at(0), '0'])
    expect(await get({ 'If-None-Match': '0', 'If-Modified-Since': at(0) })).toEqual([200, '2', at(0), '1'])
    expect(await get({ 'If-None-Match': '1', 'If-Modified-Since': at(0) })).toEqual([200, '3', at(1), '0'])
    const { headers } = await fetch(`${url}/updates/main`, { headers: epoch })
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'etag=0',
      'content-type': 'application/json',
      vary: 'If-Modified-Since, If-None-Match',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Last-Modified, Etag, Cache-Control',
    })
    expect(headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('a subscriber waits → the next message, and the publisher is told so', async () => {
    const { publish, get, waiting } = await start()
    const first = get()
    const second = get()
    await waiting(2)
    expect((await publish('1')).status).toBe(201)
    expect([await first, await second]).toEqual(Array(2).fill([200, '1', at(0), '0']))
  })

  it('a channel that is deleted → 410 to who waits, 404 to who asks then', async () => {
    const { get, url, waiting } = await start({ create_on_get: false })
    const channel = `${url}/send-update/main`
    expect((await get())[0]).toBe(404)
    expect((await fetch(channel)).status).toBe(404)
    expect((await fetch(channel, { method: 'PUT' })).status).toBe(200)
    const poll = get()
    await waiting(1)
    const deleted = await fetch(channel, { method: 'DELETE' })
    expect([deleted.status, await deleted.text()]).toEqual([200, expect.stringContaining('active subscribers: 1')])
    expect((await poll)[0]).toBe(410)
    expect((await get())[0]).toBe(404)
    expect((await fetch(channel, { method: 'DELETE' })).status).toBe(404)
  })

  it('polling: interval → 304 where a long poll waits', async () => {
    const { get, publish } = await start({ polling: 'interval' })
    expect((await get())[0]).toBe(304)
    await publish('1')
    expect((await get())[1]).toBe('1')
  })

  it('min_messages, max_messages, message_timeout → what is kept', async () => {
    const store = { type: 'memory', min_messages: 1, max_messages: 3, message_timeout: 10 } as const
    const { get, publish, clock } = await start({ polling: 'interval' }, { store })
    for (const body of ['1', '2', '3', '4', '5']) await publish(body)
    expect((await get())[1]).toBe('3')
    await clock.advance(10_000)
    expect((await get())[1]).toBe('3')
    await clock.advance(1000)
    expect((await get())[1]).toBe('5')
  })

  it('allow_origin and allow_credentials → the headers of every answer', async () => {
    const { url } = await start({ allow_origin: 'http://page.example', allow_credentials: true, polling: 'interval' })
    for (const [method, status] of [
      ['OPTIONS', 200],
      ['GET', 304],
      ['POST', 405],
    ] as const) {
      const response = await fetch(`${url}/updates/main`, { method })
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
        status,
        'http://page.example',
      ])
      expect(response.headers.get('access-control-allow-credentials')).toBe('true')
    }
  })

  it('no date, no number → 400', async () => {
    const { get } = await start({ polling: 'interval' })
    expect((await get({ 'If-None-Match': 'x' }))[0]).toBe(400)
    expect((await get({ 'If-None-Match': '0', 'If-Modified-Since': 'yesterday' }))[0]).toBe(400)
  })

  it('other paths → the locations of push stream', async () => {
    const { server, url } = await start()
    server.publish('a', 'text')
    expect(await (await fetch(`${url}/pl/a.b1`)).text()).toContain('"text":"text"')
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  })

  it('names and groups as Python writes them, stores by name', async () => {
    const { url } = await start(
      {},
      {
        store: { default: { type: 'memory' }, other: { type: 'memory', max_messages: 1 } },
        servername: 'relay',
        locations: [
          { type: 'subscriber', url: '^/u/(?P<channel>.+)$', polling: 'interval', store: 'other' },
          { type: 'publisher', prefix: '/p.', store: 'other', create_on_post: false },
          { type: 'publisher', prefix: '/q/' },
        ],
      },
    )
    const post = (path: string, body: string) => fetch(url + path, { method: 'POST', body })
    expect((await post('/p.%C5%BC', 'no channel')).status).toBe(404)
    await fetch(`${url}/p.%C5%BC`, { method: 'PUT' })
    for (const body of ['1', '2']) expect((await post('/p.%C5%BC', body)).status).toBe(202)
    await post('/q/%C5%BC', 'elsewhere')
    const response = await fetch(`${url}/u/%C5%BC`)
    expect([await response.text(), response.headers.get('server')]).toEqual(['2', 'relay'])
  })

  it.each<[unknown, string]>([
    [{ locations: [{ type: 'subscribe' }] }, 'type is "subscriber" or "publisher"'],
    [{ locations: [{ type: 'publisher', polling: 'long' }] }, 'relay publisher: unknown option "polling"'],
    [{ locations: [{ type: 'subscriber', polling: 'short' }] }, 'polling is "long" or "interval"'],
    [{ locations: [{ type: 'subscriber', allow_credentials: true }] }, 'needs an allow_origin'],
    [{ locations: [{ type: 'subscriber', passthrough: '/passthrough' }] }, '"passthrough" must be an address'],
    [{ locations: [{ type: 'subscriber', store: 'other' }] }, 'there is no store "other"'],
    [{ store: { type: 'redis' } }, 'type "redis" is not there'],
    [{ store: { type: 'memory', max_message: 1 } }, 'unknown option "max_message"'],
    [{ store: { type: 'memory', max_messages: -1 } }, '"max_messages" must be a number from 0'],
    [{ location: [] }, 'relay: unknown option "location"'],
  ])('%j → an error that says why', (relay, reason) => {
    expect(() => createDevServer({ relay: relay as RelayOptions })).toThrow(reason)
  })

  it('a page with $.updates → each message once, also across a restart', async () => {
    const { clock, url, server, publish, waiting } = await start()
    const updates = createUpdates({ reconnectOnTimeoutInterval: 50 })
    open.push(() => updates.close())
    const got: unknown[] = []
    updates.registerProcessor('main', 'answer', ({ value }) => got.push(value))
    await publish('{"type":"answer","value":1}')
    updates.subscribe({ main: `${url}/updates/main` })
    await vi.waitFor(() => expect(got).toEqual([1]), 5000)
    await waiting(1)
    await publish('{"type":"answer","value":2}')
    await vi.waitFor(() => expect(got).toEqual([1, 2]), 5000)
    server.restart()
    // Within its second, a message of a new numbering looks older than what is known.
    await clock.advance(1000)
    // A connection that was kept may be on its way out.
    await vi.waitFor(() => publish('{"type":"answer","value":3}'), 5000)
    await vi.waitFor(() => expect(got).toEqual([1, 2, 3]), 5000)
  })
})
