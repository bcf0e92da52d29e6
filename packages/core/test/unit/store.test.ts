import { createManualClock, type ManualClock, manualEnvironment } from '@pushstream/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createStore, type Store, storeOf } from '../../src/store/store.js'
import { type ChannelName, createView, keyOf, ofType, type View } from '../../src/store/view.js'
import type { ViewOptions } from '../../src/store/view-options.js'
import { StubClient } from '../support/stub-client.js'

let stub: StubClient
let clock: ManualClock
let store: Store

beforeEach(() => {
  stub = new StubClient()
  clock = createManualClock()
  store = createStore(stub.client, manualEnvironment(clock))
})

const view = (channel: ChannelName, options: ViewOptions = {}) => createView(store, keyOf(channel), options)
/** Listens, and counts how often it was called. */
function listen(one: View): { calls: number; end: () => void } {
  const listener = { calls: 0, end: () => {} }
  listener.end = one.subscribe(() => listener.calls++)
  return listener
}
const state = (one: View, select?: ViewOptions['select']) => one.reader(select)()
/** Longer than any time of grace. */
const grace = 2001

describe('channels are counted', () => {
  test('the first user subscribes, the last one unsubscribes, some time later', async () => {
    const one = listen(view('a', { backtrack: 5 }))
    const other = listen(view(['a', 'b']))
    expect(stub.calls).toEqual(['+a.b5', '+b'])
    one.end()
    await clock.advance(grace)
    expect(stub.channels).toEqual(['a', 'b'])
    other.end()
    await clock.advance(999)
    expect(stub.channels).toEqual(['a', 'b'])
    await clock.advance(grace - 999)
    expect(stub.channels).toEqual([])
    expect(clock.pending).toBe(0)
  })

  test('who goes and comes back in time causes nothing', async () => {
    const it = view('a')
    for (let n = 0; n < 10; n++) {
      listen(it).end()
      await clock.advance(900)
    }
    listen(it)
    await clock.advance(10_000)
    expect(stub.calls).toEqual(['+a'])
    expect(clock.pending).toBe(0)
  })

  test('all that ends at about the same time ends in one task: one change of the connection', async () => {
    const tasks: string[] = []
    const all = Array.from({ length: 20 }, (_, n) => listen(view(`c${n}`)))
    for (const { end } of all) {
      end()
      await clock.advance(1)
    }
    clock.setTimeout(() => tasks.push(`before: ${stub.channels.length}`), 1979)
    clock.setTimeout(() => tasks.push(`after: ${stub.channels.length}`), 1981)
    await clock.advance(grace)
    expect(tasks).toEqual(['before: 20', 'after: 0'])
  })

  test('one comes back, the others still end', async () => {
    const it = view('a')
    listen(it).end()
    listen(view('b')).end()
    listen(it)
    await clock.advance(grace)
    expect(stub.channels).toEqual(['a'])
  })

  test('a channel that the application added stays when its users have gone', async () => {
    stub.addChannel('own')
    listen(view('own')).end()
    await clock.advance(grace)
    expect(stub.channels).toEqual(['own'])
  })

  test('nothing at all is subscribed for no channel', () => {
    for (const none of [null, undefined, false, []] as const) {
      const it = view(none)
      listen(it)
      expect(state(it)).toEqual({ data: undefined, messages: [], status: 'closed', error: undefined, gap: undefined })
    }
    expect(stub.calls).toEqual([])
  })

  test('any sequence of comings and goings: subscribed is what is used, or was a moment ago; nothing is left at the end', async () => {
    const names = ['a', 'b', 'c']
    const act = fc.oneof(
      fc.record({ kind: fc.constant('come'), names: fc.subarray(names) }),
      fc.record({ kind: fc.constant('go'), index: fc.nat(5) }),
      fc.record({ kind: fc.constant('change'), index: fc.nat(5), names: fc.subarray(names) }),
      fc.record({ kind: fc.constant('wait'), ms: fc.integer({ min: 0, max: 3000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        stub = new StubClient()
        clock = createManualClock()
        store = createStore(stub.client, manualEnvironment(clock))
        const used: { view: View; end: () => void }[] = []
        const recently = new Map<string, number>()
        for (const act of acts) {
          if ('ms' in act) await clock.advance(act.ms)
          else if ('index' in act) {
            const [one] = used.splice(act.index, 1)
            if (one === undefined) continue
            one.end()
            for (const name of JSON.parse(one.view.key)) recently.set(name, clock.now())
            if ('names' in act) {
              const next = one.view.next(store, keyOf(act.names), {})
              used.push({ view: next, end: next.subscribe(() => {}) })
            }
          } else {
            const one = view(act.names)
            used.push({ view: one, end: one.subscribe(() => {}) })
          }
          const wanted = new Set(used.flatMap((one) => JSON.parse(one.view.key) as string[]))
          for (const name of names) {
            const left = clock.now() - (recently.get(name) ?? Number.NEGATIVE_INFINITY)
            if (wanted.has(name) || left < 1000) expect(stub.channels).toContain(name)
            else if (left > 2000) expect(stub.channels).not.toContain(name)
          }
        }
        for (const { end } of used) end()
        await clock.advance(grace)
        expect(stub.channels).toEqual([])
        expect(clock.pending).toBe(0)
        // The store's own two stay as long as the client.
        expect(stub.listeners).toBe(2)
      }),
    )
  })
})

describe('what a view shows', () => {
  test('the latest data, the bounded history, the status, a gap', () => {
    const it = view('a', { history: 2 })
    listen(it)
    for (const n of [1, 2, 3]) stub.publish('a', { n })
    stub.publish('b', { n: 4 })
    stub.gap('b')
    expect(state(it)).toMatchObject({ data: { n: 3 }, status: 'closed', gap: undefined, error: undefined })
    expect(state(it).messages.map(({ id }) => id)).toEqual([2, 3])
    stub.connect()
    stub.gap('a')
    expect(state(it)).toMatchObject({ status: 'open', gap: { channel: 'a', reason: 'overflow' } })
  })

  test('of several channels, the latest message of any', () => {
    const it = view(['b', 'a', 'b'])
    listen(it)
    stub.publish('a', 1)
    stub.publish('b', 2)
    expect(state(it).data).toBe(2)
    stub.publish('a', 3)
    expect(state(it).data).toBe(3)
  })

  test('the same object until something changes, whatever happens elsewhere', () => {
    const it = view('a')
    const read = it.reader()
    listen(it)
    stub.publish('a', 1)
    const before = read()
    stub.publish('b', 2)
    stub.gap('b')
    stub.become({ attempt: 3 })
    expect(read()).toBe(before)
    stub.publish('a', 2)
    expect(read()).not.toBe(before)
  })

  test('what select picks: nothing is new where it stays the same', () => {
    const it = view('a')
    const read = it.reader((data) => (data as { unread: number }).unread)
    listen(it)
    stub.publish('a', { unread: 3, noise: 1 })
    const before = read()
    expect(before.data).toBe(3)
    stub.publish('a', { unread: 3, noise: 2 })
    expect(read()).toBe(before)
    stub.publish('a', { unread: 4, noise: 2 })
    expect(read().data).toBe(4)
  })

  test('a select that throws does so whenever it is asked, not once', () => {
    const it = view('a')
    listen(it)
    stub.publish('a', 1)
    const read = it.reader(() => {
      throw new Error('mine')
    })
    expect(read).toThrow('mine')
    expect(read).toThrow('mine')
  })

  test('what reduce adds up, also where it throws between', () => {
    const it = view('a', {
      initial: 0,
      reduce: (sum, data) => {
        if (data === 'bad') throw new Error('mine')
        return (sum as number) + (data as number)
      },
    })
    expect(state(it).data).toBe(0)
    listen(it)
    for (const data of [1, 'bad', 2]) stub.publish('a', data)
    expect(state(it).data).toBe(3)
    expect(stub.thrown).toHaveLength(1)
  })

  test('onMessage sees every message, also after it threw, and may be another one every time', () => {
    const seen: unknown[] = []
    const it = view('a')
    listen(it)
    for (let n = 0; n < 5; n++) {
      it.options = {
        onMessage: (data) => {
          seen.push(`${n}: ${data}`)
          if (n === 2) throw new Error('mine')
        },
      }
      stub.publish('a', n)
    }
    expect(seen).toEqual(['0: 0', '1: 1', '2: 2', '3: 3', '4: 4'])
    expect(stub.thrown).toHaveLength(1)
    expect(state(it).data).toBe(4)
  })

  test('a type of its own, or any', () => {
    const seen: unknown[] = []
    listen(view('a', { onMessage: ofType('answer', (data) => seen.push(data)) }))
    listen(view('*', { onMessage: ofType('*', (data) => seen.push(data)) }))
    stub.publish('a', { type: 'answer', value: 1 })
    stub.publish('a', 'no type')
    expect(seen).toEqual([{ type: 'answer', value: 1 }, { type: 'answer', value: 1 }, 'no type'])
    expect(stub.calls).toEqual(['+a'])
  })

  test('of every channel there is, and its status', () => {
    const it = view('*')
    listen(it)
    stub.connect()
    stub.addChannel('x').publish('x', 1)
    expect(state(it)).toMatchObject({ data: 1, status: 'open' })
  })

  test('before it begins it is idle, and so is what a server renders', () => {
    const it = view('a', { initial: [] })
    expect(it.idle()).toEqual({ data: [], messages: [], status: 'closed', error: undefined, gap: undefined })
    expect(it.idle()).toBe(it.idle())
    expect(stub.calls).toEqual([])
  })
})

describe('who comes later', () => {
  test('begins with the latest message as data, and no more', () => {
    listen(view('a'))
    stub.publish('a', 1)
    stub.publish('a', 2)
    const seen: unknown[] = []
    const later = view('a', { history: 9, onMessage: (data) => seen.push(data) })
    // At once, so that the first picture has it.
    expect(state(later).data).toBe(2)
    listen(later)
    expect(state(later)).toMatchObject({ data: 2, messages: [] })
    expect(seen).toEqual([])
  })

  test('with a backtrack begins with as many as the page has kept, as with stored ones', () => {
    listen(view('a', { backtrack: 3 }))
    for (const n of [1, 2, 3, 4]) stub.publish('a', n)
    const seen: unknown[] = []
    const later = view('a', {
      backtrack: 2,
      history: 9,
      initial: 0,
      reduce: (sum, data) => (sum as number) + (data as number),
      onMessage: (data) => seen.push(data),
    })
    listen(later)
    expect(seen).toEqual([3, 4])
    expect(state(later).data).toBe(7)
    expect(state(later).messages.map(({ data }) => data)).toEqual([3, 4])
  })
})

describe('who goes', () => {
  test('and comes back in time has missed nothing, in order', async () => {
    const seen: unknown[] = []
    const it = view('a', { history: 9, onMessage: (data) => seen.push(data) })
    const { end } = listen(it)
    stub.publish('a', 1)
    end()
    await clock.advance(800)
    stub.publish('a', 2)
    stub.publish('a', 3)
    expect(seen).toEqual([1])
    listen(it)
    stub.publish('a', 4)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(state(it).messages.map(({ data }) => data)).toEqual([1, 2, 3, 4])
    await clock.advance(10_000)
    expect(stub.calls).toEqual(['+a'])
  })

  test('and comes back too late begins anew: no state with a hole in it', async () => {
    const it = view('a', { backtrack: 1, history: 9 })
    const { end } = listen(it)
    stub.publish('a', 1)
    end()
    await clock.advance(grace)
    stub.publish('a', 2)
    listen(it)
    expect(state(it)).toMatchObject({ data: undefined, messages: [] })
    stub.publish('a', 3)
    expect(state(it).messages.map(({ data }) => data)).toEqual([3])
    expect(stub.calls).toEqual(['+a.b1', '-a', '+a.b1'])
  })

  test('an onMessage that throws when it is told what came meanwhile doesn’t keep the rest from it', async () => {
    const errors: unknown[] = []
    const caught = (error: unknown) => errors.push(error)
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', caught)
    try {
      const seen: unknown[] = []
      const it = view('a', {
        onMessage: (data) => {
          seen.push(data)
          if (data === 1) throw new Error('mine')
        },
      })
      listen(it).end()
      stub.publish('a', 1)
      stub.publish('a', 2)
      listen(it)
      await new Promise((resolve) => setImmediate(resolve))
      expect(seen).toEqual([1, 2])
      expect(errors).toEqual([new Error('mine')])
    } finally {
      process.off('uncaughtException', caught)
      for (const one of before) process.on('uncaughtException', one)
    }
  })
})

describe('other channels', () => {
  const change = (one: { view: View; end: () => void }, channel: ChannelName, options: ViewOptions = {}) => {
    const next = one.view.next(store, keyOf(channel), options)
    // As a framework does it: away from the old one, then to the new.
    one.end()
    return { view: next, end: next.subscribe(() => {}) }
  }
  const begin = (channel: ChannelName, options: ViewOptions = {}) => {
    const one = view(channel, options)
    return { view: one, end: one.subscribe(() => {}) }
  }

  test('what stays is kept, what goes is forgotten', () => {
    const options = { history: 9, initial: 0, reduce: (sum: unknown) => (sum as number) + 1 }
    let it = begin(['a', 'b'], options)
    for (const [channel, data] of [
      ['a', 1],
      ['b', 2],
      ['b', 3],
    ] as const)
      stub.publish(channel, data)
    stub.gap('b')
    it = change(it, ['b', 'c'], options)
    expect(state(it.view)).toMatchObject({ data: 3, gap: { channel: 'b' } })
    expect(state(it.view).messages.map(({ data }) => data)).toEqual([2, 3])
    it = change(it, ['d'], options)
    expect(state(it.view)).toMatchObject({ data: 0, gap: undefined, messages: [] })
    expect(stub.calls).toEqual(['+a', '+b', '+c', '+d'])
  })

  test('the latest of what stays is shown, not the latest of all; nor a gap of what went', () => {
    const options = { history: 9 }
    let it = begin(['a', 'b'], options)
    stub.publish('b', 1)
    stub.publish('a', 2)
    stub.gap('a')
    it = change(it, ['b', 'c'], options)
    expect(state(it.view)).toMatchObject({ data: 1, gap: undefined })
  })

  test("another user's data is never shown, not even at first", () => {
    let it = begin('user-42', { history: 5 })
    stub.publish('user-42', 'secret')
    const next = it.view.next(store, keyOf('user-43'), {})
    expect(next.reader()()).toMatchObject({ data: undefined, messages: [], gap: undefined })
    it = change(it, 'user-43')
    expect(state(it.view)).toMatchObject({ data: undefined, messages: [] })
  })

  test('to and fro in time: no change of the connection, and the latest message is back', async () => {
    let it = begin('a')
    stub.publish('a', 1)
    it = change(it, 'b')
    await clock.advance(500)
    stub.publish('a', 2)
    it = change(it, 'a')
    expect(state(it.view).data).toBe(2)
    expect(stub.calls).toEqual(['+a', '+b'])
    it.end()
    await clock.advance(grace)
    expect(stub.channels).toEqual([])
    expect(stub.listeners).toBe(2)
  })

  test('a successor that nobody took changes nothing; one after it still gets all', () => {
    const seen: unknown[] = []
    const options = { history: 9, onMessage: (data: unknown) => seen.push(data) }
    const it = begin(['a', 'b'], options)
    stub.publish('a', 1)
    const dropped = it.view.next(store, keyOf(['a', 'x']), options)
    const taken = dropped.next(store, keyOf(['a', 'c']), options)
    stub.publish('a', 2)
    it.end()
    stub.publish('a', 3)
    taken.subscribe(() => {})
    stub.publish('a', 4)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(state(taken).messages.map(({ data }) => data)).toEqual([1, 2, 3, 4])
    expect(stub.calls).toEqual(['+a', '+b', '+c'])
  })

  test('a new channel brings its backtrack from what the page has', () => {
    listen(view('b', { backtrack: 5 }))
    stub.publish('b', 'stored')
    const seen: unknown[] = []
    const options = { backtrack: 1, onMessage: (data: unknown) => seen.push(data) }
    let it = begin('a', options)
    stub.publish('a', 'first')
    it = change(it, ['a', 'b'], options)
    expect(seen).toEqual(['first', 'stored'])
    expect(state(it.view).data).toBe('stored')
  })

  test('another client: everything begins anew', () => {
    const it = begin('a')
    stub.publish('a', 1)
    const other = new StubClient()
    const next = it.view.next(storeOf(other.client), keyOf('a'), {})
    it.end()
    next.subscribe(() => {})
    expect(state(next).data).toBe(undefined)
    expect(other.calls).toEqual(['+a'])
  })
})

describe('what the server or the client refuses', () => {
  test('a refused channel is closed and says why; who comes anew tries anew', () => {
    const it = view('a')
    const both = view(['a', 'b'])
    listen(it)
    listen(both)
    stub.connect()
    stub.refuse('a')
    expect(state(it)).toMatchObject({ status: 'closed', error: { code: 'forbidden' } })
    expect(state(both)).toMatchObject({ status: 'open', error: { code: 'forbidden', channel: 'a' } })
    listen(view('a'))
    expect(stub.calls).toEqual(['+a', '+b', 'connect', '+a'])
    expect(state(it).error).toBe(undefined)
  })

  test('trouble of the connection is told as long as it lasts, an application’s own is not', () => {
    const it = view('a')
    listen(it)
    stub.refuse('a', 'listener')
    expect(state(it).error).toBe(undefined)
    stub.become({ state: 'waiting', error: { code: 'unreachable' } as never })
    expect(state(it)).toMatchObject({ status: 'waiting', error: { code: 'unreachable' } })
    stub.become({ state: 'open', error: undefined })
    expect(state(it)).toMatchObject({ status: 'open', error: undefined })
  })

  test('a bad name takes nobody down', () => {
    const it = view(['a/b', 'c'])
    listen(it)
    stub.publish('c', 1)
    expect(state(it)).toMatchObject({ data: 1, error: { code: 'bad-channel' } })
    const alone = view('a/b')
    listen(alone).end()
    expect(state(alone).status).toBe('closed')
  })

  test('a client that is closed neither', async () => {
    const it = view('a')
    const { end } = listen(it)
    stub.close()
    expect(state(it).status).toBe('closed')
    end()
    await clock.advance(grace)
    const after = view('b')
    listen(after)
    expect(state(after)).toMatchObject({ status: 'closed', error: { code: 'closed' } })
    store.watch(() => {})()
  })
})

describe('the connection', () => {
  test('is held as long as anybody wants it, and a moment longer; who comes back in time keeps it', async () => {
    const one = store.connect(true)
    one()
    const other = store.connect(true)
    await clock.advance(grace)
    expect(stub.calls).toEqual(['connect', 'connect'])
    other()
    await clock.advance(grace)
    expect(stub.calls).toEqual(['connect', 'connect', 'disconnect'])
  })

  test('of a client that is not ours is left as it is', async () => {
    store.connect(false)()
    await clock.advance(grace)
    expect(stub.calls).toEqual(['connect'])
  })

  test('idle is the same always, whatever the client does', () => {
    const { idle } = store
    stub.connect()
    expect(store.idle).toBe(idle)
    expect(idle).toMatchObject({ state: 'closed', mode: undefined, since: 0 })
  })

  test('a client has one store', () => {
    expect(storeOf(stub.client)).toBe(storeOf(stub.client))
  })
})

test('keys: the same set is the same key, and no name can pass for two', () => {
  expect(keyOf(['b', 'a', 'b'])).toBe(keyOf(['a', 'b']))
  expect(keyOf('a')).toBe(keyOf(['a']))
  expect(keyOf('a","b')).not.toBe(keyOf(['a', 'b']))
  expect(keyOf(null)).toBe(keyOf([]))
})
