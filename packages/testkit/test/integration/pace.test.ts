import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createManualClock, type FaultProxy, type ManualClock } from '../../src/index.js'
import { cleanup, proxyTo, rawClient, turns, webServer, within } from './harness.js'

async function slow(handler?: Parameters<typeof webServer>[0]): Promise<{ clock: ManualClock; proxy: FaultProxy }> {
  const clock = createManualClock()
  const server = await webServer(handler)
  return { clock, proxy: await proxyTo(server.url, { clock }) }
}

describe('delay', () => {
  test('each direction takes its time', async () => {
    const { clock, proxy } = await slow()
    proxy.delay(100)
    const client = await rawClient(proxy)
    client.get('/')
    await turns(() => proxy.requests.length === 1)
    await clock.advance(99)
    expect(proxy.stats.bytesFromServer).toBe(0)
    await clock.advance(1)
    await turns(() => proxy.stats.bytesFromServer > 0)
    await clock.advance(99)
    expect(client.bytes).toBe(0)
    await clock.advance(1)
    await within(client.untilText('hello'), 'answer')
  })

  test('a shorter delay lets nothing overtake', async () => {
    const { clock, proxy } = await slow((req, res) => {
      res.write('first ')
      req.on('data', (data) => res.end(String(data)))
    })
    const client = await rawClient(proxy)
    client.send('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\nConnection: close\r\n\r\n')
    await client.untilText('first')
    proxy.delay(1000)
    client.send('sec')
    await turns(() => clock.pending === 1)
    proxy.delay(0)
    client.send('ond')
    const sent = proxy.stats.bytesFromClients + 3
    await turns(() => proxy.stats.bytesFromClients >= sent)
    await clock.advance(999)
    expect(client.text).not.toContain('sec')
    await clock.advance(1)
    await within(
      client.until(() => client.ended),
      'answer',
    )
    expect(client.text).toMatch(/first[\s\S]*sec/)
  })

  test('applies to an open websocket', async () => {
    const { clock, proxy } = await slow()
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}`)
    cleanup(() => socket.terminate())
    await once(socket, 'open')
    proxy.delay(50)
    const heard: string[] = []
    socket.on('message', (data) => heard.push(String(data)))
    for (const word of ['a', 'b', 'c']) socket.send(word)
    await turns(() => clock.pending === 1)
    await clock.advance(50)
    await turns(() => clock.pending === 1)
    expect(heard).toEqual([])
    const message = once(socket, 'message')
    await clock.advance(50)
    await within(message, 'echo')
    await turns(() => heard.length === 3)
    expect(heard).toEqual(['a', 'b', 'c'])
  })

  test('an end is as late as the bytes before it', async () => {
    const { clock, proxy } = await slow((_, res) => res.end('bye'))
    const client = await rawClient(proxy)
    client.send('GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n')
    proxy.delay(10)
    await turns(() => clock.pending > 0)
    await clock.advance(10)
    await turns(() => clock.pending > 0)
    expect(client.ended).toBe(false)
    await clock.advance(10)
    await within(
      client.until(() => client.ended),
      'end',
    )
    expect(client.text).toContain('bye')
  })
})

describe('throttle', () => {
  test('so many bytes a second and no more', async () => {
    const { clock, proxy } = await slow((_, res) => res.end('x'.repeat(5000)))
    const client = await rawClient(proxy)
    client.get('/')
    await within(
      client.until(() => client.bytes > 5000),
      'unthrottled',
    )
    const length = client.bytes

    proxy.throttle(1000)
    client.get('/')
    await turns(() => proxy.stats.bytesFromServer === 2 * length)
    // What came at once, and then a second's worth.
    await turns(() => client.bytes >= length + 50)
    await clock.advance(1000)
    await turns(() => client.bytes >= length + 1000)
    expect(client.bytes).toBeLessThanOrEqual(length + 1150)

    proxy.throttle(Number.POSITIVE_INFINITY)
    await within(
      client.until(() => client.bytes === 2 * length),
      'the rest at once',
    )
    expect(clock.pending).toBe(0)
  })

  test('the server has to wait, instead of the proxy hoarding what it sends', async () => {
    const clock = createManualClock()
    const server = await webServer((req, res) => res.end(req.url === '/big' ? Buffer.alloc(32 * 1024 * 1024) : 'small'))
    const proxy = await proxyTo(server.url, { clock })
    const client = await rawClient(proxy)
    proxy.throttle(1000)
    client.get('/big')
    await turns(() => clock.pending > 0)
    await clock.advance(1000)
    await turns(() => proxy.stats.bytesFromServer > 1024 * 1024)
    for (let i = 0; i < 20; i++) await (await fetch(server.url)).text()
    expect(proxy.stats.bytesFromServer).toBeLessThan(4 * 1024 * 1024)
  })

  test('a client that leaves while the server waits lets the server go', async () => {
    const server = await webServer((_, res) => res.end(Buffer.alloc(32 * 1024 * 1024)))
    const proxy = await proxyTo(server.url)
    const incoming = once(server.server, 'connection')
    const client = await rawClient(proxy)
    const [inside] = await incoming
    const gone = new Promise((resolve) => inside.once('close', resolve))
    client.socket.pause()
    client.get('/')
    await turns(() => proxy.stats.bytesFromServer > 1024 * 1024)
    client.socket.resetAndDestroy()
    await within(gone, 'the server sees it')
    await turns(() => proxy.connections === 0)
  })

  test('a rate below a byte a tick still flows', async () => {
    const { clock, proxy } = await slow()
    const client = await rawClient(proxy)
    await client.get('/').untilText('hello')
    const before = client.bytes
    const up = proxy.stats.bytesFromServer
    client.get('/')
    await turns(() => proxy.stats.bytesFromServer > up)
    await turns(() => client.bytes > before)
    proxy.throttle(2)
    const half = client.bytes
    client.get('/')
    await clock.advance(60_000)
    await turns(() => client.bytes > half)
    proxy.throttle(Number.POSITIVE_INFINITY)
    await within(
      client.until(() => client.bytes === 3 * before),
      'all',
    )
  })

  test('nonsense is refused with a hint', async () => {
    const { proxy } = await slow()
    expect(() => proxy.throttle(0)).toThrow(RangeError)
    expect(() => proxy.delay(-1)).toThrow(RangeError)
    expect(() => proxy.cutEvery(0)).toThrow(RangeError)
    expect(() => proxy.holdUntil(Number.NaN)).toThrow(RangeError)
  })
})
