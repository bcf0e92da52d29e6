import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PushStreamError } from '../../src/errors.js'
import { messageOf } from '../../src/message.js'
import { type DjangoEventStreamSettings, djangoEventStream } from '../../src/protocols/django-eventstream.js'
import { encodeIds, parseIds } from '../../src/protocols/event-ids.js'
import type { Subscription, Wanted } from '../../src/protocols/protocol.js'
import { PushStream } from '../../src/push-stream.js'
import { sendMessage } from '../../src/send-message.js'
import { nativeEventSource } from '../../src/transports/native-event-source.js'
import type { CloseReason } from '../../src/types.js'
import { event, make, opening, part, reset, session, type Told, transcript } from './support/django-eventstream.js'
import { anyString, runs, wellFormed } from './support/runs.js'
import { wanted } from './support/wanted.js'

const together = { together: true } as const
const known = { probe: false } as const
const gap = (channel: string, first: number | 'unknown', last: number | 'unknown', reason = 'overflow') => ({
  gap: channel,
  first,
  last,
  reason,
})
const numbers = (told: Told[]) => told.map((one) => (Array.isArray(one) ? one[1] : one))
const channelOf = (one: Told) => (Array.isArray(one) ? one[0] : 'gap' in one ? one.gap : undefined)
const lines = 'x\ny\nz'
const uni = '{"uni": "\\u017c\\u00f3\\u0142\\u0107"}'

