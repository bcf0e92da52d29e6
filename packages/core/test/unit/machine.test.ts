import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoff } from '../../src/connection/backoff.js'
import {
  type Context,
  type Effect,
  type Event,
  farewell,
  headstart,
  initial,
  type Policy,
  type State,
  step,
  type TimerName,
  table,
} from '../../src/connection/machine.js'
import type { ModeName } from '../../src/types.js'
import { runs } from './support/runs.js'

const states: readonly State[] = ['closed', 'priming', 'connecting', 'sifting', 'waiting', 'open']
const kinds = Object.keys(table.closed) as Event['type'][]
const modes: readonly ModeName[] = ['websocket', 'eventsource', 'longpolling']
const policy: Policy = { now: 0, random: 0.5, autoReconnect: true, modes, order: modes, base: 1000, cap: 60_000 }

/** Runs the machine as the connection does, and keeps what its effects leave behind. */
class World {
  context: Context = initial
  readonly timers = new Map<TimerName, number>()
  readonly open = new Map<number, ModeName>()
  readonly policy: Policy
  /** The effect whose answer is still to come. */
  asked: 'prime' | 'sift' | undefined

  constructor(over: Partial<Policy> = {}) {
    this.policy = { ...policy, ...over }
  }

  send(event: Event, over: Partial<Policy> = {}): readonly Effect[] {
    const { context, effects } = step(this.context, event, { ...this.policy, ...over })
    this.context = context
    for (const effect of effects) {
      if (effect.type === 'open') this.open.set(effect.key, effect.mode)
      else if (effect.type === 'close') expect(this.open.delete(effect.key)).toBe(true)
      else if (effect.type === 'timer') this.timers.set(effect.name, effect.ms)
      else if (effect.type === 'cancel') this.timers.delete(effect.name)
      else if (effect.type !== 'accept') this.asked = effect.type
    }
    return effects
  }

  /** A timer runs out. */
  fire(name: TimerName): readonly Effect[] {
    this.timers.delete(name)
    return this.send({ type: name })
  }

  ended(key: number, over: Partial<Extract<Event, { type: 'ended' }>> = {}): readonly Effect[] {
    this.open.delete(key)
    return this.send({ type: 'ended', key, verdict: 'retry', worked: false, ...over })
  }

  /** Connects, with the mode of this index. */
  connected(index = 0): this {
    this.send({ type: 'connect' })
    this.send({ type: 'primed' })
    for (let i = 0; i < index; i++) this.fire('headstart')
    this.send({ type: 'accepted', key: this.context.serial })
    return this
  }

  /** Fails whatever is tried, until the round is over. */
  failAll(over: Partial<Extract<Event, { type: 'ended' }>> = {}): this {
    if (this.context.state === 'priming') this.send({ type: 'primed' })
    for (let first = this.context.racing[0]; first !== undefined; first = this.context.racing[0])
      this.ended(first.key, over)
    return this
  }
}

const contender = { key: 1, mode: 'websocket' } as const
const event = (type: Event['type']): Event =>
  ({ type, key: 1, verdict: 'retry', worked: false, left: true, found: false }) as unknown as Event

describe('the table', () => {
  test.each(states.flatMap((state) => kinds.map((kind) => [state, kind] as const)))('%s × %s', (state, kind) => {
    for (const current of [undefined, contender]) {
      for (const racing of [[], [contender]]) {
        const before: Context = Object.freeze({ ...initial, state, current, racing, serial: 1 })
        const { context, effects } = step(before, event(kind), policy)
        expect(states).toContain(context.state)
        expect(Array.isArray(effects)).toBe(true)
        expect(step(before, event(kind), policy)).toEqual({ context, effects })
      }
    }
  })
})

type Move =
  | { kind: 'event'; type: 'connect' | 'disconnect' | 'change' | 'dead' | 'back' }
  | { kind: 'answer'; fits: boolean; rejected: boolean; left: boolean; found: boolean }
  | { kind: 'timer'; pick: number }
  | { kind: 'accept'; pick: number }
  | { kind: 'end'; pick: number; verdict: 'again' | 'retry' | 'mode' | 'rejected'; worked: boolean; after: number }
  | { kind: 'stray'; type: Event['type']; key: number }

const bool = fc.boolean()
const pick = fc.nat(5)
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      type: fc.constantFrom('connect' as const, 'connect', 'disconnect', 'change', 'change', 'dead', 'back'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('answer' as const), fits: bool, rejected: bool, left: bool, found: bool }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('timer' as const), pick }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('accept' as const), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      pick,
      verdict: fc.constantFrom('again' as const, 'retry', 'mode', 'rejected'),
      worked: bool,
      after: fc.constantFrom(0, 0, 5000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('stray' as const), type: fc.constantFrom(...kinds), key: pick }),
  },
)

