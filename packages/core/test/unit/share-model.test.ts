import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PositionStorage, persist } from '../../src/persist/index.js'
import { SimulatedModule } from '../support/simulated-module.js'
import { Shelf } from './support/shelf.js'
import { Browser, type Tab } from './support/tabs.js'

// Leadership and hand-over: tabs come, load pages, close, crash, freeze and hang while messages are published, and broadcasts
// are late or lost. The server stores all of it, and tabs that load pages keep positions. So each tab gets each message once,
// in order, and there is no gap.

type Step =
  | { type: 'open'; names: string[]; keeps: boolean }
  | { type: 'publish'; name: string; count: number; pause: number }
  | { type: 'wait'; ms: number }
  | { type: 'lose'; ms: number }
  | { type: 'cut' }
  | {
      type: 'close' | 'crash' | 'hang' | 'freeze' | 'go on' | 'disconnect' | 'connect' | 'load'
      of: number
      kept: number
    }
  | { type: 'add' | 'remove'; of: number; name: string }

const name = fc.constantFrom('a', 'b', 'c')
const some = fc.nat(1000)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('open' as const),
      names: fc.uniqueArray(name, { minLength: 1 }),
      keeps: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('publish' as const),
      name,
      count: fc.integer({ min: 1, max: 20 }),
      pause: fc.constantFrom(0, 1, 5, 50),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 5, 100, 1000, 4000) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lose' as const), ms: fc.constantFrom(2, 20, 500) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cut' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        ...(['close', 'crash', 'hang', 'freeze', 'go on', 'disconnect', 'connect', 'load', 'load'] as const),
      ),
      of: some,
      kept: fc.nat(10),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('add' as const, 'remove' as const), of: some, name }) },
)

/** What a tab must get of a channel: everything from here on. */
interface Watched {
  readonly tab: Tab
  /** Where its pages keep positions, if they do. */
  readonly storage: PositionStorage | undefined
  readonly wants: Map<string, number | undefined>
  state: 'runs' | 'hangs' | 'frozen' | 'gone'
  connected: boolean
}

