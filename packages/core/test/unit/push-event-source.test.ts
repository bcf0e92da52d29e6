import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type FakeRequest,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PushEventSourceInit } from '../../src/eventsource/init.js'
import { PushEventSource } from '../../src/eventsource/push-event-source.js'

let clock: ManualClock
let server: FakeFetch
let log: unknown[]
let made: PushEventSource[]
/** The longest timer that was set, in ms. */
let longest: number

function source(init: PushEventSourceInit = {}, url = 'http://h/events?x=1'): PushEventSource {
  const made1 = new PushEventSource(url, {
    ...init,
    environment: manualEnvironment(clock, {
      setTimeout: (callback: () => void, ms: number) => {
        longest = Math.max(longest, ms)
        return clock.setTimeout(callback, ms)
      },
      random: () => 1,
      fetch: server.fetch,
      ...init.environment,
    }),
  })
  made.push(made1)
  made1.onopen = () => log.push('open')
  made1.onmessage = ({ data, lastEventId }) => log.push([data, lastEventId])
  made1.onerror = ({ status }) => log.push(['error', made1.readyState, status])
  return made1
}

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}
const last = () => server.requests.at(-1) as FakeRequest

beforeEach(() => {
  clock = createManualClock(1_000_000)
  server = createFakeFetch()
  log = []
  made = []
  longest = 0
})
afterEach(() => {
  for (const one of made) one.close()
})

