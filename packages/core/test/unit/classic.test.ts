import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ClassicPushStream, PushStreamManager } from '../../src/classic/client.js'
import type { ClassicError } from '../../src/classic/error.js'
import type { ClassicSettings } from '../../src/classic/settings.js'
import { PushStreamError } from '../../src/errors.js'
import { polled, render, templates } from './support/wire.js'

let clock: ManualClock
let server: FakeFetch
let states: number[]
let errors: ClassicError[]
let calls: unknown[][]

class None {}

function make(settings: ClassicSettings & { protocol?: string; hostname?: string } = {}): ClassicPushStream {
  const { protocol = 'http:', hostname = 'page.example.org', ...rest } = settings
  return new ClassicPushStream({
    modes: 'eventsource',
    onstatuschange: (state) => states.push(state),
    onerror: (error) => errors.push(error),
    onmessage: (...values) => calls.push(values),
    ...rest,
    environment: manualEnvironment(clock, {
      fetch: server.fetch,
      WebSocket: None as unknown as typeof WebSocket,
      EventSource: None as unknown as typeof EventSource,
      location: { protocol, hostname, port: '' },
      ...settings.environment,
    }),
  })
}

/** How long an event stream is waited for to bring what is stored of a new channel, in ms. */
const historyWindow = 60
const settle = (ms = 10) => clock.advance(ms)
const open = () => server.open
const refuse = (status: number, explain = 'no') => open()[0]!.respond(status, { 'X-Nginx-PushStream-Explain': explain })
const event = (id: number, text: string, channel = 'a') => `data: ${render(templates.quoted, id, text, channel)}\n\n`

async function connected(settings: Parameters<typeof make>[0] = {}): Promise<ClassicPushStream> {
  const stream = make(settings)
  stream.addChannel('a')
  stream.connect()
  await settle()
  open()[0]!.accept()
  await settle(historyWindow)
  return stream
}

beforeEach(() => {
  clock = createManualClock(1_795_211_831_000)
  server = createFakeFetch({
    greeting: ': \n',
    answer({ headers, method, respond }) {
      if (method === 'OPTIONS') respond(200)
      else if ('x-nginx-pushstream-mode' in headers) respond(304)
    },
  })
  states = []
  errors = []
  calls = []
})

