import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forget, newSequence, sequence, skipMissing, startAfter } from '../../src/delivery/sequencer.js'
import { positionOf, secondOf } from '../../src/position.js'
import type { Sequenced } from '../../src/types.js'
import { runs } from './support/runs.js'

interface Item extends Sequenced {
  readonly name: string
}

const at = (second: number, tag: number) => positionOf(second * 1000, tag)
const item = (id: number | undefined, position: number, text = `${id}@${position}`): Item => ({
  id,
  position,
  fingerprint: text,
  name: text,
})
/** Message `id` of a channel that gets one a second. */
const each = (id: number, epoch = 0) => item(id, at(1000 + epoch * 5000 + id, 1))

function channel() {
  const state = newSequence<Item>()
  const log: (number | string)[] = []
  const out = {
    deliver: (message: Item) => void log.push(message.id ?? message.name),
    gap: (first: number, last: number | 'unknown', reason: string) => void log.push(`${first}-${last} ${reason}`),
  }
  const made = {
    state,
    log,
    send(...items: Item[]) {
      return items.map((message) => sequence(state, message, out))
    },
    settle() {
      skipMissing(state, out)
      return made
    },
    forget() {
      forget(state, out)
      return made
    },
    anchor(message: Item) {
      startAfter(state, message)
      return made
    },
  }
  return made
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('sequencer', () => {
  test('in order', () => {
    const a = channel()
    expect(a.send(...range(5, 8).map((id) => each(id)))).toEqual(Array(4).fill('delivered'))
    expect(a.log).toEqual([5, 6, 7, 8])
  })

  test('out of order, and twice', () => {
    const a = channel()
    const outcomes = a.send(...[1, 3, 4, 3, 2, 2, 4, 5].map((id) => each(id)))
    expect(outcomes).toEqual([
      'delivered',
      'buffered',
      'buffered',
      'dropped',
      'delivered',
      'dropped',
      'dropped',
      'delivered',
    ])
    expect(a.log).toEqual([1, 2, 3, 4, 5])
  })

  test('what is missing is said once, before what follows; what comes late is dropped', () => {
    const a = channel()
    a.send(...[1, 4, 5, 8].map((id) => each(id)))
    a.settle().settle()
    expect(a.log).toEqual([1, '2-3 overflow', 4, 5, '6-7 overflow', 8])
    expect(a.send(...[2, 3, 6, 7, 9].map((id) => each(id)))).toEqual([...Array(4).fill('dropped'), 'delivered'])
  })

  test('an anchor: only what follows it', () => {
    const a = channel().anchor(each(7))
    a.send(...[6, 7, 8, 10].map((id) => each(id)))
    a.settle()
    expect(a.log).toEqual([8, '9-9 overflow', 10])
  })

  test('a deleted channel begins anew, and that is no loss', () => {
    const a = channel()
    a.send(each(1), each(2))
    a.forget()
    a.send(each(2), each(1, 1), each(2, 1))
    expect(a.log).toEqual([1, 2, 1, 2])
  })

  test('deleted above a hole, and twice', () => {
    const a = channel()
    a.send(each(1), each(3))
    a.forget().forget()
    a.send(each(1, 1))
    expect(a.log).toEqual([1, '2-2 overflow', 3, 1])
  })

  test('deleted and made again within one second, where the template has no tag', () => {
    const a = channel()
    a.send(item(1, at(1000, 0), 'old'))
    a.forget()
    a.send(item(1, at(1000, 0), 'new'))
    expect(a.log).toEqual([1, 1])
  })

  test('the first message of an empty channel may be overtaken by its second', () => {
    const a = channel()
    a.state.empty = true
    expect(a.send(each(2), each(1), each(3))).toEqual(['buffered', 'delivered', 'delivered'])
    expect(a.log).toEqual([1, 2, 3])
    // Numbers go on where a channel was used before: nothing is missing before the first one there is.
    const b = channel()
    b.state.empty = true
    b.send(each(7))
    expect(b.settle().log).toEqual([7])
    expect(b.send(each(8))).toEqual(['delivered'])
  })

  describe('restart', () => {
    test.each([
      ['from 1', [1, 2], [], [1, 2]],
      ['later', [3], [], ['1-2 overflow', 3]],
      ['with a message of before it still on its way', [1], [9], [1]],
      ['out of order', [2, 1], [], [1, 2]],
    ])('%s', (_, after, stray, expected) => {
      const a = channel()
      a.send(...range(1, 10).map((id) => each(id)))
      a.send(...after.map((id) => each(id, 1)), ...stray.map((id) => each(id)))
      a.settle()
      expect(a.log).toEqual([...range(1, 10), '11-unknown restart', ...expected])
    })

    test('within the second of the last message, the counter too', () => {
      const a = channel()
      a.send(...range(1, 5).map((id) => item(id, at(1000, 10 + id))))
      a.send(...range(1, 3).map((id) => item(id, at(1000, id))))
      expect(a.log).toEqual([1, 2, 3, 4, 5, '6-unknown restart', 1, 2, 3])
      // What is repeated of the second is known.
      expect(a.send(...range(1, 3).map((id) => item(id, at(1000, id))))).toEqual(Array(3).fill('dropped'))
    })

    test('without time and tag, the text tells', () => {
      const a = channel()
      a.send(...range(1, 3).map((id) => item(id, Number.NaN, `old ${id}`)))
      expect(a.send(item(2, Number.NaN, 'old 2'))).toEqual(['dropped'])
      a.send(...range(1, 2).map((id) => item(id, Number.NaN, `new ${id}`)))
      expect(a.log).toEqual([1, 2, 3, '4-unknown restart', 1, 2])
    })

    test('twice', () => {
      const a = channel()
      for (const epoch of [0, 1, 2]) a.send(each(1, epoch), each(2, epoch))
      expect(a.log).toEqual([1, 2, '3-unknown restart', 1, 2, '3-unknown restart', 1, 2])
    })
  })

  describe('what is repeated is no restart', () => {
    test.each([255, 256, 257, 300, 511, 512, 513, 1000])('%d messages, all of them again', (count) => {
      for (const position of [
        (id: number) => at(1000, id),
        (id: number) => at(1000 + id, 1),
        (id: number) => at(1000 + Math.floor(id / 100), id % 100),
        // A template without a tag.
        () => at(1000, 0),
        (id: number) => at(1000 + Math.floor(id / 400), 0),
      ]) {
        const a = channel()
        const all = range(1, count).map((id) => item(id, position(id)))
        a.send(...all)
        expect(new Set(a.send(...all))).toEqual(new Set(['dropped']))
        expect(a.log).toEqual(range(1, count))
      }
    })

    test.each([2, 255, 256, 257, 600])('late ones after a gap of %d, within the second of what follows', (missing) => {
      for (const tag of [(id: number) => id, () => 0]) {
        const a = channel()
        a.send(item(1, at(1000, tag(1))), item(missing + 2, at(1000, tag(missing + 2))))
        a.settle()
        const late = range(2, missing + 1).map((id) => item(id, at(1000, tag(id))))
        expect(new Set(a.send(...late))).toEqual(new Set(['dropped']))
        expect(a.log).toEqual([1, `2-${missing + 1} overflow`, missing + 2])
      }
    })

    test.each([
      ['read then, unreadable now', 1000, Number.NaN],
      ['unreadable then, read now', Number.NaN, 1000],
    ])('%s', (_, then, now) => {
      for (const known of [true, false]) {
        const a = channel()
        if (known) a.send(item(1, at(999, 1)))
        a.send(item(2, Number.isNaN(then) ? Number.NaN : at(then, 2), 'one mode'))
        if (known) a.send(item(3, at(1001, 3)))
        expect(a.send(item(2, Number.isNaN(now) ? Number.NaN : at(now, 2), 'another mode'))).toEqual(['dropped'])
        expect(a.log).toEqual(known ? [1, 2, 3] : [2])
      }
    })

    test('an unreadable one of long ago', () => {
      const a = channel()
      a.send(...range(1, 600).map((id) => item(id, at(1000, id))))
      expect(a.send(item(7, Number.NaN))).toEqual(['dropped'])
    })
  })

  describe('without ids', () => {
    test.each<[string, Item[], (number | string)[]]>([
      [
        'by position',
        [item(undefined, at(1, 1), 'a'), item(undefined, at(1, 1), 'a'), item(undefined, at(1, 2), 'a')],
        ['a', 'a'],
      ],
      [
        'without a tag, by text within the second',
        [item(undefined, at(1, 0), 'a'), item(undefined, at(1, 0), 'b'), item(undefined, at(1, 0), 'a')],
        ['a', 'b'],
      ],
      [
        'without anything, nothing can be known',
        [item(undefined, Number.NaN, 'a'), item(undefined, Number.NaN, 'a')],
        ['a', 'a'],
      ],
      ['a second that is over', [item(undefined, at(5, 1), 'a'), item(undefined, at(4, 9), 'b')], ['a']],
      ['out of order within the second', [item(undefined, at(5, 2), 'b'), item(undefined, at(5, 1), 'a')], ['b', 'a']],
    ])('%s', (_, items, log) => {
      const a = channel()
      a.send(...items)
      expect(a.log).toEqual(log)
    })

    test('an anchor', () => {
      const a = channel().anchor(item(undefined, at(5, 3), 'a'))
      a.send(item(undefined, at(5, 3), 'a'), item(undefined, at(5, 4), 'b'))
      expect(a.log).toEqual(['b'])
    })

    test('an anchor, and its second comes again', () => {
      const a = channel().anchor(item(undefined, at(5, 3), 'a'))
      const second = [1, 2, 3, 4].map((tag) => item(undefined, at(5, tag), `${tag}`))
      a.send(...second, ...second)
      expect(a.log).toEqual(['4'])
    })

    test('a second of 1000 again', () => {
      const a = channel()
      const all = range(1, 1000).map((tag) => item(undefined, at(5, tag), `${tag}`))
      a.send(...all, ...all)
      expect(a.log).toHaveLength(1000)
    })
  })
})

interface Stored {
  readonly epoch: number
  readonly id: number
  readonly second: number
  readonly tag: number
}

type Step =
  | { kind: 'publish'; count: number; seconds: number }
  | { kind: 'restart'; seconds: number }
  | { kind: 'delete' }
  | { kind: 'lose'; count: number }
  | { kind: 'again'; back: number }
  | { kind: 'shuffle'; count: number; seed: number }
  | { kind: 'settle' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        count: fc.integer({ min: 1, max: 40 }),
        seconds: fc.nat(2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        count: fc.constantFrom(255, 256, 257, 300),
        seconds: fc.nat(1),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('lose' as const), count: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.integer({ min: 1, max: 400 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('shuffle' as const),
        count: fc.integer({ min: 2, max: 12 }),
        seed: fc.nat(),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('restart' as const), seconds: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'delete' as const }) },
  ),
  { maxLength: 25 },
)