describe('PushEventSource', () => {
  test('the interface', async () => {
    const one = source({ withCredentials: true })
    expect(one).toBeInstanceOf(EventTarget)
    expect([one.readyState, one.url, one.withCredentials]).toEqual([0, 'http://h/events?x=1', true])
    expect([PushEventSource.CONNECTING, PushEventSource.OPEN, PushEventSource.CLOSED]).toEqual([0, 1, 2])
    expect([one.CONNECTING, one.OPEN, one.CLOSED]).toEqual([0, 1, 2])
    expect(() => new PushEventSource('http://this is invalid/')).toThrow(
      expect.objectContaining({ name: 'SyntaxError' }),
    )
    await settle()
    expect(last().headers).toEqual({ accept: 'text/event-stream' })
    expect(last().init).toMatchObject({ method: 'GET', cache: 'no-store', credentials: 'include' })
    last().accept()
    await settle()
    expect(one.readyState).toBe(1)
    one.onmessage = 5 as never
    expect(one.onmessage).toBeNull()
  })

  test('events, named ones too, with their ids and their origin; a closed one brings no more', async () => {
    const one = source()
    const named: unknown[] = []
    one.addEventListener('answer', (event) => {
      named.push([event.data, event.lastEventId, event.origin, event instanceof MessageEvent])
      one.close()
    })
    await settle()
    last().accept()
    await settle()
    last().send('data: 1\n\nid: 7\ndata: 2\n\nevent: answer\ndata: 3\n\ndata: after\n\n')
    await settle()
    expect(log).toEqual(['open', ['1', ''], ['2', '7']])
    expect(named).toEqual([['3', '7', 'http://h', true]])
    expect(one.readyState).toBe(2)
    expect(last().aborted).toBe(true)
    await clock.advance(1_000_000)
    expect(server.requests).toHaveLength(1)
  })

  test('a server event named `error` or `open` is an event', async () => {
    const one = source()
    const seen: unknown[] = []
    one.addEventListener('error', (event) => seen.push((event as unknown as MessageEvent).data))
    await settle()
    last().accept()
    last().send('event: error\ndata: x\n\n')
    await settle()
    expect(seen).toEqual(['x'])
    expect(one.readyState).toBe(1)
  })

  test('an end, a break, a refusal: it connects again, and goes on after the last id', async () => {
    source()
    await settle()
    last().accept()
    last().send('id: żółć\ndata: x\n\n')
    await settle()
    last().end()
    await settle()
    expect(log.at(-1)).toEqual(['error', 0, undefined])
    await clock.advance(1070)
    await settle()
    expect(server.requests).toHaveLength(2)
    expect(Buffer.from(last().headers['last-event-id'] as string, 'latin1').toString()).toBe('żółć')
    last().accept()
    await settle()
    last().cut()
    await settle()
    expect(log.slice(2)).toEqual([['error', 0, undefined], 'open', ['error', 0, undefined]])
    await clock.advance(1000)
    await settle()
    expect(server.requests).toHaveLength(3)
  })

  test('what is unfinished at the end moves no position', async () => {
    source({ lastEventId: 'a' })
    await settle()
    expect(last().headers['last-event-id']).toBe('a')
    last().accept()
    last().send('id: b\ndata: x\n\nid: c\ndata: y')
    await settle()
    last().end()
    await settle()
    await clock.advance(1070)
    await settle()
    expect(last().headers['last-event-id']).toBe('b')
  })

  test('an empty id takes it back; `error` is never asked for; a query carries it where told so', async () => {
    source({ lastEventIdParameter: 'lastEventId', lastEventId: 'a:1' })
    await settle()
    expect(last().query.get('lastEventId')).toBe('a:1')
    expect(last().query.get('x')).toBe('1')
    last().accept()
    last().send('event: stream-error\nid: error\ndata: {}\n\n')
    await settle()
    last().end()
    await settle()
    await clock.advance(1000)
    await settle()
    expect(last().query.get('lastEventId')).toBe('a:1')
    expect(last().headers['last-event-id']).toBeUndefined()
    last().accept()
    last().send('id:\ndata: x\n\n')
    await settle()
    last().end()
    await settle()
    await clock.advance(1070)
    await settle()
    expect(last().query.has('lastEventId')).toBe(false)
  })

  test.each([204, 205, 210, 299, 400, 403, 404, 410])('%i ends it for good', async (status) => {
    source()
    await settle()
    last().respond(status, { 'Content-Type': 'text/event-stream' })
    await settle()
    expect(log).toEqual([['error', 2, status]])
    await clock.advance(1_000_000)
    expect(server.requests).toHaveLength(1)
  })

  test.each(['text/plain', 'text/html', 'text/event-streams', 'text/event-stream-x', ''])(
    'so does the type %j',
    async (type) => {
      source()
      await settle()
      last().respond(200, { 'Content-Type': type }, 'data: x\n\n')
      await settle()
      expect(log).toEqual([['error', 2, 200]])
    },
  )

  test.each(['text/event-stream', 'text/event-stream;charset=windows-1252', 'TEXT/Event-Stream ; x'])(
    'the type %j is fine, and text is UTF-8',
    async (type) => {
      source()
      await settle()
      last().respond(200, { 'Content-Type': type }, '\ufeffdata:ok…\n\n')
      await settle()
      expect(log.slice(0, 2)).toEqual(['open', ['ok…', '']])
    },
  )

  test.each([500, 502, 503, 408, 425, 429])('%i is tried again, ever later; Retry-After is kept to', async (status) => {
    source()
    const waits = [70, 1000, 2000, 4000]
    for (const wait of waits) {
      await settle()
      const before = server.requests.length
      last().respond(status)
      await settle()
      await clock.advance(wait - 1)
      await settle()
      expect(server.requests).toHaveLength(before)
      await clock.advance(1)
    }
    await settle()
    last().respond(status, { 'Retry-After': '100' })
    await settle()
    await clock.advance(99_999)
    await settle()
    expect(server.requests).toHaveLength(waits.length + 1)
    await clock.advance(8001)
    await settle()
    expect(server.requests).toHaveLength(waits.length + 2)
  })

  test('the server’s own retry is the least', async () => {
    source()
    await settle()
    last().accept()
    last().send('retry: 3000\ndata: x\n\n')
    await settle()
    last().end()
    await settle()
    await clock.advance(2999)
    await settle()
    expect(server.requests).toHaveLength(1)
    await clock.advance(71)
    await settle()
    expect(server.requests).toHaveLength(2)
  })

  test('an answer that opens and ends, again and again, is backed off from', async () => {
    source()
    for (const wait of [70, 1000, 2000]) {
      await settle()
      last().accept()
      await settle()
      last().end()
      await settle()
      await clock.advance(wait)
    }
    await settle()
    expect(server.requests).toHaveLength(4)
  })

  test('no answer: it is given up after the timeout', async () => {
    source({ timeout: 5000 })
    await settle()
    await clock.advance(5000)
    await settle()
    expect(log).toEqual([['error', 0, undefined]])
    expect(server.requests[0]?.aborted).toBe(true)
  })

  test('silence, where the server’s pings were seen, or where it was told', async () => {
    source()
    await settle()
    last().accept()
    await settle()
    await clock.advance(100_000)
    await settle()
    // Nobody knows that it ought to say anything.
    expect(log).toEqual(['open'])
    for (let i = 0; i < 3; i++) {
      await clock.advance(20_000)
      last().send(i === 1 ? ': comment\n\n' : 'event: keep-alive\ndata:\n\n')
      await settle()
    }
    log = []
    await clock.advance(49_999)
    await settle()
    expect(log).toEqual([])
    await clock.advance(1)
    await settle()
    expect(log).toEqual([['error', 0, undefined]])
    made[0]?.close()
    log = []
    source({ silence: 45_000 })
    await settle()
    last().accept()
    await settle()
    await clock.advance(45_000)
    await settle()
    expect(log.filter((one) => Array.isArray(one))).toHaveLength(1)
  })

  test('headers are asked for before every request; a function that fails is trouble that passes', async () => {
    let count = 0
    source({
      headers: async () => {
        if (++count === 2) throw new Error('no token')
        return { Authorization: `Bearer ${count}` }
      },
    })
    await settle()
    expect(last().headers.authorization).toBe('Bearer 1')
    last().respond(503)
    await settle()
    await clock.advance(70)
    await settle()
    await clock.advance(1000)
    await settle()
    expect(last().headers.authorization).toBe('Bearer 3')
    expect(log).toHaveLength(2)
  })

  test('close in an error listener ends it, and leaves no timer', async () => {
    const one = source()
    one.onerror = () => one.close()
    await settle()
    last().respond(503)
    await settle()
    expect(one.readyState).toBe(2)
    expect(clock.pending ?? 0).toBe(0)
  })
})