describe('what the server was seen to send', () => {
  test('live events on two channels (01)', async () => {
    const { told, messages, connect } = session(['a', 'b'], together, 'a:0,b:0')
    const stream = connect()
    await stream.feed(transcript('01-open-live').join(''))
    expect(told).toEqual([
      ['a', 1, '{"text": "hello"}'],
      ['b', 1, '{"n": 1}'],
      ['a', 2, 'line1\nline2'],
      ['a', 3, ''],
      ['a', 4, uni],
      ['b', 2, lines],
    ])
    const made = messages.map(messageOf)
    expect(made[0]).toMatchObject({
      type: 'message',
      eventId: 'a:1,b:0',
      data: { text: 'hello' },
      mode: 'eventsource',
    })
    expect(made[0]?.time).toBeUndefined()
    expect(made[1]?.type).toBe('info')
    expect(made[4]?.data).toEqual({ uni: 'żółć' })
    expect(stream).toMatchObject({ pings: 1, over: undefined })
  })

  test('a resumed stream (02), and one of which one channel is from now (03)', async () => {
    const both = session(['a', 'b'], together, 'a:1,b:0')
    await both.connect().feed(transcript('02-resume-header').join(''))
    expect(both.told).toEqual([
      ['a', 2, 'line1\nline2'],
      ['a', 3, ''],
      ['a', 4, uni],
      ['b', 1, '{"n": 1}'],
      ['b', 2, lines],
    ])
    const one = session(['a', 'b'], { ...together, ...known }, 'a:3')
    await one.connect().feed(transcript('03-resume-query').join(''))
    expect(one.told).toEqual([['a', 4, uni]])
    expect(one.connect().asked).toBe('a:4,b:2')
  })

  test.each<[string, string[], string | undefined, Told[], string]>([
    [
      'unknown future id a:99',
      ['a', 'b'],
      'a:99,b:1',
      [gap('a', 100, 'unknown', 'restart'), ['b', 2, lines]],
      'a:4,b:2',
    ],
    [
      'both unknown',
      ['a', 'b'],
      'a:99,b:77',
      [gap('a', 100, 'unknown', 'restart'), gap('b', 78, 'unknown', 'restart')],
      'a:4,b:2',
    ],
    ['both unknown', ['a', 'b'], undefined, [], 'a:4,b:2'],
    ['id for never-used channel c:5', ['c'], undefined, [], 'c:0'],
    ['never-used channel c:0', ['c'], 'c:0', [], 'c:0'],
  ])('resets (04): %s, as %j from %s', async (title, channels, from, expected, then) => {
    const { told, connect } = session(channels, together, from)
    const stream = connect()
    await stream.feed(part('04-reset', title))
    expect(told).toEqual(expected)
    expect(stream).toMatchObject({ over: undefined })
    expect(connect().asked).toBe(then)
  })

  test.each<[string, string, Told[]]>([
    ['a:1 trimmed', 'a:1', [gap('a', 2, 4)]],
    ['a:0 trimmed', 'a:0', [gap('a', 1, 4)]],
    ['a:2 trimmed though', 'a:2', [gap('a', 3, 4)]],
    ['a:3 kept', 'a:3', [['a', 4, uni]]],
    ['a:4 = current', 'a:4', []],
  ])('what is not stored any more (05): %s', async (title, from, expected) => {
    const { told, connect } = session(['a'], {}, from)
    await connect().feed(part('05-reset-trimmed', title))
    expect(told).toEqual(expected)
    expect(connect().asked).toBe('a:4')
  })

  test.each<[string, number, string]>([
    ['no channel', 400, 'Invalid request: No channels specified.'],
    ['11 channels', 400, 'Invalid request: Channel limit exceeded.'],
    ['forbidden channel', 403, 'Permission denied to channels: _x'],
    ['unparsable id', 400, 'Invalid request: Failed to parse Last-Event-ID or lastEventId.'],
  ])('errors in a good answer (06): %s', async (title, status, explain) => {
    const { told, connect, protocol } = session(['a'])
    const stream = connect()
    await stream.feed(part('06-errors', title))
    expect(told).toEqual([])
    // Nothing of it counts as accepted.
    expect(stream).toMatchObject({ pings: 0, over: { kind: 'status', status, explain } })
    expect(protocol.classify(stream.over!).action).toBe('rejected')
  })

  test('an empty answer is no good order (06: non-integer id)', async () => {
    const { connect, protocol } = session(['a'])
    const stream = connect()
    await stream.feed(part('06-errors', 'non-integer id'))
    stream.finish()
    expect(stream).toMatchObject({ pings: 0, over: { kind: 'lost' } })
    expect(protocol.classify(stream.over!).action).toBe('backoff')
    // One that brought anything ends as it ends.
    const other = connect()
    await other.feed(opening)
    other.finish()
    expect(other.over?.kind).not.toBe('lost')
  })

  describe('a channel of which no message came yet, and nobody tells where it stands', () => {
    const nothing = gap('a', 'unknown', 'unknown')

    test.each([
      ['it is not asked', known, 1],
      ['it does not answer (RedisStorage)', {}, 2],
    ] as const)('%s: a gap for each time it was away', async (_, settings, connections) => {
      const { told, connect } = session(['a'], settings)
      for (let i = 0; i < connections; i++) await connect().feed(opening)
      expect(told).toEqual([])
      await connect().feed(opening)
      expect(told).toEqual([nothing])
      const heard = connect()
      expect(heard.asked).toBe(null)
      await heard.feed(opening + event('message', 'a:5', 'x'))
      expect(told).toEqual([nothing, nothing, ['a', 5, 'x']])
      // From here on it is resumed.
      const resumed = connect()
      expect(resumed.asked).toBe('a:5')
      await resumed.feed(opening + event('message', 'a:6', 'y'))
      expect(told.slice(3)).toEqual([['a', 6, 'y']])
    })

    test('nothing is said where nothing is stored, as status says it', async () => {
      const { told, connect, protocol } = session(['a'], known)
      await connect().feed(opening + event('message', undefined, 'x'))
      expect(protocol.guarantees.gaps).toBe('none')
      await connect().feed(opening + event('message', undefined, 'y'))
      expect(told).toEqual([
        ['a', undefined, 'x'],
        ['a', undefined, 'y'],
      ])
    })

    test('several by one connection: nothing is said, as a channel that is added makes another one beside it', async () => {
      const { told, connect } = session(['a', 'b'], { ...together, ...known })
      await connect().feed(opening)
      await connect().feed(opening)
      expect(told).toEqual([])
    })
  })

  describe('a position that is answered with nothing, as behind Pushpin where names are percent-encoded', () => {
    const live = (n: number, name = '%C3%A9') => event('message', `${name}:${n}`, `${n}`)
    const unknown = (channel: string, first: number): Told => ({
      gap: channel,
      first,
      last: 'unknown',
      reason: 'overflow',
    })
    type Session = ReturnType<typeof session>
    /** Asks so often, and gets nothing. Returns what was asked for. */
    const inVain = ({ connect }: Session, times: number) =>
      Array.from({ length: times }, () => {
        const stream = connect()
        stream.finish()
        expect(stream.over).toMatchObject({ kind: 'lost', explain: 'the answer was empty' })
        return stream.asked
      })

    test('it is asked for without one: a gap says so, and what comes live comes', async () => {
      const one = session(['é'])
      await one.connect().feed(opening + reset('%C3%A9:4', 'é') + live(5))
      expect(inVain(one, 3)).toEqual(['%C3%A9:5', '%C3%A9:5', '%C3%A9:5'])
      const without = one.connect()
      expect(without.asked).toBe(null)
      await without.feed(opening)
      expect(without).toMatchObject({ pings: 1, over: undefined })
      expect(one.told).toEqual([['é', 5, '5'], unknown('é', 6)])
      await without.feed(live(9) + live(10))
      expect(one.told.slice(2)).toEqual([
        ['é', 9, '9'],
        ['é', 10, '10'],
      ])
      // Where nothing was missed it can be resumed; so it is tried, once.
      expect(inVain(one, 1)).toEqual(['%C3%A9:10'])
      await one.connect().feed(opening + live(12))
      expect(one.told.slice(4)).toEqual([unknown('é', 11), ['é', 12, '12']])
      // One that was answered counts as if there had been none.
      const stream = one.connect()
      expect(stream.asked).toBe('%C3%A9:12')
      await stream.feed(opening)
      expect(inVain(one, 3)).toEqual(['%C3%A9:12', '%C3%A9:12', '%C3%A9:12'])
      expect(one.connect().asked).toBe(null)
    })

    test('nothing is known of the channel: nothing is missing', async () => {
      const one = session(['é'])
      inVain(one, 3)
      const without = one.connect()
      expect(without.asked).toBe(null)
      await without.feed(opening + live(7))
      expect(one.told).toEqual([['é', 7, '7']])
      expect(without.over).toBeUndefined()
    })

    test('nothing was known, and still is not: what came between two connections is a gap, each time', async () => {
      const one = session(['é'])
      inVain(one, 3)
      await one.connect().feed(opening)
      expect(one.told).toEqual([])
      const nothing = { gap: 'é', first: 'unknown', last: 'unknown', reason: 'overflow' }
      await one.connect().feed(opening)
      expect(one.told).toEqual([nothing])
      const stream = one.connect()
      expect(stream.asked).toBe(null)
      await stream.feed(opening + live(9))
      expect(one.told).toEqual([nothing, nothing, ['é', 9, '9']])
      // It has a position again, and what follows it can be had or is missing from there.
      inVain(one, 1)
      await one.connect().feed(opening)
      await one.connect().feed(opening + live(14))
      expect(one.told.slice(3)).toEqual([unknown('é', 10), nothing, ['é', 14, '14']])
    })

    test('a seed is where the gap begins', async () => {
      const one = session(['é'], {}, '%C3%A9:3')
      expect(inVain(one, 3)).toEqual(['%C3%A9:3', '%C3%A9:3', '%C3%A9:3'])
      await one.connect().feed(opening + live(7))
      expect(one.told).toEqual([unknown('é', 4), ['é', 7, '7']])
    })

    test('the answer without is empty as well: it is the server, so the position is asked for again', async () => {
      const one = session(['é'], {}, '%C3%A9:3')
      expect(inVain(one, 8)).toEqual([
        '%C3%A9:3',
        '%C3%A9:3',
        '%C3%A9:3',
        null,
        '%C3%A9:3',
        '%C3%A9:3',
        '%C3%A9:3',
        null,
      ])
      await one.connect().feed(opening + live(4))
      expect(one.told).toEqual([['é', 4, '4']])
    })

    test('together: the first that does not tell its channel is dead, and is not asked for for ever', async () => {
      const one = session(['é', 'b'], { together: true })
      await one.connect().feed(opening + reset('%C3%A9:4,b:1', 'é', 'b'))
      inVain(one, 3)
      const without = one.connect()
      await without.feed(opening + event('message', '%C3%A9:6,b:3', 'x'))
      expect(one.told).toEqual([unknown('é', 5), unknown('b', 2), { dead: 'x' }])
      expect(without.over).toBeUndefined()
      await without.feed(event('message', '%C3%A9:6,b:4', 'y'))
      expect(one.told.slice(3)).toEqual([['b', 4, 'y']])
    })
  })

  test('names with everything in them (07)', async () => {
    const parts = transcript('07-channel-names').slice(1)
    const names = ['x:y', 'x,y', 'zażółć', 'sp ace', 'a/b', '100%']
    expect(parts).toHaveLength(2 * names.length)
    for (const [index, name] of names.entries()) {
      const { told, connect } = session([name], {}, `${encodeURIComponent(name)}:1`)
      const [live, resumed] = parts.slice(2 * index, 2 * index + 2) as [string, string]
      await connect().feed(live)
      await connect().feed(resumed)
      expect(told).toEqual([[name, 2, '{"pct": "50%"}']])
      expect(parseIds(connect().asked as string)).toEqual(new Map([[name, 2]]))
    }
  })

  test('types are the publisher’s, and what is the server’s own is no message (08)', async () => {
    const { told, messages, connect } = session(['t'], {}, 't:0')
    const stream = connect()
    await stream.feed(transcript('08-event-types').join(''))
    expect(messages.map(({ id, eventType }) => [id, eventType])).toEqual([
      [1, 'message'],
      [2, 'info'],
      [3, 'error'],
      [4, 'open'],
      [5, 'stream-error'],
      [6, 'with space'],
      [7, undefined],
      [8, 'ab'],
      [9, 'ż'],
    ])
    expect(told[4]).toEqual({ dead: '{"t": "stream-error"}' })
    expect(stream.over).toBeUndefined()
  })

  test('190 stored events, sent as 200 (09)', async () => {
    const ids = transcript('09-paging')
      .join('')
      .split('\n')
      .filter((line) => /^[pq]:/.test(line))
    expect(ids).toHaveLength(200)
    const { told, connect } = session(['p', 'q'], together, 'p:0,q:0')
    let previous = 'q:0,p:0'
    const body = ids.map((id) => {
      const [channel, n] = id
        .split(',')
        .find((one) => !previous.split(',').includes(one))!
        .split(':')
      previous = id
      return event('message', id, `${channel} ${n}`)
    })
    await connect().feed(opening + body.join(''))
    const expected = (name: string, count: number) =>
      Array.from({ length: count }, (_, i) => [name, i + 1, `${name} ${i + 1}`])
    expect(told).toHaveLength(190)
    expect(told.filter((one) => channelOf(one) === 'p')).toEqual(expected('p', 130))
    expect(told.filter((one) => channelOf(one) === 'q')).toEqual(expected('q', 60))
    expect(parseIds(connect().asked!)).toEqual(
      new Map([
        ['p', 130],
        ['q', 60],
      ]),
    )
  })

  test('a channel that is not stored beside one that is (10)', async () => {
    const { told, connect } = session(['u-1', 'p'], { ...together, ...known }, 'p:190')
    await connect().feed(transcript('10-unreliable-burst').join(''))
    expect(told).toEqual([
      ...Array.from({ length: 10 }, (_, i) => ['u-1', undefined, `{"b": 1, "i": ${i + 1}}`]),
      ['p', 191, '{"z": 1}'],
      ['u-1', undefined, '{"b": 2}'],
    ])
  })

  test('permission taken away, told twice (11); in Python’s notation by Pushpin (26)', async () => {
    const { told, connect, refresh } = session(['k', 'z'], together, 'k:0,z:0')
    const stream = connect()
    await stream.feed(transcript('11-kick').join(''))
    expect(told).toEqual([['k', 1, '{"a": 1}']])
    expect(stream.over).toEqual({ kind: 'status', status: 403, explain: 'Permission denied to channels: k' })
    // Who asks again, allowed by now, goes on where it was.
    refresh('k')
    expect(connect().asked).toBe('z:0,k:1')
    const other = session(['k'], known)
    const pushpin = other.connect()
    await pushpin.feed(
      transcript('26-grip-kick')
        .join('')
        .replace(/\{.*\}/, `{'condition': 'forbidden', 'text': 'no'}`),
    )
    expect(pushpin.over).toEqual({ kind: 'status', status: 403, explain: 'forbidden' })
  })

  test('a hole, of an event that another process sent (13), is filled by the next stream', async () => {
    const [live, resumed] = transcript('13-gap-other-process') as [string, string]
    const { told, channelStore, connect } = session(['g'], {}, 'g:1')
    await connect().feed(live)
    expect(channelStore.missing().size).toBe(1)
    const next = connect()
    expect(next.asked).toBe('g:2')
    await next.feed(resumed)
    expect(numbers(told)).toEqual([2, 3, 4])
    const careless = session(['g'], { missingIds: 'ignore' }, 'g:1')
    await careless.connect().feed(live)
    expect(numbers(careless.told)).toEqual([2, 4])
    expect(careless.connect().asked).toBe('g:4')
  })

  test('routes that bring other channels too (14)', async () => {
    const { told, connect } = session(['a'], { channels: 'route' }, 'a:0')
    await connect().feed(part('14-routes', '/fixed/'))
    expect(told).toEqual([['a', 1, '{"on": "a"}']])
    const room = session(['lobby'], { url: '/room/{channel}/' }, 'lobby:2')
    await room.connect().feed(part('14-routes', '/room/lobby/'))
    expect(room.told).toEqual([['lobby', 3, '{"on": "lobby"}']])
  })

  test('without a store (15): messages without a number, and no positions asked for', async () => {
    const { told, protocol, connect } = session(['a'])
    const first = connect()
    expect(first.asked).toBe(`a:${2 ** 31 - 1}`)
    await first.feed(opening)
    expect(first.over).toMatchObject({ kind: 'end' })
    expect(protocol.classify(first.over!).action).toBe('reconnect')
    const second = connect()
    expect(second.asked).toBeNull()
    await second.feed(transcript('15-no-storage').join(''))
    expect(told).toEqual([
      ['a', undefined, '{"x": 1}'],
      ['a', undefined, '{"y": 1}'],
    ])
    expect(second).toMatchObject({ over: undefined })
    expect(protocol.guarantees).toEqual({ resume: 'none', gaps: 'none' })
    // Two on one connection can't be told apart.
    const both = session(['a', 'b'], { ...together, ...known })
    await both.connect().feed(transcript('15-no-storage')[0] as string)
    expect(both.told).toEqual([{ dead: '{"x": 1}' }, { dead: '{"y": 1}' }])
  })

  test('a store that was emptied (17)', async () => {
    const { told, connect } = session(['r'], {}, 'r:1')
    await connect().feed(part('17-restart', 'after restart'))
    await connect().feed(part('17-restart', 'DB wiped'))
    expect(told).toEqual([['r', 2, '{"n": 2, "while": "server down"}'], gap('r', 3, 'unknown', 'restart')])
    expect(connect().asked).toBe('r:1')
  })

  test('Redis, which never resets (19, 20)', async () => {
    const { told, channelStore, connect } = session(['a'], {}, 'a:0')
    await connect().feed(part('19-redis-storage', 'live'))
    expect(told).toHaveLength(5)
    // What is not stored any more shows as a hole, which the next stream doesn't fill.
    const late = session(['a'], {}, 'a:1')
    await late.connect().feed(part('19-redis-storage', 'events 2,3 expired'))
    late.channelStore.skipMissing(late.channelStore.missing())
    expect(late.told).toEqual([gap('a', 2, 3), ['a', 4, '{"n": 4}'], ['a', 5, '{"n": 5}']])
    // Its counter began anew: another text under a known number shows it.
    await connect().feed(opening + event('message', 'a:1', '{"n": "first of the new"}'))
    expect(told.slice(5)).toEqual([gap('a', 6, 'unknown', 'restart'), ['a', 1, '{"n": "first of the new"}']])
    expect(channelStore.duplicates).toBe(0)
    const many = session(['g'], {}, 'g:0')
    await many.connect().feed(transcript('20-redis-pubsub').join(''))
    expect(many.told).toHaveLength(42)
  })

  test.each<[string, string[], number]>([
    ['12-cookie-auth-skip-user', ['_priv'], 2],
    ['16-daphne', ['a', 'b'], 1],
    ['24-grip-live', ['a', 'b'], 3],
    ['27-grip-skip-user', ['s'], 3],
  ])('%s', async (name, channels, count) => {
    const { told, connect } = session(channels, together, channels.map((one) => `${one}:0`).join(','))
    const stream = connect()
    await stream.feed(transcript(name).join(''))
    expect(told).toHaveLength(count)
    expect(stream.over).toBeUndefined()
  })

  test('Pushpin: resumed, reset, refused, repaired (25, 32)', async () => {
    const { told, connect } = session(['a', 'b'], together, 'a:1,b:0')
    await connect().feed(part('25-grip-resume-errors', 'Last-Event-ID: a:1,b:0'))
    expect(told).toEqual([
      ['b', 1, '{"m": "50%"}'],
      ['a', 2, 'l1\nl2'],
    ])
    const far = session(['a', 'b'], together, 'a:99,b:1')
    await far.connect().feed(part('25-grip-resume-errors', 'a:99,b:1'))
    expect(far.told).toEqual([gap('a', 100, 'unknown', 'restart')])
    const forbidden = connect()
    await forbidden.feed(part('25-grip-resume-errors', 'forbidden'))
    expect(forbidden.over).toMatchObject({ status: 403 })
    const repaired = session(['gr'], {}, 'gr:1')
    const stream = repaired.connect()
    await stream.feed(transcript('32-grip-repair-restart').join(''))
    expect(numbers(repaired.told)).toEqual([2, 3, 4, 5, 6])
    expect(stream.pings).toBe(2)
  })

  test('keep-alives are signs of life (22), also of the server for Node (28)', async () => {
    const stream = session(['a'], {}, 'a:0').connect()
    await stream.feed(transcript('22-keepalive').join(''))
    expect(stream).toMatchObject({ pings: 3, over: undefined })
    const { told, messages, connect } = session(['a'], known)
    const node = connect()
    await node.feed(transcript('28-node-fanoutio')[0] as string)
    expect(told.map((one) => (one as string[]).slice(1))).toEqual([
      [undefined, '{"n":1}'],
      [undefined, '"l1\\nl2"'],
      [undefined, '{"t":1}'],
    ])
    // A line feed in a type makes two of it, of which the last counts.
    expect(messages.map(({ eventType }) => eventType)).toEqual(['message', 'info', 'y'])
    expect(node.pings).toBe(2)
  })

  test('internal errors, and conditions nobody knows, are temporary', async () => {
    for (const data of ['{"condition":"internal-error","text":"x"}', '{"condition":"else"}', 'no JSON', 'null']) {
      const { connect, protocol } = session(['a'])
      const stream = connect()
      await stream.feed(event('stream-error', 'error', data))
      expect(stream.over).toMatchObject({ kind: 'status', status: 500 })
      expect(protocol.classify(stream.over!).action).toBe('backoff')
    }
  })
})

