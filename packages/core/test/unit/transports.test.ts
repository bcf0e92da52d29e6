import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import { describe, expect, test, vi } from 'vitest'
import { eventsource, longpolling, poll, stream } from '../../src/transports/http.js'
import { nativeEventSource } from '../../src/transports/native-event-source.js'
import { nativeWebSocket } from '../../src/transports/native-websocket.js'
import { websocket } from '../../src/transports/websocket.js'
import type { Environment, Exchange, OpenTransport, Transport, TransportEvents } from '../../src/types.js'

const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

const exchange: Exchange = { url: 'http://h/sub/a', headers: { 'X-A': 'b' }, credentials: 'include' }

/** Reports to nobody. */
const deaf: TransportEvents = {
  open() {},
  activity() {},
  comment() {},
  frame() {},
  answered() {},
  closed() {},
}

/** Opens a transport, and logs what it reports. `react` may act on each report. */
function opened(
  transport: Transport,
  given: Partial<Environment>,
  wanted: Partial<Exchange> = {},
  react: (report: unknown[], open: OpenTransport) => void = () => {},
) {
  const log: unknown[][] = []
  const report = (...entry: unknown[]) => {
    log.push(entry)
    react(entry, open)
  }
  const events: TransportEvents = {
    open: () => report('open'),
    activity: () => {},
    comment: (text) => report('comment', text),
    frame: (text, meta) => report('frame', text, ...(meta?.id === undefined ? [] : [meta.id])),
    answered: ({ status }) => report('answered', status),
    closed: ({ kind, status }) => report('closed', kind, ...(status === undefined ? [] : [status])),
  }
  const environment = manualEnvironment(createManualClock(1_000_000), given) as Environment
  const open: OpenTransport = transport.open(() => Promise.resolve({ ...exchange, ...wanted }), events, environment)
  return { log, open }
}

const page = { 'Content-Type': 'text/html' }
const events = { 'Content-Type': 'text/event-stream' }

