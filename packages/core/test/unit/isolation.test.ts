import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Isolation } from './support/isolation.js'
import { runs } from './support/runs.js'

const eight = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const without = (...names: string[]) => eight.filter((name) => !names.includes(name))
/** A server that refuses every request for one of these channels. */
const refusing =
  (...names: string[]) =>
  (asked: readonly string[]) =>
    !asked.some((name) => names.includes(name))
const minutes = (n: number) => n * 60_000

describe.each([
  ['without a reason', ''],
  ['for a reason of the server itself', 'Channel must exist.'],
])('refused with 403 %s', (_, explain) => {
  test.each(eight)(
    'only %s of eight → exactly that is reported, the others share one connection again',
    async (name) => {
      const world = new Isolation({ explain })
      world.takes = refusing(name)
      await world.add(...eight)
      await world.until(() => world.open[0] === without(name).join(' '), 2000)
      expect([world.refused, world.pool.channels, world.open]).toEqual([
        [name],
        without(name),
        [without(name).join(' ')],
      ])
      expect(world.pool.status.state).toBe('open')
      // One session, and four that look for the channel.
      expect(world.busiest).toBeLessThanOrEqual(5)
      expect(world.asked.length).toBeLessThanOrEqual(16)
      const { length } = world.asked
      await world.clock.advance(minutes(5))
      expect(world.asked.slice(length)).toEqual([])
    },
  )

  test('three of eight → exactly those are reported', async () => {
    const world = new Isolation({ explain })
    world.takes = refusing('a', 'd', 'e')
    await world.add(...eight)
    await world.clock.advance(10_000)
    expect([world.refused.sort(), world.open]).toEqual([['a', 'd', 'e'], ['b c f g h']])
    expect(world.pool.status.state).toBe('open')
  })

  test('all of three → all are reported, nothing is left', async () => {
    const world = new Isolation({ explain })
    world.takes = () => false
    await world.add('a', 'b', 'c')
    await world.clock.advance(10_000)
    expect([world.refused.sort(), world.pool.channels, world.pool.status.state]).toEqual([
      ['a', 'b', 'c'],
      [],
      'closed',
    ])
    expect([world.open, world.clock.pending]).toEqual([[], 0])
  })

  test('the only one → it is reported, and a channel added later connects', async () => {
    const world = new Isolation({ explain })
    world.takes = refusing('a')
    await world.add('a')
    await world.clock.advance(5000)
    // Without a reason, its name alone is asked for as well.
    const requests = explain ? 1 : 2
    expect([world.refused, world.pool.status.state, world.asked.length]).toEqual([['a'], 'closed', requests])
    await world.add('b')
    await world.clock.advance(100)
    expect([world.open, world.pool.status.state]).toEqual([['b'], 'open'])
  })
})

describe('too many at once', () => {
  test.each([1, 2, 3])('the server takes %d of eight channels on one connection → all are carried', async (most) => {
    const world = new Isolation()
    world.takes = (names) => names.length <= most
    await world.add(...eight)
    await world.clock.advance(minutes(1))
    expect([world.refused, world.pool.channels, world.pool.status.state]).toEqual([[], eight, 'open'])
    expect(world.open.flatMap((names) => names.split(' ')).sort()).toEqual(eight)
    expect(world.asked.length).toBeLessThanOrEqual(60)
    const { length } = world.asked
    await world.clock.advance(minutes(5))
    expect(world.asked.slice(length)).toEqual([])
  })

  test('one more channel than the server takes at once is added → it has a connection of its own', async () => {
    const world = new Isolation()
    world.takes = (names) => names.length <= 3
    await world.add('a', 'b', 'c')
    await world.clock.advance(1000)
    await world.add('d')
    await world.clock.advance(minutes(5))
    expect([world.refused, world.open, world.pool.status.state]).toEqual([[], ['a b c', 'd'], 'open'])
    // The first three were taken with a number of messages behind their names: nothing is asked for by its name alone.
    expect([world.asked[0]?.state, world.asked.length]).toEqual(['open', 5])
  })
})