function perform(world: World, move: Move): void {
  switch (move.kind) {
    case 'event':
      world.send({ type: move.type })
      return
    case 'answer': {
      const { asked } = world
      world.asked = undefined
      if (asked === 'sift') world.send({ type: 'sifted', left: move.left || move.fits, found: move.found })
      else if (asked === 'prime') world.send({ type: move.rejected ? 'rejected' : 'primed' })
      return
    }
    case 'timer': {
      const names = [...world.timers.keys()]
      if (names.length > 0) world.fire(names[move.pick % names.length] as TimerName)
      return
    }
    case 'accept': {
      const { racing } = world.context
      if (racing.length > 0) world.send({ type: 'accepted', key: racing[move.pick % racing.length]!.key })
      return
    }
    case 'end': {
      const keys = [...world.open.keys()]
      if (keys.length === 0) return
      const { verdict, worked, after } = move
      world.ended(keys[move.pick % keys.length]!, { verdict, worked, ...(after > 0 ? { retryAfter: after } : {}) })
      return
    }
    case 'stray':
      // What comes late, of an attempt that is long gone.
      if (move.type === 'accepted' || move.type === 'ended')
        world.send({ ...event(move.type), key: -move.key } as Event)
  }
}

/** What holds after every step. */
function invariants(world: World, before: Context, effects: readonly Effect[]): void {
  const { state, current, racing, queue, retryAt } = world.context
  const live = [...racing, ...(current === undefined ? [] : [current])].map(({ key }) => key)
  expect([...world.open.keys()].sort()).toEqual(live.sort())
  expect(new Set(live).size).toBe(live.length)
  if (state === 'closed') expect([live.length, world.timers.size]).toEqual([0, 0])
  if (state === 'waiting') {
    expect(current).toBeUndefined()
    expect([world.timers.has('retry'), retryAt !== undefined]).toEqual([true, true])
  }
  expect(world.timers.has('retry')).toBe(retryAt !== undefined)
  if (state === 'open') expect([current !== undefined, racing.length, queue.length]).toEqual([true, 0, 0])
  if (state === 'connecting') {
    expect(racing.length).toBeGreaterThan(0)
    if (queue.length > 0) expect(world.timers.get('headstart')).toBe(headstart)
  } else {
    expect(racing).toEqual([])
    expect(world.timers.has('headstart')).toBe(false)
  }
  const opened = effects.filter((effect) => effect.type === 'open')
  expect(opened.length).toBeLessThanOrEqual(1)
  for (const { key } of opened) expect(key).toBeGreaterThan(before.serial)
  const taken = effects.filter((effect) => effect.type === 'accept')
  expect(taken.length).toBeLessThanOrEqual(1)
  // Make before break: what works is closed by its successor, its own end, or the application.
  if (before.current !== undefined && effects.some((e) => e.type === 'close' && e.key === before.current?.key))
    expect(taken.length === 1 || state === 'closed' || world.context.current === undefined).toBe(true)
}

const play = (
  moves: readonly Move[],
  over: Partial<Policy>,
  each?: (world: World, before: Context, move: Move, effects: readonly Effect[]) => void,
) => {
  const world = new World(over)
  for (const move of moves) {
    const before = world.context
    const effects: Effect[] = []
    const { send } = world
    world.send = (event, more) => {
      const made = send.call(world, event, more)
      effects.push(...made)
      return made
    }
    perform(world, move)
    world.send = send
    invariants(world, before, effects)
    each?.(world, before, move, effects)
  }
  return world
}

const someMoves = fc.array(move, { maxLength: 60 })
const anyPolicy = fc.record({
  random: fc.constantFrom(0, 0.5, 0.999),
  autoReconnect: fc.constantFrom(true, true, false),
  order: fc.shuffledSubarray([...modes], { minLength: 1 }),
})