describe('what a page may say, and what it may not', () => {
  test.each<[object, RegExp]>([
    [{ timeout: 0 }, /'timeout' takes a number of ms above 0/],
    [{ timeout: Number.POSITIVE_INFINITY }, /'timeout' takes a number of ms above 0/],
    [{ silence: Number.NaN }, /'silence' takes/],
    [{ silence: '45000' }, /'silence' takes/],
    [{ backoffBase: -1 }, /'backoffBase' takes/],
    [{ backoffCap: null }, /'backoffCap' takes/],
    [{ lastEventId: 7 }, /'lastEventId' takes/],
    [{ lastEventId: 'a\nb' }, /'lastEventId' takes/],
    [{ lastEventIdParameter: '' }, /'lastEventIdParameter' takes/],
    [{ headers: { 'X Y': '1' } }, /'headers' takes/],
    [{ headers: { X: 'a\nb' } }, /'headers' takes/],
    [{ headers: 'X: 1' }, /'headers' takes/],
    [{ max_retry_time: 3000 }, /no option 'max_retry_time'/],
    [5 as never, /an object/],
  ])('%j is refused at once', (init, message) => {
    expect(() => new PushEventSource('http://h/', init as never)).toThrow(message)
    expect(() => new PushEventSource('http://h/', init as never)).toThrow(
      expect.objectContaining({ name: 'PushStreamError', code: 'bad-option' }),
    )
    expect(server.requests).toHaveLength(0)
  })

  test('an address with a name and a password can’t be fetched, and is refused', () => {
    expect(() => source({}, 'http://user:secret@h/events')).toThrow(/headers/)
    expect(() => source({}, 'http://user:secret@h/events')).not.toThrow(/secret/)
  })

  test('what is read-only is', async () => {
    const one = source() as { -readonly [K in keyof PushEventSource]: PushEventSource[K] }
    for (const name of ['url', 'withCredentials', 'OPEN'] as const)
      expect(() => {
        one[name] = 5 as never
      }).toThrow(TypeError)
    expect([one.url, one.withCredentials, one.OPEN]).toEqual(['http://h/events?x=1', false, 1])
    expect(PushEventSource.prototype.CLOSED).toBe(2)
    expect(() => {
      ;(PushEventSource as { OPEN: number }).OPEN = 5
    }).toThrow(TypeError)
    expect(String(one)).toBe('[object PushEventSource]')
  })

  test('without a dictionary, and with something that is nearly true', () => {
    const one = new PushEventSource('http://127.0.0.1:1/', null as never)
    one.close()
    expect(one.withCredentials).toBe(false)
    expect(source({ withCredentials: 1 as never }).withCredentials).toBe(true)
  })
})