describe('an open client', () => {
  async function opened(...names: string[]): Promise<Isolation> {
    const world = new Isolation()
    world.takes = refusing('x')
    await world.add(...names)
    await world.clock.advance(5000)
    expect(world.open).toEqual([names.join(' ')])
    return world
  }

  test('a refused channel is added → it is reported, and costs the open connection nothing', async () => {
    const world = await opened('a', 'b')
    const [first] = world.asked
    await world.add('x')
    await world.clock.advance(minutes(5))
    expect([world.refused, world.pool.channels, first?.state]).toEqual([['x'], ['a', 'b'], 'open'])
    expect([world.open, world.pool.status.state]).toEqual([['a b'], 'open'])
    // The first connection, then one for all three, the same by their names alone, and one for x.
    expect(world.asked.length).toBeLessThanOrEqual(4)
  })

  test('a refused and three good channels are added → never without a connection, then one for all good ones', async () => {
    const world = await opened('a', 'b')
    await world.add('x', 'c', 'd', 'e')
    for (let passed = 0; passed < 5000; passed += 10) {
      await world.clock.advance(10)
      expect(world.open.some((names) => names.startsWith('a b'))).toBe(true)
    }
    expect([world.refused, world.open, world.pool.status.state]).toEqual([['x'], ['a b c d e'], 'open'])
  })

  test('one of the channels that were found is refused later → that one is reported, the others share a connection', async () => {
    const world = new Isolation()
    world.takes = refusing('a')
    await world.add(...eight)
    await world.clock.advance(minutes(1))
    expect([world.refused, world.open]).toEqual([['a'], [without('a').join(' ')]])
    world.takes = refusing('a', 'f')
    for (const asked of world.asked) if (asked.state === 'open') asked.end()
    await world.clock.advance(minutes(1))
    expect([world.refused, world.open]).toEqual([['a', 'f'], [without('a', 'f').join(' ')]])
  })
})

describe('what the application does meanwhile', () => {
  test.each([0, 10, 30, 50, 70, 90])('it removes the refused channel after %d ms → the others are open', async (ms) => {
    const world = new Isolation()
    world.takes = refusing('c')
    await world.add(...eight)
    await world.clock.advance(ms)
    await world.remove('c')
    await world.clock.advance(minutes(1))
    expect([world.pool.channels, world.open, world.pool.status.state]).toEqual([
      without('c'),
      [without('c').join(' ')],
      'open',
    ])
    expect(world.refused.length).toBeLessThanOrEqual(ms > 70 ? 1 : 0)
  })

  test.each([0, 10, 30, 50, 70, 90])('it removes a good channel after %d ms → the others are open', async (ms) => {
    const world = new Isolation()
    world.takes = refusing('c')
    await world.add(...eight)
    await world.clock.advance(ms)
    await world.remove('h')
    await world.clock.advance(minutes(1))
    expect([world.refused, world.open]).toEqual([['c'], [without('c', 'h').join(' ')]])
  })

  test('it removes the last channel that is still tried → the others share a connection', async () => {
    const world = new Isolation()
    world.takes = refusing('c')
    world.latency = (names) => (names.join() === 'c' ? 5000 : 20)
    await world.add(...eight)
    await world.clock.advance(2000)
    await world.remove('c')
    await world.clock.advance(2000)
    expect([world.refused, world.open]).toEqual([[], [without('c').join(' ')]])
  })

  test.each([0, 10, 30, 50, 70, 90])('it adds a channel after %d ms → that is open, too', async (ms) => {
    const world = new Isolation()
    world.takes = refusing('c')
    await world.add(...eight)
    await world.clock.advance(ms)
    await world.add('z')
    await world.clock.advance(minutes(1))
    expect([world.refused, world.open]).toEqual([['c'], [[...without('c'), 'z'].join(' ')]])
  })

  test.each([0, 10, 30, 50, 70, 90])(
    'it disconnects after %d ms → nothing is left; it connects again → as before',
    async (ms) => {
      const world = new Isolation()
      world.takes = refusing('c')
      await world.add(...eight)
      await world.clock.advance(ms)
      world.pool.disconnect()
      await world.clock.advance(100)
      expect([world.open, world.clock.pending, world.pool.status.state]).toEqual([[], 0, 'closed'])
      const { length } = world.asked
      await world.clock.advance(minutes(1))
      expect(world.asked.length).toBe(length)
      world.pool.connect()
      await world.clock.advance(minutes(1))
      expect([world.refused, world.open, world.pool.status.state]).toEqual([['c'], [without('c').join(' ')], 'open'])
    },
  )

  test.each([0, 10, 30, 50, 70, 90])('it removes all channels after %d ms → nothing is left', async (ms) => {
    const world = new Isolation()
    world.takes = refusing('c')
    await world.add(...eight)
    await world.clock.advance(ms)
    for (const name of eight) world.pool.remove(name)
    world.pool.change()
    await world.clock.advance(1000)
    expect([world.open, world.clock.pending, world.pool.status.state]).toEqual([[], 0, 'closed'])
  })
})

