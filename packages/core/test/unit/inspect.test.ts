import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { beforeEach, expect, test, vi } from 'vitest'
import { type InspectedRequest, type Inspection, inspect } from '../../src/inspect.js'
import { internalsOf } from '../../src/internals.js'
import { PushStream } from '../../src/push-stream.js'
import type { Pool } from '../../src/session/pool.js'

const start = 1_795_211_831_000
let clock: ManualClock
let server: FakeFetch
let stream: PushStream
let lines: string[]
let requests: Set<InspectedRequest>
let inspection: Inspection

const frame = (id: number, channel = 'a') =>
  `data: ${JSON.stringify({ id, channel, text: `m${id}`, tag: String(id), time: new Date(start).toUTCString() })}\n\n`

beforeEach(async () => {
  clock = createManualClock(start)
  server = createFakeFetch({ greeting: ': \n' })
  stream = new PushStream({
    url: 'http://h',
    modes: ['eventsource', 'longpolling'],
    params: { token: 'secret' },
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  stream.addChannel('a').connect()
  await clock.advance(10)
  server.open[0]!.accept()
  await clock.advance(100)
  lines = []
  requests = new Set()
  inspection = inspect(stream, { log: (line) => lines.push(line), request: (request) => requests.add(request) })
})

const told = () => [...requests].map(({ kind, state, status }) => ({ kind, state, status }))

test('a client that runs already → its connection is among the requests, and what comes later follows', async () => {
  expect(told()).toEqual([{ kind: 'eventsource', state: 'open', status: undefined }])
  server.open[0]!.end()
  await clock.advance(500)
  expect(told()).toEqual([
    { kind: 'eventsource', state: 'closed', status: undefined },
    { kind: 'eventsource', state: 'pending', status: undefined },
  ])
  server.open[0]!.accept()
  await clock.advance(100)
  expect([...requests][1]).toMatchObject({ state: 'open', status: 200, took: expect.any(Number) })
})

test('an address → shown without the values of its query', () => {
  const [{ url }] = [...requests] as [InspectedRequest]
  expect(url).toMatch(/^http:\/\/h\/ev\/a\b/)
  expect(url).toContain('token=…')
  expect(url).not.toContain('secret')
})

test('a connection that ends → a line says why', async () => {
  server.open[0]!.end()
  await clock.advance(10)
  expect(lines).toContain('pushstream: eventsource end: channels 1, messages 0; reconnect')
})

test('a request beside the connection → a check, answered', async () => {
  await clock.advance(3000)
  const polls = server.open.filter((request) => request !== server.open[0])
  expect(polls).toHaveLength(1)
  polls[0]!.respond(304, {})
  await clock.advance(10)
  expect(told()[1]).toEqual({ kind: 'check', state: 'answered', status: 304 })
})

test('messages, one of them overtaken → the snapshot of a channel says how far it is known', async () => {
  expect(inspection.channels).toMatchObject([{ name: 'a', id: undefined, waiting: 0, mode: 'eventsource' }])
  server.open[0]!.send(frame(1) + frame(3))
  await clock.advance(1)
  expect(inspection.channels).toEqual([
    {
      name: 'a',
      id: 1,
      position: { time: start, tag: 1 },
      watermark: { time: start, tag: 1 },
      waiting: 1,
      heardAt: clock.now() - 1,
      mode: 'eventsource',
    },
  ])
})

test('cut → the connection is lost as by the network, and the client comes back', async () => {
  const first = server.open[0]!
  inspection.cut()
  expect(stream.status.state).toBe('waiting')
  expect(lines).toContain('pushstream: eventsource lost (cut by hand): channels 1, messages 0; backoff')
  await clock.advance(1000)
  expect(server.open).not.toContain(first)
  server.open[0]!.accept()
  await clock.advance(100)
  expect(stream.status).toMatchObject({ state: 'open', mode: 'eventsource' })
})

test('fallBack → the next mode takes over before the one in use ends', async () => {
  const states: string[] = []
  stream.on('status', ({ state, mode }) => states.push(`${state} ${mode}`))
  expect(inspection.fallBack()).toBe(true)
  await clock.advance(10)
  expect(stream.status).toMatchObject({ state: 'open', mode: 'eventsource' })
  expect(server.open.map(({ path }) => path.slice(0, 4))).toContain('/lp/')
  // Long-polling shows that it is well by an answer to a question.
  server.open.find(({ headers }) => 'x-nginx-pushstream-mode' in headers)!.respond(304)
  await clock.advance(1000)
  expect(states).toEqual(['open longpolling'])
  expect(told()).toMatchObject([
    { kind: 'eventsource', state: 'closed' },
    { kind: 'check', state: 'answered' },
    { kind: 'longpolling', state: 'pending' },
  ])
})

test('fallBack with a single mode, or without a connection → false, and nothing happens', async () => {
  const other = new PushStream({
    url: 'http://h',
    modes: ['eventsource'],
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  const look = inspect(other.addChannel('a'))
  expect(look.fallBack()).toBe(false)
  other.connect()
  await clock.advance(10)
  server.open.at(-1)!.accept()
  await clock.advance(100)
  const before = server.open.length
  expect(look.fallBack()).toBe(false)
  await clock.advance(10)
  expect(server.open).toHaveLength(before)
  other.close()
})

test('the last one stops → the client is as it was', () => {
  const pool = internalsOf(stream).pool as Pool
  const tapped = { ...pool.settings.environment }
  const second = inspect(stream)
  inspection.stop()
  expect(pool.settings.environment).toMatchObject({ fetch: tapped.fetch })
  second.stop()
  expect(pool.settings.environment.fetch).toBe(server.fetch)
  expect(pool.settings.logger).toBeUndefined()
  expect(internalsOf(stream).endings.size).toBe(1)
  lines.length = 0
  stream.disconnect()
  expect(lines).toEqual([])
})

test('an application with a logger of its own → goes on getting its lines', () => {
  const own: unknown[] = []
  const logged = new PushStream({
    url: 'http://h',
    modes: ['eventsource'],
    logger: { debug: (line) => own.push(line) },
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  const look = inspect(logged.addChannel('a'), { log: (line) => lines.push(line) })
  logged.connect()
  expect(own).toEqual(['pushstream: connect: trying eventsource'])
  expect(lines).toEqual(own)
  look.stop()
  logged.disconnect()
  expect(own).toHaveLength(2)
  expect(lines).toHaveLength(1)
  logged.close()
})

test('events → heard until it stops, and an error that nobody else hears still goes to the console', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const heard: string[] = []
  const look = inspect(stream, {
    on: { error: ({ code }) => heard.push(code), message: ({ text }) => heard.push(text) },
  })
  server.open[0]!.send(frame(1))
  server.open[0]!.cut()
  await clock.advance(4000)
  expect(heard.slice(0, 2)).toEqual(['m1', 'unreachable'])
  expect(warned).toHaveBeenCalledTimes(1)
  const { length } = heard
  look.stop()
  await clock.advance(20_000)
  expect(heard).toHaveLength(length)
  warned.mockRestore()
})

test('a closed client → throws', () => {
  stream.close()
  expect(() => inspect(stream)).toThrow(expect.objectContaining({ code: 'closed' }))
})
