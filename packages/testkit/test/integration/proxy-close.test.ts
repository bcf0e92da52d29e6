import { once } from 'node:events'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createFaultProxy, createManualClock } from '../../src/index.js'
import { cleanup, handles, proxyTo, rawClient, turns, webServer, within } from './harness.js'

test('close leaves no timer and no socket, whatever fault was on', async () => {
  const server = await webServer((_, res) => res.write('begun'))
  const before = handles()
  const proxy = createFaultProxy({ target: server.url })
  await proxy.listen()
  proxy.cutEvery(60_000)
  const silent = await rawClient(proxy)
  await silent.get('/').untilText('begun')
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}`)
  await once(socket, 'open')
  proxy.upgrades('hang')
  socket.on('error', () => {})
  const hanging = new WebSocket(`ws://127.0.0.1:${proxy.port}`)
  hanging.on('error', () => {})
  await once(proxy, 'request')
  proxy.delay(60_000)
  proxy.throttle(1)
  proxy.holdUntil(1024)
  const late = await rawClient(proxy)
  late.get('/late')
  await within(once(proxy, 'request'), 'request')
  proxy.blackhole(true)
  const lost = await rawClient(proxy)
  proxy.blackhole(true, { hold: true })
  const held = await rawClient(proxy)
  expect(handles()).toBeGreaterThan(before)

  const gone = [silent, late, lost, held].map((client) => client.closed())
  const closed = [socket, hanging].map((each) => new Promise((resolve) => each.once('close', resolve)))
  await within(proxy.close(), 'close')
  expect(proxy.connections).toBe(0)
  await within(Promise.all([...gone, ...closed]), 'the clients')
  server.server.closeAllConnections()
  await turns(() => handles() <= before)
})

test('every timer is cleared on the injected clock', async () => {
  const clock = createManualClock()
  const server = await webServer()
  const proxy = await proxyTo(server.url, { clock })
  proxy.cutEvery(1000)
  proxy.delay(1000)
  const client = await rawClient(proxy)
  client.get('/')
  await within(once(proxy, 'request'), 'request')
  expect(clock.pending).toBe(2)
  await within(proxy.close(), 'close')
  expect(clock.pending).toBe(0)
})

test('a second close is harmless, listening after it is refused', async () => {
  const server = await webServer()
  const proxy = await proxyTo(server.url)
  await Promise.all([proxy.close(), proxy.close()])
  await proxy.close()
  await proxy.refuse(false)
  await expect(proxy.listen()).rejects.toThrow(/closed/)
})

test('listening twice, or on a port that is taken, says so', async () => {
  const server = await webServer()
  const proxy = await proxyTo(server.url)
  await expect(proxy.listen()).rejects.toThrow(/already listens/)
  const other = createFaultProxy({ target: server.url })
  cleanup(() => other.close())
  await expect(other.listen(server.port)).rejects.toThrow(/EADDRINUSE/)
  await other.listen()
})