describe('which channel it is', () => {
  test('a channel of which nothing is known is asked for with an id that can’t exist', async () => {
    const { told, connect } = session(['a', 'b'], together)
    const stream = connect()
    expect(stream.asked).toBe('a:2147483647,b:2147483647')
    await stream.feed(opening + reset('a:4,b:2', 'a', 'b') + event('message', 'b:3,a:4', 'x'))
    expect(told).toEqual([['b', 3, 'x']])
    expect(stream.over).toBeUndefined()
    expect(connect().asked).toBe('a:4,b:3')
  })

  test('a stream lost before its first message is resumed from where the channel stood', async () => {
    const { told, connect } = session(['a'])
    await connect().feed(opening + reset('a:4', 'a'))
    const next = connect()
    expect(next.asked).toBe('a:4')
    await next.feed(opening + event('message', 'a:5', 'x'))
    expect(told).toEqual([['a', 5, 'x']])
  })

  test('where the server doesn’t tell positions, the first message of several channels is asked for again', async () => {
    const { told, connect } = session(['a', 'b'], { ...together, ...known })
    const stream = connect()
    await stream.feed(opening + event('message', 'a:4,b:2', 'x'))
    expect(told).toEqual([])
    expect(stream.over).toMatchObject({ kind: 'end' })
    const next = connect()
    expect(next.asked).toBe('a:3,b:1')
    await next.feed(opening + event('message', 'a:4,b:1', 'x') + event('message', 'a:4,b:2', 'older'))
    expect(told).toEqual([
      ['a', 4, 'x'],
      ['b', 2, 'older'],
    ])
    expect(next.over).toBeUndefined()
  })

  test('… also where more came with it', async () => {
    const { told, connect } = session(['a', 'b'], { ...together, ...known })
    await connect().feed(opening + event('message', 'a:4,b:2', 'a4') + event('message', 'a:5,b:2', 'a5'))
    const next = connect()
    expect(next.asked).toBe('a:3,b:1')
    await next.feed(
      opening +
        event('message', 'a:4,b:1', 'a4') +
        event('message', 'a:5,b:1', 'a5') +
        event('message', 'a:5,b:2', 'older'),
    )
    expect(told).toEqual([
      ['a', 4, 'a4'],
      ['a', 5, 'a5'],
      ['b', 2, 'older'],
    ])
  })

  test('nothing is taken from a stream after what ended it', async () => {
    const { told, connect } = session(['a'], {}, 'a:1')
    const stream = connect()
    await stream.feed(
      opening + event('stream-error', 'error', '{"condition":"forbidden"}') + event('message', 'a:2', 'x'),
    )
    expect(told).toEqual([])
    expect(stream).toMatchObject({ pings: 1, over: { status: 403 } })
  })

  test('… and of a channel that had none so far, what comes meanwhile is not missed', async () => {
    const { told, connect } = session(['a', 'b', 'c'], { ...together, ...known })
    await connect().feed(opening + event('message', 'a:4,b:2,c:0', 'x'))
    const next = connect()
    expect(next.asked).toBe('a:3,b:1,c:0')
    await next.feed(opening + event('message', 'a:4,b:1,c:0', 'x') + event('message', 'a:4,b:2,c:0', 'older'))
    await next.feed(event('message', 'a:4,b:2,c:1', 'meanwhile'))
    expect(told.map((one) => channelOf(one))).toEqual(['a', 'b', 'c'])
  })

  test('of a channel at 0 no message can be', async () => {
    const { told, connect } = session(['a', 'b'], { ...together, ...known })
    await connect().feed(opening + event('message', 'a:1,b:0', 'x'))
    expect(told).toEqual([['a', 1, 'x']])
  })

  test('two streams at once: each message once', async () => {
    const { told, connect } = session(['a', 'b'], together, 'a:1,b:1')
    const [first, second] = [connect(), connect()]
    await first.feed(opening + event('message', 'a:2,b:1', 'a2'))
    await second.feed(opening + event('message', 'a:2,b:1', 'a2') + event('message', 'a:2,b:2', 'b2'))
    await first.feed(event('message', 'a:2,b:2', 'b2') + event('message', 'a:3,b:2', 'a3'))
    await second.feed(event('message', 'a:3,b:2', 'a3'))
    expect(told).toEqual([
      ['a', 2, 'a2'],
      ['b', 2, 'b2'],
      ['a', 3, 'a3'],
    ])
  })

  test('an answer to a probe that is late by a stream is no gap', async () => {
    const { told, connect } = session(['a'])
    const [first, second] = [connect(), connect()]
    await first.feed(opening + reset('a:4', 'a') + event('message', 'a:5', 'x'))
    await second.feed(opening + reset('a:4', 'a') + event('message', 'a:5', 'x') + event('message', 'a:6', 'y'))
    expect(told).toEqual([
      ['a', 5, 'x'],
      ['a', 6, 'y'],
    ])
  })

  test('a second reset, where the server read once more, would skip what came meanwhile: that is asked for', async () => {
    const { told, connect } = session(['a', 'b'], together)
    const stream = connect()
    await stream.feed(opening + reset('a:4,b:2', 'a', 'b'))
    // Pages of other channels repeat it as it was.
    await stream.feed(reset('a:4,b:2', 'b', 'a'))
    expect(stream.over).toBeUndefined()
    await stream.feed(reset('a:4,b:3', 'a', 'b') + event('message', 'a:4,b:4', 'b4'))
    expect(stream.over).toMatchObject({ kind: 'end' })
    const next = connect()
    expect(next.asked).toBe('a:4,b:2')
    await next.feed(opening + event('message', 'a:4,b:3', 'b3') + event('message', 'a:4,b:4', 'b4'))
    expect(told).toEqual([
      ['b', 3, 'b3'],
      ['b', 4, 'b4'],
    ])
  })

  test('… also after a gap', async () => {
    const { told, connect } = session(['a'], {}, 'a:1')
    const stream = connect()
    await stream.feed(opening + reset('a:4', 'a') + reset('a:5', 'a'))
    expect(stream.over).toMatchObject({ kind: 'end' })
    const next = connect()
    expect(next.asked).toBe('a:4')
    await next.feed(opening + event('message', 'a:5', 'x'))
    expect(told).toEqual([gap('a', 2, 4), ['a', 5, 'x']])
  })

  test('a channel that does not tell where it stands says nothing of another', async () => {
    const { told, connect, add } = session(['typing'])
    await connect().feed(opening)
    expect(connect().asked).toBeNull()
    add('a')
    const next = connect()
    expect(next.asked).toBe('a:2147483647')
    await next.feed(opening + reset('a:4', 'a'))
    expect(next.over).toBeUndefined()
    expect(connect().asked).toBe('a:4')
    expect(told).toEqual([])
  })

  describe('what is repeated is nothing of the channel that is not stored', () => {
    test('where the server reads once more', async () => {
      const { told, connect } = session(['a', 'u'], { ...together, ...known }, 'a:4')
      const [five, six] = [event('message', 'a:5', 'a5'), event('message', 'a:6', 'a6')]
      await connect().feed(
        opening + five + six + five + six + event('message', 'a:6', 'u') + event('message', 'a:7', 'a7'),
      )
      expect(told).toEqual([
        ['a', 5, 'a5'],
        ['a', 6, 'a6'],
        ['u', undefined, 'u'],
        ['a', 7, 'a7'],
      ])
    })

    test('one event alone', async () => {
      const { told, connect } = session(['a', 'u'], { ...together, ...known }, 'a:4')
      await connect().feed(opening + event('message', 'a:5', 'a5').repeat(2) + event('info', 'a:5', 'a5'))
      expect(told).toEqual([
        ['a', 5, 'a5'],
        ['u', undefined, 'a5'],
      ])
    })

    test('pages', async () => {
      const { told, connect } = session(['p', 'q', 'u'], { ...together, ...known }, 'p:0,q:0')
      const page = (p: readonly number[], q: readonly number[], from: number) =>
        p.map((n) => event('message', `p:${n},q:${from}`, `p${n}`)).join('') +
        q.map((n) => event('message', `p:${p.at(-1)},q:${n}`, `q${n}`)).join('')
      await connect().feed(
        opening + page([1, 2, 3], [1, 2], 0) + page([4, 5], [1, 2], 0) + event('message', 'p:5,q:2', 'u'),
      )
      expect(told).toEqual([
        ...[1, 2, 3].map((n) => ['p', n, `p${n}`]),
        ...[1, 2].map((n) => ['q', n, `q${n}`]),
        ...[4, 5].map((n) => ['p', n, `p${n}`]),
        ['u', undefined, 'u'],
      ])
    })

    test('before anything is known, where the server tells no positions', async () => {
      const { told, connect } = session(['a', 'u'], { ...together, ...known })
      const first = connect()
      await first.feed(opening + event('message', 'a:5', 'u’s or a’s'))
      expect(told).toEqual([])
      expect(first.over).toMatchObject({ kind: 'end' })
      const next = connect()
      expect(next.asked).toBe('a:4')
      await next.feed(opening + event('message', 'a:5', 'a5') + event('message', 'a:5', 'u'))
      expect(told).toEqual([
        ['a', 5, 'a5'],
        ['u', undefined, 'u'],
      ])
    })

    test('… but no stream is ended for channels that only its address brings', async () => {
      const { told, connect } = session(['u'], { channels: 'route', ...known })
      const stream = connect()
      await stream.feed(opening + event('message', 'a:5', 'u’s or a’s') + event('message', 'a:5', 'u'))
      expect(stream.over).toBeUndefined()
      expect(told).toEqual([['u', undefined, 'u']])
    })

    test('a counter that began anew', async () => {
      const { told, connect } = session(['a', 'u'], { ...together, ...known }, 'a:0')
      const stream = connect()
      await stream.feed(opening + event('message', 'a:1', 'old') + event('message', 'a:2', 'older'))
      await stream.feed(event('message', 'a:1', 'new') + event('message', 'a:1', 'u'))
      expect(told.slice(2)).toEqual([gap('a', 3, 'unknown', 'restart'), ['a', 1, 'new'], ['u', undefined, 'u']])
    })
  })

  test('two numbers that went on at once tell nothing', async () => {
    const { told, connect } = session(['a', 'b'], together, 'a:1,b:1')
    const stream = connect()
    await stream.feed(opening + event('message', 'a:2,b:2', 'x'))
    expect(told).toEqual([])
    expect(stream.over).toMatchObject({ kind: 'end' })
    expect(connect().asked).toBe('a:1,b:1')
  })

  test('a number that can’t exist is no place, also where a server gives it back', async () => {
    const { told, connect } = session(['a', 'b'], together)
    await connect().feed(opening + reset('a:4,b:2147483647', 'a') + event('message', 'a:4,b:3', 'x'))
    expect(told).toEqual([['b', 3, 'x']])
    expect(connect().asked).toBe('a:4,b:3')
  })

  test('a stream that was refused says nothing of positions', async () => {
    const { connect } = session(['a'])
    await connect().feed(opening + event('stream-error', 'error', '{"condition":"internal-error"}'))
    expect(connect().asked).toBe('a:2147483647')
  })

  test('the id `error` is never stored or sent, and garbage is a dead letter', async () => {
    const { told, connect } = session(['a'], {}, 'a:1')
    await connect().feed(
      opening + event('message', 'error', 'x') + event('message', 'a:b', 'y') + event('message', 'a:2', 'z'),
    )
    expect(told).toEqual([{ dead: 'x' }, { dead: 'y' }, ['a', 2, 'z']])
    expect(connect().asked).toBe('a:2')
    expect(session(['a'], known, 'error').connect().asked).toBeNull()
  })
})

