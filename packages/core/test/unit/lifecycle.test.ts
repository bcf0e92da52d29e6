import { describe, expect, test } from 'vitest'
import type { Options } from '../../src/options.js'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'
import type { ModeName } from '../../src/types.js'
import { type ModuleOptions, SimulatedModule } from '../support/simulated-module.js'
import { SimulatedNchan } from '../support/simulated-nchan.js'
import { SimulatedPage } from '../support/simulated-page.js'

// What a page does besides being open: it sleeps with its machine, loses its network, is frozen, throttled or prerendered.

const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

interface Following extends ModuleOptions, Options {
  /** Nothing is published to the channels. */
  readonly quiet?: boolean
  /** Once the client is open, timers run once in so many ms. */
  readonly throttled?: number
  readonly prerendered?: boolean
}

/** A client on a page, open, and all that came. */
async function follow(
  modes: readonly ModeName[],
  { pings, roundTrip, quiet, throttled, prerendered, ...options }: Following = {},
) {
  const server = new SimulatedModule({ ...(pings && { pings }), ...(roundTrip && { roundTrip }) })
  const { clock } = server
  const page = new SimulatedPage()
  const timers = new Map<unknown, { due: number; callback: () => void }>()
  let grain = 1
  const setTimeout = (callback: () => void, ms: number) => {
    const run = () => timers.delete(id) && callback()
    const due = clock.now() + ms
    const id: number = clock.setTimeout(run, Math.ceil(due / grain) * grain - clock.now())
    timers.set(id, { due, callback: run })
    return id
  }
  const clearTimeout = (id: unknown) => {
    timers.delete(id)
    clock.clearTimeout(id as number)
  }
  /** The page runs what is due before it reads what came. */
  const runLate = () => {
    for (const { due, callback } of [...timers.values()]) if (due <= clock.now()) callback()
  }
  server.publish('a', 'before')
  const environment = { ...server.environment, setTimeout, clearTimeout, page }
  const stream = new PushStream({ url: 'http://h', modes, environment, ...options })
  const came: string[] = []
  const told: string[] = []
  stream.on('message', ({ text }) => came.push(text))
  stream.on('gap', ({ channel }) => told.push(`gap in ${channel}`))
  stream.on('error', ({ code }) => told.push(code))
  page.prerendering = prerendered ?? false
  stream.addChannel('a').addChannel('b').connect()
  await server.advance(5000, 50)
  if (prerendered) return { server, page, stream, came, told, runLate }
  expect(stream.status.state).toBe('open')
  for (let n = 0; n < 5; n++) {
    if (!quiet) server.publish('a', `awake ${n}`)
    await server.advance(1000, 50)
  }
  expect(came.splice(0)).toHaveLength(quiet ? 0 : 5)
  grain = throttled ?? 1
  return { server, page, stream, came, told, runLate }
}

/** How long it takes from now until so many messages have come, in ms. */
async function until(server: SimulatedModule, over: () => boolean, most = 30_000): Promise<number> {
  const began = server.clock.now()
  while (!over() && server.clock.now() - began < most) await server.advance(10, 10)
  return server.clock.now() - began
}

interface Wake {
  readonly what: string
  /** Connections from before on which the browser still sends a request. */
  readonly deadKept?: number
  /** So long the machine is awake before the network is and the event comes, in ms. */
  readonly early?: number
  readonly roundTrip?: number
  readonly pings?: number
}

// A request that is sent before the network is back takes the dead kept connection with it.
const wakes: readonly Wake[] = [
  { what: 'one dead kept connection', deadKept: 1 },
  { what: 'no kept connection' },
  { what: 'answers after 0.1 s, one dead kept connection', deadKept: 1, roundTrip: 100 },
  { what: 'no pings known, one dead kept connection', deadKept: 1, pings: 10_000_000 },
  { what: 'awake for 20 ms before the event', early: 20 },
  { what: 'awake for 0.4 s before the event', early: 400 },
  { what: 'awake for 0.7 s before the event', early: 700 },
  { what: 'awake for 3 s before the event', early: 3000 },
  { what: 'awake for 8 s before the event', early: 8000 },
  { what: 'no pings known, awake for 3 s before the event', early: 3000, pings: 10_000_000 },
]

const lists = [
  ...allModes.map((mode) => [mode] as ModeName[]),
  [...allModes],
  ['longpolling', 'eventsource'] as ModeName[],
]