describe('over fetch', () => {
  /** What the transport reports of one response after the other. */
  async function reported(
    transport: Transport,
    answers: readonly (readonly [status: number, headers: Record<string, string>, body?: string])[],
    wanted?: Partial<Exchange>,
  ) {
    const server = createFakeFetch({
      answer: (request) => {
        const [status, headers, body] = answers[server.requests.length - 1] ?? []
        if (status !== undefined) request.respond(status, headers, body)
      },
    })
    const { log, open } = opened(transport, { fetch: server.fetch }, wanted)
    await settle()
    open.close()
    return { log, server }
  }

  test('a request → address, headers and credentials of the exchange, and no cache', async () => {
    const { server } = await reported(stream, [])
    expect(server.requests[0]).toMatchObject({ url: exchange.url, method: 'GET', headers: { 'x-a': 'b' } })
    expect(server.requests[0]?.init).toMatchObject({ cache: 'no-store', credentials: 'include' })
  })

  test('an event stream → events, comments, and the end', async () => {
    const body = ': -1\n\nid: 7\ndata: a\n\nid: 8\n\ndata: b\n\ndata: cut'
    expect((await reported(eventsource, [[200, events, body]])).log).toEqual([
      ['open'],
      ['comment', '-1'],
      ['frame', 'a', '7'],
      ['comment', ''],
      ['frame', 'b'],
      ['closed', 'end'],
    ])
  })

  test.each([
    ['text/event-stream', true],
    ['Text/Event-Stream; charset=utf-8', true],
    ['text/event-stream;charset=iso-8859-1', true],
    ['text/event-streams', false],
    ['text/html', false],
    ['', false],
  ])('an event stream with the Content-Type %j → accepted: %s', async (type, accepted) => {
    const { log } = await reported(eventsource, [[200, { 'Content-Type': type }, 'data: a\n\n']])
    expect(log).toEqual(accepted ? [['open'], ['frame', 'a'], ['closed', 'end']] : [['closed', 'invalid']])
  })

  test.each([
    ['eventsource', eventsource],
    ['stream', stream],
    ['longpolling', longpolling],
  ])(
    '%s: a status other than success → closed with the explanation, and the body is not read',
    async (_, transport) => {
      const server = createFakeFetch()
      const reasons: unknown[] = []
      transport.open(
        () => Promise.resolve(exchange),
        { ...deaf, closed: (reason) => void reasons.push(reason) },
        manualEnvironment(createManualClock(1_000_000), { fetch: server.fetch }) as Environment,
      )
      await settle()
      const headers = { 'X-Nginx-PushStream-Explain': 'No channel', 'Retry-After': '2' }
      server.requests[0]?.respond(403, headers, 'frame')
      await settle()
      expect(reasons).toEqual([{ kind: 'status', status: 403, explain: 'No channel', retryAfter: 2000 }])
      expect(server.requests[0]?.aborted).toBe(true)
      expect(server.requests).toHaveLength(1)
    },
  )

  test('polls: one after the other, open with the first answer, until one is refused', async () => {
    const answers = [[200, {}, 'a'] as const, [304, {}] as const, [408, {}] as const, [500, {}] as const]
    const { log, server } = await reported(longpolling, answers, { timeoutStatus: 408 })
    expect(log).toEqual([
      ['frame', 'a'],
      ['open'],
      ['answered', 200],
      ['answered', 304],
      ['answered', 408],
      ['closed', 'status', 500],
    ])
    expect(server.requests).toHaveLength(4)
  })

  test('polls: an HTML page, or an endless stream instead of an answer → invalid', async () => {
    expect((await reported(longpolling, [[200, page, ' <!DOCTYPE html>']])).log).toEqual([['closed', 'invalid']])
    expect((await reported(longpolling, [[200, events, ': \n']])).log).toEqual([['closed', 'invalid']])
    const framed = { framing: 'eventsource' as const }
    expect((await reported(longpolling, [[200, events, 'data: a\n\n']], framed)).log).toEqual([['closed', 'invalid']])
  })

  test('polls: given up for another one → the next one is asked for, without a report', async () => {
    const server = createFakeFetch()
    const turns = [new AbortController(), new AbortController()]
    let asked = 0
    const next = () => Promise.resolve({ ...exchange, until: (turns[asked++] as AbortController).signal })
    const log: string[] = []
    const open = longpolling.open(
      next,
      { ...deaf, closed: ({ kind }) => void log.push(kind) },
      manualEnvironment(createManualClock(1_000_000), { fetch: server.fetch }) as Environment,
    )
    await settle()
    turns[0]?.abort()
    await settle()
    expect(server.requests.map(({ aborted }) => aborted)).toEqual([true, false])
    open.close()
    await settle()
    expect([server.requests.map(({ aborted }) => aborted), log]).toEqual([[true, true], []])
  })

  test('the one-shot poll: an answer → its frames and the answer; a refusal → the reason; no network → a rejection', async () => {
    const ask = async (act: (request: FakeRequest) => void, wanted: Partial<Exchange> = {}) => {
      const log: unknown[] = []
      const server = createFakeFetch({ answer: act })
      const environment = manualEnvironment(createManualClock(1_000_000), { fetch: server.fetch }) as Environment
      const reason = await poll({ ...exchange, ...wanted }, new AbortController().signal, environment, {
        frame: (text) => log.push(text),
        answered: ({ status }) => log.push(status),
      })
      return reason === undefined ? log : reason.kind
    }
    expect((await reported(longpolling, [[200, events, ': \n']])).log).toEqual([['closed', 'invalid']])
    const framed = { framing: 'eventsource' as const }
    expect(await ask((request) => request.respond(200, {}, 'data: a\n\ndata: b\n\n'), framed)).toEqual(['a', 'b', 200])
    expect(await ask((request) => request.respond(200, {}, ''))).toEqual([200])
    expect(await ask((request) => request.respond(200, {}, ''), { framing: 'message' })).toEqual(['', 200])
    expect(await ask((request) => request.respond(404))).toBe('status')
    await expect(ask((request) => request.cut())).rejects.toThrow('network error')
  })

  test('no network, and a break → refused, and lost', async () => {
    const server = createFakeFetch()
    const { log } = opened(eventsource, { fetch: server.fetch })
    await settle()
    server.requests[0]?.cut()
    await settle()
    expect(log).toEqual([['closed', 'refused']])
    const { log: other } = opened(eventsource, { fetch: server.fetch })
    await settle()
    server.requests[1]?.accept()
    await settle()
    server.requests[1]?.cut()
    await settle()
    expect(other).toEqual([['open'], ['closed', 'lost']])
  })

  test.each([
    ['eventsource', eventsource, 'data: a\n\ndata: b\n\n: c\n\n'],
    ['stream', stream, 'a'],
  ])('%s: closed by whoever takes the first frame → nothing more is reported', async (_, transport, text) => {
    const server = createFakeFetch()
    const { log } = opened(transport, { fetch: server.fetch }, {}, ([what], open) => what === 'frame' && open.close())
    await settle()
    server.requests[0]?.accept()
    server.requests[0]?.send(text)
    await settle()
    expect(log.map(([what]) => what)).toEqual(['open', 'frame'])
    expect(server.requests[0]?.aborted).toBe(true)
  })

  test('longpolling: closed by whoever takes the frame → neither the answer nor another poll', async () => {
    const server = createFakeFetch({ answer: (request) => request.respond(200, {}, 'a') })
    const { log } = opened(longpolling, { fetch: server.fetch }, {}, ([what], open) => what === 'frame' && open.close())
    await settle()
    expect(log).toEqual([['frame', 'a']])
    expect(server.requests).toHaveLength(1)
  })

  /** What a transport makes of a body, however it is cut. */
  async function frames(transport: Transport, bytes: Uint8Array, wanted: Partial<Exchange> = {}): Promise<string> {
    const texts: string[] = []
    for (let at = 0; at <= bytes.length; at++) {
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)]
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of pieces) controller.enqueue(piece)
          controller.close()
        },
      })
      const answers = [new Response(body, { headers: transport === longpolling ? {} : events })]
      const fetch = () => Promise.resolve(answers.shift() ?? new Response('', { status: 500 }))
      const { log } = opened(transport, { fetch }, wanted)
      await settle()
      texts.push(log.flatMap(([what, text]) => (what === 'frame' ? [text] : [])).join(''))
    }
    expect(new Set(texts).size).toBe(1)
    return texts[0] as string
  }
  const utf8 = (text: string) => new TextEncoder().encode(text)

  test.each([
    ['characters of several bytes', utf8('data: żółć 🙂\n\n'), 'żółć 🙂'],
    ['a byte order mark at the beginning', utf8('\ufeffdata: a\n\n'), 'a'],
    ['a second one is part of the field', utf8('\ufeff\ufeffdata: a\n\ndata: b\n\n'), 'b'],
    ['bytes that are not UTF-8', Uint8Array.of(...utf8('data: a'), 0xff, 0xc3, ...utf8('b\n\n')), 'a\ufffd\ufffdb'],
    ['line ends of every kind', utf8('data: a\r\n\r\ndata: b\r\rdata: c\n\n'), 'abc'],
  ])('eventsource: %s → read as the standard says, wherever it is cut', async (_, bytes, text) => {
    expect(await frames(eventsource, bytes)).toBe(text)
  })

  test('stream and polls: characters of several bytes, and one that the end cuts', async () => {
    const bytes = utf8('żółć 🙂').subarray(0, -1)
    expect(await frames(stream, bytes)).toBe('żółć \ufffd')
    expect(await frames(longpolling, bytes)).toBe('żółć \ufffd')
  })

  test('polls: a byte order mark → dropped before templates, kept where the body is one message', async () => {
    expect(await frames(longpolling, utf8('\ufeffa'))).toBe('a')
    expect(await frames(longpolling, utf8('\ufeffa'), { framing: 'message' })).toBe('\ufeffa')
  })
})

