import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Options } from '../../src/options.js'
import { type PositionStorage, persist } from '../../src/persist/index.js'
import { djangoEventStream } from '../../src/protocols/django-eventstream.js'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'
import type { ModeName } from '../../src/types.js'
import { SimulatedModule } from '../support/simulated-module.js'
import { SimulatedPage } from '../support/simulated-page.js'
import { runs } from './support/runs.js'
import { Shelf } from './support/shelf.js'

const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** One page: a client that is left as pages are. */
class Page {
  readonly all: string[] = []
  readonly errors: string[] = []
  readonly stream: PushStream
  readonly #leaving = new Set<() => void>()

  constructor(
    server: SimulatedModule,
    shelf: PositionStorage,
    mode: ModeName,
    channels: readonly string[],
    rest: Options = {},
  ) {
    this.stream = new PushStream({
      url: 'http://h',
      modes: [mode],
      persist: persist({ storage: shelf }),
      environment: {
        ...server.environment,
        page: {
          onBack: () => () => {},
          onLeave: (callback) => {
            this.#leaving.add(callback)
            return () => this.#leaving.delete(callback)
          },
        },
      },
      ...rest,
    })
    this.stream.on('message', ({ channel, text }) => this.all.push(`${channel}${text}`))
    this.stream.on('gap', ({ channel, first, last, reason }) => this.all.push(`${channel} ${first}-${last} ${reason}`))
    this.stream.on('error', ({ code, message }) => this.errors.push(`${code} ${message}`))
    for (const channel of channels) this.stream.addChannel(channel)
    this.stream.connect()
  }

  /** Navigates away. What is still on its way finds nobody. */
  leave(): void {
    for (const callback of this.#leaving) callback()
    this.stream.disconnect()
  }
}

const open = async (server: SimulatedModule, page: Page) => {
  for (let n = 0; n < 100 && page.stream.status.state !== 'open'; n++) await server.advance(50, 50)
  expect(page.stream.status.state).toBe('open')
}

describe.each(allModes)('%s', (mode) => {
  test('messages while no page is there → the next page gets them, once and in order', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    for (const channel of ['a', 'b']) server.publish(channel, ' before')
    const first = new Page(server, shelf, mode, ['a', 'b'])
    await open(server, first)
    server.publish('a', '1')
    server.publish('a', '2')
    await server.advance(100)
    first.leave()
    server.publish('b', '1')
    server.publish('a', '3')
    await server.advance(3000)
    const second = new Page(server, shelf, mode, ['a', 'b'])
    await open(server, second)
    server.publish('a', '4')
    await server.advance(3000)
    expect(first.all).toEqual(['a1', 'a2'])
    expect(second.all.toSorted()).toEqual(['a3', 'a4', 'b1'])
    expect(second.all.filter((one) => one.startsWith('a'))).toEqual(['a3', 'a4'])
    expect([...first.errors, ...second.errors]).toEqual([])
    second.stream.close()
  })

  test('prerendered while the page before it goes on, then activated → only what that one did not get', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    server.publish('a', ' before')
    const first = new Page(server, shelf, mode, ['a'])
    await open(server, first)
    server.publish('a', '1')
    await server.advance(100)
    const shown = new SimulatedPage()
    shown.prerendering = true
    const second = new Page(server, shelf, mode, ['a'], { environment: { ...server.environment, page: shown } })
    server.publish('a', '2')
    await server.advance(3000)
    // The network is back, and the page is still not shown.
    shown.back('online')
    server.publish('a', '3')
    await server.advance(3000)
    first.leave()
    server.publish('a', '4')
    shown.activate()
    await open(server, second)
    await server.advance(3000)
    expect(first.all).toEqual(['a1', 'a2', 'a3'])
    expect(second.all).toEqual(['a4'])
    second.stream.close()
    expect(shown.listeners).toBe(0)
  })

