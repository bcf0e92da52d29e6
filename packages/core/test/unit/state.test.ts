import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoff } from '../../src/session/backoff.js'
import {
  type Attempt,
  attemptDelay,
  type Event,
  initial,
  type Policy,
  reduce,
  reloadGrace,
  type State,
  type TimerName,
  timerNames,
} from '../../src/session/state.js'
import type { ModeName } from '../../src/types.js'
import { runs } from './support/runs.js'

type Ended = Extract<Event, { type: 'ended' }>

const modes: readonly ModeName[] = ['websocket', 'eventsource', 'longpolling']
const policy: Policy = {
  now: 0,
  random: 0.5,
  autoReconnect: true,
  modes,
  order: modes,
  cooling: [],
  base: 1000,
  cap: 60_000,
}
const names = Object.keys(timerNames) as TimerName[]

/** What a session does with its states: connections and timers follow them. */
class World {
  state: State = initial
  now = 0
  readonly open = new Map<number, ModeName>()
  readonly timers = new Map<TimerName, number>()
  readonly policy: Policy

  constructor(over: Partial<Policy> = {}) {
    this.policy = { ...policy, ...over }
  }

  send(event: Event, over: Partial<Policy> = {}): this {
    const before = this.state
    this.state = reduce(before, event, { ...this.policy, now: this.now, ...over })
    const { attempts, current, serial } = this.state
    const wanted = [...attempts, ...(current === undefined ? [] : [current])]
    for (const key of this.open.keys()) if (!wanted.some((one) => one.key === key)) this.open.delete(key)
    for (const { key, mode } of attempts) if (key > before.serial && key <= serial) this.open.set(key, mode)
    for (const name of names) {
      const at = this.state[timerNames[name]]
      if (at === undefined) this.timers.delete(name)
      else this.timers.set(name, at)
    }
    return this
  }

  /** A timer runs out. */
  fire(name: TimerName): this {
    this.now = Math.max(this.now, this.timers.get(name) ?? this.now)
    this.timers.delete(name)
    return this.send({ type: name })
  }

  ended(key: number, over: Partial<Ended> = {}): this {
    this.open.delete(key)
    return this.send({ type: 'ended', key, action: 'backoff', worked: false, final: false, ...over })
  }

  /** Connects, with the mode of this index. */
  connected(index = 0): this {
    this.send({ type: 'connect' })
    for (let i = 0; i < index; i++) this.fire('nextMode')
    return this.send({ type: 'accepted', key: this.state.serial })
  }

  /** Fails whatever is tried, until the round is over. */
  failAll(over: Partial<Ended> = {}): this {
    for (let [first] = this.state.attempts; first !== undefined; [first] = this.state.attempts)
      this.ended(first.key, over)
    return this
  }

  get modes(): ModeName[] {
    return [...this.open.values()]
  }

  /** In ms. */
  get wait(): number | undefined {
    const { retryAt } = this.state
    return retryAt === undefined ? undefined : retryAt - this.now
  }
}

/** Nothing would ever happen any more, although the application wants a connection. */
const stuck = ({ wanted, current, attempts, retryAt, rejected }: State) =>
  wanted && current === undefined && attempts.length === 0 && retryAt === undefined && !rejected

const first: Attempt = { key: 1, mode: 'websocket' }
const second: Attempt = { key: 2, mode: 'eventsource' }
const shapes: Record<string, Partial<State>> = {
  closed: {},
  connecting: { wanted: true, attempts: [second], queue: ['longpolling'], nextModeAt: 500 },
  'connecting, no mode left': { wanted: true, attempts: [second] },
  'connecting, one mode rejected': { wanted: true, attempts: [second], rejected: true },
  waiting: { wanted: true, failures: 1, retryAt: 1000 },
  rejected: { wanted: true, rejected: true },
  open: { wanted: true, current: first },
  'open in a lesser mode': { wanted: true, current: second, upgradeAt: 60_000 },
  'open, and a replacement waits': { wanted: true, current: first, retryAt: 1000 },
  'open, and a replacement was rejected': { wanted: true, current: first, rejected: true },
  replacing: { wanted: true, current: first, attempts: [second] },
  upgrading: { wanted: true, current: second, upgrading: true, attempts: [{ key: 3, mode: 'websocket' }] },
}
const ends = (['reconnect', 'backoff', 'unsupported', 'rejected'] as const).flatMap((action) =>
  [1, 2, 3, 9].flatMap((key) =>
    [true, false].map((final): Event => ({ type: 'ended', key, action, worked: false, final })),
  ),
)
const simple = ['connect', 'disconnect', 'replace', 'dead', 'online', ...names] as const
const allEvents: readonly Event[] = [
  ...simple.map((type): Event => ({ type })),
  ...[1, 2, 3, 9].map((key): Event => ({ type: 'accepted', key })),
  ...ends,
]