/** A server with a store, which pages as django-eventstream does, with its fault; and what is cut off, it forgets. */
class Store {
  readonly stored = new Map<string, { from: number; count: number }>()
  constructor(channels: readonly string[]) {
    for (const name of channels) this.stored.set(name, { from: 0, count: 0 })
  }
  /** What a stream brings that begins there, up to now. */
  stream(asked: string | null, channels: readonly string[], perRequest: number): string {
    const page = Math.max(1, Math.floor(perRequest / channels.length))
    const wanted = parseIds(asked ?? '') ?? new Map<string, number>()
    let body = opening
    for (;;) {
      const last = new Map<string, number>()
      const gone: string[] = []
      const items: [string, number[]][] = []
      const more: [string, number][] = []
      for (const name of channels) {
        const { from, count } = this.stored.get(name)!
        let after = wanted.get(name) ?? count
        if (after !== count && (after < from || after > count)) {
          gone.push(name)
          after = count
        }
        const found = Array.from({ length: count - after }, (_, i) => after + i + 1)
        if (found.length > page) more.push([name, found[page - 1]!])
        items.push([name, found.slice(0, page)])
        last.set(name, after)
      }
      if (gone.length > 0) body += reset(encodeIds(last), ...gone)
      for (const [name, found] of items) {
        for (const n of found) {
          last.set(name, n)
          body += event('message', encodeIds(last), `${name} ${n}`)
        }
      }
      if (more.length === 0) return body
      // The others are read from where they were before, and so come again.
      for (const name of gone) wanted.set(name, this.stored.get(name)!.count)
      for (const [name, n] of more) wanted.set(name, n)
    }
  }
}

