import { describe, expect, test } from 'vitest'
import { createGate, createManualClock, createScriptedServer, type ScriptedServerOptions } from '../../src/index.js'
import { cleanup, expectPending, RawClient, turns, within } from './harness.js'

async function scripted(options?: ScriptedServerOptions) {
  const server = createScriptedServer(options)
  cleanup(() => server.close())
  return { server, ...(await server.listen()) }
}

describe('answers', () => {
  test('status, headers and body as scripted', async () => {
    const { server, url } = await scripted()
    server.on('GET /busy', (exchange) =>
      exchange.respond(503, { 'Retry-After': '2', 'Content-Type': 'text/odd' }, 'later'),
    )
    const answer = await fetch(`${url}/busy`)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(answer.headers.get('content-type')).toBe('text/odd')
    expect(answer.headers.get('content-length')).toBe('5')
    expect(await answer.text()).toBe('later')
  })

  test('304 and 204 have no body and no length', async () => {
    const { server, url } = await scripted()
    server.on('/304', (exchange) => exchange.respond(304, { etag: 'W/0' }, ''))
    const answer = await fetch(`${url}/304`)
    expect([answer.status, answer.headers.get('content-length')]).toEqual([304, null])
  })

  test('pieces, each when its gate opens', async () => {
    const { server, url } = await scripted()
    const more = createGate()
    server.on('GET /stream', async (exchange) => {
      exchange.respond(200, { 'content-type': 'text/event-stream' })
      await exchange.write('one')
      await more.opened
      await exchange.write('two')
      exchange.end()
    })
    const answer = await fetch(`${url}/stream`)
    const reader = answer.body!.getReader()
    expect(String(Buffer.from((await reader.read()).value!))).toBe('one')
    const next = reader.read()
    await fetch(`${url}/round-trip`)
    await expectPending(next)
    expect(more.isOpen).toBe(false)
    more.open()
    expect(String(Buffer.from((await within(next, 'two')).value!))).toBe('two')
    expect((await within(reader.read(), 'end')).done).toBe(true)
  })

  test('headers alone come at once', async () => {
    const { server, url } = await scripted()
    server.on('/quiet', (exchange) => exchange.respond(200, { 'x-open': 'yes' }))
    const answer = await within(fetch(`${url}/quiet`), 'headers')
    expect(answer.headers.get('x-open')).toBe('yes')
  })

  test('no answer, and the server sees the client go', async () => {
    const { server, url } = await scripted()
    const gone = createGate()
    server.on('/never', async (exchange) => {
      await exchange.closed
      expect(await exchange.write('too late')).toBe(false)
      gone.open()
    })
    const controller = new AbortController()
    const answer = fetch(`${url}/never`, { signal: controller.signal })
    answer.catch(() => {})
    await server.nextRequest('/never')
    await fetch(`${url}/round-trip`)
    await expectPending(answer)
    controller.abort()
    await within(gone.opened, 'the server sees it')
  })

  test('half an event, then cut', async () => {
    const { server, port } = await scripted()
    server.on('/half', async (exchange) => {
      exchange.respond(200, { 'content-type': 'text/event-stream' })
      await exchange.write('data: {"id":')
      exchange.cut({ how: 'fin' })
    })
    const client = new RawClient(port)
    await within(
      client.get('/half').until(() => client.ended),
      'end',
    )
    expect(client.text).toContain('data: {"id":')
    expect(client.text).not.toContain('\r\n0\r\n')
  })

  test('reset', async () => {
    const { server, port } = await scripted()
    server.on('/reset', (exchange) => exchange.cut())
    const client = new RawClient(port).get('/reset')
    await within(client.closed(), 'reset')
    expect(client.error?.code).toBe('ECONNRESET')
  })

  test('garbage instead of http', async () => {
    const { server, port, url } = await scripted()
    server.on('/garbage', async (exchange) => {
      await exchange.raw('\x00\x01 this is not http\r\n')
      exchange.cut({ how: 'fin' })
    })
    const client = new RawClient(port).get('/garbage')
    await within(
      client.until(() => client.ended),
      'end',
    )
    expect(client.text).toBe('\x00\x01 this is not http\r\n')
    await expect(fetch(`${url}/garbage`)).rejects.toThrow()
  })

  test('dribble: byte by byte, by the clock, through the middle of a character', async () => {
    const clock = createManualClock()
    const { server, port } = await scripted({ clock })
    server.on('/slow', async (exchange) => {
      exchange.respond(200, { 'content-length': 3 })
      await exchange.dribble('é!', { every: 100 })
    })
    const client = new RawClient(port).get('/slow')
    await within(client.untilText('\r\n\r\n\xc3'), 'the first byte')
    await turns(() => clock.pending === 1)
    await clock.advance(99)
    expect(client.text.endsWith('\xc3')).toBe(true)
    await clock.advance(1)
    await within(client.untilText('\xc3\xa9'), 'the second')
    await turns(() => clock.pending === 1)
    await clock.advance(100)
    await within(client.untilText('\xc3\xa9!'), 'the third')
    expect(clock.pending).toBe(0)
  })

  test('a dribble ends, timer and all, when the client leaves', async () => {
    const clock = createManualClock()
    const { server, port } = await scripted({ clock })
    const result = createGate()
    let complete: boolean | undefined
    server.on('/slow', async (exchange) => {
      exchange.respond(200)
      complete = await exchange.dribble('never all of it', { every: 100 })
      result.open()
    })
    const client = new RawClient(port).get('/slow')
    await turns(() => clock.pending === 1)
    client.socket.destroy()
    await within(result.opened, 'the script goes on')
    expect(complete).toBe(false)
    expect(clock.pending).toBe(0)
  })
})