describe.each(lists.map((modes) => [modes.join(', '), modes] as const))('%s', (_, modes) => {
  test.each(wakes)(
    'ten minutes of sleep, every connection is dead, $what → all comes within 1 s of the event',
    async ({ what: _, deadKept = 0, early = 0, ...options }) => {
      const { server, page, stream, came, told } = await follow(modes, options)
      server.blackHole(true)
      server.clock.sleep(600_000)
      for (const text of ['1', '2', '3']) server.publish('a', text)
      if (early > 0) await server.advance(early, 10)
      server.blackHole(false, deadKept)
      page.back(early > 0 ? 'online' : undefined)
      // A question may bring what was missed, and only a connection what follows.
      const missed = await until(server, () => came.length >= 3)
      server.publish('b', '4')
      const took = missed + (await until(server, () => came.length >= 4))
      expect(took).toBeLessThanOrEqual(1000)
      // Not each question that is answered with nothing is a reason to ask again soon.
      const asked = server.requests.length
      await server.advance(60_000)
      expect(server.requests.length - asked).toBeLessThanOrEqual(12)
      expect(came).toEqual(['1', '2', '3', '4'])
      expect(told.filter((what) => what !== 'silent' && what !== 'unreachable')).toEqual([])
      expect(stream.status.state).toBe('open')
      stream.close()
      expect(page.listeners).toBe(0)
    },
  )

  test.each([0, 1])(
    'the network changes and %i kept connections die with it → online: all comes within 1 s',
    async (dead) => {
      for (const quiet of [false, true]) {
        const { server, page, stream, came, told } = await follow(modes, { quiet, pings: 30_000 })
        server.forget(dead)
        page.back('online')
        const opened = server.clock.now()
        await server.advance(450, 50)
        server.publish('b', '1')
        await until(server, () => came.length >= 1)
        expect(server.clock.now() - opened).toBeLessThanOrEqual(1000)
        await server.advance(60_000)
        expect(came).toEqual(['1'])
        // The request on the dead connection failed.
        expect(told.filter((what) => what !== 'unreachable')).toEqual([])
        stream.close()
      }
    },
  )

  test.each([0, 100, 300, 700])(
    'all is well, answers after %i ms → online and shown: one new connection, and only requests to listed locations',
    async (roundTrip) => {
      for (const quiet of [false, true]) {
        const { server, page, stream, came, told } = await follow(modes, { roundTrip, quiet, pings: 30_000 })
        const listed = [...modes, ...(modes.includes('eventsource') ? ['poll'] : [])]
        const before = server.requests.length
        page.back('online')
        page.back()
        await server.advance(900, 50)
        const asked = server.requests.slice(before)
        // A chain of polls asks again on the connection that it has.
        const chain = asked.findIndex(({ mode }) => mode === 'longpolling')
        const opened = asked.filter(({ mode }, n) => mode !== 'poll' && (mode !== 'longpolling' || n === chain))
        expect(opened).toHaveLength(1)
        for (const { mode } of server.requests) expect(listed).toContain(mode)
        server.publish('a', 'x')
        await server.advance(3000, 50)
        expect(came).toEqual(['x'])
        expect(told).toEqual([])
        stream.close()
      }
    },
  )

  test('a timer of the ping watch is late, and the pings are still to be read → the connection is not declared dead', async () => {
    const { server, stream, told, runLate } = await follow(modes)
    for (let n = 0; n < 5; n++) {
      server.clock.sleep(60_000)
      runLate()
      await server.advance(3000, 50)
    }
    expect(told).toEqual([])
    expect(stream.stats.reconnects).toBe(0)
    stream.close()
  })

  test('timers of a page in the background run once a minute → every message at once, nothing is declared dead', async () => {
    const { server, stream, came, told } = await follow(modes, { throttled: 60_000 })
    for (let n = 0; n < 10; n++) {
      await server.advance(55_000)
      server.publish('a', `${n}`)
      await server.advance(modes[0] === 'longpolling' ? 1000 : 100, 50)
      if (modes[0] !== 'longpolling') expect(came).toHaveLength(n + 1)
    }
    await server.advance(120_000)
    expect(came).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    expect(told).toEqual([])
    expect(stream.stats.reconnects).toBe(0)
    stream.close()
  })

  test.each([
    [1000, 30_000],
    [60_000, 180_000],
  ])(
    'a black hole, and timers run once in %i ms → the silence is told and the state is no longer open, then all comes',
    async (throttled, most) => {
      const { server, stream, came, told } = await follow(modes, { throttled })
      server.blackHole(true)
      server.publish('a', '1')
      expect(await until(server, () => stream.status.state !== 'open', most)).toBeLessThan(most)
      expect(told).toContain('silent')
      server.blackHole(false)
      server.publish('a', '2')
      expect(await until(server, () => came.length >= 2, most)).toBeLessThan(most)
      expect(came).toEqual(['1', '2'])
      expect(stream.status.state).toBe('open')
      stream.close()
    },
  )

  test('frozen for an hour, and resumed → no connection and no timer meanwhile, then nothing is lost', async () => {
    const { server, page, stream, came, told } = await follow(modes)
    page.leave()
    await server.advance(100, 50)
    const asked = server.requests.length
    server.publish('a', '1')
    server.clock.sleep(3_600_000)
    await server.advance(60_000)
    expect(server.requests).toHaveLength(asked)
    expect(stream.status.state).toBe('closed')
    server.publish('b', '2')
    // Resumed, and shown.
    page.back('online')
    page.back()
    expect(await until(server, () => came.length >= 2)).toBeLessThanOrEqual(1000)
    expect([...came].sort()).toEqual(['1', '2'])
    expect(told).toEqual([])
    expect(server.requests.length - asked).toBeLessThanOrEqual(3)
    stream.close()
  })

  test('lost without autoReconnect → the page is shown and the network is back: it stays closed', async () => {
    const { server, page, stream } = await follow(modes, { autoReconnect: false })
    server.cut()
    // By long-polling, the end of a poll that worked is followed by the next one.
    server.blackHole(true)
    await server.advance(60_000)
    expect(stream.status.state).toBe('closed')
    server.blackHole(false)
    const asked = server.requests.length
    page.back()
    page.back('online')
    await server.advance(5000, 50)
    expect(server.requests).toHaveLength(asked)
    expect(stream.status.state).toBe('closed')
    stream.connect()
    await server.advance(5000, 50)
    expect(stream.status.state).toBe('open')
    page.leave()
    page.back()
    await server.advance(5000, 50)
    expect(stream.status.state).toBe('open')
    stream.close()
    expect(page.listeners).toBe(0)
  })

  test('prerendered → nothing is requested and no error reported until it is activated', async () => {
    const { server, page, stream, came, told } = await follow(modes, { prerendered: true })
    page.back('online')
    stream.addChannel('c')
    await server.advance(60_000)
    expect(server.requests).toEqual([])
    expect(told).toEqual([])
    page.activate()
    await server.advance(2000, 50)
    expect(stream.status.state).toBe('open')
    for (const name of ['a', 'b', 'c']) server.publish(name, name)
    await server.advance(1000, 50)
    expect([...came].sort()).toEqual(['a', 'b', 'c'])
    expect(told).toEqual([])
    stream.close()
  })

  test('prerendered, and closed → nothing is left that an activation would start', async () => {
    const { server, page, stream } = await follow(modes, { prerendered: true })
    stream.close()
    expect(page.listeners).toBe(0)
    page.activate()
    await server.advance(5000, 50)
    expect(server.requests).toEqual([])
  })
})