describe('what would be a storm', () => {
  /** How many requests are made within a time to a server that does this with each. */
  async function within(ms: number, serve: (request: FakeRequest) => void): Promise<number> {
    source()
    let served = 0
    for (let now = 0; now <= ms; now += 50) {
      await settle()
      while (served < server.requests.length) serve(server.requests[served++] as FakeRequest)
      await settle()
      await clock.advance(50)
    }
    return server.requests.length
  }

  test('a server that says what there is and ends is asked about once a second', async () => {
    const count = await within(30_000, (request) => {
      request.accept()
      request.send('data: x\n\n')
      request.end()
    })
    expect(count).toBeGreaterThan(20)
    expect(count).toBeLessThan(35)
  })

  test('… and as often as it wants, where it says so', async () => {
    const count = await within(30_000, (request) => {
      request.accept()
      request.send('retry: 200\ndata: x\n\n')
      request.end()
    })
    expect(count).toBeGreaterThan(90)
  })

  test('one that refuses in a good answer, as django-eventstream does, is backed off from', async () => {
    const count = await within(60_000, (request) => {
      request.accept()
      request.send('event: stream-error\nid: error\ndata: {"condition":"forbidden"}\n\n')
      request.end()
    })
    expect(count).toBeLessThan(9)
  })

  test.each(['99999999999', '9'.repeat(400)])('a `retry` of %s is no timer that is due at once', async (retry) => {
    const count = await within(20_000, (request) => {
      request.accept()
      request.send(`retry: ${retry}\ndata: x\n\n`)
      request.end()
    })
    expect(count).toBe(1)
    expect(longest).toBeLessThanOrEqual(2 ** 31 - 1)
  })

  test('neither is a Retry-After of a thousand years', async () => {
    await within(5000, (request) => request.respond(503, { 'Retry-After': '31536000000' }))
    expect(server.requests).toHaveLength(1)
    expect(longest).toBeLessThanOrEqual(2 ** 31 - 1)
  })
})

test('a quiet connection that lasted and broke was no failure, however often', async () => {
  source()
  for (let i = 0; i < 8; i++) {
    await settle()
    last().accept()
    await settle()
    await clock.advance(60_000)
    last().send(': comment\n\n')
    await settle()
    last().cut()
    await settle()
    expect(server.requests).toHaveLength(i + 1)
    await clock.advance(70)
  }
  await settle()
  expect(server.requests).toHaveLength(9)
})