describe('any course of things', () => {
  const channels = ['a', 'b', 'c'] as const
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ publish: fc.constantFrom(...channels), count: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 2, arbitrary: fc.record({ connect: fc.nat(1), cutAt: fc.double({ min: 0, max: 1, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ trim: fc.constantFrom(...channels) }) },
  )

  test.each([
    ['together', together],
    ['apart', {}],
  ] as const)('each message once, in order, or a gap: %s', async (_, settings) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 3, max: 12 }),
        async (steps, perRequest) => {
          const store = new Store(channels)
          const groups = 'together' in settings ? [channels] : channels.map((name) => [name])
          const seed = channels.map((name) => `${name}:0`).join(',')
          const sessions = groups.map((group) => ({ group, ...session(group, settings, seed) }))
          const listen = async (cutAt: number) => {
            for (const { group, connect } of sessions) {
              const stream = connect()
              const body = store.stream(stream.asked, group, perRequest)
              await stream.feed(body.slice(0, Math.ceil(body.length * cutAt)))
              expect(stream.over).toBeUndefined()
            }
          }
          for (const one of steps) {
            if ('publish' in one) store.stored.get(one.publish)!.count += one.count
            else if ('trim' in one) store.stored.get(one.trim)!.from = store.stored.get(one.trim)!.count
            else await listen(one.cutAt)
          }
          await listen(1)
          for (const name of channels) {
            const told = sessions.flatMap((each) => each.told).filter((each) => channelOf(each) === name)
            let at = 0
            for (const each of told) {
              if (Array.isArray(each)) {
                expect(each).toEqual([name, at + 1, `${name} ${at + 1}`])
                at++
              } else {
                expect(each).toMatchObject({ first: at + 1, reason: 'overflow' })
                at = (each as { last: number }).last
              }
            }
            expect(at).toBe(store.stored.get(name)!.count)
          }
        },
      ),
      runs(150),
    )
  })

  test('whatever comes, nothing throws, and nothing of another channel is delivered', async () => {
    const id = fc.oneof(anyString(8), fc.constantFrom('a:1', 'a:2,b:1', 'b:3', 'error', 'a:1,b:1,c:9', 'a:2147483647'))
    const frame = fc.record({
      event: fc.oneof(
        anyString(4),
        fc.constantFrom('stream-open', 'stream-reset', 'stream-error', 'keep-alive', 'message'),
      ),
      id: fc.option(id, { nil: undefined }),
      data: fc.oneof(anyString(8), fc.constantFrom('{"channels":["a"]}', '{"channels":[1,{}]}', 'null', '{}')),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 20 }), fc.boolean(), async (frames, both) => {
        const { told, protocol, channelStore, connect } = session(both ? ['a', 'b'] : ['a'], both ? together : {})
        connect()
        const decoder = protocol.decoder(
          { kind: 'eventsource', liveFrom: 0, channels: both ? ['a', 'b'] : ['a'] },
          {
            message: (message) => void channelStore.receive(message),
            ping() {},
            deleted() {},
            dead() {},
            over() {},
          },
        )
        for (const { event, id, data } of frames) decoder.frame(data, { event, id })
        for (const each of told) if (Array.isArray(each)) expect(['a', 'b']).toContain(each[0])
      }),
      runs(),
    )
  })

  test('ids: what is written is what is read', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            wellFormed(8).filter((name) => name !== ''),
            fc.nat(),
          ),
          { minLength: 1 },
        ),
        (pairs) => {
          const ids = new Map(pairs)
          expect(parseIds(encodeIds(ids))).toEqual(ids)
        },
      ),
      runs(),
    )
    for (const bad of ['', 'a', 'a:', ':1', 'a:1,', 'a:b', 'a:1:2', '%:1', 'error', 'a:-1', 'a:1.5'])
      expect(parseIds(bad)).toBeUndefined()
  })
})

