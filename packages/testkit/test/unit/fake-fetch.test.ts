import { describe, expect, test } from 'vitest'
import { createFakeFetch } from '../../src/index.js'

const url = 'http://h/ev/a%2Fb?tag=1'

describe('fake fetch', () => {
  test('a request → recorded as it was made, and left waiting', async () => {
    const server = createFakeFetch()
    const init = { method: 'POST', headers: { 'If-None-Match': '0' }, cache: 'no-store' } as const
    void server.fetch(new URL(url), init)
    void server.fetch('http://h/')
    const [first, second] = server.requests
    expect(first).toMatchObject({
      url,
      path: '/ev/a%2Fb',
      method: 'POST',
      headers: { 'if-none-match': '0' },
      init,
      open: true,
      aborted: false,
    })
    expect([first?.query.get('tag'), second?.method, second?.headers]).toEqual(['1', 'GET', {}])
    expect(server.open).toEqual([first, second])
  })

  test('accepted → an event stream that begins with the greeting and stays open until the test ends it', async () => {
    const server = createFakeFetch({ greeting: ': hi\n\n' })
    const answer = server.fetch(url)
    const request = server.open[0]!
    request.accept()
    request.send('data: é\n\n')
    request.send(new Uint8Array([0x78]))
    const response = await answer
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect(server.open).toEqual([request])
    request.end()
    expect(await response.text()).toBe(': hi\n\ndata: é\n\nx')
    expect([request.open, server.open]).toEqual([false, []])
  })

  test.each([
    [403, 'no', 'no'],
    [204, 'no', ''],
    [304, 'no', ''],
  ])('answered at once with %i → the whole response', async (status, body, text) => {
    const server = createFakeFetch({ answer: (request) => request.respond(status, { etag: '1' }, body) })
    const response = await server.fetch(url)
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([status, '1', text])
    expect(server.open).toEqual([])
  })

  test.each(['before the answer', 'in its middle'])(
    'aborted %s → rejects with the reason, and is over',
    async (when) => {
      const server = createFakeFetch()
      const abort = new AbortController()
      const answer = server.fetch(url, { signal: abort.signal })
      const request = server.open[0]!
      if (when === 'in its middle') request.accept()
      const read = answer.then((response) => response.text())
      await Promise.resolve()
      const reason = new Error('mine')
      abort.abort(reason)
      await expect(read).rejects.toBe(reason)
      expect([request.open, request.aborted]).toEqual([false, true])
      for (const act of ['accept', 'end', 'cut'] as const) expect(() => request[act]()).toThrow(`GET ${url} is over`)
      expect(() => request.send('late')).toThrow('is over')
      expect(() => request.respond(200)).toThrow('is over')
    },
  )

  test('aborted before it was made → rejects, and no request is made', async () => {
    const server = createFakeFetch()
    await expect(server.fetch(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(server.requests).toEqual([])
  })

  test('cut, or ended without an answer → a network error', async () => {
    const server = createFakeFetch()
    const cut = server.fetch(url)
    server.open[0]!.cut()
    await expect(cut).rejects.toThrow(TypeError)
    const ended = server.fetch(url)
    server.open[0]!.end()
    await expect(ended).rejects.toThrow(TypeError)
    const answer = server.fetch(url)
    const request = server.open[0]!
    request.accept()
    const response = await answer
    request.cut()
    await expect(response.text()).rejects.toThrow(TypeError)
  })

  test('body cancelled by the client → the request is over', async () => {
    const server = createFakeFetch({ answer: (request) => request.accept() })
    const { body } = await server.fetch(url)
    await body?.cancel()
    expect(server.open).toEqual([])
    expect(server.requests[0]?.aborted).toBe(false)
  })

  test('an address or a header that no fetch takes → rejects, and no request is made', async () => {
    const server = createFakeFetch()
    await expect(server.fetch('/relative')).rejects.toThrow(TypeError)
    await expect(server.fetch(url, { headers: { 'X Y': '1' } })).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  })
})