/** What holds of every state. */
function invariants(state: State): void {
  const { wanted, current, attempts, queue, rejected, nextModeAt, retryAt, upgradeAt, serial } = state
  const keys = [...attempts, ...(current === undefined ? [] : [current])].map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  for (const key of keys) expect(key).toBeLessThanOrEqual(serial)
  expect(stuck(state)).toBe(false)
  if (!wanted) expect(state).toEqual({ ...initial, serial, round: state.round })
  // The next mode is due exactly while there is one, next to others.
  expect(nextModeAt !== undefined).toBe(attempts.length > 0 && queue.length > 0)
  if (attempts.length > 0) expect(retryAt).toBeUndefined()
  if (rejected) expect(retryAt).toBeUndefined()
  if (current === undefined) expect(upgradeAt).toBeUndefined()
}

describe('the table', () => {
  test.each(Object.entries(shapes))('%s × every event → a state that something ends', (_, shape) => {
    const before: State = Object.freeze({ ...initial, serial: 3, round: 1, ...shape })
    invariants(before)
    for (const event of allEvents) {
      for (const over of [{}, { autoReconnect: false }, { order: [], modes: [] }]) {
        const after = reduce(before, event, { ...policy, ...over })
        invariants(after)
        expect(reduce(before, event, { ...policy, ...over })).toEqual(after)
      }
    }
  })

  test.each(Object.entries(shapes))('%s × the end of an attempt that is long gone → nothing', (_, shape) => {
    const before: State = { ...initial, serial: 3, ...shape }
    for (const event of allEvents) {
      if ('key' in event && event.key === 9) expect(reduce(before, event, policy)).toBe(before)
    }
  })
})

type Move =
  | { kind: 'event'; type: 'connect' | 'disconnect' | 'replace' | 'dead' | 'online' }
  | { kind: 'timer' | 'accept'; pick: number }
  | ({ kind: 'end'; pick: number } & Pick<Ended, 'action' | 'worked' | 'final'> & { retryAfter: number })
  | { kind: 'stray'; type: Event['type']; key: number }
  | { kind: 'pass'; ms: number }

const pick = fc.nat(5)
const boolean = fc.boolean()
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      type: fc.constantFrom('connect' as const, 'connect', 'disconnect', 'replace', 'replace', 'dead', 'online'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('timer' as const, 'accept' as const), pick }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      pick,
      action: fc.constantFrom('reconnect' as const, 'backoff', 'unsupported', 'rejected', 'rejected'),
      worked: boolean,
      final: boolean,
      retryAfter: fc.constantFrom(0, 0, 5000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('stray' as const),
      type: fc.constantFrom('accepted' as const, 'ended' as const),
      key: pick,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 10_000) }) },
)

function perform(world: World, move: Move): void {
  const { attempts } = world.state
  switch (move.kind) {
    case 'event':
      world.send({ type: move.type })
      return
    case 'timer': {
      const due = [...world.timers.keys()]
      if (due.length > 0) world.fire(due[move.pick % due.length] as TimerName)
      return
    }
    case 'accept':
      if (attempts.length > 0) world.send({ type: 'accepted', key: attempts[move.pick % attempts.length]!.key })
      return
    case 'end': {
      const keys = [...world.open.keys()]
      const { kind, pick, retryAfter, ...rest } = move
      if (keys.length === 0) return
      world.ended(keys[pick % keys.length]!, { ...rest, ...(retryAfter > 0 && { retryAfter }) })
      return
    }
    case 'stray':
      if (move.type === 'accepted') world.send({ type: 'accepted', key: -1 - move.key })
      else world.ended(-1 - move.key)
      return
    case 'pass':
      world.now += move.ms
  }
}

type Each = (before: State, after: State, move: Move, world: World) => void

function play(moves: readonly Move[], over: Partial<Policy>, each?: Each): World {
  const world = new World(over)
  for (const move of moves) {
    const before = world.state
    perform(world, move)
    invariants(world.state)
    const { attempts, current } = world.state
    const live = [...attempts, ...(current === undefined ? [] : [current])].map(({ key }) => key)
    expect([...world.open.keys()].sort()).toEqual(live.sort())
    each?.(before, world.state, move, world)
  }
  return world
}

