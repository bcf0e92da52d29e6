import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { createUpdates, type Message, PushStream, type Updates } from '../../src/index.js'
import { installUpdates } from '../../src/updates/install.js'
import { runs } from './support/runs.js'

const second = 1700000000

/** A relay in memory: what it stores is answered message by message, then polls hang. */
function relay(
  bodies: readonly string[] = [],
  tells: (index: number) => Record<string, string> = (n) => ({ Etag: `${n}` }),
) {
  const stored = [...bodies]
  let forgotten = 0
  const look = ({ headers, respond }: FakeRequest) => {
    const since = Date.parse(headers['if-modified-since'] ?? '') / 1000
    const from = Math.max(forgotten, since === second ? Number(headers['if-none-match']) + 1 : 0)
    if (stored[from] === undefined) return
    respond(200, { 'Last-Modified': new Date(second * 1000).toUTCString(), ...tells(from) }, stored[from])
  }
  const server = createFakeFetch({
    answer: (request) => (request.method === 'OPTIONS' ? request.respond(200) : look(request)),
  })
  const clock = createManualClock(second * 1000 + 60_000)
  return {
    server,
    clock,
    publish(body: string) {
      stored.push(body)
      for (const request of server.open) look(request)
    },
    /** To who waits, and not stored. */
    deliver(body: string) {
      stored.push('')
      const from = stored.length - 1
      for (const request of server.open) {
        request.respond(200, { 'Last-Modified': new Date(second * 1000).toUTCString(), ...tells(from) }, body)
      }
      forgotten = stored.length
    },
    environment: manualEnvironment(clock, {
      fetch: server.fetch,
      location: { protocol: 'https:', hostname: 'page.example', port: '' },
    }),
  }
}

const settle = async (clock: { advance(ms: number): Promise<void> }) => {
  for (let n = 0; n < 40; n++) await clock.advance(20)
}

let warn: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockReturnValue()
})
afterEach(() => {
  warn.mockRestore()
})

/** What updates.js did with a message, as it was measured; and a catch-all. */
function ancestor(registered: readonly (readonly [string, string])[], name: string, body: string): number[] {
  const data = JSON.parse(body) as unknown
  const type =
    typeof data === 'object' && data !== null && Object.hasOwn(data, 'type')
      ? (data as { type: unknown }).type
      : undefined
  return registered.flatMap(([on, of], index) =>
    (on === name || on === '*') && (of === '*' || (type !== undefined && of === String(type))) ? [index] : [],
  )
}

const types = ['answer', 'toString', '__proto__', 'constructor', '', '17', '*']
const names = ['main', 'other', '__proto__', '*']

test('whatever is registered and whatever comes: the same are called as ever, in the same order', async () => {
  const body = fc.oneof(
    fc.constantFrom(...types).map((type) => JSON.stringify({ type, value: 1 })),
    fc.constantFrom(
      '{}',
      '[]',
      '[{"type":"answer"}]',
      '"answer"',
      'null',
      '0',
      'true',
      '{"type":17}',
      '{"__proto__":{"type":"answer"}}',
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...types)), { maxLength: 6 }),
      fc.array(body, { minLength: 1, maxLength: 5 }),
      fc.constantFrom('main', '__proto__'),
      async (registered, bodies, name) => {
        const place = relay(bodies)
        const updates = createUpdates({ environment: place.environment })
        const got: number[] = []
        for (const [index, [on, type]] of registered.entries())
          updates.registerProcessor(on, type, () => got.push(index))
        updates.subscribe({ [`${name}`]: '/updates/1' })
        await settle(place.clock)
        updates.close()
        expect(got).toEqual(bodies.flatMap((one) => ancestor(registered, name, one)))
      },
    ),
    runs(60),
  )
})

describe('case 39: a relay that counts subscribers', () => {
  test.each([
    ['stores messages', true],
    ['stores nothing', false],
  ])('it %s: a page that waits, a burst, a page that waits → one subscriber at any time', async (_, stores) => {
    const place = relay()
    let most = 0
    const environment = {
      ...place.environment,
      fetch: (async (url, init) => {
        const response = place.environment.fetch(url, init)
        most = Math.max(most, place.server.open.filter(({ method }) => method === 'GET').length)
        return response
      }) as typeof fetch,
    }
    const updates = createUpdates({ environment, pingtimeout: 30_000 })
    const got: string[] = []
    const gaps = vi.fn()
    updates.on('gap', gaps)
    updates.registerProcessor('*', '*', (_, { text }) => got.push(text))
    updates.subscribe({ main: '/updates/1' })
    await place.clock.advance(100_000)
    const sent: string[] = []
    for (let n = 0; n < 30; n++) {
      sent.push(`{"n":${n}}`)
      if (stores) place.publish(`{"n":${n}}`)
      else place.deliver(`{"n":${n}}`)
      await place.clock.advance(n % 10 === 9 ? 40_000 : n % 2 === 0 ? 20 : 300)
    }
    await place.clock.advance(100_000)
    if (stores) expect([got, gaps.mock.calls.length]).toEqual([sent, 0])
    expect(most).toBe(1)
    expect(place.server.open.map(({ method }) => method)).toEqual(['GET'])
    updates.close()
  })
})

