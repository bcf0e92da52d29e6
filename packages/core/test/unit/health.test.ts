import { describe, expect, test } from 'vitest'
import type { Options } from '../../src/options.js'
import { PushStream } from '../../src/push-stream.js'
import type { ModeName } from '../../src/types.js'
import { type ModuleOptions, SimulatedModule } from '../support/simulated-module.js'

// How soon a client notices that a connection which looks open brings nothing. The options are the defaults, the server is
// the module with the faults that were measured on it.

const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** A client of channels that is open, and what came of each text. */
async function follow(modes: readonly ModeName[], channels: readonly string[], options: Options & ModuleOptions = {}) {
  const { pings, longPollTtl, ...rest } = options
  const server = new SimulatedModule({ ...(pings && { pings }), ...(longPollTtl && { longPollTtl }) })
  for (const channel of channels) server.publish(channel, `${channel} before`)
  const stream = new PushStream({ url: 'http://h', modes, environment: server.environment, ...rest })
  const cameAt = new Map<string, number>()
  const told: string[] = []
  stream.on('message', ({ text }) => {
    if (cameAt.has(text)) told.push(`${text} again`)
    cameAt.set(text, server.clock.now())
  })
  stream.on('gap', ({ channel }) => told.push(`gap in ${channel}`))
  stream.on('error', ({ code }) => told.push(code))
  for (const channel of channels) stream.addChannel(channel)
  stream.connect()
  while (stream.status.state !== 'open' && server.requests.length < 10) await server.advance(50, 50)
  /** How late a message is, in ms, `undefined` if it does not come within `patience`. */
  const late = async (channel: string, text: string, { patience = 60_000, live = true } = {}) => {
    const sentAt = server.clock.now()
    server.publish(channel, text, { live })
    while (!cameAt.has(text) && server.clock.now() - sentAt < patience) await server.advance(100, 50)
    return cameAt.has(text) ? (cameAt.get(text) as number) - sentAt : undefined
  }
  return { server, stream, late, told, cameAt }
}

const soon = 5000