const someMoves = fc.array(move, { maxLength: 60 })
const anyPolicy = fc.record({
  random: fc.constantFrom(0, 0.5, 0.999),
  autoReconnect: fc.constantFrom(true, true, false),
  order: fc.shuffledSubarray([...modes], { minLength: 1 }),
})
const whatever = (each?: Each, end?: (world: World) => void) =>
  fc.assert(
    fc.property(someMoves, anyPolicy, (moves, over) => {
      const world = play(moves, over, each)
      end?.(world)
    }),
    runs(),
  )

describe('whatever happens', () => {
  test('nothing leaks, and no state lacks what ends it', () => whatever())

  test('disconnect leaves nothing', () =>
    whatever(undefined, (world) => {
      world.send({ type: 'disconnect' })
      expect([world.state.wanted, world.open.size, world.timers.size]).toEqual([false, 0, 0])
    }))

  test('only its own end, a successor or the application costs the current connection', () =>
    whatever((before, after, move, world) => {
      if (before.current === undefined || after.current?.key === before.current.key) return
      const own = move.kind === 'end' && !world.open.has(before.current.key)
      const asked = move.kind === 'event' && (move.type === 'dead' || move.type === 'disconnect')
      expect(after.current === undefined ? own || asked : move.kind === 'accept').toBe(true)
    }))

  test('a round starts each mode at most once', () => {
    let tried: ModeName[] = []
    let round = -1
    whatever((before, after) => {
      if (after.round !== round || before === initial) tried = []
      round = after.round
      for (const { key, mode } of after.attempts) {
        if (key <= before.serial) continue
        expect(tried).not.toContain(mode)
        tried.push(mode)
      }
    })
  })

  test('one event starts at most one attempt, with a new key', () =>
    whatever((before, after, move) => {
      // A failing attempt at the end of a round may only wait.
      if (move.kind !== 'pass') expect(after.serial - before.serial).toBeLessThanOrEqual(1)
    }))

  test('every delay lies between its floor and its ceiling', () => {
    /** Until when the server wants no other attempt, as the answers of this round said. */
    let asked = 0
    whatever((before, after, move, world) => {
      const { now, policy } = world
      if (after.round !== before.round || before === initial) asked = 0
      if (move.kind === 'end' && after !== before)
        asked = Math.max(asked, now + Math.max(move.retryAfter, move.action === 'reconnect' ? reloadGrace : 0))
      const from = Math.max(now, asked)
      if (after.attempts.length === 0 && (after.current !== undefined || after.rejected)) asked = 0
      if (after.nextModeAt !== undefined && after.serial !== before.serial)
        expect(after.nextModeAt - now).toBeCloseTo(attemptDelay)
      if (after.upgradeAt !== undefined && after.upgradeAt !== before.upgradeAt) {
        expect(after.upgradeAt - now).toBeGreaterThanOrEqual(45_000 - 1e-3)
        expect(after.upgradeAt - now).toBeLessThanOrEqual(15 * 60_000 * 1.25)
      }
      if (after.retryAt === undefined || after.retryAt === before.retryAt) return
      const ms = backoff(policy, after.failures, policy.random)
      // After a loss the pause is that of the failures before it.
      const earlier = backoff(policy, Math.max(0, after.failures - 1), policy.random)
      expect([ms, earlier].some((delay) => Math.abs(after.retryAt! - from - delay) < 1e-3)).toBe(true)
    })
  })

  test('rejected without a retry → a mode was rejected, and the round was no upgrade', () =>
    whatever((before, after, move) => {
      if (!after.rejected || before.rejected || after.attempts.length > 0) return
      expect(move.kind === 'end' && move.action === 'rejected').toBe(true)
      expect(before.upgrading && before.attempts.length > 0).toBe(false)
    }))
})

