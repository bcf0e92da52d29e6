import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { cleanup, proxyTo, type RawClient, rawClient, turns, webServer, within } from './harness.js'

const K = 1024

/** `/stream` stays open and is written to by the test; everything else is short and complete. */
async function buffered(bytes: number, options?: { head?: 'hold' | 'pass' }) {
  const streams: ServerResponse[] = []
  const server = await webServer((req, res) => {
    if (req.url === '/stream') streams.push(res)
    else if (req.url === '/empty') res.writeHead(204).end()
    else if (req.url === '/304') res.writeHead(304, { etag: 'W/0' }).end()
    else if (req.url === '/length') res.writeHead(200, { 'content-length': 5 }).end('short')
    else res.end('short')
  })
  const proxy = await proxyTo(server.url)
  proxy.holdUntil(bytes, options)
  const open = async () => {
    const client = await rawClient(proxy)
    client.get('/stream')
    await turns(() => streams.length > 0)
    return { client, stream: streams.at(-1)! }
  }
  return { ...server, proxy, open }
}

/** Write, and wait until the proxy has it. */
async function write(proxy: { stats: { bytesFromServer: number } }, stream: ServerResponse, size: number) {
  const before = proxy.stats.bytesFromServer
  stream.write('x'.repeat(size))
  await turns(() => proxy.stats.bytesFromServer >= before + size)
}

/** A round trip on another connection: anything let through before has arrived by now. */
async function roundTrip(url: string): Promise<void> {
  await (await fetch(url)).text()
}

const count = (client: RawClient) => client.text.split('x').length - 1

describe('holdUntil', () => {
  test('an endless response waits until enough is there, and again', async () => {
    const { proxy, open } = await buffered(64 * K)
    const { client, stream } = await open()
    await write(proxy, stream, 63 * K)
    await roundTrip(proxy.url)
    expect(client.bytes).toBe(0)
    await write(proxy, stream, K)
    await within(
      client.until(() => count(client) === 64 * K),
      'the first buffer',
    )
    await write(proxy, stream, 10)
    await roundTrip(proxy.url)
    expect(count(client)).toBe(64 * K)
    await write(proxy, stream, 64 * K - 10)
    await within(
      client.until(() => count(client) === 128 * K),
      'the second',
    )
  })

  test('framing does not count as content', async () => {
    const { proxy, open } = await buffered(10)
    const { client, stream } = await open()
    for (let i = 0; i < 9; i++) await write(proxy, stream, 1)
    await roundTrip(proxy.url)
    expect(client.bytes).toBe(0)
    await write(proxy, stream, 1)
    await within(
      client.until(() => count(client) === 10),
      'ten',
    )
  })

  test.each(['/length', '/chunked'])('a short answer is complete at once: %s', async (path) => {
    const { proxy } = await buffered(64 * K)
    const client = await rawClient(proxy)
    await within(client.get(path).untilText('short'), 'answer')
    // The same connection again: each response is one of its own.
    await within(
      client.get(path).until(() => client.text.split('short').length === 3),
      'second answer',
    )
  })

  test.each(['/empty', '/304'])('an answer without a body is complete with its head: %s', async (path) => {
    const { proxy } = await buffered(64 * K)
    const client = await rawClient(proxy)
    await within(client.get(path).untilText('\r\n\r\n'), 'answer')
    await within(client.get('/length').untilText('short'), 'the next')
  })

  test('HEAD has no body whatever its headers say', async () => {
    const { proxy } = await buffered(64 * K)
    const client = await rawClient(proxy)
    client.send('HEAD /length HTTP/1.1\r\nHost: t\r\n\r\n')
    await within(client.untilText('\r\n\r\n'), 'head')
    await within(client.get('/length').untilText('short'), 'the next')
  })

  test('an answer that ends with the connection is passed on then', async () => {
    const { proxy, open } = await buffered(64 * K)
    const { client, stream } = await open()
    await write(proxy, stream, 100)
    stream.end()
    await within(
      client.until(() => count(client) === 100),
      'the rest',
    )
    const client2 = await rawClient(proxy)
    client2.send('GET / HTTP/1.0\r\n\r\n')
    await within(
      client2.until(() => client2.ended),
      'end',
    )
    expect(client2.text).toContain('short')
  })

  test('an answer cut short is passed on as far as it came', async () => {
    const server = await webServer((_, res) => {
      res.writeHead(200, { 'content-length': 100 })
      res.write('x'.repeat(10), () => res.socket?.destroySoon())
    })
    const proxy = await proxyTo(server.url)
    proxy.holdUntil(64 * K)
    const client = await rawClient(proxy)
    await within(
      client.get('/').until(() => client.ended),
      'end',
    )
    expect(count(client)).toBe(10)
  })

  test('with head: pass, a stream opens but shows no life', async () => {
    const { proxy, open } = await buffered(64 * K, { head: 'pass' })
    const { client, stream } = await open()
    await write(proxy, stream, 100)
    await within(client.untilText('\r\n\r\n'), 'head')
    await roundTrip(proxy.url)
    expect(client.text).toMatch(/200 OK/)
    expect(client.text.endsWith('\r\n\r\n')).toBe(true)
  })

  test('switched off, it lets go of what it has; switched on, it takes hold of an open stream', async () => {
    const { proxy, open } = await buffered(64 * K)
    const { client, stream } = await open()
    await write(proxy, stream, 100)
    proxy.holdUntil(0)
    await within(
      client.until(() => count(client) === 100),
      'let go',
    )
    await write(proxy, stream, 1)
    await within(
      client.until(() => count(client) === 101),
      'unheld',
    )
    proxy.holdUntil(5)
    await write(proxy, stream, 4)
    await roundTrip(proxy.url)
    expect(count(client)).toBe(101)
    await write(proxy, stream, 1)
    await within(
      client.until(() => count(client) === 106),
      'five',
    )
  })

  test('websockets are not concerned', async () => {
    const { proxy } = await buffered(64 * K)
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}`)
    cleanup(() => socket.terminate())
    await within(once(socket, 'open'), 'open')
    socket.send('small')
    const [echo] = await within(once(socket, 'message'), 'echo')
    expect(String(echo)).toBe('small')
  })
})