/** A browser's WebSocket that the test plays. */
class FakeSocket extends EventTarget {
  static made: FakeSocket[] = []
  readyState = 0
  binaryType = 'blob'
  sent: unknown[] = []
  closes: unknown[] = []
  onopen: ((event: Event) => void) | null = null
  onmessage: ((event: Event) => void) | null = null
  constructor(
    readonly url: string,
    readonly subprotocols: string[],
  ) {
    super()
    if (url.startsWith('http')) throw new SyntaxError('mixed content')
    FakeSocket.made.push(this)
  }
  send(text: unknown) {
    this.sent.push(text)
  }
  close(code?: number) {
    this.closes.push(code)
    this.readyState = 2
  }
  happens(event: Event) {
    this.dispatchEvent(event)
    const handler = { open: this.onopen, message: this.onmessage }[event.type as string]
    handler?.(event)
  }
  opens() {
    this.readyState = 1
    this.happens(new Event('open'))
  }
  brings(data: unknown) {
    this.happens(new MessageEvent('message', { data }))
  }
  ends(code: number, reason = '') {
    this.readyState = 3
    this.happens(Object.assign(new Event('close'), { code, reason }))
  }
}

describe.each([
  ['reconnecting-websocket', websocket],
  ['the native WebSocket', nativeWebSocket],
])('a websocket over %s', (_, transport) => {
  const environment = { WebSocket: FakeSocket as unknown as typeof WebSocket }
  const make = async (wanted: Partial<Exchange> = {}) => {
    FakeSocket.made = []
    const made = opened(transport, environment, { url: 'ws://h/ws/a', ...wanted })
    // reconnecting-websocket makes its socket in a task of its own.
    await vi.waitFor(() => expect(FakeSocket.made.length + made.log.length).toBe(1), { interval: 1 })
    return { ...made, socket: FakeSocket.made[0] as FakeSocket }
  }

  test('is available where the runtime has a WebSocket', () => {
    expect(transport.name).toBe('websocket')
    expect(transport.available(environment as Partial<Environment> as Environment)).toBe(true)
    expect(transport.available({ WebSocket: undefined } as Environment)).toBe(false)
  })

  test('opens, brings texts, sends, and is closed with 1000', async () => {
    const { log, open, socket } = await make({ subprotocols: ['ws+meta.nchan'] })
    expect([socket.url, socket.subprotocols, socket.binaryType]).toEqual([
      'ws://h/ws/a',
      ['ws+meta.nchan'],
      'arraybuffer',
    ])
    expect(open.send?.('early')).toBe(false)
    socket.opens()
    socket.brings('a')
    expect(open.send?.('text')).toBe(true)
    expect([socket.sent, log]).toEqual([['text'], [['open'], ['frame', 'a']]])
    open.close()
    expect(socket.closes).toEqual([1000])
    socket.brings('b')
    socket.ends(1000)
    expect(open.send?.('late')).toBe(false)
    expect(log).toHaveLength(2)
  })

  test('bytes → the frame has them, and no text', async () => {
    const seen: unknown[] = []
    FakeSocket.made = []
    transport.open(
      () => Promise.resolve({ ...exchange, url: 'ws://h/ws/a' }),
      { ...deaf, frame: (...frame) => void seen.push(frame) },
      { ...manualEnvironment(createManualClock(0)), ...environment } as Environment,
    )
    await vi.waitFor(() => expect(FakeSocket.made).toHaveLength(1), { interval: 1 })
    const socket = FakeSocket.made[0] as FakeSocket
    socket.opens()
    socket.brings(Uint8Array.of(1, 2).buffer)
    expect(seen).toEqual([['', { binary: Uint8Array.of(1, 2) }]])
  })

  test.each([
    ['before it opened', false, 1006, ['closed', 'refused', 1006]],
    ['in good order', true, 1000, ['closed', 'end']],
    ['as the server goes away', true, 1001, ['closed', 'end']],
    ['without a code', true, 1005, ['closed', 'end']],
    ['without a close frame', true, 1006, ['closed', 'lost', 1006]],
    ['with another code', true, 1008, ['closed', 'close', 1008]],
  ])('ends %s → the reason, once, and no socket is made again', async (_, open, code, reason) => {
    const { log, socket } = await make()
    if (open) socket.opens()
    socket.ends(code)
    await settle()
    expect(log).toEqual([...(open ? [['open']] : []), reason])
    expect(FakeSocket.made).toHaveLength(1)
  })

  test('the browser refuses to make one → refused', async () => {
    expect((await make({ url: 'http://h/ws/a' })).log).toEqual([['closed', 'refused']])
  })

  test('closed before the request is known → no socket', async () => {
    FakeSocket.made = []
    const { open, log } = opened(transport, environment, { url: 'ws://h/ws/a' })
    open.close()
    await settle()
    expect([FakeSocket.made, log]).toEqual([[], []])
  })
})

