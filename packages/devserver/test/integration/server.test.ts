import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createDevServer, type DevServer, type DevServerOptions } from '../../src/index.js'
import { FakeClock } from '../support/fake-clock.js'
import { Fence, RawSocket } from '../support/socket.js'

const open: Array<() => Promise<unknown> | void> = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function start(options: DevServerOptions = {}) {
  const clock = new FakeClock(Date.parse('2026-11-20T22:00:00Z'))
  const server = createDevServer({ clock, ...options })
  open.push(() => server.close())
  const fence = await Fence.open()
  open.push(() => fence.close())
  const { port, url } = await server.listen(0)
  const subscribe = async (path: string) => {
    const socket = await RawSocket.open(port)
    open.push(() => socket.close())
    await socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await fence.pass()
    return socket
  }
  return { clock, server, url, port, fence, subscribe }
}

const texts = (socket: RawSocket) =>
  [...socket.received.toString('latin1').matchAll(/"id":(-?\d+),"channel":"([^"]*)","text":"([^"]*)"/g)].map((match) =>
    match.slice(1).join(' '),
  )

describe('a page and the `ws` client', () => {
  it('get what is published, by HTTP or in the process', async () => {
    const { server, url } = await start()
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/news`)
    await once(socket, 'open')
    const messages: string[] = []
    socket.on('message', (data) => messages.push(String(data)))
    await fetch(`${url}/pub?id=news`, { method: 'POST', body: 'one' })
    server.publish('news', 'two', { eventId: 'é' })
    while (messages.length < 2) await once(socket, 'message')
    expect(messages.map((message) => JSON.parse(message))).toMatchObject([
      { id: 1, text: 'one' },
      { id: 2, text: 'two', eventid: 'é' },
    ])
    socket.close(1000)
    expect((await once(socket, 'close'))[0]).toBe(1006)
  })

  it('are told why a websocket is refused', async () => {
    const { url } = await start({ settings: { authorizedChannelsOnly: true } })
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/none`)
    const [code, reason] = await once(socket, 'close')
    expect([code, JSON.parse(String(reason))]).toEqual([
      1008,
      { http_status: 403, explain: 'Subscriber could not create channels.' },
    ])
  })

  it('get five megabytes whole, by websocket and long-poll', async () => {
    const { url } = await start()
    const big = 'x'.repeat(5 * 1024 * 1024)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/big`, { maxPayload: 0 })
    await once(socket, 'open')
    const message = once(socket, 'message')
    expect((await fetch(`${url}/pub?id=big`, { method: 'POST', body: big })).status).toBe(200)
    expect(JSON.parse(String((await message)[0])).text).toBe(big)
    expect(JSON.parse(await (await fetch(`${url}/lp/big.b1`)).text()).text).toBe(big)
    socket.terminate()
  })
})

describe('limits', () => {
  it('answers 413 to a publish that is too large', async () => {
    const { url, server } = await start({ settings: { clientMaxBodySize: 10 } })
    const answer = await fetch(`${url}/pub?id=a`, { method: 'POST', body: 'x'.repeat(11) })
    expect(answer.status).toBe(413)
    expect(server.stats().published).toBe(0)
  })

  it('answers 404 where there is no location, and 400 where there is no path', async () => {
    const { url } = await start()
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
    expect((await fetch(`${url}/ws/a%zz`)).status).toBe(400)
  })

  it('answers 403 to one channel too many', async () => {
    const { url } = await start({ settings: { maxNumberOfChannels: 1 } })
    expect((await fetch(`${url}/pub?id=a`, { method: 'POST', body: 'x' })).status).toBe(200)
    const refused = await fetch(`${url}/pl/b`)
    expect([refused.status, refused.headers.get('x-nginx-pushstream-explain')]).toEqual([
      403,
      'Number of channels were exceeded.',
    ])
  })
})

describe('the life of nginx', () => {
  it('reload() keeps messages and ids', async () => {
    const { server, subscribe } = await start()
    server.publish('a', 'one')
    const before = await subscribe('/ev/a')
    server.reload()
    await before.until(() => before.ended)
    server.publish('a', 'two')
    expect(texts(await subscribe('/pl/a.b9'))).toEqual(['1 a one', '2 a two'])
  })

  it('restart() forgets everything', async () => {
    const { server, subscribe } = await start()
    server.publish('a', 'one')
    const before = await subscribe('/sub/a')
    server.restart()
    await before.until(() => before.ended)
    expect(server.stats()).toMatchObject({ channels: 0, published: 0, stored: 0, subscribers: 0 })
    expect(server.publish('a', 'two')).toMatchObject({ id: 1, tag: 1 })
  })

  it('kill() ends sockets without a word', async () => {
    const { server, subscribe } = await start()
    const waiting = await subscribe('/lp/a')
    server.kill()
    await waiting.until(() => waiting.ended)
    expect(waiting.received).toHaveLength(0)
  })

  it('quit() accepts nothing new and delivers nothing more', async () => {
    const { server, url, subscribe, fence, clock } = await start()
    const waiting = await subscribe('/ev/a')
    server.quit()
    await expect(fetch(`${url}/pl/a`)).rejects.toThrow()
    server.publish('a', 'unheard')
    clock.advance(60_000)
    await fence.pass()
    expect(waiting.received.toString().split('\r\n\r\n').slice(1).join('')).toBe('3\r\n: \n\r\n5\r\n: -1\n\r\n')
  })
})

describe('options', () => {
  it('base and locations put everything elsewhere', async () => {
    const { url } = await start({
      base: '/events',
      locations: [
        { path: '/in', mode: 'publisher', settings: { storeMessages: false } },
        { path: '/out/', mode: 'polling' },
      ],
    })
    await fetch(`${url}/events/in?id=a`, { method: 'POST', body: 'x' })
    expect((await fetch(`${url}/events/out/a.b1`)).status).toBe(304)
    expect((await fetch(`${url}/events/in?id=a`, { method: 'DELETE' })).status).toBe(405)
    expect((await fetch(`${url}/in?id=a`)).status).toBe(404)
  })

  it('unstored messages reach who is there, and take an id and a tag', async () => {
    const { server, subscribe } = await start()
    const there = await subscribe('/ev/a')
    server.publish('a', 'one', { store: false })
    expect(server.publish('a', 'two')).toMatchObject({ id: 2, tag: 2 })
    await there.until(() => texts(there).length === 2)
    expect(texts(await subscribe('/pl/a.b9'))).toEqual(['2 a two'])
  })

  it('several workers give every message to every stable connection', async () => {
    const { server, subscribe, clock } = await start({ workers: 4, seed: 7, reorder: 0.3 })
    const sockets = [await subscribe('/ev/a'), await subscribe('/ev/a')]
    for (let i = 0; i < 50; i++) server.publish('a', `${i}`)
    clock.advance(100)
    for (const socket of sockets) {
      await socket.until(() => texts(socket).length === 50)
      const ids = texts(socket).map((text) => Number.parseInt(text, 10))
      expect(ids).not.toEqual([...ids].sort((a, b) => a - b))
      expect(new Set(ids).size).toBe(50)
    }
  })
})

describe('in your own server', () => {
  it('handler() and upgrade() leave other paths alone', async () => {
    const server = createDevServer()
    const http = createServer((request, response) => {
      if (!server.handler(request, response)) response.end('mine')
    })
    http.on('upgrade', (request, socket, head) => {
      if (!server.upgrade(request, socket, head)) socket.end('HTTP/1.1 418 Mine\r\n\r\n')
    })
    open.push(() => server.close())
    open.push(() => new Promise((resolve) => http.close(resolve)))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const address = `127.0.0.1:${(http.address() as AddressInfo).port}`
    expect(await (await fetch(`http://${address}/`)).text()).toBe('mine')
    expect((await fetch(`http://${address}/pl/a`)).status).toBe(304)
    const other = new WebSocket(`ws://${address}/other`)
    expect(String((await once(other, 'error'))[0])).toContain('418')
    const ours = new WebSocket(`ws://${address}/ws/a`)
    await once(ours, 'open')
    ours.terminate()
  })

  it('handler() answers HTTP/2, too', async () => {
    const server = createDevServer()
    const http = createHttp2Server((request, response) => {
      // Vite types its middlewares for HTTP/1 and passes these all the same.
      server.handler(request as never, response as never)
    })
    open.push(() => server.close())
    open.push(() => new Promise<void>((resolve) => http.close(() => resolve())))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(http.address() as AddressInfo).port}`)
    open.push(() => session.close())
    const stream = session.request({ ':path': '/ev/a' })
    const [headers] = await once(stream, 'response')
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream; charset=utf-8' })
    let text = ''
    stream.on('data', (bytes) => {
      text += bytes
    })
    server.publish('a', 'hello')
    server.reload()
    await once(stream, 'end')
    expect(text).toContain('"text":"hello"')
    const refused = session.request({ ':path': '/pl/ALL' })
    expect((await once(refused, 'response'))[0]).toMatchObject({ ':status': 403 })
    refused.resume()
    const waiting = session.request({ ':path': '/lp/a' })
    waiting.on('error', () => {})
    const alive = session.request({ ':path': '/pl/a' })
    await once(alive, 'response')
    alive.resume()
    server.kill()
    await once(waiting, 'close')
    expect(session.destroyed).toBe(false)
  })
})

describe('close()', () => {
  async function busy(server: DevServer, port: number, fence: Fence): Promise<RawSocket[]> {
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n'
    const requests = ['/sub/a', '/ev/a', '/lp/a', '/ws/a', '/ws/', '/pl/a']
    const sockets: RawSocket[] = []
    for (const path of requests) {
      const socket = await RawSocket.open(port)
      await socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${path.startsWith('/ws') ? upgrade : ''}\r\n`)
      sockets.push(socket)
    }
    const uploading = await RawSocket.open(port)
    await uploading.write('POST /pub?id=a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
    await fence.pass()
    server.publish('b', 'x')
    return [...sockets, uploading]
  }

  it('ends every connection and leaves no timer, whoever is there', async () => {
    const { clock, server, port, fence } = await start({ workers: 4, reorder: 1 })
    const sockets = await busy(server, port, fence)
    expect(clock.pending).toBeGreaterThan(5)
    await server.close()
    for (const socket of sockets) await socket.until(() => socket.ended)
    expect(sockets.map((socket) => socket.ended)).not.toContain(false)
    expect(clock.pending).toBe(0)
    for (const socket of sockets) socket.close()
  })

  it('does so after quit(), too, and twice', async () => {
    const { clock, server, port, fence } = await start()
    const sockets = await busy(server, port, fence)
    server.quit()
    await server.close()
    await server.close()
    for (const socket of sockets) await socket.until(() => socket.ended)
    expect(sockets.map((socket) => socket.ended)).not.toContain(false)
    expect(clock.pending).toBe(0)
    for (const socket of sockets) socket.close()
  })

  it('leaves alone who came by another server of the same store', async () => {
    const { server, subscribe, clock } = await start()
    const other = createDevServer({ clock, store: server.store })
    await other.listen(0)
    const waiting = await subscribe('/ev/a')
    await other.close()
    server.publish('a', 'still here')
    await waiting.until(() => texts(waiting).length === 1)
  })

  it('forgets who went away', async () => {
    const { server, subscribe, fence } = await start()
    const sockets = [await subscribe('/ev/a'), await subscribe('/lp/a'), await subscribe('/sub/a')]
    expect(server.stats().subscribers).toBe(3)
    for (const socket of sockets) socket.close()
    await fence.pass()
    expect(server.stats().subscribers).toBe(0)
  })
})

