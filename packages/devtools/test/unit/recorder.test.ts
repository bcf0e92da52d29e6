import { inspect } from '@pushstream/core/inspect'
import { beforeEach, expect, test, vi } from 'vitest'
import { Recorder } from '../../src/model/recorder.js'
import { createClient, start, type TestClient } from '../support/client.js'

let one: TestClient
let recorder: Recorder
const changed = vi.fn()

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  vi.clearAllMocks()
  one = createClient()
  recorder = new Recorder(changed, () => one.clock.now())
  recorder.attach(one.stream)
  one.stream.connect()
  await one.accept()
})

const marks = () => recorder.history.marks.items.map(({ kind, text }) => `${kind}: ${text}`)
const entries = () => recorder.entries.items.map(({ kind, id, text }) => `${kind} ${id} ${text}`)

test('messages, one of them missing for good → entries, and a gap on the timeline', async () => {
  await one.send([1, 'one'], [5, 'five'])
  // What is missing is asked for, and not there any more.
  await one.clock.advance(1000)
  for (const request of one.server.open.slice(1)) request.respond(304)
  await one.clock.advance(5000)
  for (const request of one.server.open.slice(1)) request.respond(304)
  await one.clock.advance(100)
  expect(entries().filter((entry) => !entry.startsWith('error'))).toEqual([
    'message 1 one',
    'gap 2 to 4 3 messages are missing: no longer stored',
    'message 5 five',
  ])
  expect(marks()).toEqual(['opened: Opened over eventsource', 'gap: a: 3 messages are missing: no longer stored'])
})

test('a connection that the server ends → lost, with the line of the log that says why', async () => {
  await one.send([1, 'one'])
  one.server.open[0]!.end()
  await one.clock.advance(10)
  await one.accept()
  expect(marks()).toEqual([
    'opened: Opened over eventsource',
    'lost: eventsource end: channels 1, messages 1; reconnect',
    'resumed: Resumed over eventsource',
  ])
})

test('a connection that goes silent → lost, with the error that says why', async () => {
  for (let n = 0; n < 20; n++) {
    await one.clock.advance(1000)
    for (const request of one.server.open.slice(1)) request.respond(304)
    one.server.open[0]?.send(': ping\n\n')
  }
  await one.clock.advance(60_000)
  expect(marks()[1]).toMatch(/^lost: The server no longer answers\. The client reconnects to http:\/\/h\/ev\//)
})

test('an error → an entry, and a line among the steps', async () => {
  one.server.open[0]!.cut()
  await one.clock.advance(10)
  expect(recorder.entries.items.at(-1)).toMatchObject({ kind: 'error', type: 'unreachable' })
  expect(recorder.steps.items.filter(({ kind }) => kind === 'error')).toHaveLength(1)
})

test('the log and the requests → recorded without the prefix, and once for each request', async () => {
  expect(recorder.steps.items.map(({ text }) => text)).toEqual([
    'connect: trying eventsource',
    'accepted: open by eventsource',
  ])
  expect(recorder.requests.items).toMatchObject([{ kind: 'eventsource', state: 'open', status: 200 }])
})

test('20,000 messages, and one of a million characters → bounded', async () => {
  for (let batch = 0; batch < 20; batch++) {
    await one.send(...Array.from({ length: 1000 }, (_, n) => [batch * 1000 + n + 1, `m${n}`] as const))
  }
  await one.send([20_001, 'x'.repeat(1_000_000)])
  expect(one.stream.stats.received).toBe(20_001)
  expect(recorder.entries.items.length).toBeLessThan(1250)
  expect(recorder.entries.added).toBe(20_001)
  expect(recorder.entries.items.at(-1)!.text).toMatch(/^x{2000} … \(1000000 characters\)$/)
  expect(recorder.lateness.samples.items.length).toBeLessThan(375)
})

test('sentAt of the application → tells how late a message is', async () => {
  recorder.sentAt = ({ text }) => start + Number(text)
  await one.send([1, '100'])
  expect(recorder.lateness.samples.items).toEqual([
    { ms: one.clock.now() - 1 - start - 100, replayed: false, coarse: false },
  ])
})

test('detached → the client is as it was, nothing more is recorded, and what was stays', async () => {
  recorder.detach()
  vi.clearAllMocks()
  await one.send([1, 'one'])
  one.stream.disconnect()
  expect(changed).not.toHaveBeenCalled()
  expect(entries()).toEqual([])
  expect(recorder.steps.items).toHaveLength(2)
  expect(recorder.history.spans.at(-1)).toMatchObject({ state: 'closed' })
  expect(recorder.client).toBeUndefined()
})

test('another client → the one before it is left alone', async () => {
  const other = createClient()
  recorder.attach(other.stream)
  await one.send([1, 'one'])
  expect(entries()).toEqual([])
  other.stream.connect()
  await other.accept()
  await other.send([1, 'other'])
  expect(entries()).toEqual(['message 1 other'])
})

test('an error that no application hears → still goes to the console', async () => {
  one.server.open[0]!.cut()
  // Before the next attempt, which nobody answers, has had its time.
  await one.clock.advance(1400)
  expect(vi.mocked(console.warn).mock.calls).toEqual([
    [expect.stringContaining('eventsource lost at'), expect.any(TypeError)],
  ])
})

test('a closed client → refused, and nothing is attached', () => {
  one.stream.close()
  expect(() => inspect(one.stream)).toThrow()
  expect(() => recorder.attach(one.stream)).toThrow(expect.objectContaining({ code: 'closed' }))
  expect(recorder.client).toBeUndefined()
})