  test('ten page loads at any moment in a flow of 200 messages a second → each comes once', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    let published = 0
    const flow = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5) {
        server.publish('a', String(++published))
        await server.advance(5, 5)
      }
    }
    const all: string[] = []
    // Before the first message, too.
    for (const stay of [400, 800, 217, 1003, 501, 333, 222, 666, 1111, 400]) {
      const page = new Page(server, shelf, mode, ['a', 'b'])
      await flow(stay)
      page.leave()
      await flow(35)
      all.push(...page.all)
      expect(page.errors).toEqual([])
    }
    const last = new Page(server, shelf, mode, ['a', 'b'])
    await flow(300)
    await server.advance(3000)
    all.push(...last.all)
    last.stream.close()
    const began = Number(all[0]?.slice(1))
    expect(began).toBeLessThan(200)
    expect(all).toEqual(Array.from({ length: published - began + 1 }, (_, n) => `a${began + n}`))
  })
})

test('a channel that had no message yet → the first one, published between two pages, comes', async () => {
  for (const mode of allModes) {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const first = new Page(server, shelf, mode, ['a'])
    await open(server, first)
    first.leave()
    server.publish('a', '1')
    const second = new Page(server, shelf, mode, ['a'])
    await server.advance(3000)
    expect([mode, second.all]).toEqual([mode, ['a1']])
    second.stream.close()
  }
})

test('the page ends without a word right after a message → nothing is lost or doubled', async () => {
  const server = new SimulatedModule()
  const shelf = new Shelf()
  const first = new Page(server, shelf, 'websocket', ['a'])
  await open(server, first)
  server.publish('a', '1')
  // The task that brings the message ends here.
  await Promise.resolve()
  const kept = new Map(shelf.items)
  first.stream.close()
  shelf.items.clear()
  for (const [key, value] of kept) shelf.items.set(key, value)
  server.publish('a', '2')
  const second = new Page(server, shelf, 'websocket', ['a'])
  await server.advance(3000)
  expect([first.all, second.all]).toEqual([['a1'], ['a2']])
  second.stream.close()
})

test('a message above a hole when the page is left → it comes again, after the one that was missing', async () => {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({ greeting: ': \n\n' })
  const shelf = new Shelf()
  const frame = (id: number) =>
    `data: {"id":${id},"channel":"a","text":"x","tag":"${id}","time":"${new Date(1_795_211_831_000).toUTCString()}"}\n\n`
  const visit = () => {
    const stream = new PushStream({
      url: 'http://h',
      modes: ['eventsource'],
      persist: persist({ storage: shelf }),
      environment: manualEnvironment(clock, { fetch: server.fetch }),
    })
    const ids: unknown[] = []
    stream.on('message', ({ id }) => ids.push(id))
    stream.addChannel('a').connect()
    return { stream, ids }
  }
  const first = visit()
  await clock.advance(0)
  server.open[0]!.accept()
  server.open[0]!.send(frame(1))
  await clock.advance(100)
  server.open[0]!.send(frame(2) + frame(4))
  await clock.advance(100)
  first.stream.close()
  const second = visit()
  await clock.advance(0)
  expect(server.open[0]!.query.get('tag')).toBe('0')
  server.open[0]!.accept()
  server.open[0]!.send([1, 2, 3, 4].map(frame).join(''))
  await clock.advance(100)
  expect([first.ids, second.ids]).toEqual([[2], [3, 4]])
  second.stream.close()
})