afterEach(() => {
  for (const stream of PushStreamManager.splice(0)) stream.disconnect()
  ClassicPushStream.LOG_LEVEL = 'error'
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('what a page reads', () => {
  test('constants and defaults', () => {
    const { CLOSED, CONNECTING, OPEN, LOG_LEVEL, LOG_OUTPUT_ELEMENT_ID } = ClassicPushStream
    expect([CLOSED, CONNECTING, OPEN, LOG_LEVEL, LOG_OUTPUT_ELEMENT_ID]).toEqual([0, 1, 2, 'error', 'Log4jsLogOutput'])
    const stream = new ClassicPushStream({ environment: { WebSocket: None, EventSource: None } as never })
    expect({ ...stream }).toMatchObject({
      id: 0,
      useSSL: false,
      port: 80,
      timeout: 30000,
      pingtimeout: 30000,
      reconnectOnTimeoutInterval: 3000,
      reconnectOnChannelUnavailableInterval: 60000,
      autoReconnect: true,
      lastEventId: null,
      messagesPublishedAfter: undefined,
      messagesControlByArgument: false,
      tagArgument: 'tag',
      timeArgument: 'time',
      eventIdArgument: 'eventid',
      useJSONP: false,
      urlPrefixPublisher: '/pub',
      urlPrefixStream: '/sub',
      urlPrefixEventsource: '/ev',
      urlPrefixLongpolling: '/lp',
      urlPrefixWebsocket: '/ws',
      jsonIdKey: 'id',
      jsonChannelKey: 'channel',
      jsonTextKey: 'text',
      jsonTagKey: 'tag',
      jsonTimeKey: 'time',
      jsonEventIdKey: 'eventid',
      modes: ['eventsource', 'websocket', 'stream', 'longpolling'],
      wrappers: ['EventSource', 'WebSocket', 'Stream', 'LongPolling'].map((type) => ({ type })),
      wrapper: null,
      channels: {},
      channelsCount: 0,
      channelsByArgument: false,
      channelsArgument: 'channels',
      onmessage: null,
      onerror: null,
      onstatuschange: null,
      onchanneldeleted: null,
      readyState: 0,
    })
    expect(stream.extraParams?.()).toEqual({})
    expect(PushStreamManager).toEqual([stream])
  })

  test.each([
    ['the page’s host, and port 80', {}, 'http://page.example.org'],
    ['a port as text', { port: '9080' }, 'http://page.example.org:9080'],
    ['TLS', { useSSL: true, host: 'h' }, 'https://h'],
    ['TLS on another port', { useSSL: true, host: 'h', port: 8443 }, 'https://h:8443'],
    ['a page that came by TLS', { protocol: 'https:' }, 'https://page.example.org'],
    ['a page that came by TLS and knows better', { protocol: 'https:', useSSL: false }, 'http://page.example.org'],
    ['a host with its port', { host: 'h:9080' }, 'http://h:9080'],
  ])('where the server is: %s', async (_, settings, origin) => {
    const stream = make(settings)
    stream.addChannel('a')
    stream.connect()
    await settle()
    expect(new URL(open()[0]!.url).origin).toBe(origin)
  })

  test('modes that the browser lacks are left out; modes may be set till connect', async () => {
    const EventSource = undefined
    const stream = make({ modes: 'stream|eventsource|longpolling|carrier', environment: { EventSource } })
    expect(stream.wrappers).toEqual([{ type: 'Stream' }, { type: 'LongPolling' }])
    const none = make({ environment: { EventSource } })
    none.addChannel('a')
    expect(() => none.connect()).toThrow('No available support for this browser')
    none.modes = ['longpolling']
    none.connect()
    await settle()
    expect(server.requests.at(-1)?.path).toBe('/lp/a.b1')
    expect(none.wrapper).toEqual({ type: 'LongPolling' })
  })
})

describe('channels', () => {
  test('are the very options given, counted', () => {
    const stream = make()
    const options = { backtrack: 2 }
    stream.addChannel('a', options)
    stream.addChannel('b')
    expect(stream.channels.a).toBe(options)
    expect([stream.channels, stream.channelsCount]).toEqual([{ a: options, b: {} }, 2])
    stream.removeChannel('a')
    stream.removeChannel('none')
    stream.removeChannel('toString')
    expect([stream.channels, stream.channelsCount]).toEqual([{ b: {} }, 1])
    stream.removeAllChannels()
    expect([stream.channels, stream.channelsCount]).toEqual([{}, 0])
  })

  test('errors where there always were some, that say what to do', () => {
    const stream = make()
    stream.addChannel('a')
    const failing: [() => void, string][] = [
      [() => stream.addChannel('a'), 'Cannot add channel a: already subscribed'],
      ...['a b', 'ü', 'a/b', 'x?', '', '__proto__', '\ud800'].map((name): [() => void, string] => [
        () => stream.addChannel(name),
        'Invalid channel name!',
      ]),
      [() => make().connect(), 'No channels specified'],
      [() => Object.assign(stream, { host: '' }).connect(), 'PushStream host not specified'],
      [() => Object.assign(stream, { host: 'h', port: Number.NaN }).connect(), 'PushStream port not specified'],
    ]
    for (const [call, message] of failing) {
      expect(call).toThrow(PushStreamError)
      expect(call).toThrow(message)
    }
    stream.addChannel('toString')
    expect([stream.channelsCount, states, server.requests]).toEqual([2, [], []])
    expect(Object.getPrototypeOf(stream.channels)).toBe(Object.prototype)
  })

  test('that a page writes by itself count at connect', async () => {
    const stream = make()
    stream.channels = { a: { backtrack: '2' }, b: {} }
    stream.channelsCount = 2
    stream.connect()
    await settle()
    expect(server.requests[0]?.path).toBe('/ev/a.b2/b.b1')
    stream.channels = { b: {} }
    stream.channelsCount = 1
    stream.connect()
    await settle()
    expect(open().map(({ path }) => path)).toEqual(['/ev/b.b1'])
  })

  test('all are replaced: one change, and the page stays connected', async () => {
    const stream = await connected()
    stream.removeAllChannels()
    stream.addChannel('b')
    await settle()
    expect(open().at(-1)?.path).toBe('/ev/b.b1')
    open().at(-1)!.accept()
    await settle(2000)
    expect([states, open().map(({ path }) => path)]).toEqual([[1, 2], ['/ev/b.b1']])
  })
})

describe('states and errors', () => {
  test('a connection that is lost: CLOSED, then the error, and again', async () => {
    const stream = await connected()
    const seen: unknown[] = []
    stream.onerror = ({ type, code }) => seen.push([type, code, stream.readyState])
    open()[0]!.end()
    await settle(500)
    open()[0]!.accept()
    await settle()
    expect([states, seen]).toEqual([[1, 2, 0, 1, 2], [['timeout', 'unreachable', 0]]])
    expect(stream.wrapper).toEqual({ type: 'EventSource' })
  })

  test('none can be made: each attempt ends CLOSED, with an error of type load', async () => {
    const stream = make()
    stream.addChannel('a')
    stream.connect()
    for (let n = 0; n < 2; n++) {
      await settle()
      refuse(502)
      await settle(10_000)
    }
    expect(states).toEqual([1, 0, 1, 0, 1])
    expect(errors.map(({ type, code, status }) => [type, code, status])).toEqual([
      ['load', 'http', 502],
      ['load', 'http', 502],
    ])
    expect(errors[0]).toBeInstanceOf(PushStreamError)
  })

  test('without autoReconnect it stays CLOSED', async () => {
    await connected({ autoReconnect: false })
    open()[0]!.end()
    await settle(100_000)
    expect([states, errors.map(({ type }) => type), open()]).toEqual([[1, 2, 0], ['timeout'], []])
  })

  test('a channel that is refused is asked for again after the interval of that name', async () => {
    const stream = make({ reconnectOnChannelUnavailableInterval: 5000 })
    stream.addChannel('a')
    stream.connect()
    await settle()
    refuse(403, 'Subscriber could not create channels.')
    await settle()
    expect(states).toEqual([1, 0])
    expect(errors).toMatchObject([{ type: 'load', code: 'forbidden', status: 403, channel: 'a' }])
    expect([stream.channels, stream.channelsCount]).toEqual([{ a: {} }, 1])
    await settle(4900)
    expect(open()).toEqual([])
    await settle(200)
    open()[0]!.accept()
    await settle(250)
    expect([states, errors.length]).toEqual([[1, 0, 1, 2], 1])
  })

  test.each(['disconnect', 'removeChannel'] as const)('a refused channel is not asked for after %s', async (method) => {
    const stream = make()
    stream.addChannel('a')
    stream.connect()
    await settle()
    refuse(403)
    await settle()
    stream[method]('a')
    await settle(200_000)
    expect([open(), clock.pending]).toEqual([[], 0])
  })

  test('disconnect is no error, and leaves nothing behind', async () => {
    const stream = await connected()
    stream.disconnect()
    await settle(200_000)
    expect([states, errors, open(), clock.pending]).toEqual([[1, 2, 0], [], [], 0])
  })

  test('long-polling alone: a poll that is not refused for half a second goes for a connection', async () => {
    const stream = make({ modes: 'longpolling', host: 'elsewhere.example.org' })
    stream.addChannel('a')
    stream.connect()
    await settle(400)
    expect(states).toEqual([1])
    await settle(200)
    expect([states, stream.readyState]).toEqual([[1, 2], 2])
    // The client itself waits longer, and says nothing new to the page.
    await settle(20_000)
    expect([states, errors]).toEqual([[1, 2], []])
    stream.disconnect()
    stream.connect()
    await settle()
    refuse(502)
    await settle(300)
    expect(states).toEqual([1, 2, 0, 1, 0])
  })

  test('long-polling alone: what is published once the page is OPEN comes, however late its poll arrives', async () => {
    const stream = make({ modes: 'longpolling' })
    stream.addChannel('a')
    stream.connect()
    await settle(900)
    expect([states, open()[0]?.path]).toEqual([[1, 2], '/lp/a.b1'])
    open()[0]!.respond(200, polled, render(templates.quoted, 1, 'published meanwhile', 'a'))
    await settle()
    expect(calls.map(([text]) => text)).toEqual(['published meanwhile'])
  })

  test('a page that is left is no error, and goes on when it comes back', async () => {
    const told: Record<string, () => void> = {}
    const page = {
      onBack: (callback: () => void) => {
        told.back = callback
        return () => undefined
      },
      onLeave: (callback: () => void) => {
        told.leave = callback
        return () => undefined
      },
    }
    await connected({ environment: { page } })
    told.leave!()
    expect([states, open()]).toEqual([[1, 2, 0], []])
    told.back!()
    await settle()
    open()[0]!.accept()
    await settle()
    expect([states, errors]).toEqual([[1, 2, 0, 1, 2], []])
  })

  test('a page that connects again when it is told of the end is connected', async () => {
    const stream = await connected()
    stream.onstatuschange = (state) => {
      states.push(state)
      if (state === 0) stream.connect()
    }
    stream.disconnect()
    await settle()
    open()[0]!.accept()
    await settle()
    expect([states, stream.readyState]).toEqual([[1, 2, 0, 1, 2], 2])
  })

  test('the wrapper is one of the wrappers', async () => {
    const stream = await connected({ modes: 'eventsource|longpolling' })
    expect(stream.wrapper).toBe(stream.wrappers[0])
  })

  test('an error of the page’s own function goes where errors nobody catches go, and disturbs nothing', async () => {
    vi.useFakeTimers()
    try {
      const stream = make()
      const cause = new Error('mine')
      const thrown: unknown[] = []
      const run = () => {
        try {
          vi.runAllTimers()
        } catch (error) {
          thrown.push(error)
        }
      }
      stream.onmessage = stream.onstatuschange = () => {
        throw cause
      }
      stream.addChannel('a')
      stream.connect()
      run()
      await settle()
      open()[0]!.accept()
      await settle(historyWindow)
      run()
      open()[0]!.send(event(1, 'x'))
      await settle()
      run()
      expect(thrown).toEqual([cause, cause, cause])
      expect([stream.readyState, errors]).toEqual([2, []])
      stream.onstatuschange = null
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('messages', () => {
  test('arguments, and callbacks assigned later', async () => {
    const stream = await connected()
    open()[0]!.send(event(1, '%22encoded%22 and%20not'))
    open()[0]!.send(`data: ${render(templates.raw, 2, '{"a":[1]}')}\n\n`)
    await settle()
    stream.onmessage = (text) => calls.push(['later', text])
    open()[0]!.send(event(3, '100%'))
    await settle()
    const time = 'Fri, 20 Nov 2026 22:23:28 GMT'
    expect(calls).toEqual([
      ['"encoded" and not', 1, 'a', '', true, time],
      [{ a: [1] }, 2, 'a', '', true, time],
      ['later', '100%'],
    ])
  })

  test.each(['eventsource', 'longpolling'])(
    '%s: only the last message of an answer to a poll is the last',
    async (modes) => {
      const stream = make({ modes })
      stream.addChannel('a', { backtrack: 3 })
      stream.connect()
      await settle()
      const [request] = open()
      if (modes === 'longpolling') {
        request!.respond(200, polled, [1, 2, 3].map((id) => render(templates.quoted, id, `${id}`, 'a')).join(''))
      } else {
        request!.accept()
        request!.send([1, 2, 3].map((id) => event(id, `${id}`)).join(''))
      }
      await settle()
      const last = [modes !== 'longpolling', modes !== 'longpolling', true]
      expect(calls.map(([text, , , , isLast]) => [text, isLast])).toEqual(last.map((one, n) => [`${n + 1}`, one]))
    },
  )

  test('settings that change make another client, which goes on there and repeats nothing', async () => {
    const stream = await connected()
    const first = open()[0]
    first!.send(event(1, 'one') + event(2, 'two'))
    await settle()
    stream.connect()
    await settle()
    expect([open(), states]).toEqual([[first], [1, 2]])
    stream.urlPrefixEventsource = '/events/ev/'
    stream.connect()
    await settle()
    const [second] = open()
    expect([second?.path, second?.query.get('time')]).toEqual(['/events/ev/a', 'Fri, 20 Nov 2026 22:23:28 GMT'])
    second!.accept()
    second!.send(event(1, 'one') + event(2, 'two') + event(3, 'three'))
    await settle()
    expect(calls.map(([text]) => text)).toEqual(['one', 'two', 'three'])
    expect(states).toEqual([1, 2, 0, 1, 2])
  })

  test.each<[ClassicSettings, path: string, time: string | null]>([
    [{ messagesPublishedAfter: 10 }, 'a', 'Fri, 20 Nov 2026 21:58:01 GMT'],
    [{ messagesPublishedAfter: '10' }, 'a', 'Fri, 20 Nov 2026 21:58:01 GMT'],
    [{ messagesPublishedAfter: -10 }, 'a', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [{ messagesPublishedAfter: new Date(1_700_000_000_000) }, 'a', 'Tue, 14 Nov 2023 22:13:20 GMT'],
    // A count goes before a time, but where the time is an argument.
    [{ messagesPublishedAfter: 10 }, 'a.b3', null],
    [{ messagesPublishedAfter: 10, messagesControlByArgument: true }, 'a', 'Fri, 20 Nov 2026 21:58:01 GMT'],
  ])('where to begin, counted from connect: %o, %s', async (settings, path, time) => {
    const stream = make(settings)
    stream.addChannel('a', time === null || settings.messagesControlByArgument ? { backtrack: 3 } : {})
    await settle(60_000)
    stream.connect()
    await settle()
    expect([server.requests[0]?.path, server.requests[0]?.query.get('time')]).toEqual([`/ev/${path}`, time])
  })
})

describe('the log', () => {
  test('says as much as LOG_LEVEL wants, to the console and as text to the page’s element, a hundred lines', () => {
    const lines: unknown[][] = []
    vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(values))
    const element = { textContent: '' }
    const ids: string[] = []
    vi.stubGlobal('document', {
      getElementById: (id: string) => {
        ids.push(id)
        return element
      },
    })
    const stream = make({ environment: { page: undefined } })
    stream.addChannel('quiet')
    expect([lines, element.textContent]).toEqual([[], ''])
    ClassicPushStream.LOG_LEVEL = 'info'
    const round: { backtrack?: number; self?: unknown } = {}
    round.self = round
    stream.addChannel('a', { backtrack: 1 })
    stream.addChannel('b', round)
    expect(lines).toEqual([
      ['adding channel', 'a', { backtrack: 1 }],
      ['adding channel', 'b', round],
    ])
    expect(element.textContent).toBe('adding channel a {"backtrack":1}\nadding channel b [object Object]\n')
    expect(new Set(ids)).toEqual(new Set(['Log4jsLogOutput']))
    for (let n = 0; n < 150; n++) stream.addChannel(`c${n}`)
    const kept = element.textContent.split('\n')
    expect([kept.length, kept[0], kept.at(-2)]).toEqual([101, 'adding channel c50 {}', 'adding channel c149 {}'])
  })
})

describe('publishing', () => {
  test('to all channels, as the module’s publisher wants it', async () => {
    const asked: unknown[][] = []
    const answers: unknown[] = []
    const request = async (...values: unknown[]) => {
      asked.push(values)
      return new Response('{"ok":1}', { status: asked.length === 2 ? 403 : 200 })
    }
    const stream = make({ environment: { fetch: request as typeof fetch }, urlPrefixPublisher: '/p/pub' })
    stream.addChannel('a')
    stream.addChannel('b')
    for (let n = 0; n < 2; n++) {
      stream.sendMessage(
        'ü "&"',
        (answer) => answers.push(answer),
        (status) => answers.push(status),
      )
    }
    await vi.waitFor(() => expect(answers).toEqual([403, '{"ok":1}']))
    expect(asked[0]).toEqual([
      'http://page.example.org/p/pub?id=a/b',
      {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
        body: '%C3%BC%20%22%26%22',
      },
    ])
  })
})
