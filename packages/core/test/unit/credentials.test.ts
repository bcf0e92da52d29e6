import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import type { Options } from '../../src/options.js'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'
import type { ModeName } from '../../src/types.js'
import { SimulatedModule } from '../support/simulated-module.js'

const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** A promise that the test settles. */
function later<T>() {
  let resolve!: (value: T) => void
  let reject!: (cause: unknown) => void
  const promise = new Promise<T>((done, fail) => {
    resolve = done
    reject = fail
  })
  return { promise, resolve, reject }
}

/** A client of the simulated module behind a guard that takes one token. */
class Guarded {
  readonly server = new SimulatedModule()
  /** The token that the server takes, and the one that the application has. */
  valid = 'first'
  token = 'first'
  /** Channels that no token is good for. */
  readonly secret = new Set<string>()
  /** How often `params` was called, how often the application was asked for other credentials, and requests by their token. */
  providers = 0
  asked = 0
  readonly requests: { url: string; token: string }[] = []
  readonly texts: string[] = []
  readonly events: string[] = []
  readonly stream: PushStream

  constructor(modes: readonly ModeName[], options: Options = {}, channels: readonly string[] = ['a', 'b']) {
    const { environment } = this.server
    const Native = environment.WebSocket as unknown as new (url: string) => WebSocket & { ended(code: number): void }
    const takes = (address: string) => {
      const { pathname, searchParams } = new URL(address)
      const token = searchParams.get('token') ?? ''
      this.requests.push({ url: address, token })
      const names = pathname.split('/').map((name) => decodeURIComponent(name).replace(/\.b\d+$/, ''))
      return token === this.valid && !names.some((name) => this.secret.has(name))
    }
    // A handshake that is refused shows no status.
    class Socket extends Native {
      constructor(url: string) {
        const taken = takes(url)
        super(url)
        if (!taken) queueMicrotask(() => this.ended(1006))
      }
    }
    this.stream = new PushStream({
      url: 'http://h',
      modes,
      params: () => {
        this.providers++
        return { token: this.token }
      },
      environment: {
        ...environment,
        WebSocket: Socket as unknown as typeof WebSocket,
        fetch: async (url, init) =>
          takes(String(url)) ? environment.fetch(url, init) : new Response(null, { status: 401 }),
      },
      ...options,
    })
    this.stream.on('message', ({ channel, text }) => this.texts.push(`${channel}${text}`))
    this.stream.on('gap', ({ channel }) => this.events.push(`gap ${channel}`))
    this.stream.on('error', ({ channel, code, status }) =>
      this.events.push([code, status, channel].filter(Boolean).join(' ')),
    )
    for (const channel of channels) this.stream.addChannel(channel)
  }

  /** Connects, and waits until the client is open and settled. */
  async open(): Promise<this> {
    this.stream.connect()
    await this.server.advance(3000)
    expect(this.stream.status.state).toBe('open')
    return this
  }

  /** The token runs out, and every connection ends. */
  expire(): void {
    this.valid = 'second'
    this.server.reload()
  }

  /** What the application does when it is asked: it has the other token. */
  readonly sign = async () => {
    this.asked++
    this.token = 'second'
    return true
  }
}