describe('processors', () => {
  async function after(
    bodies: readonly string[],
    register: (updates: Updates<Record<string, Record<string, unknown>>>) => void,
  ) {
    const place = relay(bodies)
    const updates = createUpdates<Record<string, Record<string, unknown>>>({ environment: place.environment })
    register(updates)
    updates.subscribe({ main: 'updates/1' })
    await settle(place.clock)
    return { ...place, updates }
  }

  test('the same function twice runs twice; what it returns is ignored; no method needs this', async () => {
    const fn = vi.fn(() => false)
    const { updates } = await after(['{"type":"a"}'], ({ registerProcessor }) => {
      registerProcessor('main', 'a', fn)
      registerProcessor('main', 'a', fn)
    })
    expect(fn).toHaveBeenCalledTimes(2)
    const [data, message] = fn.mock.calls[0] as unknown as [unknown, Message]
    expect(data).toEqual({ type: 'a' })
    expect(message).toMatchObject({ channel: 'main', type: 'a', text: '{"type":"a"}', mode: 'longpolling' })
    updates.close()
  })

  test('what takes a processor back takes back that one alone, also while a message is on its way', async () => {
    const got: string[] = []
    const { updates, publish, clock } = await after(['{"type":"a"}'], ({ registerProcessor }) => {
      const first = registerProcessor('main', 'a', () => {
        got.push('first')
        first()
        registerProcessor('main', 'a', () => got.push('late'))
      })
      registerProcessor('main', 'a', () => got.push('second'))
    })
    expect(got).toEqual(['first', 'second'])
    publish('{"type":"a"}')
    await settle(clock)
    expect(got).toEqual(['first', 'second', 'second', 'late'])
    updates.close()
  })

  test('what throws and nobody listens to is a warning; with a listener it is not', async () => {
    const boom = new Error('boom')
    const got = vi.fn()
    const { updates, publish, clock } = await after(['{"type":"a"}', 'no JSON'], ({ registerProcessor }) => {
      registerProcessor('main', 'a', () => {
        throw boom
      })
      registerProcessor('main', 'a', got)
    })
    expect(warn.mock.calls.map((values: unknown[]) => values[0])).toEqual([
      "A processor of 'main' threw. The others go on.",
      "An update of 'main' is dropped, it is no JSON: no JSON",
    ])
    expect(warn.mock.calls[0]?.[1]).toBe(boom)
    const errors = vi.fn()
    const letters = vi.fn()
    const stop = updates.on('error', errors)
    updates.on('deadletter', letters)
    updates.on('error', () => {
      throw new Error('also a listener')
    })
    publish('{"type":"a"}')
    publish('<p>')
    await settle(clock)
    expect(errors).toHaveBeenCalledOnce()
    expect(errors.mock.calls[0]?.[0]).toMatchObject({ code: 'listener', channel: 'main', cause: boom })
    expect(letters.mock.calls[0]?.[0]).toMatchObject({ channel: 'main', raw: '<p>' })
    expect(warn).toHaveBeenCalledTimes(3)
    stop()
    publish('{"type":"a"}')
    await settle(clock)
    expect(errors).toHaveBeenCalledOnce()
    expect(got).toHaveBeenCalledTimes(3)
    updates.close()
  })

  test('who ends the subscription while a message is on its way gets nothing after it', async () => {
    const got = vi.fn()
    const { updates, publish, clock, server } = await after(['{"type":"a"}', '{"type":"a"}'], (updates) => {
      updates.registerProcessor('main', 'a', () => {
        got()
        updates.unsubscribe('main')
      })
    })
    publish('{"type":"a"}')
    await settle(clock)
    expect(got).toHaveBeenCalledOnce()
    expect(server.open.length).toBe(0)
    expect(clock.pending).toBe(0)
    updates.close()
  })
})