test('a channel waits for others that it is taken next to, and the application disconnects → it is not given up', async () => {
  const world = new Isolation({ explain: 'Subscribed too much wildcard channels.' })
  world.takes = (asked) => asked.length > 1 && !asked.includes('x')
  await world.add('x', 'w')
  world.latency = (asked) => (asked.includes('x') ? 5000 : 20)
  await world.clock.advance(1000)
  // x is not decided yet.
  expect(world.asked.map(({ names, state }) => `${names} ${state}`)).toEqual(['x,w gone', 'x asked', 'w gone'])
  world.pool.disconnect()
  await world.clock.advance(1000)
  expect([world.refused, world.pool.channels]).toEqual([[], ['x', 'w']])
})

test('a channel is taken next to others alone, and those wait for a server that is down → it waits, too', async () => {
  const world = new Isolation({ explain: 'Subscribed too much wildcard channels.' })
  let well = false
  world.takes = (asked) => (asked.join() === 'x' && !well ? 'down' : well && asked.includes('x'))
  // x was asked for in vain, and is to be asked for again, when the server says that w is not to be alone.
  world.latency = (asked) => (asked.join() === 'w' ? 300 : 20)
  await world.add('x', 'w')
  await world.until(() => world.asked.some(({ names, state }) => names.join() === 'w' && state === 'refused'))
  await world.clock.advance(100)
  expect(world.refused).toEqual([])
  well = true
  await world.clock.advance(minutes(2))
  expect([world.refused, world.open, world.pool.status.state]).toEqual([[], ['w x'], 'open'])
})

test.each(eight)(
  'channels are taken only next to %s, and one of the others is refused → that one alone is given up',
  async (needed) => {
    for (const name of without(needed)) {
      const world = new Isolation({ explain: 'Subscribed too much wildcard channels.' })
      const refused = `x${name}`
      world.takes = (asked) => asked.includes(needed) && !asked.includes(refused)
      await world.add(...eight.map((one) => (one === name ? refused : one)))
      await world.clock.advance(minutes(2))
      const others = without(name).join(' ')
      expect([world.refused, world.open, world.pool.status.state]).toEqual([[refused], [others], 'open'])
    }
  },
)

test('every channel is taken only next to one that is not there → all are given up', async () => {
  const world = new Isolation({ explain: 'Subscribed too much wildcard channels.' })
  world.takes = () => false
  await world.add(...eight)
  await world.clock.advance(minutes(2))
  expect([world.refused.toSorted(), world.pool.channels, world.open]).toEqual([eight, [], []])
})

