import type { Message } from '@pushstream/core'
import { expect, test } from 'vitest'
import { Lateness, quantile, sentAtOf } from '../../src/model/lateness.js'
import { Recent } from '../../src/model/recent.js'

const now = 1_795_211_831_500
const message = (data: unknown, more: Partial<Message> = {}): Message => ({
  channel: 'a',
  id: 1,
  text: '',
  data,
  type: undefined,
  eventId: undefined,
  contentType: undefined,
  time: undefined,
  tag: undefined,
  mode: 'websocket',
  replayed: false,
  ...more,
})
const samples = (...messages: Message[]) => {
  const lateness = new Lateness()
  for (const one of messages) lateness.add(one, now, sentAtOf)
  return lateness.samples.items
}

test.each([
  ['a number', { sentAt: now - 20 }, now - 20],
  ['a date as text', { sentAt: new Date(now - 20).toISOString() }, now - 20],
  ['no date', { sentAt: 'soon' }, undefined],
  ['no field', {}, undefined],
  ['text', 'sentAt', undefined],
  ['null', null, undefined],
])('sentAt is %s → as it is meant', (_, data, at) => {
  expect(sentAtOf(message(data))).toBe(at)
})

test('a message that says when it was sent → exact; one with a time of the server → to the second; neither → none', () => {
  const time = new Date(now - 500)
  expect(samples(message({ sentAt: now - 20 }), message('x', { id: 2, time }), message('y', { id: 3 }))).toEqual([
    { ms: 20, replayed: false, coarse: false },
    { ms: 500, replayed: false, coarse: true },
  ])
})

test('a clock that is ahead → not negative', () => {
  expect(samples(message({ sentAt: now + 20 }))).toMatchObject([{ ms: 0 }])
})

test('sent before the page listened → not late', () => {
  const lateness = new Lateness()
  lateness.begin(now - 1000)
  lateness.add(message({ sentAt: now - 1001 }), now, sentAtOf)
  lateness.add(message('x', { time: new Date(now - 2001) }), now, sentAtOf)
  expect(lateness.samples.items).toEqual([])
  lateness.add(message('x', { time: new Date(now - 2000) }), now, sentAtOf)
  expect(lateness.samples.items).toHaveLength(1)
})

test('a message that comes again because its channel was added anew → counts once', () => {
  const one = message({ sentAt: now - 20 })
  expect(samples(one, one)).toHaveLength(1)
})

test('figures → of the exact ones, as long as there is one', () => {
  const lateness = new Lateness()
  expect(lateness.figures).toEqual({ median: undefined, p95: undefined, worst: undefined, count: 0, coarse: true })
  lateness.add(message('x', { time: new Date(now - 500) }), now, sentAtOf)
  expect(lateness.figures).toMatchObject({ median: 500, count: 1, coarse: true })
  for (let id = 2; id <= 21; id++) lateness.add(message({ sentAt: now - id }, { id }), now, sentAtOf)
  expect(lateness.figures).toEqual({ median: 11, p95: 20, worst: 21, count: 20, coarse: false })
})

test('the quantile of nothing → undefined', () => {
  expect(quantile([], 0.5)).toBeUndefined()
})

test('more than the most → the newest are kept, and since knows which of them are new', () => {
  const recent = new Recent<number>(100)
  for (let n = 1; n <= 10_000; n++) recent.add(n)
  expect(recent.items.length).toBeLessThan(125)
  expect(recent.items.at(-1)).toBe(10_000)
  expect(recent.since(9998)).toEqual([9999, 10_000])
  expect(recent.since(10_000)).toEqual([])
  expect(recent.since(0)).toEqual(recent.items)
  recent.clear()
  recent.add(10_001)
  expect(recent.since(9998)).toEqual([10_001])
})
