import { describe, expect, test } from 'vitest'
import { PushStream } from '../../src/push-stream.js'
import type { ModeName } from '../../src/types.js'
import { SimulatedModule } from '../support/simulated-module.js'

// A network that loses everything for a while, under a steady flow of messages, is over for the application within 5 s.

interface Situation {
  readonly what: string
  /** How long an answer takes, in ms. */
  readonly roundTrip?: number
  /** Timers run late, all of them together, each time after so many ms. */
  readonly stall?: number
  /** Connections from before the hole on which the browser still sends a request. */
  readonly deadKept?: number
  /** The server reloads so many ms after the hole. */
  readonly reload?: number
}

/** How late the latest message came that was published until the network was well again, in ms from then on. */
async function latest(mode: ModeName, hole: number, situation: Situation, random: number): Promise<number> {
  const { roundTrip = 0, stall = 0, deadKept = 0, reload } = situation
  const server = new SimulatedModule({ roundTrip })
  const { clock } = server
  const setTimeout = (callback: () => void, ms: number) => {
    const now = clock.now()
    const due = now + Math.max(0, ms)
    return clock.setTimeout(callback, (stall > 0 ? Math.ceil(due / stall) * stall : due) - now)
  }
  const environment = { ...server.environment, setTimeout, random: () => random }
  const stream = new PushStream({ url: 'http://h', modes: [mode], environment })
  const cameAt = new Map<string, number>()
  stream.on('message', ({ text }) => cameAt.set(text, clock.now()))
  stream.on('error', () => {})
  server.publish('a', 'before')
  stream.addChannel('a').connect()
  await server.advance(3000)
  const published: string[] = []
  const flow = async (during: number) => {
    for (let passed = 0; passed < during; passed += 50) {
      server.publish('a', String(published.push(String(published.length + 1))))
      await server.advance(50)
    }
  }
  // A long-poll shows life once a round trip: its rhythm is that of the last eight.
  await flow(5000 + 8 * (roundTrip + stall))
  server.blackHole(true)
  await flow(hole)
  server.blackHole(false, deadKept)
  const well = clock.now()
  const until = [...published]
  if (reload !== undefined) {
    await flow(reload)
    server.reload()
  }
  await flow(7000)
  stream.close()
  return Math.max(...until.map((text) => (cameAt.get(text) ?? Number.POSITIVE_INFINITY) - well))
}

const situations: readonly Situation[] = [
  { what: 'quick answers, one dead kept connection', deadKept: 1 },
  { what: 'answers after 0.3 s', roundTrip: 300 },
  { what: 'answers after 0.3 s, one dead kept connection', roundTrip: 300, deadKept: 1 },
  { what: 'answers after 0.7 s', roundTrip: 700 },
  { what: 'timers late by up to 0.5 s, answers after 0.3 s', roundTrip: 300, stall: 500 },
  { what: 'a reload right after it', reload: 200 },
]

describe.each(['websocket', 'eventsource', 'stream', 'longpolling'] as const)('%s', (mode) => {
  test.each(situations)(
    'black holes of 1.5 to 5 s, $what → all messages come within 5 s after each',
    async (situation) => {
      for (const hole of [1500, 3200, 4500, 5000]) {
        expect(await latest(mode, hole, situation, 0.95), `${hole} ms`).toBeLessThanOrEqual(5000)
      }
    },
  )
})
