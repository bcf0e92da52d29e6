import { nchanServer, Publisher, pushStreamServer, relayServer } from '@pushstream/publisher'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { refusedByPublisher } from '../../../../e2e/support/channel-names.js'
import { type Asked, broken, errorOf, failing, refused, scripted, taken } from '../support/scripted.js'

afterEach(() => {
  vi.useRealTimers()
})

describe('what is sent again', () => {
  test('a connection that could not be made: until it can', async () => {
    const { publisher, asked } = scripted([refused(), refused(), taken()])
    await publisher.publish('c', 'x')
    expect(asked).toHaveLength(3)
  })

  test.each([
    ['a broken connection', broken()],
    ['502', new Response('', { status: 502 })],
    ['503 that names no time', new Response('', { status: 503 })],
    ['an error of which nothing is known', new TypeError('fetch failed')],
  ])('not after %s: its caller is told that nobody knows', async (_, reply) => {
    const { publisher, asked } = scripted([reply, taken()])
    const error = await errorOf(publisher.publish('c', 'x'))
    expect(error).toMatchObject({ outcome: 'unknown', channels: ['c'] })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['a name that nobody knows', failing('ENOTFOUND', { syscall: 'getaddrinfo' }), 4],
    [
      'several addresses, of which none answers',
      Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new AggregateError([failing('ECONNREFUSED').cause, failing('EHOSTUNREACH').cause]), {
          code: 'ECONNREFUSED',
        }),
      }),
      4,
    ],
    [
      'in Deno, a connection that was refused',
      new TypeError('fetch failed', {
        cause: new Error(
          'error sending request for url (http://h/): client error (Connect): tcp connect error: Connection refused (os error 111)',
        ),
      }),
      4,
    ],
    [
      'in Deno, a connection that broke',
      new TypeError('fetch failed', {
        cause: new Error(
          'error sending request for url (http://h/): client error (SendRequest): connection closed before message completed',
        ),
      }),
      1,
    ],
    ['a connection on which nothing was written', failing('UND_ERR_SOCKET', { socket: { bytesWritten: 0 } }), 4],
    ['a connection on which something was', failing('UND_ERR_SOCKET', { socket: { bytesWritten: 9 } }), 1],
    [
      'an address that took too long for one of several',
      Object.assign(new TypeError('fetch failed'), {
        cause: new AggregateError([failing('ECONNREFUSED').cause, failing('ECONNRESET').cause]),
      }),
      1,
    ],
  ])('%s', async (_, reply, times) => {
    const { publisher, asked } = scripted([reply])
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({
      code: 'unreachable',
      outcome: times === 1 ? 'unknown' : 'no',
    })
    expect(asked).toHaveLength(times)
  })

  test('429, and 503 with Retry-After', async () => {
    vi.useFakeTimers()
    const limited = new Response('', { status: 429 })
    const later = new Response('', { status: 503, headers: { 'Retry-After': '2' } })
    const { publisher, asked } = scripted([limited, later, taken()])
    const done = publisher.publish('c', 'x')
    await vi.advanceTimersByTimeAsync(1990)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(20)
    await done
    expect(asked).toHaveLength(3)
  })

  test('not when the server asks for more patience than there is', async () => {
    const { publisher, asked } = scripted([new Response('', { status: 429, headers: { 'Retry-After': '60' } })])
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({
      code: 'busy',
      outcome: 'no',
      retryAfter: 60_000,
    })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['always', {}, 2],
    ['with-event-id', { eventId: '1' }, 2],
    ['with-event-id', {}, 1],
    ['never', { repeat: true }, 2],
    ['always', { repeat: false }, 1],
  ] as const)('a broken one with repeat: %s and %o is tried %i times', async (repeat, options, times) => {
    const { publisher, asked } = scripted([broken(), taken()], { retry: { delay: 0, repeat } })
    await publisher.publish('c', 'x', options).catch(() => {})
    expect(asked).toHaveLength(times)
  })

  test('what may have come through at first is never told as not published', async () => {
    const { publisher } = scripted([broken(), refused()], { retry: { delay: 0, attempts: 2, repeat: 'always' } })
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({ code: 'unreachable', outcome: 'unknown' })
  })

  test('no answer in time', async () => {
    vi.useFakeTimers()
    const silent = (_: Asked, signal: AbortSignal) =>
      new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { publisher, asked } = scripted([silent], { timeout: 500 })
    const error = errorOf(publisher.publish('c', 'x'))
    await vi.advanceTimersByTimeAsync(500)
    expect(await error).toMatchObject({ code: 'timeout', outcome: 'unknown' })
    expect(asked).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('deletions and questions always: twice is once', async () => {
    const { publisher } = scripted([broken(), new Response('', { status: 404 })])
    expect(await publisher.delete('c')).toBe(true)
    const other = scripted([broken(), new Response('', { status: 404 })])
    expect(await other.publisher.exists('c')).toBe(false)
  })
})