describe('servers that number otherwise', () => {
  /** Two pages, one after the other, of a server whose answers the test writes. */
  async function visits(protocol: Options['protocol'], first: string[], second: string[], greeting: string) {
    const clock = createManualClock(1_795_211_831_000)
    const server = createFakeFetch({ greeting })
    const shelf = new Shelf()
    const pages: string[][] = []
    const errors: string[] = []
    let asked = ''
    const stored: string[] = []
    for (const pieces of [first, second]) {
      const stream = new PushStream({
        url: 'http://h',
        modes: ['eventsource'],
        persist: persist({ storage: shelf }),
        environment: manualEnvironment(clock, { fetch: server.fetch }),
        ...(protocol && { protocol }),
      })
      const all: string[] = []
      pages.push(all)
      stream.on('message', ({ text }) => all.push(text))
      stream.on('gap', ({ first, last, reason }) => all.push(`gap ${first}-${last} ${reason}`))
      stream.on('error', ({ message }) => errors.push(message))
      stream.addChannel('a').connect()
      await clock.advance(0)
      const request = server.open.find(({ method }) => method === 'GET')
      asked = decodeURIComponent(request?.url ?? '')
      request?.accept()
      for (const piece of pieces) {
        await clock.advance(200)
        request?.send(piece)
      }
      await clock.advance(200)
      stream.close()
      stored.push(shelf.text)
    }
    return { pages, asked, errors, stored }
  }
  const nchanEvent = (id: string, text: string) => `id: ${id}\ndata: ${text}\n\n`
  const second = 1_795_211_831

  test('Nchan, what is known comes again → only what is new', async () => {
    const { pages, asked, errors, stored } = await visits(
      nchan(),
      [nchanEvent(`${second}:0`, 'x'), nchanEvent(`${second}:1`, 'y')],
      [nchanEvent(`${second}:0`, 'x') + nchanEvent(`${second}:1`, 'y') + nchanEvent(`${second}:2`, 'z')],
      ': hi\n\n',
    )
    expect(asked).toContain(`last_event_id=${second - 1}:32767`)
    expect([pages, errors]).toEqual([[['x', 'y'], ['z']], []])
    expect(stored[1]).toMatch(/^\d+ \[\["a",null,\d+,null,\d+\]\]$/)
  })

  test('Nchan, nothing known comes → a gap, then what is new', async () => {
    const { pages, errors } = await visits(
      nchan(),
      [nchanEvent(`${second}:0`, 'x')],
      [nchanEvent(`${second + 5}:0`, 'z')],
      ': hi\n\n',
    )
    expect([pages, errors]).toEqual([[['x'], ['gap unknown-unknown overflow', 'z']], []])
  })

  test('Nchan, no message came on the page before → what was published since it was loaded', async () => {
    const { pages } = await visits(
      nchan(),
      [],
      [nchanEvent(`${second - 60}:0`, 'old') + nchanEvent(`${second}:0`, 'new')],
      ': hi\n\n',
    )
    expect(pages).toEqual([[], ['new']])
  })

  const opening = `:${' '.repeat(2048)}\n\nevent: stream-open\ndata:\n\n`
  const djangoEvent = (n: number, text: string) => `event: message\nid: a:${n}\ndata: "${text}"\n\n`

  test('django-eventstream → each channel by its number, and what it does not have is a gap', async () => {
    const protocol = djangoEventStream({ probe: false })
    const { pages, asked, stored } = await visits(
      protocol,
      [opening, djangoEvent(6, 'x')],
      [opening + djangoEvent(7, 'y'), djangoEvent(7, 'y') + djangoEvent(8, 'z')],
      '',
    )
    expect(asked).toContain('lastEventId=a:6')
    expect(pages).toEqual([['"x"'], ['"y"', '"z"']])
    expect(stored[1]).toMatch(/^\d+ \[\["a",8,null,null,\d+\]\]$/)
    const reset = 'event: stream-reset\nid: a:8\ndata: {"channels": ["a"]}\n\n'
    const lost = await visits(protocol, [opening, djangoEvent(6, 'x')], [opening + reset, djangoEvent(9, 'z')], '')
    expect(lost.pages[1]).toEqual(['gap 7-8 overflow', '"z"'])
  })

  const frame = (fields: object, text: string) => `data: ${JSON.stringify({ channel: 'a', text, ...fields })}\n\n`
  const time = new Date(second * 1000).toUTCString()

  test('a template of time and tag, without an id → the second comes again, and only what is new is delivered', async () => {
    const known = [1, 2, 3].map((tag) => frame({ time, tag }, `${tag}`))
    const { pages, errors } = await visits(
      undefined,
      [known[0] as string, (known[1] as string) + known[2]],
      [known.join('') + frame({ time, tag: 4 }, '4'), known.join('') + frame({ time, tag: 5 }, '5')],
      ': \n\n',
    )
    expect(pages).toEqual([
      ['1', '2', '3'],
      ['4', '5'],
    ])
    expect(errors.filter((error) => !error.includes('lost unseen'))).toEqual([])
  })

  test.each([
    ['an id alone', { id: 7 }],
    ['an event id alone', { eventid: 'e' }],
    ['nothing', {}],
  ])('a template of %s → nothing is kept, the next page begins anew', async (_, fields) => {
    const { asked, stored } = await visits(undefined, ['', frame(fields, 'x'), frame(fields, 'y')], [], ': \n\n')
    expect(stored[0]).not.toContain('"a"')
    expect(asked).toMatch(/\/ev\/a\.b1$/)
  })
})

