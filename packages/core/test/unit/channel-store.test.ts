import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ChannelStore } from '../../src/delivery/channel-store.js'
import { numbered } from '../../src/delivery/order.js'
import { IncomingMessage } from '../../src/message.js'
import { positionOf, secondOf } from '../../src/position.js'
import { runs } from './support/runs.js'

const at = (second: number, tag: number) => positionOf(second * 1000, tag)
const message = (channel: string, id: number | undefined, position: number, eventId?: string) =>
  new IncomingMessage(id, channel, `${channel}${id}`, position, undefined, eventId, undefined, 'websocket', false)

let channelStore: ChannelStore
let log: string[]

beforeEach(() => {
  log = []
  channelStore = new ChannelStore(numbered, () => 0, {
    deliver: ({ channel, id }) => log.push(`${channel}${id}`),
    gap: (channel, first, last, reason) => log.push(`${channel} ${first}-${last} ${reason}`),
  })
})

const add = (...names: string[]) => {
  for (const name of names) channelStore.add(name, 0, undefined)
}
const get = (name: string) => channelStore.get(name)!

describe('the frontier', () => {
  test('is where the channel that is furthest behind stands', () => {
    add('a', 'b')
    expect(channelStore.lowWatermark()).toBeUndefined()
    channelStore.receive(message('a', 1, at(10, 1)))
    channelStore.receive(message('b', 1, at(12, 1)))
    expect(channelStore.lowWatermark()).toBe(at(10, 1))
    expect(channelStore.lowWatermark([get('b')])).toBe(at(12, 1))
  })

  test('stays below a hole', () => {
    add('a')
    channelStore.receive(message('a', 1, at(10, 1)))
    channelStore.receive(message('a', 3, at(12, 1)))
    expect(channelStore.lowWatermark()).toBe(at(10, 1))
    channelStore.advanceWatermark(channelStore.all, at(20, 0))
    expect(channelStore.lowWatermark()).toBe(at(10, 1))
    channelStore.skipMissing(channelStore.missing())
    expect([channelStore.lowWatermark(), ...log]).toEqual([at(12, 1), 'a1', 'a 2-2 overflow', 'a3'])
  })

  test('falls back below a hole that shows after everything seemed complete', () => {
    add('a')
    channelStore.receive(message('a', 1, at(10, 1)))
    channelStore.advanceWatermark(channelStore.all, at(20, 0))
    channelStore.receive(message('a', 3, at(22, 1)))
    expect(channelStore.lowWatermark()).toBe(at(10, 1))
  })

  test('a channel that is silent is carried on by what proves that it is', () => {
    add('a', 'b')
    channelStore.receive(message('a', 1, at(10, 1)))
    channelStore.receive(message('b', 1, at(900, 1)))
    channelStore.advanceWatermark(channelStore.all, channelStore.newest)
    expect(channelStore.lowWatermark()).toBe(at(900, 1))
    channelStore.advanceWatermark(channelStore.all, at(5, 1))
    expect(channelStore.lowWatermark()).toBe(at(900, 1))
  })

  test.each([
    ['nothing known', undefined, undefined, undefined],
    ['since when it is listened to, with a margin', undefined, 100_000, at(98, 0)],
    ['from where it was to begin', at(50, 0), 100_000, at(50, 0)],
  ])('a channel that brought nothing: %s', (_, from, joined, expected) => {
    channelStore.add('a', 0, from)
    get('a').joinedAt = joined
    expect(channelStore.lowWatermark()).toBe(expected)
  })

  test('a hole that was settled in between is not settled twice', () => {
    add('a')
    channelStore.receive(message('a', 1, at(10, 1)))
    channelStore.receive(message('a', 3, at(10, 3)))
    const holes = channelStore.missing()
    channelStore.receive(message('a', 2, at(10, 2)))
    channelStore.receive(message('a', 5, at(10, 5)))
    channelStore.skipMissing(holes)
    expect(log).toEqual(['a1', 'a2', 'a3'])
    channelStore.remove('a')
    add('a')
    channelStore.skipMissing(holes)
    expect(log).toHaveLength(3)
  })
})

describe('a restart', () => {
  test('takes back what was known of its second, for every channel', () => {
    add('a', 'b', 'c')
    channelStore.receive(message('a', 1, at(10, 40)))
    channelStore.receive(message('a', 2, at(10, 41)))
    channelStore.receive(message('b', 1, at(10, 50)))
    channelStore.receive(message('c', 1, at(9, 1)))
    channelStore.advanceWatermark([get('c')], at(10, 50))
    channelStore.receive(message('a', 1, at(10, 1)))
    expect(log.slice(4)).toEqual(['a 3-unknown restart', 'a1'])
    // The counter began anew: what b and c are sent from now on in this second stands before 50.
    expect(channelStore.lowWatermark()).toBeLessThanOrEqual(at(10, 1))
    expect(channelStore.newest).toBeLessThanOrEqual(at(10, 1))
    expect(channelStore.receive(message('b', 2, at(10, 2)))).toBe('delivered')
  })
})