describe('errors', () => {
  test.each([
    [400, 'refused'],
    [401, 'forbidden'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [405, 'not-allowed'],
    [302, 'not-allowed'],
    [413, 'too-large'],
    [500, 'server'],
  ])('%i is %s, with what the server says', async (status, code) => {
    const headers = { 'X-Nginx-PushStream-Explain': 'Because.', Location: '/there' }
    const { publisher, asked } = scripted([new Response(null, { status, headers })])
    const error = await errorOf(publisher.publish('c', 'x'))
    expect(error).toMatchObject({ code, status, explain: 'Because.', outcome: status < 500 ? 'no' : 'unknown' })
    expect(error.message).toContain('Because.')
    expect(asked).toHaveLength(1)
  })

  test('a page where the publisher should be is no success', async () => {
    const { publisher } = scripted([new Response('<html>welcome</html>')])
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({ code: 'unexpected', outcome: 'unknown' })
  })

  test('a location that is not there is not a channel that is not there', async () => {
    const { publisher } = scripted([new Response('<html>404</html>', { status: 404 })])
    expect(await errorOf(publisher.exists('c'))).toMatchObject({ code: 'unexpected' })
  })

  test.each([
    ['an unknown option', { url: 'http://a', hosts: [] }],
    ['no address', {}],
    ['another scheme', { url: 'ws://a' }],
    ['a password in the address', { url: 'http://u:p@a' }],
    ['a query', { url: 'http://a/?b' }],
    ['no time', { url: 'http://a', timeout: Number.NaN }],
    ['half a request', { url: 'http://a', concurrency: 1.5 }],
    ['no server', { url: 'http://a', server: {} }],
    ['another retry', { url: 'http://a', retry: { times: 3 } }],
  ])('%s is refused at once', (_, options) => {
    expect(() => new Publisher(options as never)).toThrow(expect.objectContaining({ code: 'bad-option' }))
  })

  test.each(refusedByPublisher)('the name %j is refused before anything is sent', async (name) => {
    const { publisher, asked } = scripted([taken()])
    expect(await errorOf(publisher.publish(name, 'x'))).toMatchObject({ code: 'bad-channel' })
    expect(await errorOf(publisher.delete(name))).toMatchObject({ code: 'bad-channel' })
    expect(asked).toEqual([])
  })

  test('data that is none', async () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const { publisher, asked } = scripted([taken()])
    for (const data of ['', undefined, () => 1, circular, 'half \ud800 a pair', 10n, new Uint8Array(1)]) {
      expect(await errorOf(publisher.publish('c', data))).toMatchObject({ code: 'bad-data' })
    }
    for (const eventId of ['a\nb', 'a"b', '', ' a', 'é']) {
      expect(await errorOf(publisher.publish('c', 'x', { eventId }))).toMatchObject({ code: 'bad-option' })
    }
    // Without a word the message would go out without its id.
    for (const options of [{ eventID: '1' }, { signal: undefined, check: true }, null, 'x']) {
      expect(await errorOf(publisher.publish('c', 'x', options as never))).toMatchObject({ code: 'bad-option' })
    }
    const { failed } = await publisher.publishAll([{ channel: 'c', data: 'x', options: { event_id: '1' } as never }])
    expect(failed.map(({ error }) => error.message)).toEqual(["There is no option 'event_id' of a message."])
    expect(asked).toEqual([])
  })
})