describe('back-off', () => {
  test('rounds fail one after the other → the delay doubles up to the cap', () => {
    const world = new World({ random: 0.999 }).send({ type: 'connect' })
    const delays: number[] = []
    for (let i = 0; i < 9; i++) {
      delays.push(Math.ceil(world.failAll().wait! / 1000))
      world.fire('retry')
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  test.each([
    [0, 30_000],
    [0.5, 30_500],
    [0.999, 30_999],
  ])('Retry-After is a floor under the jitter (random %d)', (random, ms) => {
    const world = new World({ random }).send({ type: 'connect' })
    world.ended(1, { retryAfter: 30_000 }).ended(2).ended(3, { retryAfter: 10_000 })
    expect([world.wait, world.state.notBefore]).toEqual([ms, 30_000])
  })

  test.each([
    ['worked is lost → it comes back at once', true, 0],
    ['brought nothing is lost → a failure, but no reason to hesitate the first time', false, 1],
  ])('a connection that %s', (_, worked, failures) => {
    const world = new World().connected().ended(1, { worked })
    expect([world.state.failures, world.wait]).toEqual([failures, backoff(policy, 0, policy.random)])
  })

  test('lost again and again before it worked → every loss counts', () => {
    const world = new World()
    const delays: number[] = []
    for (let i = 0; i < 4; i++) {
      world.send({ type: 'connect' }).send({ type: 'accepted', key: world.state.serial })
      delays.push(world.ended(world.state.current!.key).wait!)
    }
    expect(delays).toEqual([35, 500, 1000, 2000])
  })

  test('ended in good order → it stays away while the server may reload', () => {
    expect(new World().connected().ended(1, { action: 'reconnect', worked: true }).wait).toBe(reloadGrace + 35)
  })

  test('without autoReconnect the first loss is the end', () => {
    const world = new World({ autoReconnect: false }).connected().ended(1)
    expect([world.state.wanted, world.timers.size]).toEqual([false, 0])
  })

  test('without autoReconnect the first failed round is the end', () => {
    const world = new World({ autoReconnect: false }).send({ type: 'connect' }).failAll()
    expect([world.state.wanted, world.timers.size]).toEqual([false, 0])
  })

  test.each(['online', 'connect', 'retry'] as const)('%s ends the wait', (type) => {
    const world = new World().send({ type: 'connect' }).failAll()
    if (type === 'retry') world.fire(type)
    else world.send({ type })
    expect([world.modes, world.state.retryAt]).toEqual([['websocket'], undefined])
  })

  test('replace while waiting → nothing changes, the next attempt is for the channels wanted then', () => {
    const world = new World().send({ type: 'connect' }).failAll()
    const { state } = world
    expect(world.send({ type: 'replace' }).state).toBe(state)
  })
})

describe('the race', () => {
  test('a mode takes too long → the next starts next to it; one is accepted → the others close', () => {
    const world = new World().send({ type: 'connect' }).fire('nextMode').fire('nextMode')
    expect([world.modes, world.timers.has('nextMode')]).toEqual([modes, false])
    world.send({ type: 'accepted', key: 2 })
    expect([[...world.open.keys()], world.state.attempts, world.state.queue]).toEqual([[2], [], []])
  })

  test.each(['backoff', 'unsupported', 'reconnect'] as const)(
    'a mode ends (%s) → the next starts at once',
    (action) => {
      const world = new World().send({ type: 'connect' }).ended(1, { action })
      expect([world.modes, world.state.nextModeAt]).toEqual([['eventsource'], attemptDelay])
    },
  )

  test('the last mode fails while another is under way → that one decides', () => {
    const world = new World().send({ type: 'connect' }).fire('nextMode').fire('nextMode').ended(3)
    expect([world.modes, world.state.retryAt]).toEqual([['websocket', 'eventsource'], undefined])
  })
})

describe('rejections', () => {
  test('no reason of the server itself → on to the next mode, which may be accepted', () => {
    const world = new World().send({ type: 'connect' }).ended(1, { action: 'rejected' })
    expect([world.modes, world.state.rejected]).toEqual([['eventsource'], true])
    world.send({ type: 'accepted', key: 2 })
    expect([world.modes, world.state.rejected, world.state.failures]).toEqual([['eventsource'], false, 0])
  })

  test('no mode is left → rejected, without a retry and without a failure', () => {
    const world = new World().send({ type: 'connect' }).failAll({ action: 'rejected' })
    const { wanted, rejected, retryAt, failures } = world.state
    expect([wanted, rejected, retryAt, failures, world.timers.size]).toEqual([true, true, undefined, 0, 0])
  })

  test('one of the modes was rejected, the others failed → rejected', () => {
    const world = new World().send({ type: 'connect' }).ended(1, { action: 'rejected' }).failAll()
    expect([world.state.rejected, world.state.retryAt]).toEqual([true, undefined])
  })

  test('another mode is under way → the round is not over', () => {
    const world = new World().send({ type: 'connect' }).fire('nextMode').fire('nextMode')
    world.ended(1, { action: 'rejected' }).ended(2, { action: 'rejected' })
    expect(world.modes).toEqual(['longpolling'])
  })

  test('the server names its reason → the round ends at once, also next to other modes', () => {
    const world = new World().send({ type: 'connect' }).fire('nextMode').ended(1, { action: 'rejected', final: true })
    const { attempts, queue, rejected, retryAt } = world.state
    expect([attempts, queue, rejected, retryAt, world.open.size]).toEqual([[], [], true, undefined, 0])
  })

  test('a failure with an explanation after a rejection without one → on to the next mode', () => {
    const world = new World().send({ type: 'connect' }).ended(1, { action: 'rejected' })
    expect(world.ended(2, { action: 'backoff', final: true }).modes).toEqual(['longpolling'])
  })

  test('a replacement is rejected → the current connection stays', () => {
    const world = new World().connected().send({ type: 'replace' }).failAll({ action: 'rejected', final: true })
    expect([world.modes, world.state.rejected, world.state.retryAt]).toEqual([['websocket'], true, undefined])
  })

  test.each([true, false])('an upgrade is rejected (final: %s) → it costs nothing', (final) => {
    const world = new World().connected(1).fire('upgrade').failAll({ action: 'rejected', final })
    const { rejected, failures, retryAt, upgrades } = world.state
    expect([world.modes, rejected, failures, retryAt, upgrades]).toEqual([['eventsource'], false, 0, undefined, 1])
    expect(world.timers.has('upgrade')).toBe(true)
  })

  test('an upgrade is rejected, and meanwhile the connection is lost → all modes are tried before that counts', () => {
    const world = new World().connected(1).fire('upgrade').ended(2, { worked: true })
    world.ended(world.state.serial, { action: 'rejected', final: true })
    expect([world.state.rejected, world.timers.has('retry')]).toEqual([false, true])
    world.fire('retry').failAll()
    expect([world.state.rejected, world.timers.has('retry')]).toEqual([false, true])
  })

  test('the current connection is rejected → rejected, without a retry', () => {
    const world = new World().connected(1).ended(2, { action: 'rejected', worked: true })
    const { wanted, current, rejected, retryAt, upgradeAt } = world.state
    expect([wanted, current, rejected, retryAt, upgradeAt]).toEqual([true, undefined, true, undefined, undefined])
  })

  test('the current connection is rejected while a replacement waits for its time → the replacement does not come', () => {
    const world = new World().connected().send({ type: 'replace' }).failAll()
    expect(world.timers.has('retry')).toBe(true)
    world.ended(1, { action: 'rejected' })
    expect([world.state.rejected, world.timers.has('retry')]).toEqual([true, false])
  })

  test('the current connection is rejected while its replacement is under way → the replacement decides', () => {
    const taken = new World().connected().send({ type: 'replace' }).ended(1, { action: 'rejected', worked: true })
    expect(taken.modes).toEqual(['websocket'])
    taken.send({ type: 'accepted', key: 2 })
    expect([taken.modes, taken.state.rejected]).toEqual([['websocket'], false])
    const failed = new World().connected().send({ type: 'replace' }).ended(1, { action: 'rejected', worked: true })
    expect([failed.failAll().state.rejected, failed.timers.has('retry')]).toEqual([true, false])
  })

  test.each(['replace', 'connect', 'online'] as const)('%s while rejected → a round', (type) => {
    const world = new World().send({ type: 'connect' }).failAll({ action: 'rejected' })
    const { round } = world.state
    world.send({ type })
    expect([world.modes, world.state.rejected, world.state.round]).toEqual([['websocket'], false, round + 1])
  })

  test('a replacement was rejected, then the connection is lost → waiting, and no longer rejected', () => {
    const world = new World().connected().send({ type: 'replace' }).failAll({ action: 'rejected' }).ended(1)
    expect([world.state.rejected, world.timers.has('retry')]).toEqual([false, true])
  })

  test('rejected → disconnect and connect begin anew', () => {
    const world = new World().send({ type: 'connect' }).failAll({ action: 'rejected' })
    world.send({ type: 'disconnect' })
    expect(world.state.wanted).toBe(false)
    expect(world.send({ type: 'connect' }).modes).toEqual(['websocket'])
  })
})

describe('make before break', () => {
  test('replace → a successor in the mode that works; accepted → it is the current one, the old one closes', () => {
    const world = new World().connected(1).send({ type: 'replace' })
    expect([...world.open]).toEqual([
      [2, 'eventsource'],
      [3, 'eventsource'],
    ])
    world.send({ type: 'accepted', key: 3 })
    expect([[...world.open], world.state.current]).toEqual([[[3, 'eventsource']], { key: 3, mode: 'eventsource' }])
  })

  test('the mode that works is no longer there → the successor takes any', () => {
    const world = new World().connected(1)
    world.send({ type: 'replace' }, { order: ['longpolling'], modes: ['longpolling'] })
    expect(world.modes).toEqual(['eventsource', 'longpolling'])
  })

  test('a replacement fails → what works stays, and another replacement is tried', () => {
    const world = new World().connected().send({ type: 'replace' }).failAll()
    expect([[...world.open.keys()], world.timers.has('retry')]).toEqual([[1], true])
    world.fire('retry')
    expect([world.state.upgrading, world.modes]).toEqual([false, ['websocket', 'websocket']])
  })

  test('dead while a replacement is under way → that hangs on the same link, so all begins anew', () => {
    const world = new World().connected().send({ type: 'replace' }).send({ type: 'dead' })
    expect([world.modes, world.state.failures, world.wait]).toEqual([[], 0, 35])
    expect(world.fire('retry').modes).toEqual(['websocket'])
  })

  test('an upgrade tries only better modes; it fails → nothing is lost, and the next comes later', () => {
    const world = new World({ random: 0 }).connected(2)
    const { current } = world.state
    expect(world.state.upgradeAt! - world.now).toBe(45_000)
    for (const ms of [90_000, 180_000, 360_000, 675_000, 675_000]) {
      world.fire('upgrade').failAll()
      expect([world.state.current, world.state.upgradeAt! - world.now, world.state.failures]).toEqual([current, ms, 0])
    }
    world.fire('upgrade')
    expect(world.modes).toEqual(['longpolling', 'websocket'])
    world.send({ type: 'accepted', key: world.state.serial })
    expect([world.modes, world.timers.size, world.state.upgrades]).toEqual([['websocket'], 0, 0])
  })

  test('accepted in the best mode → no upgrade is planned', () => {
    expect(new World().connected().timers.size).toBe(0)
  })
})

describe('once wrong', () => {
  test('a failed upgrade does not forget the replacement that is still to be made', () => {
    const world = new World().connected(1).send({ type: 'replace' }).failAll()
    expect(world.timers.has('retry')).toBe(true)
    world.send({ type: 'upgrade' }).failAll()
    expect(world.timers.has('retry')).toBe(true)
  })

  test('replace during an upgrade that is rejected is made', () => {
    const world = new World().connected(1).fire('upgrade').send({ type: 'replace' })
    expect([world.state.upgrading, world.modes]).toEqual([false, ['eventsource', 'eventsource']])
  })

  test('the time for an upgrade comes while a replacement is under way, which is rejected → it comes again', () => {
    const world = new World().connected(1).send({ type: 'replace' }).fire('upgrade')
    world.failAll({ action: 'rejected', final: true })
    expect([world.modes, world.timers.has('upgrade')]).toEqual([['eventsource'], true])
  })

  test('no mode that this runtime has → it does not hang in silence', () => {
    const world = new World({ modes: [], order: [] }).send({ type: 'connect' })
    expect([stuck(world.state), world.state.failures]).toEqual([false, 1])
  })

  test('the network comes back → what the server asked for is not cut short', () => {
    const world = new World().connected().ended(1, { retryAfter: 120_000 }).send({ type: 'online' })
    expect(world.wait).toBe(120_035)
  })

  test('a mode that brought nothing lately is not upgraded to', () => {
    const world = new World({ cooling: ['websocket'] }).connected(1).fire('upgrade')
    expect([world.modes, world.timers.has('upgrade')]).toEqual([['eventsource'], true])
  })

  test('the Retry-After of a round that succeeded does not delay a later one', () => {
    const world = new World().send({ type: 'connect' }).ended(1, { retryAfter: 120_000 })
    world.send({ type: 'accepted', key: 2 }).send({ type: 'dead' })
    expect(world.wait).toBeLessThan(1000)
  })

  test('the Retry-After of a replacement that failed does not delay the next connection after the current one', () => {
    const world = new World({ modes: ['websocket'], order: ['websocket'] }).connected().send({ type: 'replace' })
    world.ended(2, { retryAfter: 120_000 })
    expect(world.wait).toBeGreaterThanOrEqual(120_000)
    expect(world.send({ type: 'dead' }).wait).toBeLessThan(1000)
  })
})