describe('the native EventSource', () => {
  class FakeEventSource {
    static made: FakeEventSource[] = []
    closed = false
    onopen = () => {}
    onmessage = (_: object) => {}
    onerror = () => {}
    constructor(
      readonly url: string,
      readonly init: EventSourceInit,
    ) {
      FakeEventSource.made.push(this)
    }
    close() {
      this.closed = true
    }
  }
  const environment = { EventSource: FakeEventSource as unknown as typeof EventSource }

  test('messages with their ids, and the end instead of its own reconnection', async () => {
    const { log } = opened(nativeEventSource, environment)
    await settle()
    const source = FakeEventSource.made.at(-1) as FakeEventSource
    expect([source.url, source.init]).toEqual([exchange.url, { withCredentials: true }])
    source.onopen()
    source.onmessage({ data: 'a', lastEventId: '7' })
    source.onerror()
    expect(log).toEqual([['open'], ['frame', 'a', '7'], ['closed', 'end']])
    expect(source.closed).toBe(true)
  })

  test('an error before it opened → refused; after close() → nothing', async () => {
    const { log } = opened(nativeEventSource, environment)
    const { log: other, open } = opened(nativeEventSource, environment)
    await settle()
    const [first, second] = FakeEventSource.made.slice(-2)
    first?.onerror()
    open.close()
    second?.onerror()
    expect([log, other, second?.closed]).toEqual([[['closed', 'refused']], [], true])
  })
})