describe('a transport that does not show why', () => {
  test.each(['a', 'b', 'c'])(
    'only %s of three is refused → it is given up, the others share one connection',
    async (name) => {
      const world = new Isolation({ blind: true })
      world.takes = refusing(name)
      await world.add('a', 'b', 'c')
      await world.clock.advance(minutes(3))
      const others = ['a', 'b', 'c'].filter((one) => one !== name)
      expect([world.refused, world.open, world.pool.status.state]).toEqual([[name], [others.join(' ')], 'open'])
      expect(world.asked.length).toBeLessThanOrEqual(40)
    },
  )

  test('the server is down → no channel is given up, and attempts become rare', async () => {
    const world = new Isolation({ blind: true })
    world.takes = () => 'down'
    await world.add('a', 'b', 'c')
    await world.clock.advance(minutes(10))
    expect([world.refused, world.pool.channels]).toEqual([[], ['a', 'b', 'c']])
    expect(world.asked.length).toBeLessThanOrEqual(60)
    expect(world.asked.filter(({ at }) => at > world.clock.now() - minutes(5)).length).toBeLessThanOrEqual(24)
  })

  test.each([100, 1000, 5000, 30_000, 120_000])('the server is down for %d ms → all are open again', async (ms) => {
    const world = new Isolation({ blind: true })
    world.takes = () => 'down'
    await world.add('a', 'b', 'c')
    await world.clock.advance(ms)
    world.takes = () => true
    await world.clock.advance(minutes(3))
    expect([world.refused, world.open, world.pool.status.state]).toEqual([[], ['a b c'], 'open'])
  })

  test('all of three are refused → they are tried on', async () => {
    const world = new Isolation({ blind: true })
    world.takes = () => false
    await world.add('a', 'b', 'c')
    await world.clock.advance(minutes(10))
    expect([world.refused, world.pool.channels]).toEqual([[], ['a', 'b', 'c']])
    expect(world.asked.length).toBeLessThanOrEqual(60)
  })

  test('a refused channel is added to an open client → it is given up, and the open connection is never closed', async () => {
    const world = new Isolation({ blind: true })
    world.takes = refusing('x')
    await world.add('a', 'b')
    await world.clock.advance(5000)
    await world.add('x')
    await world.until(() => {
      expect(world.open).toContain('a b')
      return world.refused.length > 0
    }, minutes(3))
    expect([world.refused, world.pool.channels]).toEqual([['x'], ['a', 'b']])
  })

  test('it is tried alone, and meanwhile the others are accepted → it is tried with them, and given up', async () => {
    const world = new Isolation({ blind: true })
    world.takes = refusing('a')
    // Alone it is refused while the next attempt with the others is under way.
    world.latency = (names) => (names.length === 1 ? 510 : 20)
    await world.add('a', 'b', 'c')
    await world.clock.advance(minutes(3))
    expect([world.refused, world.open, world.pool.status.state]).toEqual([['a'], ['b c'], 'open'])
  })

  test('a channel that was tried alone goes back to others that open without it → not open before it is carried', async () => {
    const world = new Isolation({ blind: true })
    const from = world.clock.now() + 1000
    world.takes = (asked) => asked.length === 1 && (asked[0] === 'b' || world.clock.now() > from)
    // Alone it is refused while the next attempt with the others is under way.
    world.latency = (asked) => (asked.length === 1 ? 510 : 20)
    await world.add('a', 'b')
    await world.until(() => world.log.includes('opened'))
    // From then on the server takes it, alone, and answers 510 ms later.
    expect(world.clock.now() - from).toBeGreaterThan(510)
    await world.clock.advance(minutes(1))
    expect([world.refused, world.pool.status.state]).toEqual([[], 'open'])
  })

  test('the network goes while one connection still looks open → no channel is given up', async () => {
    const world = new Isolation({ blind: true, separate: true })
    await world.add('a', 'b')
    await world.clock.advance(2000)
    world.takes = () => 'down'
    await world.add('c')
    world.asked.find(({ names }) => names[0] === 'b')?.end()
    await world.clock.advance(minutes(2))
    expect([world.refused, world.pool.channels]).toEqual([[], ['a', 'b', 'c']])
    world.takes = () => true
    await world.clock.advance(minutes(2))
    expect([world.open.sort(), world.pool.status.state]).toEqual([['a', 'b', 'c'], 'open'])
  })
})

test('a silent connection, and a replacement that does not come about → no timer without a pause', async () => {
  const world = new Isolation({ blind: true })
  world.takes = (asked) => asked.length <= 1
  await world.add('a')
  await world.clock.advance(600)
  for (const one of world.asked) if (one.state === 'open') one.end()
  await world.clock.advance(5000)
  world.takes = () => 'down'
  await world.add('j')
  await world.clock.advance(5000)
  world.takes = (asked) => asked.length <= 1
  world.pool.connect()
  // The manual clock refuses timers that set each other for ever.
  await world.clock.advance(minutes(3))
  expect([world.refused, world.open.sort()]).toEqual([[], ['a', 'j']])
})