describe('order', () => {
  test('on each channel one after the other, several beside each other, whatever fails and takes long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            channels: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }),
            turns: fc.nat(5),
            fails: fc.constantFrom(0, 0, 0, 1, 2),
          }),
          { maxLength: 30 },
        ),
        fc.integer({ min: 1, max: 5 }),
        async (calls, concurrency) => {
          const seen = new Map<string, number[]>()
          const busy = new Set<string>()
          const tried = new Map<number, number>()
          let most = 0
          let underway = 0
          const { publisher } = scripted(
            [
              async ({ path, body }) => {
                const n = Number(body)
                const names = path.replace('/pub?id=', '').split('/')
                most = Math.max(most, ++underway)
                for (const name of names) {
                  expect(busy.has(name)).toBe(false)
                  busy.add(name)
                }
                for (let i = calls[n]?.turns ?? 0; i > 0; i--) await Promise.resolve()
                for (const name of names) busy.delete(name)
                underway--
                const attempt = (tried.get(n) ?? 0) + 1
                tried.set(n, attempt)
                if (attempt <= (calls[n]?.fails ?? 0)) throw attempt === 2 ? broken() : refused()
                for (const name of names) seen.set(name, [...(seen.get(name) ?? []), n])
                return new Response('')
              },
            ],
            { concurrency, retry: { delay: 0, attempts: 3 } },
          )
          const settled = await Promise.allSettled(
            calls.map(({ channels }, n) => publisher.publish(channels, String(n))),
          )
          await publisher.flush()
          expect(most).toBeLessThanOrEqual(concurrency)
          expect(publisher.pending).toBe(0)
          for (const channel of ['a', 'b', 'c', 'd']) {
            const expected = calls.flatMap((call, n) =>
              call.channels.includes(channel as 'a') && settled[n]?.status === 'fulfilled' ? [n] : [],
            )
            expect(seen.get(channel) ?? []).toEqual(expected)
          }
          expect(settled.map(({ status }) => status)).toEqual(
            calls.map(({ fails }) => (fails === 2 ? 'rejected' : 'fulfilled')),
          )
        },
      ),
      { numRuns: 150 },
    )
  }, 30_000)

  test('what an object is at the call is what is published', async () => {
    const { publisher, asked } = scripted([taken()], { server: pushStreamServer({ text: 'raw' }) })
    const data = { n: 1 }
    const first = publisher.publish('c', data)
    data.n = 2
    await Promise.all([first, publisher.publish('c', data)])
    expect(asked.map(({ body }) => body)).toEqual(['{"n":1}', '{"n":2}'])
  })

  test('what waits behind a slow one can be given up, and was never sent', async () => {
    let answer: (response: Response) => void = () => {}
    const { publisher, asked } = scripted([() => new Promise((resolve) => (answer = resolve)), taken()])
    const abort = new AbortController()
    const first = publisher.publish('c', '1')
    const second = errorOf(publisher.publish('c', '2', { signal: abort.signal }))
    const third = publisher.publish('c', '3')
    abort.abort()
    expect(await second).toMatchObject({ code: 'aborted', outcome: 'no' })
    answer(taken())
    await Promise.all([first, third])
    expect(asked.map(({ body }) => body)).toEqual(['1', '3'])
  })

  test('what is under way can be given up, and may have come through', async () => {
    const silent = (_: Asked, signal: AbortSignal) =>
      new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const { publisher } = scripted([silent, taken()])
    const abort = new AbortController()
    const first = errorOf(publisher.publish('c', '1', { signal: abort.signal }))
    const second = publisher.publish('c', '2')
    await Promise.resolve()
    setTimeout(() => abort.abort(), 5)
    expect(await first).toMatchObject({ code: 'aborted', outcome: 'unknown' })
    await second
    expect(await errorOf(publisher.publish('c', '3', { signal: AbortSignal.abort() }))).toMatchObject({ outcome: 'no' })
  })

  test('one signal for many calls: no warning, and nothing stays with it', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const abort = new AbortController()
    const added = vi.spyOn(abort.signal, 'addEventListener')
    const removed = vi.spyOn(abort.signal, 'removeEventListener')
    const { publisher } = scripted([new Response('')])
    const calls = Array.from({ length: 100 }, (_, i) => publisher.publish(`c${i % 3}`, 'x', { signal: abort.signal }))
    await Promise.all(calls)
    expect(added.mock.calls.length).toBeGreaterThan(0)
    expect(removed.mock.calls.length).toBe(added.mock.calls.length)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })

  test('the wait before another attempt is ended by the signal', async () => {
    const { publisher } = scripted([refused()], { retry: { delay: 60_000, maxDelay: 60_000 } })
    const abort = new AbortController()
    const one = errorOf(publisher.publish('c', '1', { signal: abort.signal }))
    setTimeout(() => abort.abort(), 5)
    expect(await one).toMatchObject({ code: 'aborted', outcome: 'no' })
  })
})