describe('requests', () => {
  test('begin in 1970, have cookies, go to addresses relative to the page or of another origin', async () => {
    const { environment, server, clock } = relay()
    const updates = createUpdates({ environment })
    updates.subscribe({ a: '/updates/1?token=x', b: 'https://other.example:8443/u/2', c: '//third.example/u' })
    await settle(clock)
    const gets = server.requests.filter(({ init }) => init.method === 'GET')
    const position = 'time=Thu%2C%2001%20Jan%201970%2000%3A00%3A00%20GMT&tag=0'
    expect(gets.map(({ url }) => url)).toEqual([
      `https://page.example/updates/1?token=x&${position}`,
      `https://other.example:8443/u/2?${position}`,
      `https://third.example/u?${position}`,
    ])
    for (const { init } of gets) {
      expect(init).toMatchObject({
        credentials: 'include',
        cache: 'no-store',
        headers: { 'If-None-Match': '0', 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
      })
    }
    updates.close()
    await settle(clock)
    expect([server.open.length, clock.pending]).toEqual([0, 0])
  })

  test('to what is known to be a relay have no position in the query', async () => {
    const { environment, server, clock } = relay(['{}'])
    const told = createUpdates({ environment, server: 'relay', credentials: 'same-origin' })
    told.subscribe({ a: '/updates/1' })
    await settle(clock)
    const found = createUpdates({ environment })
    found.subscribe({ a: '/updates/2' })
    await settle(clock)
    const of = (path: string) => server.requests.filter(({ url, init }) => url.includes(path) && init.method === 'GET')
    expect(of('/1').every(({ url, init }) => !url.includes('?') && init.credentials === 'same-origin')).toBe(true)
    expect(of('/2').map(({ url }) => url.includes('?'))[0]).toBe(true)
    expect(
      of('/2')
        .slice(1)
        .every(({ url }) => !url.includes('?')),
    ).toBe(true)
    expect(of('/2').length).toBeGreaterThan(1)
    told.close()
    found.close()
  })
})

describe('what is said wrong', () => {
  const updates = () => createUpdates({ environment: relay().environment })
  test.each([
    [() => createUpdates({ sever: 'relay' } as object), /Unknown option 'sever'/],
    [() => createUpdates({ server: 'apache' as 'relay' }), /'server'/],
    [() => createUpdates({ server: 'relay', messageTemplate: '~text~' }), /'messageTemplate'/],
    [() => createUpdates({ client: {} as PushStream }), /'client'/],
    [() => updates().subscribe({ a: 'ftp://x/' }), /The url of 'a'/],
    [() => updates().subscribe('a' as never), /'subscribe' takes/],
    [() => updates().registerProcessor('a', 'b', 1 as never), /A processor is a function/],
    [() => updates().on('message' as 'error', () => {}), /no event 'message'/],
  ])('%s', (call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }))
  })

  test('one bad address: nothing is subscribed', () => {
    const some = updates()
    expect(() => some.subscribe({ good: '/x', bad: 'http://[' })).toThrow(/'bad'/)
    expect(some.names).toEqual([])
  })

  test('after close', () => {
    const some = updates()
    some.close()
    expect(() => some.subscribe({ a: '/x' })).toThrow(expect.objectContaining({ code: 'closed' }))
    expect(() => some.registerProcessor('a', 'b', () => {})).toThrow(expect.objectContaining({ code: 'closed' }))
    expect(() => some.unsubscribe()).not.toThrow()
  })

  test('a signal closes', async () => {
    const { environment, clock, server } = relay()
    const abort = new AbortController()
    const some = createUpdates({ environment, signal: abort.signal })
    some.subscribe({ a: '/x' })
    await settle(clock)
    expect(server.open.length).toBe(1)
    abort.abort()
    await settle(clock)
    expect([server.open.length, clock.pending, some.names.length]).toEqual([0, 0, 0])
  })
})

test('the script: $.updates where jQuery is there and has none', () => {
  const jQuery = Object.assign(() => {}, { fn: {} }) as { fn: object; updates?: unknown }
  const updates = installUpdates({ jQuery })
  expect(jQuery.updates).toBe(updates)
  const other = { fn: {}, updates: 'its own' }
  installUpdates({ jQuery: other })
  expect(other.updates).toBe('its own')
  expect(installUpdates({}).names).toEqual([])
  expect(warn).not.toHaveBeenCalled()
})

type Shop = { 'user-42': { answer: { value: number } }; news: { item: { title: string } } }

// Compiled, never run: what a type forbids must not compile.
function typed(client: PushStream<Shop>): void {
  const updates = createUpdates({ client })
  updates.registerProcessor('user-42', 'answer', (data, message) => {
    expectTypeOf(data).toEqualTypeOf<{ value: number }>()
    expectTypeOf(message).toEqualTypeOf<Message<{ value: number }>>()
  })
  updates.registerProcessor('*', '*', (data) =>
    expectTypeOf(data).toEqualTypeOf<{ value: number } | { title: string }>(),
  )
  // @ts-expect-error no such channel
  updates.registerProcessor('user-43', 'answer', () => {})
  // @ts-expect-error no such type on this channel
  updates.registerProcessor('news', 'answer', () => {})
  // @ts-expect-error no such channel
  updates.subscribe({ other: '/x' })
  // biome-ignore lint/suspicious/noExplicitAny: that is what it is
  createUpdates().registerProcessor('any', 'thing', (data) => expectTypeOf(data).toEqualTypeOf<any>())
}

test('types', () => {
  expect(typed).toBeTypeOf('function')
  expect(new PushStream({ url: 'http://x' })).toBeInstanceOf(PushStream)
})
