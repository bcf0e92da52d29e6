import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { PushStream } from '../../src/push-stream.js'
import { render, templates } from './support/wire.js'

// Stored messages may arrive late: on another connection than the answer they are compared with, or in a page that was
// busy. They are not new for that.

const second = 1_795_211_831_000
const httpDate = (ms: number) => new Date(ms).toUTCString()

/** A server with messages 1 to 3, stored a minute ago two seconds apart, whose polls take `latency` ms. */
function longPolls(latency: number) {
  const clock = createManualClock(second)
  const times = new Map([1, 2, 3].map((id) => [id, second - 60_000 + id * 2000]))
  const frame = (id: number) =>
    render(templates.quoted, id, String(id), 'a', { tag: '1', time: httpDate(times.get(id) as number) })
  const hanging = new Set<FakeRequest>()
  const respond = (request: FakeRequest, ids: readonly number[]) =>
    request.respond(
      200,
      { 'Last-Modified': httpDate(times.get(ids.at(-1) as number) as number), Etag: 'W/1' },
      ids.map(frame).join(''),
    )
  const server = createFakeFetch({
    answer(request) {
      if (request.method === 'OPTIONS') return void clock.setTimeout(() => request.respond(200), 200)
      const since = Date.parse(request.query.get('time') ?? request.headers['if-modified-since'] ?? '')
      const newer = [...times].filter(([id, time]) => (request.path.endsWith('.b1') ? id === 3 : time > since))
      const answer = () =>
        request.open &&
        respond(
          request,
          newer.map(([id]) => id),
        )
      if (newer.length > 0) clock.setTimeout(answer, latency)
      else hanging.add(request)
    },
  })
  const stream = new PushStream({
    url: 'http://h',
    modes: ['longpolling'],
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  const told: string[] = []
  stream.on('message', ({ text }) => told.push(text))
  stream.on('gap', () => told.push('gap'))
  stream.addChannel('a').connect()
  const publish = (id: number) => {
    times.set(id, clock.now())
    for (const request of hanging) if (request.open) respond(request, [id])
    hanging.clear()
  }
  return { clock, stream, told, publish }
}

test('a long-poll is answered two round trips after OPTIONS → what it brings was stored', async () => {
  const { clock, publish, stream, told } = longPolls(600)
  await clock.advance(5000)
  expect([stream.status.state, told]).toEqual(['open', []])
  publish(4)
  await clock.advance(5000)
  expect(told).toEqual(['4'])
  stream.close()
})

test('a long-poll is answered seconds after OPTIONS → its message comes, and none from before it', async () => {
  const { clock, publish, stream, told } = longPolls(3000)
  await clock.advance(10_000)
  publish(4)
  await clock.advance(5000)
  expect(told).toEqual(['3', '4'])
  stream.close()
})

/** A socket whose server opens it, and sends a stored message that a busy page handles later. */
test('a websocket opens, and the page is busy while a stored message arrives → it is not new', async () => {
  const clock = createManualClock(second)
  let behind = 0
  let socket!: Socket
  class Socket extends EventTarget {
    readyState = 0
    binaryType = 'blob'
    readonly extensions = ''
    readonly protocol = ''
    readonly bufferedAmount = 0
    constructor() {
      super()
      socket = this
    }
    send() {}
    close() {}
    open() {
      this.readyState = 1
      this.dispatchEvent(new Event('open'))
    }
    message(id: number) {
      this.dispatchEvent(new MessageEvent('message', { data: render(templates.quoted, id, String(id), 'a') }))
    }
  }
  const stream = new PushStream({
    url: 'http://h',
    modes: ['websocket'],
    environment: {
      ...manualEnvironment(clock, { WebSocket: Socket as unknown as typeof WebSocket }),
      now: () => clock.now() + behind,
    },
  })
  const texts: string[] = []
  stream.on('message', ({ text }) => texts.push(text))
  stream.addChannel('a').connect()
  await clock.advance(0)
  await new Promise((resolve) => setTimeout(resolve, 10))
  socket.open()
  // The timers that are due run first, then the event that has waited.
  behind = 1000
  await clock.advance(60)
  socket.message(1)
  await clock.advance(1000)
  expect([stream.status.state, texts]).toEqual(['open', []])
  socket.message(2)
  expect(texts).toEqual(['2'])
  stream.close()
})
