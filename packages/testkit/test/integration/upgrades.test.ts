import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { cleanup, expectPending, proxyTo, rawClient, webServer, within } from './harness.js'

function open(port: number): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  cleanup(() => socket.terminate())
  socket.on('error', () => {})
  return socket
}

async function answerOf(socket: WebSocket): Promise<IncomingMessage> {
  const [, response] = (await within(once(socket, 'unexpected-response'), 'answer')) as [unknown, IncomingMessage]
  response.resume()
  return response
}

test('swallow: the server sees a plain GET', async () => {
  const seen: IncomingMessage['headers'][] = []
  const server = await webServer((req, res) => {
    seen.push(req.headers)
    res.writeHead(400, { 'x-by': 'server' }).end('no upgrade here')
  })
  const proxy = await proxyTo(server.url)
  proxy.upgrades('swallow')
  const response = await answerOf(open(proxy.port))
  expect(response.statusCode).toBe(400)
  expect(response.headers['x-by']).toBe('server')
  expect(seen).toHaveLength(1)
  expect(seen[0]).not.toHaveProperty('upgrade')
  expect(seen[0]?.connection).toBeUndefined()
  expect(seen[0]).toHaveProperty('sec-websocket-key')
  expect(proxy.requests).toMatchObject([{ path: '/ws', upgrade: true }])
})

test('hang: never forwarded, never answered, the connection stays', async () => {
  const server = await webServer()
  let upgrades = 0
  server.server.on('upgrade', () => upgrades++)
  const proxy = await proxyTo(server.url)
  proxy.upgrades('hang')
  const socket = open(proxy.port)
  const outcome = Promise.race([once(socket, 'open'), once(socket, 'close'), once(socket, 'unexpected-response')])
  await within(once(proxy, 'request'), 'request')
  await (await fetch(proxy.url)).text()
  await expectPending(outcome)
  expect(upgrades).toBe(0)
  const closed = new Promise((resolve) => proxy.once('closed', resolve))
  socket.terminate()
  expect(await within(closed, 'closed')).toMatchObject({ by: 'client' })
})

test.each([403, 404, 426])('status %i: refused by the proxy', async (status) => {
  const server = await webServer()
  let upgrades = 0
  server.server.on('upgrade', () => upgrades++)
  const proxy = await proxyTo(server.url)
  proxy.upgrades({ status })
  const response = await answerOf(open(proxy.port))
  expect(response.statusCode).toBe(status)
  expect(response.headers.upgrade).toBe(status === 426 ? 'websocket' : undefined)
  expect(upgrades).toBe(0)
  expect(await (await fetch(proxy.url)).text()).toBe('hello')
})

test('pass again: later sockets work, and one open meanwhile never noticed', async () => {
  const server = await webServer()
  const proxy = await proxyTo(server.url)
  const before = open(proxy.port)
  await within(once(before, 'open'), 'open')
  proxy.upgrades({ status: 403 })
  before.send('still there')
  const [echo] = await within(once(before, 'message'), 'echo')
  expect(String(echo)).toBe('still there')
  proxy.upgrades('pass')
  await within(once(open(proxy.port), 'open'), 'open again')
})

test('an upgrade that the server refuses leaves a connection that still speaks http', async () => {
  const server = await webServer((req, res) => res.end(`plain ${req.url}`))
  server.server.removeAllListeners('upgrade')
  const proxy = await proxyTo(server.url)
  const client = await rawClient(proxy)
  client.send('GET /one HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n')
  await within(client.untilText('plain /one'), 'first')
  await within(client.get('/two').untilText('plain /two'), 'second')
  expect(proxy.requests.map(({ path, upgrade }) => [path, upgrade])).toEqual([
    ['/one', true],
    ['/two', false],
  ])
})