describe.each(allModes)('%s', (mode) => {
  test('the network is well → every message comes at once', async () => {
    const { late, stream, told } = await follow([mode], ['a', 'b'])
    for (const text of ['1', '2', '3']) expect(await late('a', text)).toBeLessThan(200)
    expect(await late('b', '4')).toBeLessThan(200)
    expect(told).toEqual([])
    stream.close()
  })

  test('a message, and a reload whose old workers take the next request in → the next message comes within 5 s', async () => {
    const { late, server, stream } = await follow([mode], ['a'])
    await server.advance(10_000)
    // It answers a long-poll, so that the next one leaves at once.
    server.publish('a', 'at the reload')
    server.reload()
    await server.advance(1000)
    expect(await late('a', 'after the reload')).toBeLessThanOrEqual(soon)
    stream.close()
  })

  test('workers deaf after a reload → each message on the newest of two channels comes within 5 s', async () => {
    const { late, server, stream } = await follow([mode], ['a', 'b'])
    expect(await late('b', 'older')).toBeLessThan(200)
    expect(await late('a', 'newest')).toBeLessThan(200)
    server.reload({ deaf: true })
    await server.advance(1000)
    const found: (number | undefined)[] = []
    for (const text of ['one', 'two', 'three']) {
      found.push(await late('a', text))
      await server.advance(6000)
    }
    expect(found.filter((ms) => ms === undefined || ms > soon)).toEqual([])
    stream.close()
  })

  test('a message that nobody was told of, then another channel’s and a ping → it comes within the pingtimeout', async () => {
    const { late, server, stream } = await follow([mode], ['a', 'b'])
    await server.advance(60_000)
    const missed = late('a', 'missed', { live: false, patience: 40_000 })
    server.publish('b', 'live')
    expect(await missed).toBeLessThanOrEqual(35_000)
    stream.close()
  })

  test.each([
    ['every kept connection with it', 1],
    ['new requests get through', 0],
  ])('a link that is half open under two messages a second, %s → noticed within 5 s', async (_, deadKept) => {
    const { cameAt, server, stream, told } = await follow([mode], ['a'])
    let published = 0
    const flow = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 500) {
        server.publish('a', String(++published))
        await server.advance(500)
      }
    }
    await flow(30_000)
    expect(cameAt.size).toBe(published)
    server.forget(deadKept)
    await flow(soon)
    // Time for another connection, once it is noticed.
    await flow(1000)
    expect(cameAt.size).toBe(published)
    expect(told.filter((what) => what !== 'silent')).toEqual([])
    stream.close()
  })

  test.each([500, 1500, 3000, 3200, 4500, 4700, 5500].flatMap((ms) => [0, 1].map((kept) => [ms, kept] as const)))(
    'a black hole of %i ms under 20 messages a second leaves %i dead kept connections → all come within 5 s after it',
    async (ms, deadKept) => {
      const { cameAt, server, stream } = await follow([mode], ['a'])
      const published: string[] = []
      const flow = async (during: number) => {
        for (let passed = 0; passed < during; passed += 50) {
          server.publish('a', String(published.push(String(published.length + 1))))
          await server.advance(50)
        }
      }
      await flow(6000)
      // Quiet enough for a check.
      await server.advance(2000, 50)
      await flow(5000)
      server.blackHole(true)
      await flow(ms)
      server.blackHole(false, deadKept)
      const until = [...published]
      await flow(soon)
      expect(until.filter((text) => !cameAt.has(text))).toEqual([])
      stream.close()
    },
  )

  test('nothing happens → at most five requests in the first minute, then one each pingtimeout', async () => {
    const { server, stream, told } = await follow([mode], ['a', 'b'])
    // A long-poll that is answered because its time is up is asked again anyway.
    const asked = () =>
      server.requests.filter((request) => request.mode !== 'longpolling' || mode !== 'longpolling').length
    const opened = asked()
    await server.advance(58_000)
    expect(asked() - opened).toBeLessThanOrEqual(5)
    const minute = asked()
    await server.advance(150_000)
    expect(asked() - minute).toBeLessThanOrEqual(5)
    expect(told).toEqual([])
    stream.close()
  })
})

test('a message falls between backlog and subscription, another channel’s comes, then a ping → the check finds it', async () => {
  const { cameAt, server, stream } = await follow(['eventsource'], ['a', 'b'], { pings: 500 })
  server.publish('a', 'missed', { live: false })
  await server.advance(1200, 50)
  server.publish('b', 'a second later')
  await server.advance(soon)
  expect([...cameAt.keys()].sort()).toEqual(['a second later', 'missed'])
  stream.close()
})

test.each(['eventsource', 'stream'] as const)(
  '%s: a message, a check of another channel, a punctual ping 30 s after the message → the connection is not declared dead',
  async (mode) => {
    const { server, stream, told } = await follow([mode], ['b', 'a'], { pings: 30_000 })
    await server.advance(700, 50)
    server.publish('a', 'x')
    await server.advance(120_000)
    expect(told).toEqual([])
    expect(stream.stats.reconnects).toBe(0)
    stream.close()
  },
)

test.each([[['websocket']], [['websocket', 'eventsource']]] as const)(
  '%j: the network forgets an idle websocket and kept connections → noticed soon after the pingtimeout',
  async (modes) => {
    const { late, server, stream } = await follow(modes, ['a'])
    await server.advance(120_000)
    server.forget(2)
    expect(await late('a', 'x', { patience: 90_000 })).toBeLessThanOrEqual(35_000)
    stream.close()
  },
)

test('a channel whose message came lately is removed next to a silent one → no error that nothing is stored', async () => {
  const { server, stream, told } = await follow(['eventsource'], ['b'])
  stream.addChannel('a')
  await server.advance(500)
  server.publish('b', 'x')
  await server.advance(100)
  stream.removeChannel('b')
  await server.advance(3000)
  expect(told).toEqual([])
  stream.close()
})
