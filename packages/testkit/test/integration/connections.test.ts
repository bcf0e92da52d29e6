import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createManualClock } from '../../src/index.js'
import { cleanup, proxyTo, RawClient, rawClient, webServer, within } from './harness.js'
import { tcpEcho } from './tcp-echo.js'

describe('passing on', () => {
  test('http and websockets come through, and are recorded', async () => {
    const server = await webServer((req, res) => res.end(`you asked ${req.url}`))
    const proxy = await proxyTo(server.url)
    const answer = await fetch(`${proxy.url}/a?b=1`)
    expect(await answer.text()).toBe('you asked /a?b=1')

    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`)
    cleanup(() => socket.terminate())
    await once(socket, 'open')
    socket.send('ping')
    const [echo] = await once(socket, 'message')
    expect(String(echo)).toBe('ping')

    expect(proxy.requests.map(({ method, path, upgrade }) => [method, path, upgrade])).toEqual([
      ['GET', '/a?b=1', false],
      ['GET', '/ws', true],
    ])
    expect(proxy.stats).toMatchObject({ requests: 2, accepted: 2 })
    expect(proxy.stats.bytesFromServer).toBeGreaterThan(100)
  })

  test('requests on one connection are told apart, whatever their bodies hold', async () => {
    const server = await webServer((req, res) => req.resume().on('end', () => res.end(req.method)))
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    client.send('POST /one HTTP/1.1\r\nHost: t\r\nContent-Length: 23\r\n\r\nGET /no HTTP/1.1\r\n\r\n...')
    client.send(
      'POST /two HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n14\r\nGET /no HTTP/1.1\r\n\r\n\r\n0\r\n\r\n',
    )
    client.send('GET /thr')
    client.send('ee HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n')
    await within(
      client.until(() => client.ended),
      'end of the answers',
    )
    expect(proxy.requests.map(({ path }) => path)).toEqual(['/one', '/two', '/three'])
  })

  test('what is not http comes through untouched, both ways', async () => {
    const { server } = await tcpEcho()
    const proxy = await proxyTo(server)
    const client = await rawClient(proxy)
    client.send('\x16\x03\x01 not http at all')
    await within(client.untilText('at all'), 'echo')
    expect(client.text).toBe('\x16\x03\x01 not http at all')
    expect(proxy.requests).toEqual([])
    client.socket.end()
    await within(
      client.until(() => client.ended),
      'the end, echoed',
    )
  })

  test('megabytes arrive complete although the reader is slow', async () => {
    const big = Buffer.alloc(8 * 1024 * 1024, 'x')
    const server = await webServer((_, res) => res.end(big))
    const proxy = await proxyTo(server.url)
    const body = (await fetch(proxy.url)).body!
    let size = 0
    for await (const part of body) {
      size += part.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(size).toBe(big.length)
  })
})

describe('cut', () => {
  test('resets every connection and counts them', async () => {
    const server = await webServer((_, res) => res.write('begun'))
    const proxy = await proxyTo(server.url)
    const clients = [await rawClient(proxy), await rawClient(proxy)]
    for (const client of clients) await client.get('/').untilText('begun')
    expect(proxy.connections).toBe(2)
    expect(proxy.cut()).toBe(2)
    for (const client of clients) {
      await within(client.closed(), 'reset')
      expect(client.error?.code).toBe('ECONNRESET')
    }
    expect(proxy.cut()).toBe(0)
    expect(await (await fetchHead(proxy.url)).status).toBe(200)
  })

  test('ends in good order with fin', async () => {
    const server = await webServer((_, res) => res.write('begun'))
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    await client.get('/').untilText('begun')
    const closed = once(proxy, 'closed')
    expect(proxy.cut({ how: 'fin' })).toBe(1)
    await within(
      client.until(() => client.ended),
      'fin',
    )
    expect(client.error).toBeUndefined()
    client.socket.end()
    expect(await within(closed, 'closed')).toEqual([{ id: 1, by: 'proxy' }])
  })

  test('every so often, by the clock, until stopped', async () => {
    const clock = createManualClock()
    const server = await webServer((_, res) => res.write('begun'))
    const proxy = await proxyTo(server.url, { clock })
    const stop = proxy.cutEvery(1000)
    for (let round = 0; round < 2; round++) {
      const client = await rawClient(proxy)
      await client.get('/').untilText('begun')
      await clock.advance(999)
      expect(client.socket.closed).toBe(false)
      await clock.advance(1)
      await within(client.closed(), 'reset')
    }
    stop()
    expect(clock.pending).toBe(0)
  })
})

describe('who ended it', () => {
  test('the client, the server', async () => {
    const server = await webServer((_, res) => res.write('begun'))
    const proxy = await proxyTo(server.url)
    const one = await rawClient(proxy)
    await one.get('/').untilText('begun')
    let closed = once(proxy, 'closed')
    one.socket.end()
    expect(await within(closed, 'closed')).toEqual([{ id: 1, by: 'client' }])

    const two = await rawClient(proxy)
    await two.get('/').untilText('begun')
    closed = once(proxy, 'closed')
    server.server.closeAllConnections()
    await within(
      two.until(() => two.ended),
      'end',
    )
    two.socket.end()
    expect(await within(closed, 'closed')).toEqual([{ id: 2, by: 'server' }])
    expect(proxy.connections).toBe(0)
  })

  test('a reset by either side reaches the other as a reset', async () => {
    const server = await webServer((req, res) => {
      res.write('begun')
      if (req.url === '/reset') req.socket.resetAndDestroy()
    })
    const proxy = await proxyTo(server.url)
    const one = await rawClient(proxy)
    one.get('/reset')
    await within(one.closed(), 'reset')
    expect(one.error?.code).toBe('ECONNRESET')

    const incoming = once(server.server, 'connection')
    const two = await rawClient(proxy)
    const [inside] = await incoming
    await two.get('/').untilText('begun')
    const failed = new Promise((resolve) => inside.once('close', resolve))
    two.socket.resetAndDestroy()
    expect(await within(failed, 'the server sees it')).toBe(true)
  })

  test('a server that is not there resets the client', async () => {
    const server = await webServer()
    const proxy = await proxyTo({ port: server.port })
    await new Promise((resolve) => server.server.close(resolve))
    const client = new RawClient(proxy.port)
    await within(client.closed(), 'reset')
    expect(client.error?.code).toBe('ECONNRESET')
  })
})

describe('new connections', () => {
  test('reset: accepted, then reset, while the open ones live on', async () => {
    const server = await webServer()
    const proxy = await proxyTo(server.url)
    const old = await rawClient(proxy)
    proxy.reset()
    const client = new RawClient(proxy.port)
    await within(client.closed(), 'reset')
    expect(client.error?.code).toBe('ECONNRESET')
    await within(old.get('/').untilText('hello'), 'the old one')
    proxy.reset(false)
    await within((await rawClient(proxy)).get('/').untilText('hello'), 'a new one')
    expect(proxy.stats.accepted).toBe(3)
  })

  test('refuse: no one listens, then again on the same port', async () => {
    const server = await webServer()
    const proxy = await proxyTo(server.url)
    const { port } = proxy
    const old = await rawClient(proxy)
    await proxy.refuse(true)
    const client = new RawClient(port)
    await within(client.closed(), 'refusal')
    expect(client.error?.code).toBe('ECONNREFUSED')
    await within(old.get('/').untilText('hello'), 'the old one')
    await proxy.refuse(false)
    expect(proxy.port).toBe(port)
    expect(await (await fetchHead(proxy.url)).status).toBe(200)
  })

  test('setTarget: later connections go elsewhere, open ones stay', async () => {
    const first = await webServer((_, res) => res.end('first'))
    const second = await webServer((_, res) => res.end('second'))
    const proxy = await proxyTo(first.url)
    const old = await rawClient(proxy)
    proxy.setTarget({ port: second.port })
    await within((await rawClient(proxy)).get('/').untilText('second'), 'second')
    await within(old.get('/').untilText('first'), 'first')
  })
})

async function fetchHead(url: string): Promise<Response> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  await response.body?.cancel()
  return response
}