describe('scripts', () => {
  test('once scripts are used up in order, then the newest lasting one', async () => {
    const { server, url } = await scripted()
    const say = (text: string) => (exchange: import('../../src/index.js').Exchange) => exchange.respond(200, {}, text)
    server.on('/a', say('old'))
    const off = server.on('/a', say('new'))
    server.once('/a', say('first'))
    server.once('*', say('second'))
    const heard: string[] = []
    for (let i = 0; i < 3; i++) heard.push(await (await fetch(`${url}/a`)).text())
    off()
    heard.push(await (await fetch(`${url}/a`)).text())
    expect(heard).toEqual(['first', 'second', 'new', 'old'])
  })

  test('what no script takes is a 404, recorded as such', async () => {
    const { server, url } = await scripted()
    const answer = await fetch(`${url}/nowhere?a=1`, { method: 'POST', body: 'x' })
    expect(answer.status).toBe(404)
    expect(server.requests).toMatchObject([{ method: 'POST', url: '/nowhere?a=1', path: '/nowhere', matched: false }])
  })

  test('an error in a script cuts the connection and comes out of close', async () => {
    const server = createScriptedServer()
    const { port } = await server.listen()
    server.on('/', () => {
      throw new Error('broken script')
    })
    const client = new RawClient(port).get('/')
    await within(client.closed(), 'cut')
    await expect(server.close()).rejects.toThrow('broken script')
    await server.close()
  })
})

describe('nextRequest', () => {
  test('hands out each request once, in order, also those from before', async () => {
    const { server, url } = await scripted()
    await fetch(`${url}/one`)
    const waiting = server.nextRequest('/three')
    await fetch(`${url}/two`, { method: 'POST', body: 'hi', headers: { 'X-Me': 'test' } })
    await fetch(`${url}/three?tag=5`)
    const two = await server.nextRequest('POST /*')
    expect(two.headers['x-me']).toBe('test')
    expect(await two.body()).toBe('hi')
    expect((await server.nextRequest()).path).toBe('/one')
    expect((await waiting).query.get('tag')).toBe('5')
    await expect(server.nextRequest('*', { timeout: 1 })).rejects.toThrow()
  })

  test('says what it waited for and what came instead', async () => {
    const { server, url } = await scripted()
    await fetch(`${url}/other`)
    await expect(server.nextRequest('GET /lp', { timeout: 5 })).rejects.toThrow(
      /no request for GET \/lp within 5 ms\. Requests so far:\s+GET \/other/,
    )
  })

  test('is let go by close', async () => {
    const server = createScriptedServer()
    await server.listen()
    const waiting = expect(server.nextRequest('/never')).rejects.toThrow(/closed/)
    await server.close()
    await waiting
  })
})