describe('whatever happens', () => {
  test('nothing leaks, and no state lacks what ends it', () => {
    fc.assert(
      fc.property(someMoves, anyPolicy, (moves, over) => void play(moves, over)),
      runs(),
    )
  })

  test('disconnect leaves nothing', () => {
    fc.assert(
      fc.property(someMoves, anyPolicy, (moves, over) => {
        const world = play(moves, over)
        world.send({ type: 'disconnect' })
        expect([world.context.state, world.open.size, world.timers.size]).toEqual(['closed', 0, 0])
      }),
      runs(),
    )
  })

  test('only the connection itself, its end or a successor costs the current connection', () => {
    fc.assert(
      fc.property(
        someMoves,
        anyPolicy,
        (moves, over) =>
          void play(moves, over, (world, before, move) => {
            if (before.current === undefined || world.context.current !== undefined) return
            const own = move.kind === 'end' && !world.open.has(before.current.key)
            const asked = move.kind === 'event' && (move.type === 'dead' || move.type === 'disconnect')
            const allRefused = move.kind === 'answer' && world.context.state === 'closed'
            expect(own || asked || allRefused).toBe(true)
          }),
      ),
      runs(),
    )
  })

  test('a round starts each mode at most once', () => {
    fc.assert(
      fc.property(someMoves, anyPolicy, (moves, over) => {
        let round: ModeName[] = []
        play(moves, over, (_, __, ___, effects) => {
          for (const effect of effects) {
            if (effect.type === 'prime') round = []
            if (effect.type !== 'open') continue
            expect(round).not.toContain(effect.mode)
            round.push(effect.mode)
          }
        })
      }),
      runs(),
    )
  })

  test('every delay lies between its floor and its ceiling', () => {
    fc.assert(
      fc.property(
        someMoves,
        anyPolicy,
        (moves, over) =>
          void play(moves, over, (world, _, __, effects) => {
            for (const effect of effects) {
              if (effect.type !== 'timer') continue
              if (effect.name === 'headstart') expect(effect.ms).toBe(headstart)
              else if (effect.name === 'climb')
                expect(effect.ms >= 45_000 && effect.ms <= 15 * 60_000 * 1.25).toBe(true)
              else {
                const { failures } = world.context
                const ms = backoff(world.policy, failures, world.policy.random)
                // After a loss the pause is that of the failures before it.
                const before = backoff(world.policy, Math.max(0, failures - 1), world.policy.random)
                const known = [0, farewell, 5000].flatMap((floor) => [floor + ms, floor + before])
                expect(known.some((delay) => Math.abs(effect.ms - delay) < 1e-3)).toBe(true)
              }
            }
          }),
      ),
      runs(),
    )
  })
})