describe('several channels', () => {
  test('one request where the server has that, and each channel once', async () => {
    const { publisher, asked } = scripted([new Response('')])
    expect(await publisher.publish(['a', 'b', 'a'], 'x')).toMatchObject([{ channel: 'a' }, { channel: 'b' }])
    expect(asked.map(({ path }) => path)).toEqual(['/pub?id=a/b'])
  })

  test('one request each where it has not; the error names those that failed', async () => {
    const { publisher } = scripted(
      [
        async ({ path }) =>
          new Response(path.endsWith('b') ? 'Group limit' : '', { status: path.endsWith('b') ? 403 : 202 }),
      ],
      { server: nchanServer() },
    )
    const error = await errorOf(publisher.publish(['a', 'b', 'c'], 'x'))
    expect(error).toMatchObject({ channels: ['b'], code: 'forbidden', explain: 'Group limit' })
  })

  test('more names than fit into an address are several requests', async () => {
    const { publisher, asked } = scripted([new Response('')])
    const names = Array.from({ length: 500 }, (_, i) => `channel-number-${i}`)
    expect(await publisher.publish(names, 'x')).toHaveLength(500)
    expect(asked.length).toBeGreaterThan(3)
    for (const { path } of asked) expect(path.length).toBeLessThan(2500)
    expect(asked.flatMap(({ path }) => path.replace('/pub?id=', '').split('/'))).toEqual(names)
  })

  test('none is no request', async () => {
    const { publisher, asked } = scripted([taken()])
    expect(await publisher.publish([], 'x')).toEqual([])
    expect(await publisher.broadcast('x')).toEqual([])
    expect(asked).toEqual([])
  })
})

test('publishAll takes what it can keep up with, and tells what failed', async () => {
  let made = 0
  let answered = 0
  let ahead = 0
  function* messages() {
    for (let n = 0; n < 500; n++) {
      ahead = Math.max(ahead, ++made - answered)
      yield { channel: `c${n % 7}`, data: n }
    }
  }
  const { publisher } = scripted(
    [
      async ({ body }) => {
        answered++
        return new Response('', { status: body === '250' ? 403 : 200 })
      },
    ],
    { concurrency: 2 },
  )
  const { published, failed } = await publisher.publishAll(messages())
  expect(published).toBe(499)
  expect(failed).toMatchObject([{ message: { data: 250 }, error: { code: 'forbidden' } }])
  expect(ahead).toBeLessThanOrEqual(35)
})

test('publishAll stops taking when it is given up', async () => {
  const abort = new AbortController()
  let made = 0
  async function* endless() {
    for (;;) {
      if (made++ === 100) abort.abort()
      yield { channel: 'c', data: 'x' }
      await Promise.resolve()
    }
  }
  const { publisher } = scripted([new Response('')])
  const { published, failed } = await publisher.publishAll(endless(), { signal: abort.signal })
  expect(made).toBeLessThan(110)
  expect(published + failed.length).toBe(100)
  for (const { error } of failed) expect(error.code).toBe('aborted')
})