describe('large_client_header_buffers', () => {
  // As nginx 1.22.1 with `4 8k` answers: 8192 bytes with the line end still fit.
  it.each([
    [8192, 200],
    [8193, 414],
  ])('a request line of %i bytes → %i', async (bytes, status) => {
    const { url } = await start()
    const rest = 'GET /pl/ HTTP/1.1\r\n'.length
    const name = `${'x'.repeat(99)}/`.repeat(100).slice(0, bytes - rest - 1)
    const { status: answered } = await fetch(`${url}/pl/${name}y`)
    expect(answered === 304 ? 200 : answered).toBe(status)
  })

  it.each([
    [8192, 304],
    [8193, 400],
  ])('a header of %i bytes → %i', async (bytes, status) => {
    const { url } = await start()
    const value = 'y'.repeat(bytes - 'X-Big: \r\n'.length)
    expect((await fetch(`${url}/pl/a`, { headers: { 'X-Big': value } })).status).toBe(status)
  })

  it('a websocket with a longer request line → 414, no socket', async () => {
    const { url } = await start({ settings: { largeClientHeaderBuffers: '4 1k' } })
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${'x/'.repeat(600)}`)
    const [, response] = await once(socket, 'unexpected-response')
    expect([response.statusCode, response.headers.connection]).toEqual([414, 'close'])
  })
})

describe('channelsPath', () => {
  it('shop_$1 → the first of several channels has another name, for publishers and subscribers', async () => {
    const { server, url } = await start({ settings: { channelsPath: 'shop_$1' } })
    const answer = await fetch(`${url}/pub?id=a/b`, { method: 'POST', body: 'x' })
    expect((await answer.text()).match(/"channel": "[^"]*"/g)).toEqual(['"channel": "shop_a"', '"channel": "b"'])
    server.publish('shop_a', 'y')
    expect(await (await fetch(`${url}/pl/a.b1`)).text()).toContain('"channel":"shop_a","text":"y"')
  })
})