describe('whatever a server does', () => {
  test.each([
    ['time and tag', true],
    ['no tag', false],
  ])('each message once, in order, or in one gap: %s', (_, tagged) => {
    fc.assert(
      fc.property(steps, fc.boolean(), (history, anchored) => {
        const { state, log, ...a } = channel()
        let epoch = 0
        let second = 100_000
        let tag = 0
        let id = anchored ? 50 : 0
        const toItem = ({ epoch, id, second, tag }: Stored): Item =>
          item(id, at(second, tagged ? tag : 0), `${epoch}/${id}`)
        const stored: Stored[] = []
        const store = (): Stored => {
          const made = { epoch, id: ++id, second, tag: ++tag }
          stored.push(made)
          return made
        }
        if (anchored) a.anchor(toItem({ epoch, id, second, tag: ++tag }))
        else a.send(toItem(store()))
        // What must have been told by now: ids of the epoch, in order, each delivered or missing.
        let base = anchored ? 51 : 1
        let told = 0
        /** Everything told since the epoch began adds up to `base..` without a hole, a repetition or a wrong order. */
        const check = (upTo: number) => {
          let next = base
          for (const entry of log.slice(told)) {
            const [first, last] = typeof entry === 'number' ? [entry, entry] : entry.split(/[- ]/).map(Number)
            if (first !== next) throw new Error(`${entry} where ${next} was due`)
            next = (last as number) + 1
          }
          expect(next).toBe(upTo + 1)
        }
        for (const move of history) {
          const before = id
          if (move.kind === 'publish') {
            if (move.seconds > 0) tag = 0
            second += move.seconds
            for (let i = 0; i < move.count; i++) a.send(toItem(store()))
          } else if (move.kind === 'lose') {
            for (let i = 0; i < move.count; i++) store()
            const lost = stored.splice(-move.count)
            a.send(toItem(store()))
            a.settle()
            expect(log.at(-2)).toBe(`${lost[0]!.id}-${lost.at(-1)!.id} overflow`)
          } else if (move.kind === 'again') {
            const count = log.length
            for (const message of stored.slice(-move.back)) a.send(toItem(message))
            expect(log).toHaveLength(count)
          } else if (move.kind === 'shuffle') {
            const made = Array.from({ length: move.count }, store)
            let { seed } = move
            for (let i = made.length - 1; i > 0; i--) {
              seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff
              const j = seed % (i + 1)
              ;[made[i], made[j]] = [made[j]!, made[i]!]
            }
            a.send(...made.map(toItem))
          } else if (move.kind === 'settle') {
            a.settle()
          } else {
            check(before)
            stored.length = 0
            if (move.kind === 'restart') {
              second += move.seconds
              tag = 0
            }
            told = log.length
            epoch++
            id = 0
            base = 1
            if (move.kind === 'delete') a.forget()
            a.send(toItem(store()))
            if (move.kind === 'restart') expect(log[told++]).toBe(`${before + 1}-unknown restart`)
          }
          check(id)
        }
      }),
      runs(150),
    )
  })

  test('any order, any repetition: never twice, never backwards, never both missing and delivered', () => {
    const arrival = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 })
    fc.assert(
      fc.property(arrival, fc.array(fc.nat(60), { maxLength: 5 }), (ids, settles) => {
        const a = channel()
        ids.forEach((id, i) => {
          a.send(item(id, at(1000, id)))
          if (settles.includes(i)) a.settle()
        })
        a.settle()
        if (ids.length === 0) return
        let next = ids[0] as number
        for (const entry of a.log) {
          if (typeof entry === 'number') expect(entry).toBe(next++)
          else {
            const [first, last] = entry.split(/[- ]/).map(Number) as [number, number]
            expect(first).toBe(next)
            expect(last).toBeGreaterThanOrEqual(first)
            next = last + 1
          }
        }
        expect(next).toBe(Math.max(...ids) + 1)
      }),
      runs(300),
    )
  })
})

test('a position holds a second and its counter', () => {
  for (const tag of [0, 1, 2 ** 20 - 1]) {
    const position = at(1_800_000_000, tag)
    expect(Number.isSafeInteger(position)).toBe(true)
    expect([secondOf(position), position - secondOf(position)]).toEqual([at(1_800_000_000, 0), tag])
  }
})