describe('what is kept', () => {
  test('nothing of the messages: no text, no event id', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const page = new Page(server, shelf, 'websocket', ['room'])
    await open(server, page)
    server.publish('room', 'secret')
    await server.advance(100)
    expect(shelf.text).toMatch(/^\d+ \[\["room",1,\d+,\d+,\d+\]\]$/)
    page.stream.close()
  })

  test('a channel that was removed and is added again, in the same page or the next → begins anew', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const first = new Page(server, shelf, 'websocket', ['a', 'b'])
    await open(server, first)
    server.publish('a', '1')
    await server.advance(100)
    first.stream.removeChannel('a')
    await server.advance(1000)
    server.publish('a', '2')
    first.stream.addChannel('a')
    await server.advance(1000)
    first.stream.removeChannel('a')
    first.leave()
    expect(shelf.text).not.toContain('"a"')
    const second = new Page(server, shelf, 'websocket', ['a', 'b'])
    await server.advance(1000)
    expect([first.all, second.all]).toEqual([['a1'], []])
    second.stream.close()
  })

  test('a refused channel → its position stays for the page after the sign-in', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    let refuses = false
    const { environment } = server
    const guarded = {
      environment: {
        ...environment,
        fetch: async (...request: Parameters<typeof fetch>) =>
          refuses ? new Response(null, { status: 401 }) : environment.fetch(...request),
      },
    }
    const first = new Page(server, shelf, 'eventsource', ['a'], guarded)
    await open(server, first)
    server.publish('a', '1')
    await server.advance(100)
    refuses = true
    server.reload()
    await server.advance(10_000)
    expect(first.stream.channels).toEqual([])
    first.stream.close()
    server.publish('a', '2')
    refuses = false
    const second = new Page(server, shelf, 'eventsource', ['a'])
    await server.advance(3000)
    expect(second.all).toEqual(['a2'])
    second.stream.close()
  })

  test('another server, another location, another protocol, another key → a key each', () => {
    const shelf = new Shelf()
    const getItem = (place: string) => {
      shelf.setItem(place, '')
      return null
    }
    const visit = (options: Options, key = '') => {
      const clock = createManualClock()
      const stream = new PushStream({
        url: 'http://h',
        persist: persist({ storage: { getItem, setItem() {} }, key }),
        environment: manualEnvironment(clock, { fetch: createFakeFetch().fetch }),
        ...options,
      })
      stream.addChannel('a')
    }
    visit({})
    visit({ modes: 'websocket' })
    expect(shelf.items.size).toBe(1)
    visit({ url: 'http://staging' })
    visit({ url: 'http://h/prefix' })
    visit({ urlPrefixWebsocket: '/staging/ws' })
    visit({ protocol: nchan() })
    visit({}, 'user-42')
    expect(shelf.items.size).toBe(6)
  })

  test('a function that makes addresses and knows no such channel → its positions are kept all the same', () => {
    const url = ([name]: readonly string[]) => {
      if (name !== 'a') throw new Error('unknown')
      return '/a'
    }
    const options = { url: 'http://h', protocol: nchan({ url }), persist: persist({ storage: new Shelf() }) }
    const environment = manualEnvironment(createManualClock(), { fetch: createFakeFetch().fetch })
    expect(() => new PushStream({ ...options, environment }).addChannel('a')).not.toThrow()
  })

  test('after close → nothing is written any more', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const page = new Page(server, shelf, 'websocket', ['a'])
    await open(server, page)
    server.publish('a', '1')
    page.stream.close()
    shelf.items.clear()
    page.leave()
    await server.advance(1000)
    expect(shelf.items.size).toBe(0)
  })

  test('many messages in one answer → written once', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const first = new Page(server, shelf, 'longpolling', ['a'])
    await open(server, first)
    first.leave()
    for (let n = 0; n < 50; n++) server.publish('a', String(n))
    const before = shelf.writes
    const second = new Page(server, shelf, 'longpolling', ['a'])
    await server.advance(200)
    expect(second.all).toHaveLength(50)
    expect(shelf.writes - before).toBeLessThan(4)
    second.stream.close()
  })

  test('more channels than are kept for others → the ones that were not used for longest go', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    for (let n = 0; n < 120; n++) {
      const page = new Page(server, shelf, 'websocket', [`c${n}`])
      await open(server, page)
      page.leave()
    }
    const names = (JSON.parse(shelf.text.replace(/^\d+ /, '')) as [string][]).map(([name]) => name)
    expect(names).toHaveLength(101)
    expect(names[0]).toBe('c19')
  })
})