describe('requests', () => {
  test('the publisher’s own headers go along, and may be made for each', async () => {
    let n = 0
    const { publisher, asked } = scripted([taken()], { headers: async () => ({ Authorization: `Bearer ${++n}` }) })
    await publisher.publish('c', 'x', { eventId: 'e-1', eventType: 'news' })
    await publisher.publish('c', 'x')
    expect(asked.map(({ headers }) => headers.get('Authorization'))).toEqual(['Bearer 1', 'Bearer 2'])
    expect(asked[0]?.headers.get('Event-Id')).toBe('e-1')
    expect(asked[0]?.headers.get('Event-Type')).toBe('news')
  })

  test('headers that can’t be made are told as they are', async () => {
    const { publisher } = scripted([taken()], {
      headers: () => {
        throw new Error('no token')
      },
    })
    await expect(publisher.publish('c', 'x')).rejects.toThrow('no token')
  })

  test('Nchan: content type, event, time to live', async () => {
    const { publisher, asked } = scripted([new Response('', { status: 202 })], {
      server: nchanServer({ publisher: '/p/{channel}', ttlArgument: 'ttl' }),
    })
    await publisher.publish('a b', { n: 1 }, { ttl: 60, eventType: 'news' })
    await publisher.publish('c', new Uint8Array([1, 2]), { contentType: 'application/octet-stream' })
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/p/a%20b?ttl=60', body: '{"n":1}' })
    expect(asked[0]?.headers.get('Content-Type')).toBe('application/json')
    expect(asked[0]?.headers.get('X-EventSource-Event')).toBe('news')
    expect(await errorOf(publisher.publish('c', 'x', { eventId: '1' }))).toMatchObject({ code: 'unsupported' })
    expect(await errorOf(publisher.stats({ all: true }))).toMatchObject({ code: 'unsupported' })
  })

  test('a relay makes a channel by PUT', async () => {
    const { publisher, asked } = scripted([new Response('', { status: 404 }), new Response('', { status: 200 })], {
      server: relayServer(),
    })
    expect(await publisher.open('some_id')).toBe(true)
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /publish?id=some_id',
      'PUT /publish?id=some_id',
    ])
    expect(asked[1]?.body).toBe('')
  })
})

test('statistics whose names are no JSON are read all the same', async () => {
  // Pages subscribe to what they like, and that makes channels: these would have a message go elsewhere, or twice.
  const end = '", "published_messages": 3, "stored_messages": 2, "subscribers": 1}'
  const line = (name: string) =>
    `{"channel": "${name}", "published_messages": 3, "stored_messages": 2, "subscribers": 1}`
  const names = [
    'a',
    'he said "hi"',
    'back\\slash',
    'x", "published_messages": 1',
    'é',
    'a}, {b',
    `x${end}, {"channel": "x`,
    `x${end},{"channel": "admin`,
    'last',
  ]
  const body = `{"hostname": "vm", "time": "2026-11-20T22:22:45", "channels": 69, "wildcard_channels": 0, "uptime": 1542, "infos": [\r\n${names.map(line).join(',\r\n')}\r\n]}\r\n`
  const { publisher, asked } = scripted([new Response(body)])
  const all = await publisher.stats({ all: true })
  expect(all.map(({ channel }) => channel)).toEqual(names)
  expect(asked).toHaveLength(1)
  expect(all[0]).toEqual({ channel: 'a', published: 3, stored: 2, subscribers: 1, lastMessageId: undefined })
})

test('what is listed twice gets a message once', async () => {
  const line = '{"channel": "a", "published_messages": 3, "stored_messages": 2, "subscribers": 1}'
  const listed = `{"hostname": "vm", "time": "x", "channels": 2, "infos": [\r\n${line},\r\n${line}\r\n]}\r\n`
  const { publisher, asked } = scripted([new Response(listed), taken('a')])
  expect(await publisher.broadcast('x', { matching: '' })).toHaveLength(1)
  expect(asked[1]?.path).toBe('/pub?id=a')
})

test('watch asks again and again, until its signal says so', async () => {
  vi.useFakeTimers()
  const { publisher, asked } = scripted([taken('c', 1), taken('c', 2), taken('c', 3)])
  const abort = new AbortController()
  const seen: unknown[] = []
  const done = (async () => {
    for await (const one of publisher.watch('c', { interval: 1000, signal: abort.signal })) seen.push(one?.published)
  })()
  await vi.advanceTimersByTimeAsync(2500)
  abort.abort()
  await done
  expect(seen).toEqual([1, 2, 3])
  expect(asked).toHaveLength(3)
  expect(vi.getTimerCount()).toBe(0)
})