describe('the rhythm of the pings', () => {
  const seconds = (n: number) => clock.advance(n * 1000)

  test('messages between them, and the time before the first, are not it', async () => {
    const one = source()
    await settle()
    last().accept()
    await settle()
    // A server that greets, and pings everybody each 15 s, whatever else it sends: this page came 2 s before.
    last().send(': welcome\n\n')
    await settle()
    await seconds(2)
    for (let i = 0; i < 4; i++) {
      last().send(': ping\n\n')
      await settle()
      await seconds(14)
      last().send('data: x\n\n')
      await settle()
      await seconds(1)
    }
    expect(one.readyState).toBe(1)
    last().send(': ping\n\n')
    await settle()
    await seconds(37)
    expect(one.readyState).toBe(1)
    await seconds(1)
    await settle()
    expect(one.readyState).toBe(0)
  })

  test('one that is late, and two that come nearly together, change nothing', async () => {
    const one = source()
    await settle()
    last().accept()
    for (const after of [15, 15, 29.4, 0.6, 0.1, 14.9]) {
      await seconds(after)
      last().send('event: ping\ndata:\n\n')
      await settle()
    }
    await seconds(60)
    expect(one.readyState).toBe(1)
    await seconds(15)
    await settle()
    expect(one.readyState).toBe(0)
  })

  test('a comment that goes with each message is none', async () => {
    const one = source()
    await settle()
    last().accept()
    for (let i = 0; i < 5; i++) {
      last().send(': by worker 1\nid: 7\ndata: x\n\n')
      await settle()
      await seconds(1)
    }
    await seconds(3600)
    await settle()
    expect(one.readyState).toBe(1)
  })
})

test.each(['ftp://h/', 'about:blank', 'mailto:a@h', 'javascript:1', 'nonsense:x'])(
  '%s is nothing that could be fetched later',
  async (url) => {
    source({ environment: { fetch: () => Promise.reject(new TypeError('Failed to fetch')) } }, url)
    expect(log).toEqual([])
    await settle()
    expect(log).toEqual([['error', 2, undefined]])
    expect(clock.pending).toBe(0)
  },
)

test('the id `error` is not asked for as a seed either', async () => {
  source({ lastEventId: 'error' })
  await settle()
  expect(last().headers).toEqual({ accept: 'text/event-stream' })
})

test('Retry-After is kept to when the network comes back, an ordinary back-off is not', async () => {
  let back = () => {}
  const page = {
    onBack: (callback: () => void) => {
      back = callback
      return () => {}
    },
    onLeave: () => () => {},
  }
  source({ environment: { page } })
  await settle()
  last().respond(503, { 'Retry-After': '100' })
  await settle()
  back()
  await settle()
  expect(server.requests).toHaveLength(1)
  await clock.advance(100_070)
  await settle()
  last().respond(503)
  await settle()
  back()
  await settle()
  expect(server.requests).toHaveLength(3)
})

test('closed while a function is asked for headers: no timer is left, and no request made', async () => {
  let tell = (_: Record<string, string>) => {}
  const headers = () =>
    new Promise<Record<string, string>>((resolve) => {
      tell = resolve
    })
  const one = source({ headers })
  await settle()
  expect(clock.pending).toBe(1)
  one.close()
  expect(clock.pending).toBe(0)
  tell({ Authorization: 'x' })
  await settle()
  expect(server.requests).toEqual([])
})

test.each(['close', 'end', 'refusal'])('after a %s nothing is left behind', async (how) => {
  const listening = new Set<() => void>()
  const page = {
    onBack: (callback: () => void) => {
      listening.add(callback)
      return () => void listening.delete(callback)
    },
    onLeave: () => () => {},
  }
  const one = source({ silence: 45_000, environment: { page } })
  await settle()
  if (how === 'refusal') last().respond(403)
  else last().accept()
  await settle()
  if (how === 'close') one.close()
  else if (how === 'end') last().end()
  await settle()
  // The next attempt.
  expect(clock.pending).toBe(how === 'end' ? 1 : 0)
  expect(listening.size).toBe(how === 'end' ? 1 : 0)
  expect(last().aborted).toBe(true)
  one.close()
  expect([clock.pending, listening.size]).toEqual([0, 0])
})

test('a server of another origin that doesn’t take the header: the error says so', async () => {
  const refused: string[] = []
  const one = source({
    lastEventId: '7',
    environment: {
      location: { protocol: 'https:', hostname: 'page', port: '' },
      fetch: () => Promise.reject(new TypeError('Failed to fetch')),
    },
  })
  one.addEventListener('error', ({ message }) => refused.push(message))
  await settle()
  expect(refused[0]).toMatch(/Failed to fetch.*Last-Event-ID.*lastEventIdParameter/)
})
