import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createGate, createScriptedServer, type SocketEnd, type SocketScript } from '../../src/index.js'
import { cleanup, expectPending, handles, RawClient, turns, within } from './harness.js'

async function serve(script: SocketScript) {
  const server = createScriptedServer()
  cleanup(() => server.close())
  const { wsUrl, port } = await server.listen()
  server.onUpgrade('/ws/*', script)
  return { server, wsUrl, port }
}

function connect(wsUrl: string, path = '/ws/a') {
  const socket = new WebSocket(wsUrl + path)
  cleanup(() => socket.terminate())
  const heard: (string | Buffer)[] = []
  let error: Error | undefined
  socket.on('error', (reason) => {
    error = reason
  })
  socket.on('message', (data: Buffer, binary) => heard.push(binary ? data : String(data)))
  const end = new Promise<SocketEnd>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  return { socket, heard, end: within(end, 'close'), error: () => error }
}

test('101, then close with code and reason', async () => {
  const { server, wsUrl } = await serve((socket) => socket.close(1008, '{"http_status": 403}'))
  const client = connect(wsUrl)
  let opened = false
  client.socket.on('open', () => {
    opened = true
  })
  expect(await client.end).toEqual({ code: 1008, reason: '{"http_status": 403}' })
  expect(opened).toBe(true)
  expect(server.requests).toMatchObject([{ method: 'GET', path: '/ws/a', upgrade: true, matched: true }])
})

test('an empty close frame', async () => {
  const { wsUrl } = await serve((socket) => socket.close())
  expect(await connect(wsUrl).end).toEqual({ code: 1005, reason: '' })
})

test('text and binary frames, and a ping', async () => {
  const { wsUrl } = await serve(async (socket) => {
    await socket.send('text é')
    await socket.send(new Uint8Array([0, 255]))
    socket.ping()
  })
  const client = connect(wsUrl)
  await within(once(client.socket, 'ping'), 'ping')
  expect(client.heard).toEqual(['text é', Buffer.from([0, 255])])
})

test('messages of the client, until it closes', async () => {
  const ended = createGate()
  const heard: unknown[] = []
  let end: SocketEnd | undefined
  const { wsUrl } = await serve(async (socket) => {
    socket.accept()
    for (let i = 0; i < 3; i++) heard.push(await socket.nextMessage())
    end = await socket.closed
    ended.open()
  })
  const client = connect(wsUrl)
  await once(client.socket, 'open')
  client.socket.send('one')
  client.socket.send(Buffer.from([2]))
  client.socket.close(4001, 'enough')
  await within(ended.opened, 'the end')
  expect(heard).toEqual(['one', Buffer.from([2]), undefined])
  expect(end).toEqual({ code: 4001, reason: 'enough' })
})

test('the connection ends without a close frame', async () => {
  for (const how of ['rst', 'fin'] as const) {
    const { wsUrl } = await serve((socket) => {
      socket.accept()
      socket.cut({ how })
    })
    expect((await connect(wsUrl).end).code).toBe(1006)
  }
})

test.each([10, 1000, 70_000])('half a frame of %i characters, then cut', async (length) => {
  const { wsUrl } = await serve(async (socket) => {
    await socket.send('whole')
    await socket.sendHalf('x'.repeat(length))
    socket.cut({ how: 'fin' })
  })
  const client = connect(wsUrl)
  expect((await client.end).code).toBe(1006)
  expect(client.heard).toEqual(['whole'])
})

test('garbage where a frame should be', async () => {
  const { wsUrl } = await serve(async (socket) => {
    socket.accept()
    await socket.raw(Buffer.from([0xff, 0xff, 0xff]))
  })
  const client = connect(wsUrl)
  await client.end
  expect(client.error()?.message).toMatch(/Invalid WebSocket frame/)
})

test('an http status instead of 101; 404 where there is no script', async () => {
  const { server, wsUrl } = await serve((socket) => socket.reject(503, { 'Retry-After': '3' }, 'later'))
  const refused = connect(wsUrl)
  const [, answer] = await within(once(refused.socket, 'unexpected-response'), 'answer')
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '3'])
  const unknown = connect(wsUrl, '/other')
  const [, missing] = await within(once(unknown.socket, 'unexpected-response'), 'answer')
  expect(missing.statusCode).toBe(404)
  expect(server.requests.at(-1)).toMatchObject({ path: '/other', matched: false })
})

test('no answer to the handshake', async () => {
  const { server, wsUrl, port } = await serve(() => {})
  const client = connect(wsUrl)
  const opened = once(client.socket, 'open')
  opened.catch(() => {})
  await server.nextRequest('/ws/*')
  await fetch(`http://127.0.0.1:${port}/round-trip`)
  await expectPending(opened)
  expect(client.socket.readyState).toBe(WebSocket.CONNECTING)
})

test('onceUpgrade comes before onUpgrade', async () => {
  const { server, wsUrl } = await serve((socket) => socket.close(1001))
  server.onceUpgrade('*', (socket) => socket.close(1012, 'restart'))
  expect((await connect(wsUrl).end).code).toBe(1012)
  expect((await connect(wsUrl).end).code).toBe(1001)
})

test('close leaves no socket and no handle', async () => {
  const before = handles()
  const server = createScriptedServer()
  const { wsUrl, port } = await server.listen()
  const messages: unknown[] = []
  const done = createGate()
  server.onUpgrade('/ws/*', async (socket) => {
    messages.push(await socket.nextMessage())
    done.open()
  })
  server.on('/never', () => {})
  server.on('/slow', async (exchange) => {
    exchange.respond(200)
    await exchange.dribble('slow', { every: 60_000 })
  })
  const client = connect(wsUrl)
  await once(client.socket, 'open')
  const raws = ['/never', '/slow'].map((path) => new RawClient(port).get(path))
  await server.nextRequest('/never')
  await server.nextRequest('/slow')
  expect(server.connections).toBe(3)
  expect(handles()).toBeGreaterThan(before)
  await within(server.close(), 'close')
  await within(done.opened, 'the waiting script goes on')
  expect(messages).toEqual([undefined])
  expect(server.connections).toBe(0)
  for (const raw of raws) raw.socket.destroy()
  client.socket.terminate()
  await client.end
  await turns(() => handles() <= before)
})
