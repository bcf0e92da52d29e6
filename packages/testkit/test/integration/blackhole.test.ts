import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { cleanup, expectPending, proxyTo, RawClient, rawClient, turns, webServer, within } from './harness.js'

/** A server whose `/stream` goes on when told to, and that counts what it was asked. */
async function streaming() {
  const streams: import('node:http').ServerResponse[] = []
  const asked: string[] = []
  const server = await webServer((req, res) => {
    asked.push(req.url ?? '')
    if (req.url === '/stream') streams.push(res)
    if (req.url === '/stream') res.write('begun')
    else res.end('hello')
  })
  return { ...server, asked, say: (text: string) => streams.map((res) => res.write(text)) }
}

describe('blackhole', () => {
  test('bytes vanish both ways on an open connection, which stays open', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    await client.get('/stream').untilText('begun')

    proxy.blackhole(true)
    let swallowed = once(proxy, 'swallowed')
    server.say(' lost')
    expect((await within(swallowed, 'loss'))[0]).toMatchObject({ id: 1, from: 'server' })
    swallowed = once(proxy, 'swallowed')
    client.get('/other')
    expect((await within(swallowed, 'loss'))[0]).toMatchObject({ id: 1, from: 'client' })

    expect(client.text).not.toContain('lost')
    expect(client.socket.closed || client.ended).toBe(false)
    expect(server.asked).toEqual(['/stream'])
    expect(proxy.connections).toBe(1)
    expect(proxy.stats.bytesSwallowed).toBeGreaterThan(5)
  })

  test('new connections are accepted and get no answer; the server never hears of them', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    proxy.blackhole(true)
    const client = await rawClient(proxy)
    const swallowed = once(proxy, 'swallowed')
    client.get('/')
    await within(swallowed, 'loss')
    expect(server.asked).toEqual([])
    expect(client.bytes).toBe(0)
    expect(proxy.requests).toEqual([])
  })

  test('after it, old connections stay silent and new ones work', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const old = await rawClient(proxy)
    await old.get('/stream').untilText('begun')
    proxy.blackhole(true)
    proxy.blackhole(false)

    const swallowed = once(proxy, 'swallowed')
    server.say(' more')
    await within(swallowed, 'loss')
    expect(old.text).not.toContain('more')
    await within((await rawClient(proxy)).get('/').untilText('hello'), 'a new one')
  })

  test('endings vanish too: the server still believes in a client that left', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const incoming = once(server.server, 'connection')
    const client = await rawClient(proxy)
    const [inside] = await incoming
    await client.get('/stream').untilText('begun')
    proxy.blackhole(true)
    const closed = once(proxy, 'closed')
    client.socket.end()
    expect(await within(closed, 'closed')).toEqual([{ id: 1, by: 'client' }])
    expect(proxy.connections).toBe(0)
    const gone = new Promise((resolve) => inside.once('close', resolve))
    // A round trip to the server proves that its loop had time to see an end, had there been one.
    await fetch(server.url)
    await expectPending(gone)
    proxy.cut()
    await within(gone, 'cut frees the server')
  })

  test('an end of the server is not heard by the client', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    await client.get('/stream').untilText('begun')
    proxy.blackhole(true)
    server.server.closeAllConnections()
    await within(new Promise<void>((resolve) => server.server.close(() => resolve())), 'the server is gone')
    expect(client.ended || client.socket.closed).toBe(false)
  })

  test('a websocket goes half-open', async () => {
    const server = await webServer()
    const proxy = await proxyTo(server.url)
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}`)
    cleanup(() => socket.terminate())
    await once(socket, 'open')
    const heard: string[] = []
    socket.on('message', (data) => heard.push(String(data)))
    proxy.blackhole(true)
    const swallowed = once(proxy, 'swallowed')
    socket.send('anyone?')
    await within(swallowed, 'loss')
    expect(socket.readyState).toBe(WebSocket.OPEN)
    expect(heard).toEqual([])
  })

  test('hold keeps everything and delivers it in order afterwards, to old and new connections', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const old = await rawClient(proxy)
    await old.get('/stream').untilText('begun')
    proxy.blackhole(true, { hold: true })
    const young = new RawClient(proxy.port)
    young.get('/young')
    const before = proxy.stats.bytesFromServer
    server.say(' one')
    server.say(' two')
    await turns(() => proxy.stats.bytesFromServer > before)
    expect(old.text).not.toContain('one')
    expect(server.asked).toEqual(['/stream'])

    proxy.blackhole(false)
    await within(old.untilText('two'), 'the old one')
    expect(old.text.indexOf('one')).toBeLessThan(old.text.indexOf('two'))
    await within(young.untilText('hello'), 'the young one')
    expect(proxy.stats.bytesSwallowed).toBe(0)
  })

  test('hold delivers an ending afterwards as well', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    await client.get('/stream').untilText('begun')
    proxy.blackhole(true, { hold: true })
    const before = proxy.stats.bytesFromServer
    server.say(' last words')
    await turns(() => proxy.stats.bytesFromServer > before)
    server.server.closeAllConnections()
    await new Promise((resolve) => server.server.close(resolve))
    expect(client.ended || client.socket.closed).toBe(false)
    proxy.blackhole(false)
    await within(client.untilText('last words'), 'what was held')
    await within(
      client.until(() => client.ended || client.error !== undefined),
      'the end',
    )
  })

  test('held bytes are lost when hold turns into loss', async () => {
    const server = await streaming()
    const proxy = await proxyTo(server.url)
    const client = await rawClient(proxy)
    await client.get('/stream').untilText('begun')
    proxy.blackhole(true, { hold: true })
    client.get('/held')
    const before = proxy.stats.bytesFromClients
    await turns(() => proxy.stats.bytesFromClients > before)
    proxy.blackhole(true)
    expect(proxy.stats.bytesSwallowed).toBeGreaterThan(10)
    proxy.blackhole(false)
    await (await fetch(proxy.url)).text()
    expect(server.asked).toEqual(['/stream', '/'])
  })
})