describe('requests', () => {
  const ask = (settings: DjangoEventStreamSettings, channels: (string | Wanted)[], extra: Partial<Subscription> = {}) =>
    make({ probe: false, ...settings }).exchange(
      'eventsource',
      wanted(
        channels.map((one) => (typeof one === 'string' ? { name: one } : one)),
        extra,
      ),
    )

  test.each<[string, DjangoEventStreamSettings, (string | Wanted)[], string]>([
    ['the default', {}, ['a'], 'http://h/base/events/?channel=a'],
    ['several', together, ['a', 'b&c=d'], 'http://h/base/events/?channel=a&channel=b%26c%3Dd'],
    [
      'positions',
      together,
      [{ name: 'a', after: 4 }, 'b', { name: 'x,y', after: 0 }],
      'http://h/base/events/?channel=a&channel=b&channel=x%2Cy&lastEventId=a%3A4%2Cx%252Cy%3A0',
    ],
    ['a list', { channels: 'list', together: true }, ['a', 'b c'], 'http://h/base/events/?channels=a,b%20c'],
    [
      'in the path',
      { url: '/rooms/{channel}/' },
      [{ name: 'a b', after: 3 }],
      'http://h/base/rooms/a%20b/?lastEventId=a%2520b%3A3',
    ],
    ['a fixed route', { url: 'fixed/', channels: 'route' }, ['a'], 'http://h/base/fixed/'],
    ['elsewhere, with a query', { url: 'https://x/e/?v=1' }, ['a'], 'https://x/e/?v=1&channel=a'],
    ['a function', { url: (names) => `/e/${names.join('+')}/`, together: true }, ['a', 'b'], 'http://h/base/e/a+b/'],
  ])('%s', (_, settings, channels, url) => {
    expect(ask(settings, channels)).toEqual({
      url,
      headers: { Accept: 'text/event-stream' },
      credentials: 'same-origin',
    })
  })

  test('what the application adds; the position as a header', () => {
    const { url, headers } = ask({ position: 'headers' }, [{ name: 'zażółć', after: 7 }], {
      params: { token: 'a&b' },
      headers: { Authorization: 'Bearer x' },
    })
    expect(url).toBe('http://h/base/events/?token=a%26b&channel=za%C5%BC%C3%B3%C5%82%C4%87')
    expect(headers).toEqual({
      Accept: 'text/event-stream',
      Authorization: 'Bearer x',
      'Last-Event-ID': 'za%C5%BC%C3%B3%C5%82%C4%87:7',
    })
  })

  test('a seed counts once: who subscribes anew begins now', async () => {
    const { connect, refresh } = session(['a'], known, 'a:3')
    await connect().feed(opening)
    expect(connect().asked).toBe('a:3')
    refresh('a')
    expect(connect().asked).toBeNull()
  })

  test.each<[DjangoEventStreamSettings, RegExp]>([
    [{ url: 5 as never }, /'url'/],
    [{ channels: 'x' as never }, /'channels' of djangoEventStream is "repeated" or "list" or "route"/],
    [{ position: 'x' as never }, /'position'/],
    [{ missingIds: 'x' as never }, /'missingIds'/],
    [{ together: 1 as never }, /'together'/],
    [{ probe: 1 as never }, /'probe'/],
    [{ url: '/{channel}/', together: true }, /room for one/],
  ])('settings that are wrong: %j', (settings, message) => {
    expect(() => djangoEventStream(settings)).toThrow(message)
    expect(() => djangoEventStream(settings)).toThrow(PushStreamError)
  })

  test('names that can’t be asked for', () => {
    for (const name of ['', '\ud800']) expect(() => make().check(name)).toThrow(PushStreamError)
    expect(() => make({ channels: 'list' }).check('a,b')).toThrow(/comma/)
    for (const name of ['..', 'a/../b', '/a', 'a//b'])
      expect(() => make({ url: '/{channel}/' }).check(name)).toThrow(/steps/)
    for (const name of ['a,b', '..', 'a?b#c', '%', 'é/è']) expect(() => make().check(name)).not.toThrow()
  })
})