describe('Nchan by long-polling', () => {
  interface Sleep extends Pick<Wake, 'deadKept' | 'early' | 'roundTrip'> {
    /** Messages have come before, and come during the sleep. */
    readonly known: boolean
    readonly missed: number
  }

  /** A chain that is open, on a page. */
  async function polling({ known, roundTrip = 0 }: Pick<Sleep, 'known' | 'roundTrip'>) {
    const server = new SimulatedNchan()
    server.roundTrip = roundTrip
    const { clock } = server
    const page = new SimulatedPage()
    const environment = { ...server.environment, page }
    const stream = new PushStream({ url: 'http://h', modes: ['longpolling'], protocol: nchan(), environment })
    const came: string[] = []
    const told: string[] = []
    stream.on('message', ({ text }) => came.push(text))
    stream.on('gap', ({ channel }) => told.push(`gap in ${channel}`))
    stream.on('error', ({ code }) => told.push(code))
    stream.addChannel('a').connect()
    await clock.advance(5000)
    for (let n = 0; known && n < 5; n++) {
      server.publish(`awake ${n}`)
      await clock.advance(2000)
    }
    expect([stream.status.state, came.splice(0).length]).toEqual(['open', known ? 5 : 0])
    await clock.advance(60_000)
    return { server, clock, page, stream, came, told }
  }

  test.each([
    { known: true, missed: 1, deadKept: 0, roundTrip: 0 },
    { known: true, missed: 1, deadKept: 1, roundTrip: 0 },
    { known: true, missed: 1, deadKept: 1, roundTrip: 100 },
    { known: true, missed: 0, deadKept: 1, roundTrip: 0 },
    { known: false, missed: 0, deadKept: 0, roundTrip: 0 },
    { known: false, missed: 0, deadKept: 1, roundTrip: 0 },
    { known: false, missed: 1, deadKept: 1, roundTrip: 100 },
    { known: true, missed: 1, deadKept: 2, roundTrip: 0 },
    { known: false, missed: 1, deadKept: 2, roundTrip: 0 },
    ...[20, 400, 700, 3000, 8000].flatMap((early) =>
      [true, false].map((known) => ({ known, missed: 1, deadKept: 0, roundTrip: 0, early })),
    ),
  ])(
    'ten minutes of sleep, every connection is dead, %o → all comes within 1 s',
    async ({ missed, deadKept, early = 0, ...rest }: Sleep) => {
      for (const event of ['online', undefined] as const) {
        const { server, clock, page, stream, came, told } = await polling(rest)
        server.blackHole(true)
        clock.sleep(600_000)
        const texts = Array.from({ length: missed }, (_, n) => `missed ${n}`)
        for (const text of texts) server.publish(text)
        server.blackHole(false, deadKept)
        page.back(event)
        const before = server.requests.length
        await clock.advance(900)
        server.publish('after')
        await clock.advance(100 + 2 * (rest.roundTrip ?? 0))
        expect(came).toEqual([...texts, 'after'])
        await clock.advance(60_000)
        expect(server.requests.length - before).toBeLessThanOrEqual(20)
        expect(told.filter((what) => what !== 'silent' && what !== 'unreachable')).toEqual([])
        stream.close()
      }
    },
  )
})
