import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createUpdates } from '@pushstream/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createDevServer, type DevServerOptions } from '../../src/index.js'

const open: Array<() => unknown> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** An application that is told who comes and goes. `refuse`: the channels that it refuses, and how. */
async function startApplication(refuse: Record<string, number> = {}) {
  const told: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const form = new URLSearchParams(body)
    const channel = form.get('channel_id') ?? ''
    told.push(`${form.has('subscribe') ? '+' : '-'}${channel}`)
    headers.push(request.headers)
    response.writeHead((form.has('subscribe') && refuse[channel]) || 200).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { told, headers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/passthrough`, refuse }
}

async function start(options: DevServerOptions) {
  const server = createDevServer(options)
  open.push(() => server.close())
  return { server, ...(await server.listen(0)) }
}

const relayTo = (passthrough: string): DevServerOptions => ({
  relay: {
    locations: [
      { type: 'subscriber', url: '/updates/([^/]+)', create_on_get: true, passthrough },
      { type: 'publisher', url: '/send-update/([^/]+)' },
    ],
  },
})

describe('passthrough of a relay', () => {
  it('a subscriber comes and goes → the application is told, with the headers it sent', async () => {
    const { told, headers, url: passthrough } = await startApplication()
    const { url } = await start(relayTo(passthrough))
    const poll = new AbortController()
    fetch(`${url}/updates/%C5%BC`, {
      headers: { Cookie: 'sessionid=1', 'X-Own': 'mine' },
      signal: poll.signal,
    }).catch(() => {})
    await vi.waitFor(() => expect(told).toEqual(['+ż']))
    poll.abort()
    await vi.waitFor(() => expect(told).toEqual(['+ż', '-ż']))
    for (const sent of headers) {
      expect(sent).toMatchObject({
        cookie: 'sessionid=1',
        'x-own': 'mine',
        host: new URL(url).host,
        'content-type': 'application/x-www-form-urlencoded',
      })
    }
  })

  it('an answer with 4xx → the subscriber gets that status, and is not announced as gone', async () => {
    const { told, url: passthrough } = await startApplication({ secret: 403 })
    const { url } = await start(relayTo(passthrough))
    const response = await fetch(`${url}/updates/secret`)
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, '*'])
    expect(told).toEqual(['+secret'])
  })

  it('an application that is down or fails → nobody is refused, and a warning says so', async () => {
    const warned: string[] = []
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation((what) => void warned.push(String(what)))
    open.push(() => warn.mockRestore())
    const { url: passthrough } = await startApplication({ main: 500 })
    for (const address of [passthrough, 'http://127.0.0.1:9/passthrough']) {
      const { url } = await start(relayTo(address))
      await fetch(`${url}/send-update/main`, { method: 'POST', body: 'x' })
      expect(await (await fetch(`${url}/updates/main`)).text()).toBe('x')
      await vi.waitFor(() => expect(warned.some((what) => what.includes(address))).toBe(true))
    }
  })

  it('case 39: a page with $.updates → one subscriber at any time, and the last signal is true', async () => {
    const { told, url: passthrough } = await startApplication()
    const { url } = await start(relayTo(passthrough))
    // A silent connection is checked soon.
    const updates = createUpdates({ pingtimeout: 500 })
    open.push(() => updates.close())
    const got: unknown[] = []
    updates.registerProcessor('main', '*', ({ value }) => got.push(value))
    updates.subscribe({ main: `${url}/updates/main` })
    await vi.waitFor(() => expect(told).toEqual(['+main']), 10_000)
    for (let value = 0; value < 12; value++) {
      await fetch(`${url}/send-update/main`, { method: 'POST', body: JSON.stringify({ value }) })
      await vi.waitFor(() => expect(got).toHaveLength(value + 1), 10_000)
      if (value % 4 === 3) {
        const { length } = told
        // At least one check of a silent connection.
        await vi.waitFor(() => expect(told.length).toBeGreaterThan(length + 2), 10_000)
      }
    }
    await vi.waitFor(() => expect(told.at(-1)).toBe('+main'))
    expect(told).toEqual(told.map((_, index) => (index % 2 === 0 ? '+main' : '-main')))
    updates.close()
    await vi.waitFor(() => expect(told.at(-1)).toBe('-main'))
  })
})

describe('passthrough of the locations of push stream', () => {
  it.each(['ev', 'sub', 'lp', 'ws'])(
    '%s: channels come and go → each is told, names as the page gave them',
    async (mode) => {
      const { told, headers, url: passthrough } = await startApplication()
      const { url, server } = await start({ settings: { passthrough, headerTemplate: 'hi' } })
      const request = { Cookie: 'sessionid=1' }
      if (mode === 'ws') {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/a/%25C5%25BC`, { headers: request })
        await once(socket, 'open')
        expect(told).toEqual(['+a', '+ż'])
        socket.terminate()
      } else {
        const poll = new AbortController()
        fetch(`${url}/${mode}/a/%25C5%25BC`, { headers: request, signal: poll.signal }).catch(() => {})
        await vi.waitFor(() => expect([told, server.stats().subscribers]).toEqual([['+a', '+ż'], 1]))
        poll.abort()
      }
      await vi.waitFor(() => expect(told).toEqual(['+a', '+ż', '-a', '-ż']))
      expect(headers.map(({ cookie }) => cookie)).toEqual(Array(4).fill('sessionid=1'))
    },
  )

  it.each(['ev', 'sub', 'lp', 'pl', 'ws'])(
    '%s: one channel is refused → the status, and the others are taken back',
    async (mode) => {
      const { told, url: passthrough } = await startApplication({ secret: 401 })
      const { url } = await start({ settings: { passthrough } })
      if (mode === 'ws') {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/a/secret`)
        const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
        expect(response.statusCode).toBe(401)
        socket.on('error', () => {})
        socket.terminate()
      } else expect((await fetch(`${url}/${mode}/a/secret`)).status).toBe(401)
      await vi.waitFor(() => expect(told).toEqual(['+a', '+secret', '-a']))
    },
  )
})