describe('onUnauthorized', () => {
  test.each([
    [['eventsource']],
    [['stream']],
    [['longpolling']],
    [['websocket', 'eventsource']],
    [['eventsource', 'stream', 'longpolling']],
  ] as const)('%s: 401, and there are other credentials → asked once, and nothing is lost', async (modes) => {
    const found: Guarded = new Guarded(modes, { onUnauthorized: () => found.sign() })
    const { server, stream, texts, events } = await found.open()
    server.publish('a', '1')
    await server.advance(100)
    found.expire()
    await server.advance(50)
    server.publish('a', '2')
    server.publish('b', '1')
    await server.advance(5000)
    server.publish('b', '2')
    await server.advance(100)
    expect(found.asked).toBe(1)
    expect(texts.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2'])
    expect(events.filter((event) => /^(gap|unauthorized)/.test(event))).toEqual([])
    stream.close()
  })

  test.each([
    ['false', async () => false, []],
    ['a rejection', async () => Promise.reject(new Error('offline')), ['listener']],
    [
      'an exception',
      () => {
        throw new Error('mistake')
      },
      ['listener'],
    ],
    ['something else', async () => 'yes' as unknown as boolean, []],
  ])('the answer is %s → every channel is refused, and no one is asked again', async (_, answer, reported) => {
    let asked = 0
    const onUnauthorized = () => {
      asked++
      return answer()
    }
    const found = await new Guarded(['eventsource', 'longpolling'], { onUnauthorized }).open()
    const { server, stream, events } = found
    found.expire()
    await server.advance(20_000)
    expect(asked).toBe(1)
    expect(events.filter((event) => !event.startsWith('http'))).toEqual([
      ...reported,
      'unauthorized 401 a',
      'unauthorized 401 b',
    ])
    expect([stream.channels, stream.status.state]).toEqual([[], 'closed'])
    stream.close()
  })

  test('the other credentials are no better → refused, and no one is asked again', async () => {
    const found: Guarded = new Guarded(['eventsource', 'longpolling'], { onUnauthorized: () => found.sign() })
    const { server, stream, events } = await found.open()
    found.expire()
    found.valid = 'third'
    await server.advance(20_000)
    expect(found.asked).toBe(1)
    expect(events.filter((event) => !event.startsWith('http'))).toEqual(['unauthorized 401 a', 'unauthorized 401 b'])
    stream.close()
  })

  test('credentials run out twice → asked twice', async () => {
    const found: Guarded = new Guarded(['eventsource'], {
      onUnauthorized: () => {
        found.asked++
        found.token = found.valid
        return true
      },
    })
    const { server, stream, events } = await found.open()
    for (const valid of ['second', 'third']) {
      found.valid = valid
      server.reload()
      await server.advance(5000)
      expect(stream.status.state).toBe('open')
    }
    expect(found.asked).toBe(2)
    expect(events).toEqual([])
    stream.close()
  })

  test('a channel that no credentials are good for → asked once, it is refused, the other goes on', async () => {
    const found: Guarded = new Guarded(['eventsource'], { onUnauthorized: () => found.sign() })
    const { server, stream, texts, events } = await found.open()
    found.secret.add('b')
    found.expire()
    await server.advance(20_000)
    server.publish('a', '1')
    await server.advance(100)
    expect(found.asked).toBe(1)
    expect(events.filter((event) => !event.startsWith('http'))).toEqual(['unauthorized 401 b'])
    expect([stream.channels, texts]).toEqual([['a'], ['a1']])
    stream.close()
  })

  test('a refused channel is added again → asked again', async () => {
    const found: Guarded = new Guarded(['eventsource'], { onUnauthorized: () => found.sign() }, ['a'])
    const { server, stream } = await found.open()
    found.secret.add('a')
    found.expire()
    await server.advance(20_000)
    expect([found.asked, stream.channels]).toEqual([1, []])
    found.secret.clear()
    found.valid = 'third'
    stream.addChannel('a')
    await server.advance(20_000)
    expect(found.asked).toBe(2)
    stream.close()
  })

  test('a channel that is removed while the application is asked → the others go on without it', async () => {
    const answer = later<boolean>()
    const found = new Guarded(['eventsource'], { onUnauthorized: () => answer.promise })
    const { server, stream, events } = await found.open()
    found.expire()
    await server.advance(1000)
    stream.removeChannel('b')
    answer.resolve(false)
    await server.advance(20_000)
    expect(events.filter((event) => !event.startsWith('http'))).toEqual(['unauthorized 401 a'])
    expect(stream.channels).toEqual([])
    stream.close()
  })

  test('a replacement gets 401 → asked, and the connection that works stays', async () => {
    const answer = later<boolean>()
    const found: Guarded = new Guarded(['eventsource'], {
      onUnauthorized: () => {
        found.asked++
        return answer.promise
      },
    })
    const { server, stream, texts, events } = await found.open()
    found.valid = 'second'
    stream.refresh()
    await server.advance(1000)
    server.publish('a', '1')
    await server.advance(100)
    expect([found.asked, stream.status.state, texts]).toEqual([1, 'open', ['a1']])
    found.token = 'second'
    answer.resolve(true)
    await server.advance(1000)
    server.publish('a', '2')
    await server.advance(100)
    expect(found.requests.at(-1)?.token).toBe('second')
    expect([found.asked, stream.status.state, texts, stream.stats.reconnects]).toEqual([1, 'open', ['a1', 'a2'], 0])
    expect(events).toEqual([])
    stream.close()
  })

  test('the replacement that brings another channel gets 401 for it alone → it is refused, the others go on', async () => {
    const found: Guarded = new Guarded(['eventsource'], { onUnauthorized: () => found.sign() })
    const { server, stream, events } = await found.open()
    found.token = 'second'
    found.valid = 'second'
    found.secret.add('c')
    stream.addChannel('c')
    await server.advance(20_000)
    expect(found.asked).toBe(1)
    expect(events.filter((event) => !event.startsWith('http'))).toEqual(['unauthorized 401 c'])
    expect([stream.channels, stream.status.state]).toEqual([['a', 'b'], 'open'])
    // They were taken, so the next time the application is asked about them.
    found.secret.clear()
    found.valid = 'third'
    server.reload()
    await server.advance(5000)
    expect(found.asked).toBe(2)
    stream.close()
  })

  test('the page comes back while the application is asked → the answer counts for what was asked meanwhile, too', async () => {
    const answer = later<boolean>()
    const found: Guarded = new Guarded(['eventsource'], {
      onUnauthorized: () => {
        found.asked++
        return answer.promise
      },
    })
    const { server, stream, events } = await found.open()
    found.expire()
    await server.advance(1000)
    const before = found.requests.length
    stream.connect()
    await server.advance(1000)
    expect(found.requests.length).toBeGreaterThan(before)
    found.token = 'second'
    answer.resolve(true)
    await server.advance(2000)
    expect([found.asked, stream.status.state]).toEqual([1, 'open'])
    expect(events).toEqual([])
    stream.close()
  })

  describe('a page that can’t see why it is refused', () => {
    test('no connection works → it may be the network: not asked, and tried for ever with new credentials', async () => {
      const found: Guarded = new Guarded(['websocket'], { onUnauthorized: () => found.sign() })
      const { server, stream } = await found.open()
      found.expire()
      await server.advance(60_000)
      expect([found.asked, stream.channels]).toEqual([0, ['a', 'b']])
      found.token = 'second'
      await server.advance(60_000)
      expect(stream.status.state).toBe('open')
      stream.close()
    })

    test('others are taken meanwhile → asked before the channel is refused', async () => {
      const found: Guarded = new Guarded(['websocket'], { onUnauthorized: () => ++found.asked > 0 }, ['a'])
      const { server, stream, events } = await found.open()
      found.secret.add('b')
      stream.addChannel('b')
      await server.advance(120_000)
      expect(found.asked).toBe(1)
      expect(events.filter((event) => event.includes(' b'))).toEqual(['forbidden b'])
      expect([stream.channels, stream.status.state]).toEqual([['a'], 'open'])
      stream.close()
    })
  })

  test.each([true, false])(
    'a connection for each of three channels, other credentials: %s → asked once',
    async (good) => {
      const clock = createManualClock(1_795_211_831_000)
      let token = 'first'
      let valid = 'first'
      let asked = 0
      const server = createFakeFetch({
        greeting: ': hi\n\n',
        answer(request) {
          // One after the other.
          const delay = 20 * server.requests.length
          clock.setTimeout(() => {
            if (!request.open) return
            if (request.query.get('token') !== valid) request.respond(401)
            else request.accept()
          }, delay)
        },
      })
      const refused: string[] = []
      const stream = new PushStream({
        url: 'http://h',
        modes: ['eventsource'],
        protocol: nchan(),
        params: () => ({ token }),
        async onUnauthorized() {
          asked++
          token = 'second'
          return true
        },
        environment: manualEnvironment(clock, { fetch: server.fetch, connections: () => 100 }),
      })
      stream.on('error', ({ code, channel }) => channel && refused.push(`${code} ${channel}`))
      for (const name of ['a', 'b', 'c']) stream.addChannel(name)
      valid = good ? 'second' : 'third'
      stream.connect()
      await clock.advance(60_000)
      expect(asked).toBe(1)
      expect(refused.toSorted()).toEqual(good ? [] : ['unauthorized a', 'unauthorized b', 'unauthorized c'])
      expect(server.open).toHaveLength(good ? 3 : 0)
      stream.close()
    },
  )
})

describe('refresh', () => {
  test.each(allModes)('%s → one request with other credentials takes over, without a loss', async (mode) => {
    const found = await new Guarded([mode]).open()
    const { server, stream, texts, events } = found
    // The long-polls of a chain have their own.
    await server.advance(20_000)
    let published = 0
    const flow = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 20) {
        server.publish('a', String(++published))
        await server.advance(20, 20)
      }
    }
    await flow(200)
    found.token = 'second'
    found.valid = 'second'
    const before = [found.providers, found.requests.length] as const
    stream.refresh()
    expect(found.providers).toBe(before[0])
    await flow(mode === 'longpolling' ? 20 : 400)
    if (mode !== 'longpolling') expect([found.providers - before[0], found.requests.length - before[1]]).toEqual([1, 1])
    await flow(500)
    expect(found.requests.at(-1)?.token).toBe('second')
    expect(texts).toEqual(Array.from({ length: published }, (_, n) => `a${n + 1}`))
    expect([events, stream.stats.reconnects, stream.status.state]).toEqual([[], 0, 'open'])
    stream.close()
  })

  test('several times in a tick, with a channel added before or after → one request', async () => {
    const found = await new Guarded(['websocket']).open()
    const before = found.requests.length
    found.stream.refresh().addChannel('c').refresh()
    await found.server.advance(1000)
    found.stream.addChannel('d').refresh()
    await found.server.advance(1000)
    expect(found.requests.slice(before).map(({ url }) => new URL(url).pathname)).toEqual([
      '/ws/c.b1/a/b',
      '/ws/d.b1/a/b/c',
    ])
    found.stream.close()
  })

  test('twice, the second before the first is accepted → the newest credentials count', async () => {
    const found = await new Guarded(['eventsource']).open()
    const { server, stream } = found
    stream.refresh()
    await server.advance(0)
    found.token = found.valid = 'second'
    stream.refresh()
    await server.advance(1000)
    expect(found.requests.at(-1)?.token).toBe('second')
    expect([stream.status.state, stream.stats.reconnects]).toEqual(['open', 0])
    stream.close()
  })

  test('the client is not connected → nothing; it waits → the next attempt has them anyway; closed → an error', async () => {
    const found = new Guarded(['eventsource'])
    const { server, stream } = found
    stream.refresh()
    await server.advance(1000)
    expect([found.providers, found.requests]).toEqual([0, []])
    await found.open()
    stream.disconnect()
    const before = found.requests.length
    stream.refresh()
    await server.advance(1000)
    expect(found.requests.length).toBe(before)
    // What was asked for while nothing was connected is not made up for.
    stream.connect()
    await server.advance(1000)
    expect(found.requests.length).toBe(before + 1)
    server.blackHole(true)
    await server.advance(120_000)
    expect(stream.status.state).not.toBe('open')
    await server.advance(0)
    stream.close()
    expect(() => stream.refresh()).toThrow('closed')
  })

  test('a provider fails → the connection stays, and it is tried again', async () => {
    let fails = false
    const found: Guarded = new Guarded(['eventsource'], {
      params: () => {
        if (fails) throw new Error('no token')
        return { token: found.token }
      },
    })
    const { server, stream, texts, events } = await found.open()
    fails = true
    stream.refresh()
    await server.advance(500)
    server.publish('a', '1')
    await server.advance(100)
    expect([stream.status.state, texts, events[0]]).toEqual(['open', ['a1'], 'listener'])
    fails = false
    found.token = found.valid = 'second'
    await server.advance(10_000)
    expect([found.requests.at(-1)?.token, stream.stats.reconnects]).toEqual(['second', 0])
    stream.close()
  })
})