describe('a position that leads nowhere', () => {
  /** A page with whatever is stored, on a server with one message of each of two channels. */
  async function visit(stored: (text: string) => string, during: (server: SimulatedModule) => void = () => {}) {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const first = new Page(server, shelf, 'websocket', ['a', 'b'])
    await open(server, first)
    server.publish('a', '1')
    server.publish('b', '1')
    await server.advance(100)
    first.leave()
    for (const [key, text] of shelf.items) shelf.items.set(key, stored(text))
    during(server)
    await server.advance(2000)
    const page = new Page(server, shelf, 'websocket', ['a', 'b'])
    await server.advance(1000)
    server.publish('a', ' live')
    server.publish('b', ' live')
    await server.advance(5000)
    page.stream.close()
    return page
  }

  test.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['another text', () => 'true'],
    ['cut off', (text) => text.slice(0, -3)],
    ['with another number', (text) => text.replace(/\d\]/, (end) => `${(Number(end[0]) + 1) % 10}]`)],
    ['with a good checksum and no JSON', () => '0 '],
    ['with a good checksum and no list', () => `${50} 2`],
  ])('damaged: %s → begins anew', async (_, damage) => {
    const page = await visit(damage)
    expect([page.all.toSorted(), page.errors]).toEqual([['a live', 'b live'], []])
  })

  test('whatever is stored → no exception, and every live message comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .array(
              fc.tuple(
                fc.constantFrom('a', 'b', 'c', '__proto__'),
                ...Array.from({ length: 4 }, () => fc.option(fc.oneof(fc.integer(), fc.maxSafeNat(), fc.double()))),
              ),
            )
            .map((all) => JSON.stringify(all)),
        ),
        fc.boolean(),
        async (text, sealed) => {
          let hash = 0
          for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0
          const page = await visit(() => (sealed ? `${hash} ${text}` : text))
          const live = page.all.filter((one) => one.endsWith(' live'))
          expect(live.toSorted()).toEqual(['a live', 'b live'])
        },
      ),
      runs(150),
    )
  }, 60_000)

  test('the server has forgotten what is stored → a gap, then what is new', async () => {
    const page = await visit(
      (text) => text,
      (server) => {
        for (let n = 2; n < 6; n++) server.publish('a', String(n))
        server.expire('a')
      },
    )
    expect(page.all.toSorted()).toEqual(['a 2-5 overflow', 'a live', 'b live'])
    expect(page.errors).toEqual([])
  })

  test('the server has begun anew → a gap, then what is new', async () => {
    const page = await visit(
      (text) => text,
      (server) => server.restart(),
    )
    expect(page.all).toHaveLength(4)
    expect(page.all.toSorted()).toEqual(['a 2-unknown restart', 'a live', 'b 2-unknown restart', 'b live'])
  })
})