describe('messages', () => {
  test('of a channel nobody listens to', () => {
    add('a')
    expect(channelStore.receive(message('b', 1, at(10, 1)))).toBeUndefined()
    channelStore.remove('a')
    expect(channelStore.receive(message('a', 1, at(10, 1)))).toBeUndefined()
    expect(log).toEqual([])
  })

  test.each(['__proto__', 'constructor', 'toString'])('a channel called %s', (name) => {
    expect(channelStore.receive(message(name, 1, at(10, 1)))).toBeUndefined()
    add(name)
    expect(channelStore.receive(message(name, 1, at(10, 1)))).toBe('delivered')
  })

  test('duplicates are counted, event ids remembered', () => {
    add('a')
    channelStore.receive(message('a', 1, at(10, 1), 'e1'))
    channelStore.receive(message('a', 1, at(10, 1), 'e1'))
    expect([channelStore.duplicates, get('a').lastEventId]).toEqual([1, 'e1'])
  })

  test('a channel that is removed and added begins anew', () => {
    add('a')
    channelStore.receive(message('a', 7, at(10, 1)))
    channelStore.remove('a')
    add('a')
    expect(channelStore.isUnknown(get('a'))).toBe(true)
    channelStore.receive(message('a', 7, at(10, 1)))
    expect(log).toEqual(['a7', 'a7'])
  })

  test('what comes while one is delivered waits for nothing, and stays in order', () => {
    add('a')
    const nested: ChannelStore = new ChannelStore(numbered, () => 0, {
      deliver: ({ id }) => {
        log.push(`${id}`)
        if (id === 1) nested.receive(message('a', 2, at(10, 2)))
      },
      gap() {},
    })
    nested.add('a', 0, undefined)
    nested.receive(message('a', 1, at(10, 1)))
    nested.receive(message('a', 3, at(10, 3)))
    expect(log).toEqual(['1', '2', '3'])
  })
})

/** A server that stores the last messages of its channels, and loses a connection now and then. */
describe('resuming from the frontier', () => {
  const names = ['a', 'b', 'c']
  const story = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ publish: fc.array(fc.nat(2), { minLength: 1, maxLength: 15 }), seconds: fc.nat(1) }),
      },
      { weight: 3, arbitrary: fc.record({ cut: fc.nat(20), meanwhile: fc.array(fc.nat(2), { maxLength: 30 }) }) },
      { weight: 1, arbitrary: fc.constant({ restart: true }) },
    ),
    { maxLength: 20 },
  )

  test.each([
    ['of everything', 10_000],
    ['of the last few', 6],
  ])('with a store %s: each message once, or in a gap', (_, depth) => {
    fc.assert(
      fc.property(story, fc.boolean(), (steps, wholeSecond) => {
        const seen: string[] = []
        const made = new ChannelStore(numbered, () => 0, {
          deliver: ({ channel, id }) => seen.push(`${channel}${id}`),
          gap(channel, first, last, reason) {
            if (reason === 'restart') seen.push(`${channel} restart`)
            else for (let id = first as number; id <= (last as number); id++) seen.push(`${channel}${id}`)
          },
        })
        let second = 100
        let tag = 0
        const stored = new Map<string, { id: number; position: number }[]>(names.map((name) => [name, []]))
        const ids = new Map<string, number>()
        const wanted: string[] = []
        const publish = (index: number) => {
          const name = names[index] as string
          const id = (ids.get(name) ?? 0) + 1
          ids.set(name, id)
          wanted.push(`${name}${id}`)
          const list = stored.get(name)!
          list.push({ id, position: at(second, ++tag) })
          if (list.length > depth) list.shift()
          return message(name, id, at(second, tag))
        }
        /** The backlog comes channel by channel, and may be cut short. */
        const resume = (cut: number) => {
          const frontier = made.lowWatermark()
          const from = frontier === undefined ? -1 : wholeSecond ? secondOf(frontier) : frontier
          const backlog = names.flatMap((name) =>
            stored
              .get(name)!
              .filter(({ position }) => position > from)
              .map(({ id, position }) => message(name, id, position)),
          )
          for (const one of backlog.slice(0, cut)) made.receive(one)
          return cut >= backlog.length
        }
        for (const name of names) made.add(name, 0, 0)
        for (const name of names) made.receive(publish(names.indexOf(name)))
        for (const step of steps) {
          if ('publish' in step) {
            if (step.seconds > 0) tag = 0
            second += step.seconds
            for (const index of step.publish) made.receive(publish(index))
          } else if ('cut' in step) {
            for (const index of step.meanwhile) publish(index)
            // The frontier never passes what a channel still lacks.
            const before = made.lowWatermark()!
            for (const name of names) {
              const lacking = stored.get(name)!.find(({ id }) => id > (made.get(name)!.sequence.last ?? 0))
              if (lacking !== undefined) expect(before).toBeLessThan(lacking.position)
            }
            resume(step.cut)
            resume(Number.POSITIVE_INFINITY)
            made.skipMissing(made.missing())
          } else {
            second += 2
            tag = 0
            for (const name of names) {
              ids.delete(name)
              stored.set(name, [])
              wanted.push(`${name} restart`)
            }
            for (let index = 0; index < names.length; index++) made.receive(publish(index))
          }
        }
        resume(Number.POSITIVE_INFINITY)
        made.skipMissing(made.missing())
        for (const name of names) {
          const own = (list: string[]) => list.filter((entry) => entry.startsWith(name))
          expect(own(seen)).toEqual(own(wanted))
        }
      }),
      runs(100),
    )
  })
})