describe('close, at sign-out', () => {
  /** A page whose every step waits for the test, and what it does after `close`. */
  function page(options: Options = {}, channels: readonly string[] = ['a']) {
    const clock = createManualClock(1_795_211_831_000)
    const server = createFakeFetch({ greeting: ': \n\n' })
    const calls: string[] = []
    const called = (name: string) => calls.push(name)
    const stream = new PushStream({
      url: 'http://h',
      modes: ['eventsource'],
      params: () => {
        called('params')
        return {}
      },
      headers: () => {
        called('headers')
        return {}
      },
      environment: manualEnvironment(clock, {
        fetch: (...request: Parameters<typeof fetch>) => {
          called(`fetch ${new URL(String(request[0])).pathname}`)
          return server.fetch(...request)
        },
        location: { protocol: 'http:', hostname: 'h', port: '' },
        connections: () => 4,
      }),
      ...options,
    })
    for (const event of ['message', 'status', 'open', 'gap', 'deadletter', 'error'] as const)
      stream.on(event, () => called(event))
    for (const channel of channels) stream.addChannel(channel)
    stream.connect()
    /** Nothing comes after `close`, whatever settles then. */
    const quiet = async (settle: () => void = () => {}) => {
      stream.close()
      calls.length = 0
      settle()
      await clock.advance(0)
      for (const request of server.open) {
        if (request.aborted) continue
        calls.push(`${request.url} is open`)
      }
      await clock.advance(600_000)
      expect([calls, clock.pending]).toEqual([[], 0])
    }
    return { clock, server, stream, calls, called, quiet }
  }
  const frame = (id: number) =>
    `data: {"id":${id},"channel":"a","text":"x","tag":"1","time":"${new Date(1_795_211_831_000).toUTCString()}"}\n\n`

  test('in the tick of connect → nothing was asked', async () => {
    const { quiet, calls, server } = page()
    await quiet()
    expect([calls, server.requests]).toEqual([[], []])
  })

  test('in the tick of refresh → no provider is called', async () => {
    const { clock, quiet, server, stream } = page()
    await clock.advance(0)
    server.open[0]!.accept()
    await clock.advance(200)
    stream.refresh()
    await quiet()
  })

  test.each(['params', 'headers'] as const)('a provider of %s is pending → no request', async (name) => {
    for (const settle of ['resolve', 'reject'] as const) {
      const pending = later<Record<string, string>>()
      const { clock, quiet } = page({ [name]: () => pending.promise })
      await clock.advance(0)
      await quiet(() => (settle === 'resolve' ? pending.resolve({ token: 'late' }) : pending.reject(new Error('late'))))
    }
  })

  test.each(['eventsource', 'stream', 'longpolling'] as const)('%s: the request is pending → aborted', async (mode) => {
    const { clock, quiet, server } = page({ modes: [mode] })
    await clock.advance(0)
    const requests = [...server.requests]
    await quiet()
    expect(requests.every(({ aborted }) => aborted)).toBe(true)
  })

  test('the answer has begun → no message', async () => {
    const { clock, quiet, server } = page()
    await clock.advance(0)
    const [request] = server.open
    request!.accept()
    await clock.advance(200)
    request!.send(frame(1))
    // What is on its way into the page is not delivered.
    await quiet()
  })

  test('a message closes the client → the next one of the same piece is not delivered', async () => {
    const { clock, server, stream } = page()
    await clock.advance(0)
    server.open[0]!.accept()
    await clock.advance(200)
    const ids: unknown[] = []
    stream.on('message', ({ id }) => {
      ids.push(id)
      stream.close()
    })
    server.open[0]!.send(frame(1) + frame(2))
    await clock.advance(10_000)
    expect([ids, clock.pending]).toEqual([[1], 0])
  })

  test.each(['the poll', 'its provider'])('the connection is verified, %s is pending → aborted', async (what) => {
    const pending = later<Record<string, string>>()
    let waits = false
    const { calls, clock, quiet, server } = page({ headers: () => (waits ? pending.promise : {}) })
    await clock.advance(0)
    server.open[0]!.accept()
    await clock.advance(200)
    waits = what !== 'the poll'
    calls.length = 0
    for (let n = 0; n < 50 && !calls.includes('params'); n++) await clock.advance(100)
    expect(calls).toContain('params')
    const polls = server.open.filter(({ headers }) => headers['x-nginx-pushstream-mode'] !== undefined)
    expect(polls).toHaveLength(waits ? 0 : 1)
    await quiet(() => pending.resolve({}))
    expect(polls.every(({ aborted }) => aborted)).toBe(true)
  })

  test('the client waits for its next attempt → no retry', async () => {
    const { clock, quiet, server, stream } = page()
    await clock.advance(0)
    server.open[0]!.cut()
    await clock.advance(0)
    expect(stream.status.state).toBe('waiting')
    await quiet()
  })

  test.each([true, false])('onUnauthorized is pending, and is answered %s → nothing', async (answer) => {
    const pending = later<boolean>()
    const { calls, clock, quiet, server, called } = page({
      onUnauthorized: () => {
        called('onUnauthorized')
        return pending.promise
      },
    })
    await clock.advance(0)
    // With and without .b1.
    for (let n = 0; n < 2; n++) {
      server.open[0]!.respond(401)
      await clock.advance(0)
    }
    expect(calls).toContain('onUnauthorized')
    await quiet(() => pending.resolve(answer))
  })

  test('onUnauthorized is pending, and is rejected → nothing', async () => {
    const pending = later<boolean>()
    const { clock, quiet, server } = page({ onUnauthorized: () => pending.promise })
    await clock.advance(0)
    for (let n = 0; n < 2; n++) {
      server.open[0]!.respond(401)
      await clock.advance(0)
    }
    await quiet(() => pending.reject(new Error('late')))
  })

  test('a 401 is on its way → onUnauthorized is not called', async () => {
    const { clock, quiet, server, called } = page({ onUnauthorized: () => called('onUnauthorized') > 0 })
    await clock.advance(0)
    server.open[0]!.respond(401)
    await clock.advance(0)
    server.open[0]!.respond(401)
    await quiet()
  })

  test('more polls than connections, some wait for their turn → no provider is called', async () => {
    const names = Array.from({ length: 8 }, (_, n) => `c${n}`)
    const { clock, quiet, server } = page({ protocol: nchan(), modes: ['longpolling'] }, names)
    await clock.advance(500)
    const polls = server.open.filter(({ method }) => method === 'GET')
    expect(polls.length).toBeGreaterThan(0)
    expect(polls.length).toBeLessThan(names.length)
    await quiet()
  })

  test('a pause between two polls → no other poll', async () => {
    const { clock, quiet, server } = page({ modes: ['longpolling'] })
    await clock.advance(0)
    for (const request of server.open) if (request.method === 'GET') request.respond(304)
    await clock.advance(0)
    await quiet()
  })
})