type Move =
  | { kind: 'add' | 'remove'; name: string }
  | { kind: 'connect' | 'disconnect' | 'down' | 'up' | 'cut' }
  | { kind: 'pass'; ms: number }

const names: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l')
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'add', 'remove'), name: names }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('connect' as const, 'disconnect', 'down', 'up', 'up', 'cut') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 10, 15, 25, 600, 5000) }),
  },
)

async function perform(world: Isolation, moves: readonly Move[], takes: Isolation['takes']): Promise<void> {
  let connected = true
  for (const move of moves) {
    if (move.kind === 'pass') await world.clock.advance(move.ms)
    else if (move.kind === 'down') world.takes = () => 'down'
    else if (move.kind === 'up') world.takes = takes
    else if (move.kind === 'cut') for (const one of world.asked) if (one.state === 'open') one.end()
    if (move.kind === 'add') world.pool.add(move.name, 0, undefined)
    if (move.kind === 'remove') world.pool.remove(move.name)
    if ((move.kind === 'add' || move.kind === 'remove') && connected) world.pool.change()
    if (move.kind === 'disconnect' || move.kind === 'connect') {
      connected = move.kind === 'connect'
      world.pool[move.kind]()
    }
  }
  world.takes = takes
  world.pool.connect()
}

test('a channel is refused again and again while a replacement of what works is under way → it is not begun anew', async () => {
  const world = new Isolation({ blind: true })
  world.takes = refusing('secret')
  world.latency = (names) => (names.includes('secret') ? 20 : 1500)
  await world.add('secret', 'good')
  await world.clock.advance(minutes(1))
  expect([world.refused, world.open]).toEqual([['secret'], ['good']])
  // Each is answered before the next one begins.
  const begun = world.asked.filter(({ names }) => names.join() === 'good').map(({ at }) => at)
  expect(begun.filter((at, i) => at - (begun[i - 1] ?? 0) < 1500)).toEqual([])
})

test('the channel of a trial is taken away, and others come that the server takes one at a time → all are open', async () => {
  const world = new Isolation({ blind: true })
  world.takes = (names) => names.length === 1
  world.pool.connect()
  await world.add('e')
  await world.clock.advance(600)
  await world.add('h')
  await world.clock.advance(25)
  for (const name of ['e', 'h']) world.pool.remove(name)
  await world.add('a', 'b')
  await world.clock.advance(minutes(5))
  expect([world.refused, [...world.open].sort(), world.pool.status.state]).toEqual([[], ['a', 'b'], 'open'])
})

describe.each([false, true])('whatever happens (blind: %s)', (blind) => {
  test('no good channel is given up, each is carried by one connection, and no refused one is kept from it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 5, maxLength: 30 }),
        fc.array(names, { maxLength: 3 }),
        fc.constantFrom(1, 2, 3, 100),
        async (moves, bad, most) => {
          const world = new Isolation({ blind })
          const takes = (asked: readonly string[]) => asked.length <= most && refusing(...bad)(asked)
          world.takes = takes
          await perform(world, moves, takes)
          await world.clock.advance(minutes(blind ? 30 : 5))
          const good = world.pool.channels.filter((name) => !bad.includes(name))
          expect(world.refused.filter((name) => !bad.includes(name))).toEqual([])
          // With nothing that works next to it, nothing shows that it is the channel.
          if (!blind || good.length > 0) expect(world.pool.channels).toEqual(good)
          // A connection that is just being replaced is there twice.
          expect([...new Set(world.open.flatMap((one) => one.split(' ')))].sort()).toEqual([...good].sort())
          if (good.length > 0) expect(world.pool.status.state).toBe('open')
          else if (world.pool.channels.length === 0) expect(world.pool.status.state).toBe('closed')
          const { length } = world.asked
          await world.clock.advance(minutes(5))
          expect(world.asked.length - length).toBeLessThanOrEqual(blind ? 12 * (world.pool.channels.length + 1) : 0)
        },
      ),
      runs(60),
    ))
})