async function run(steps: readonly Step[], delays: readonly number[]): Promise<void> {
  const server = new SimulatedModule()
  const browser = new Browser(server.clock, server.environment)
  let posted = 0
  browser.delay = () => delays[posted++ % delays.length] as number
  const published = new Map<string, number>()
  const all: Watched[] = []
  const number = (name: string) => published.get(name) ?? 0

  function publish(name: string): void {
    published.set(name, number(name) + 1)
    server.publish(name, `${number(name)}`)
  }

  /** Of a tab's new channels, everything counts from the moment it says that it is open. */
  function watch(names: readonly string[], storage: PositionStorage | undefined): Watched {
    const tab = browser.open(storage && { persist: persist({ storage }) })
    const wants = new Map(names.map((name) => [name, undefined as number | undefined]))
    const watched: Watched = { tab, storage, wants, state: 'runs', connected: true }
    for (const name of names) tab.stream.addChannel(name)
    tab.stream.on('open', () => {
      for (const [name, from] of watched.wants) watched.wants.set(name, from ?? number(name) + 1)
    })
    all.push(watched)
    tab.stream.connect()
    return watched
  }

  /** The tab loads another page, which goes on where the one before was. */
  function load(watched: Watched, kept: number): void {
    const { storage, tab, wants } = watched
    if (!storage || watched.state !== 'runs') return
    watched.state = 'gone'
    if (kept > 5) tab.close()
    else {
      tab.crash()
      browser.forget(tab, () => kept / 5)
    }
    const next = watch([...wants.keys()], storage)
    next.tab.all.push(...tab.all)
    for (const [name, from] of wants) next.wants.set(name, from)
  }

  const of = (n: number) => {
    const left = all.filter(({ state }) => state !== 'gone')
    return left[n % left.length]
  }

  async function perform(step: Step): Promise<void> {
    switch (step.type) {
      case 'open': {
        if (all.filter(({ state }) => state !== 'gone').length >= 5) return
        watch(step.names, step.keeps ? new Shelf() : undefined)
        return
      }
      case 'publish':
        for (let n = 0; n < step.count; n++) {
          publish(step.name)
          if (step.pause > 0) await server.clock.advance(step.pause)
        }
        return
      case 'wait':
        return server.clock.advance(step.ms)
      case 'lose': {
        browser.losing = () => true
        await server.clock.advance(step.ms)
        browser.losing = undefined
        return
      }
      case 'cut':
        for (const { tab } of all) tab.cut()
        return
      default: {
        const watched = of(step.of)
        if (watched === undefined) return
        const { tab } = watched
        const { stream } = tab
        if (step.type === 'add') {
          if (watched.state !== 'runs' || watched.wants.has(step.name)) return
          watched.wants.set(step.name, undefined)
          stream.addChannel(step.name)
        } else if (step.type === 'remove') {
          if (watched.state !== 'runs' || watched.wants.size < 2 || !watched.wants.has(step.name)) return
          watched.wants.delete(step.name)
          stream.removeChannel(step.name)
          // It may be added again: then it begins anew.
          tab.all.splice(0, tab.all.length, ...tab.all.filter(({ channel }) => channel !== step.name))
        } else if (step.type === 'load') load(watched, step.kept)
        else if (step.type === 'close' || step.type === 'crash') {
          watched.state = 'gone'
          tab[step.type]()
          if (step.type === 'crash') browser.forget(tab, () => step.kept / 10)
        } else if (step.type === 'hang' && watched.state === 'runs') {
          watched.state = 'hangs'
          tab.hang()
        } else if (step.type === 'freeze' && watched.state === 'runs') {
          watched.state = 'frozen'
          tab.freeze()
        } else if (step.type === 'go on') goOn(watched)
        else if (step.type === 'disconnect' && watched.state === 'runs') {
          watched.connected = false
          stream.disconnect()
        } else if (step.type === 'connect' && watched.state === 'runs') {
          watched.connected = true
          stream.connect()
        }
      }
    }
  }

  function goOn(watched: Watched): void {
    const { state, tab } = watched
    if (state === 'gone') return
    watched.state = 'runs'
    if (state === 'hangs') tab.wake()
    if (state === 'frozen') tab.resume()
  }

  for (const one of steps) {
    await perform(one)
    await server.clock.advance(0)
  }
  for (const watched of all) {
    goOn(watched)
    if (watched.state === 'runs' && !watched.connected) watched.tab.stream.connect()
  }
  await server.advance(12_000, 2000)
  for (const name of ['a', 'b', 'c', 'a', 'b', 'c']) publish(name)
  await server.advance(4000, 2000)

  const left = all.filter(({ state }) => state === 'runs')
  for (const { tab, wants } of left) {
    expect(tab.errors.filter(({ code }) => !['silent', 'unreachable'].includes(code))).toEqual([])
    expect(tab.stream.status.state).toBe('open')
    for (const [name, from] of wants) {
      const got = tab.all
        .filter(({ channel }) => channel === name)
        .map((one) => ('text' in one ? Number(one.text) : one))
      const first = got[0]
      const last = number(name)
      // What was published before may come as well. A channel that is added later begins within seconds.
      const begins = Math.min(typeof first === 'number' ? first : last, from ?? last - 1)
      expect(got).toEqual(Array.from({ length: last - begins + 1 }, (_, n) => begins + n))
    }
  }
  if (left.length > 0) expect(left.reduce((sum, { tab }) => sum + tab.connections, 0)).toBe(1)
  for (const { tab } of all) tab.stream.close()
  for (const { tab } of all) expect(tab.connections).toBe(0)
}

test('tabs that come and go → each gets each message once and in order, by one connection', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
      fc.array(fc.constantFrom(0, 1, 1, 2, 30), { minLength: 1, maxLength: 10 }),
      run,
    ),
    { numRuns: Number(process.env.SHARE_RUNS ?? 40) },
  )
}, 120_000)
