import { beforeEach, describe, expect, test } from 'vitest'
import { History, idsOf, missing } from '../../src/model/history.js'

let now: number
let history: History

beforeEach(() => {
  now = 1_000_000
  history = new History(() => now)
})

const open = (mode: 'websocket' | 'eventsource' = 'websocket') => {
  history.status({ state: 'open', mode, error: undefined })
  history.opened(mode)
}
const kinds = () => history.marks.items.map(({ kind }) => kind)
const said = () => history.marks.items.map(({ text }) => text)

describe('marks', () => {
  test('opened, lost for a reason and open again → each with its words', () => {
    history.begin({ state: 'connecting', mode: undefined })
    open()
    history.because('websocket lost: channels 1, messages 3; backoff')
    history.status({ state: 'waiting', mode: undefined, error: undefined })
    open('eventsource')
    expect(kinds()).toEqual(['opened', 'lost', 'resumed'])
    expect(said()).toEqual([
      'Opened over websocket',
      'websocket lost: channels 1, messages 3; backoff',
      'Resumed over eventsource',
    ])
  })

  test('a client that is open already → its next opening is a resumption', () => {
    history.begin({ state: 'open', mode: 'websocket' })
    history.opened('websocket')
    expect(kinds()).toEqual(['resumed'])
  })

  test('a reason of more than a second ago → not the reason of this loss', () => {
    open()
    history.because('eventsource status 503')
    now += 1001
    history.status({ state: 'waiting', mode: undefined, error: { message: 'gone' } as never })
    expect(said().at(-1)).toBe('gone')
  })

  test('closed by the page → said so, whatever was wrong before', () => {
    open()
    history.because('websocket lost')
    history.status({ state: 'closed', mode: undefined, error: undefined })
    expect(said().at(-1)).toBe('Disconnected by the page')
  })

  test('another mode without a loss → switched', () => {
    open()
    history.status({ state: 'open', mode: 'eventsource', error: undefined })
    expect(kinds()).toEqual(['opened', 'switched'])
    expect(history.spans.map(({ mode }) => mode)).toEqual([undefined, 'websocket', 'eventsource'])
  })

  test('another client → its first opening is one', () => {
    open()
    history.end()
    history.begin({ state: 'closed', mode: undefined })
    open()
    expect(kinds()).toEqual(['opened', 'opened'])
  })
})

test('the same status again → no other span', () => {
  open()
  const { version } = history
  history.status({ state: 'open', mode: 'websocket', error: undefined })
  expect(history.spans).toHaveLength(2)
  expect(history.version).toBe(version)
})

test('messages → counted by the second', () => {
  history.message()
  history.message()
  now += 1000
  history.message()
  expect([...history.rate.values()]).toEqual([2, 1])
})

test('a day of messages and losses → bounded, and the state before the memory is kept', () => {
  for (let second = 0; second < 86_400; second++) {
    now += 1000
    history.message()
    history.status({ state: second % 2 ? 'open' : 'waiting', mode: undefined, error: undefined })
    if (second % 2) history.opened('websocket')
    history.trim()
  }
  expect(history.rate.size).toBeLessThanOrEqual(16 * 60 + 1)
  expect(history.spans.length).toBeLessThanOrEqual(1000)
  expect(history.marks.items.length).toBeLessThan(625)
  expect(history.spans[0]!.from).toBeLessThanOrEqual(now - 15 * 60_000)
})

describe('a gap in words', () => {
  const gap = { channel: 'a', first: 3, last: 5, reason: 'overflow' } as const
  test.each([
    [gap, '3 to 5', '3 messages are missing: no longer stored'],
    [{ ...gap, last: 3 }, '3', 'message 3 is missing: no longer stored'],
    [
      { ...gap, last: 'unknown', reason: 'restart' },
      '3 on',
      'messages from 3 on are missing: the server lost what it stored',
    ],
    [{ ...gap, first: 'unknown', last: 'unknown' }, '', 'messages may be missing: no longer stored'],
  ] as const)('%o → %s', (one, ids, words) => {
    expect(idsOf(one)).toBe(ids)
    expect(missing(one)).toBe(words)
  })
})