describe('a storage that does not work', () => {
  test.each<[string, PositionStorage]>([
    [
      'denied',
      {
        getItem: () => {
          throw new DOMException('denied', 'SecurityError')
        },
        setItem() {},
      },
    ],
    [
      'full',
      {
        getItem: () => null,
        setItem() {
          throw new DOMException('full', 'QuotaExceededError')
        },
      },
    ],
  ])('%s → the client works without, and one error says so', async (_, storage) => {
    const server = new SimulatedModule()
    const page = new Page(server, storage, 'websocket', ['a', 'b'])
    await open(server, page)
    for (const text of ['1', '2', '3']) {
      server.publish('a', text)
      await server.advance(100)
    }
    expect(page.all).toEqual(['a1', 'a2', 'a3'])
    expect(page.errors).toEqual(['setup No position can be stored: a page load begins anew.'])
    page.stream.close()
  })

  test('none, as on a server that renders → nothing is said before there is something to store', () => {
    const warned: unknown[] = []
    const stream = new PushStream({
      url: 'http://h',
      persist: persist(),
      environment: manualEnvironment(createManualClock()),
    })
    stream.on('error', (error) => warned.push(error))
    stream.addChannel('a').addChannel('b')
    stream.close()
    expect(warned).toEqual([])
  })

  test.each([[null], ['cookie'], [{}], [{ storage: {} }]])('persist(%o) → a bad-option error', (where) => {
    expect(() => persist(where as unknown as 'local')).toThrow(expect.objectContaining({ code: 'bad-option' }))
  })
})

describe('several tabs with one storage', () => {
  test('each writes its own channels → the next page has the last position of all', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const tabs = [new Page(server, shelf, 'websocket', ['a']), new Page(server, shelf, 'websocket', ['b'])] as const
    for (const tab of tabs) await open(server, tab)
    for (const text of ['1', '2']) {
      for (const channel of ['a', 'b']) server.publish(channel, text)
      await server.advance(50)
    }
    for (const tab of tabs) tab.leave()
    server.publish('a', '3')
    server.publish('b', '3')
    const next = new Page(server, shelf, 'websocket', ['a', 'b'])
    await server.advance(3000)
    expect(next.all.toSorted()).toEqual(['a3', 'b3'])
    next.stream.close()
  })

  test('one that is behind writes last → the position does not go back', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    // Its network is slower: by long-polling, a pause is between two answers.
    const ahead = new Page(server, shelf, 'websocket', ['a'])
    await open(server, ahead)
    server.publish('a', '1')
    await server.advance(100)
    const behind = new Page(server, new Shelf(), 'websocket', ['a'], { persist: persist({ storage: shelf }) })
    await open(server, behind)
    behind.stream.disconnect()
    for (const text of ['2', '3']) server.publish('a', text)
    await server.advance(100)
    const before = shelf.text
    behind.leave()
    expect(shelf.text).toBe(before)
    ahead.leave()
    const next = new Page(server, shelf, 'websocket', ['a'])
    await server.advance(3000)
    expect(next.all).toEqual([])
    next.stream.close()
    behind.stream.close()
  })

  test('one removes a channel that another has → the other’s position stays', async () => {
    const server = new SimulatedModule()
    const shelf = new Shelf()
    const one = new Page(server, shelf, 'websocket', ['a', 'b'])
    const other = new Page(server, shelf, 'websocket', ['a'])
    for (const page of [one, other]) await open(server, page)
    one.stream.removeChannel('a')
    server.publish('b', '1')
    await server.advance(100)
    server.publish('a', '1')
    await server.advance(100)
    other.leave()
    server.publish('b', '2')
    server.publish('a', '2')
    await server.advance(100)
    const next = new Page(server, shelf, 'websocket', ['a'])
    await server.advance(3000)
    expect(next.all).toEqual(['a2'])
    one.stream.close()
    next.stream.close()
  })
})