describe('the client with it', () => {
  const options = { url: 'http://h', protocol: djangoEventStream() }

  test('has one mode, and says so', () => {
    expect(() => new PushStream(options)).not.toThrow()
    expect(() => new PushStream({ ...options, modes: ['websocket'] })).toThrow(
      /Unknown mode 'websocket'. The modes are eventsource./,
    )
    expect(() => new PushStream({ ...options, modes: 'eventsource' })).not.toThrow()
    expect(() => new PushStream({ ...options, modes: [nativeEventSource] })).toThrow(/nativeEventSource hides/)
  })

  test('begins with nothing but a seed, and says so where it is asked for more', () => {
    const stream = new PushStream(options)
    expect(() => stream.addChannel('a', { backtrack: 5 })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(/'backtrack'.*'lastEventId'/) }),
    )
    // Nothing of it is left.
    expect(stream.channels).toEqual([])
    expect(stream.addChannel('a', { backtrack: 0 }).channels).toEqual(['a'])
    for (const messagesPublishedAfter of [60, new Date(0)])
      expect(() => new PushStream({ ...options, messagesPublishedAfter })).toThrow(
        expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(/Published.*'lastEventId'/) }),
      )
    expect(() => new PushStream({ ...options, messagesPublishedAfter: undefined } as never)).not.toThrow()
  })

  test.each(['xyz', 'a', '12', 'a:1,', 'a:x'])('a seed that is none is said at once: %j', (lastEventId) => {
    expect(() => new PushStream({ ...options, lastEventId })).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(/'lastEventId' is no id/) }),
    )
  })

  test('45 seconds without a byte are the end of a connection, 20 are not', async () => {
    const clock = createManualClock(1_000_000)
    const server = createFakeFetch({ answer: (request) => request.accept() })
    const asked = () => server.requests.map(({ query }) => query.get('lastEventId'))
    const stream = new PushStream({
      ...options,
      environment: manualEnvironment(clock, { random: () => 0, fetch: server.fetch }),
    })
    const send = async (text: string) => {
      if (text !== '') server.open.at(-1)?.send(text)
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    }
    const errors: string[] = []
    stream.on('error', ({ code }) => errors.push(code))
    stream.addChannel('a').connect()
    await send('')
    await send(opening + reset('a:4', 'a'))
    expect(stream.status.state).toBe('open')
    for (let i = 0; i < 30; i++) {
      await clock.advance(20_000)
      await send(i % 2 === 0 ? 'event: keep-alive\ndata:\n\n' : ':\n\n')
    }
    await clock.advance(44_999)
    await send('')
    expect([asked(), errors]).toEqual([[`a:${2 ** 31 - 1}`], []])
    await clock.advance(1)
    await send('')
    expect(errors).toEqual(['silent'])
    await clock.advance(1000)
    await send('')
    expect(asked().slice(1)).toEqual(['a:4'])
    stream.close()
    expect(clock.pending).toBe(0)
  })

  test('publishes nothing', async () => {
    const stream = new PushStream(options).addChannel('a')
    await expect(sendMessage(stream, 'x')).rejects.toMatchObject({ code: 'send' })
  })
})

test('endings', () => {
  const { classify, positionOf } = make()
  const actionOf = (ending: CloseReason) => classify(ending).action
  const statuses = [400, 401, 403, 404, 406, 302, 408, 409, 425, 429, 500, 502, 503]
  expect(statuses.filter((status) => actionOf({ kind: 'status', status }) === 'rejected')).toEqual([
    400, 401, 403, 404, 406, 302,
  ])
  expect((['refused', 'lost', 'invalid', 'close'] as const).map((kind) => actionOf({ kind }))).toEqual(
    Array(4).fill('backoff'),
  )
  expect(actionOf({ kind: 'end' })).toBe('reconnect')
  expect(classify({ kind: 'end' }).historyLost).toBeFalsy()
  expect(classify({ kind: 'status', status: 403, explain: 'x' })).toMatchObject({ status: 403, explain: 'x' })
  expect(positionOf({ status: 200, headers: new Headers() })).toBeUndefined()
})