describe('back-off', () => {
  test('doubles with every failed round, and ends at the cap', () => {
    const world = new World({ random: 0.999 })
    const delays: number[] = []
    world.send({ type: 'connect' })
    for (let i = 0; i < 9; i++) {
      world.failAll()
      expect(world.context.state).toBe('waiting')
      delays.push(Math.ceil(world.timers.get('retry')! / 1000))
      world.fire('retry')
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  test.each([
    [0, 30_000],
    [0.5, 30_500],
    [0.999, 30_999],
  ])('Retry-After is a floor under the jitter (random %d)', (random, ms) => {
    const world = new World({ random })
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    world.ended(1, { retryAfter: 30_000 })
    world.ended(2)
    world.ended(3, { retryAfter: 10_000 })
    expect(world.timers.get('retry')).toBe(ms)
    expect(world.context.retryAt).toBe(ms)
  })

  test.each([
    ['that had worked comes back at once', true, 0],
    ['that brought nothing is a failure, but no reason to hesitate the first time', false, 1],
  ])('a connection %s', (_, worked, failures) => {
    const world = new World().connected()
    world.ended(1, { worked })
    expect([world.context.state, world.context.failures, world.timers.get('retry')]).toEqual([
      'waiting',
      failures,
      backoff(policy, 0, policy.random),
    ])
  })

  test('without autoReconnect the first loss is the end', () => {
    const world = new World({ autoReconnect: false }).connected()
    world.ended(1)
    expect([world.context.state, world.timers.size]).toEqual(['closed', 0])
  })

  test.each(['back', 'connect', 'retry'] as const)('%s ends the wait', (type) => {
    const world = new World()
    world.send({ type: 'connect' })
    world.failAll()
    if (type === 'retry') world.fire(type)
    else world.send({ type })
    expect([world.context.state, world.timers.has('retry')]).toEqual(['priming', false])
  })
})

describe('the race', () => {
  test('the next mode starts beside the one that takes too long; the losers close when one is accepted', () => {
    const world = new World()
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    world.fire('headstart')
    world.fire('headstart')
    expect([...world.open.values()]).toEqual(modes)
    expect(world.timers.has('headstart')).toBe(false)
    const effects = world.send({ type: 'accepted', key: 2 })
    expect(effects.map(({ type }) => type).slice(0, 3)).toEqual(['accept', 'close', 'close'])
    expect([...world.open.keys()]).toEqual([2])
  })

  test('a mode that fails at once does not wait for the head start', () => {
    const world = new World()
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    expect(world.ended(1, { verdict: 'mode' })[0]).toEqual({ type: 'open', key: 2, mode: 'eventsource' })
  })

  test('a rejection is sifted; without culprits the round goes on, and then backs off', () => {
    const world = new World()
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    world.fire('headstart')
    expect(world.ended(1, { verdict: 'rejected' }).map(({ type }) => type)).toEqual(['close', 'cancel', 'sift'])
    expect([world.context.state, world.open.size]).toEqual(['sifting', 0])
    world.send({ type: 'sifted', left: true, found: false })
    expect([...world.open.values()]).toEqual(['longpolling'])
    world.ended(world.context.serial, { verdict: 'rejected' })
    world.send({ type: 'sifted', left: true, found: false })
    expect([world.context.state, world.context.failures]).toEqual(['waiting', 1])
  })

  test.each([
    ['the others go on', true, 'priming'],
    ['none is left', false, 'closed'],
  ] as const)('culprits are given up: %s', (_, left, state) => {
    const world = new World()
    world.send({ type: 'connect' })
    world.send({ type: 'rejected' })
    world.send({ type: 'sifted', left, found: true })
    expect(world.context.state).toBe(state)
  })
})

describe('make before break', () => {
  test('a change opens the successor in the mode that works, and closes the old one when that is accepted', () => {
    const world = new World().connected(1)
    const old = world.context.serial
    world.send({ type: 'change' })
    world.send({ type: 'primed' })
    expect([...world.open]).toEqual([
      [old, 'eventsource'],
      [old + 1, 'eventsource'],
    ])
    const effects = world.send({ type: 'accepted', key: old + 1 })
    expect(effects.slice(0, 2)).toEqual([
      { type: 'accept', key: old + 1, mode: 'eventsource', lesser: true },
      { type: 'close', key: old },
    ])
  })

  test('a change that fails keeps what works, and is tried again', () => {
    const world = new World().connected()
    world.send({ type: 'change' })
    world.failAll()
    expect([world.context.state, [...world.open.keys()], world.timers.has('retry')]).toEqual(['open', [1], true])
    world.fire('retry')
    expect([world.context.state, world.context.purpose, [...world.open.keys()]]).toEqual(['priming', 'change', [1]])
  })

  test('a climb tries only better modes and costs nothing when it fails', () => {
    const world = new World({ random: 0 }).connected(2)
    const old = world.context.current!
    expect(world.timers.get('climb')).toBe(45_000)
    for (const ms of [90_000, 180_000, 360_000, 675_000, 675_000]) {
      world.fire('climb')
      world.failAll()
      expect([world.context.state, world.context.current, world.timers.get('climb')]).toEqual(['open', old, ms])
      expect(world.context.failures).toBe(0)
    }
    world.fire('climb')
    world.send({ type: 'primed' })
    expect([...world.open.values()]).toEqual(['longpolling', 'websocket'])
    world.send({ type: 'accepted', key: world.context.serial })
    expect([...world.open.values()]).toEqual(['websocket'])
    expect([world.timers.size, world.context.climbs]).toEqual([0, 0])
  })
})

describe('once wrong', () => {
  test('a climb that fails does not forget the change that is still to be made', () => {
    const world = new World().connected(1)
    world.send({ type: 'change' })
    world.failAll()
    expect(world.timers.has('retry')).toBe(true)
    world.fire('climb')
    world.failAll()
    expect(world.timers.has('retry')).toBe(true)
  })

  test('a change asked for while a rejected climb is sifted is made', () => {
    const world = new World().connected(1)
    world.fire('climb')
    world.send({ type: 'primed' })
    world.ended(world.context.serial, { verdict: 'rejected' })
    world.send({ type: 'change' })
    world.send({ type: 'sifted', left: true, found: false })
    expect(world.context.state === 'priming' || world.timers.has('retry')).toBe(true)
  })

  test('with no mode that this runtime has, the client does not hang in silence', () => {
    const world = new World({ modes: [], order: [] })
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    expect(['waiting', 'closed']).toContain(world.context.state)
  })

  test('the network coming back does not cut short what the server asked for', () => {
    const world = new World().connected()
    world.ended(1, { retryAfter: 120_000 })
    world.send({ type: 'back' })
    expect(world.context.state).toBe('waiting')
  })

  test('a mode that brought nothing lately is not climbed to', () => {
    const world = new World({ resting: ['websocket'] }).connected(1)
    world.fire('climb')
    expect(world.context.state).toBe('open')
    expect(world.timers.has('climb')).toBe(true)
  })

  test('the Retry-After of a round that succeeded does not delay a later one', () => {
    const world = new World()
    world.send({ type: 'connect' })
    world.send({ type: 'primed' })
    world.ended(1, { retryAfter: 120_000 })
    world.send({ type: 'accepted', key: 2 })
    world.send({ type: 'dead' })
    expect(world.timers.get('retry')).toBeLessThan(1000)
  })
})
