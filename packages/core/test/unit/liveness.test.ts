import { createManualClock } from '@pushstream/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { Liveness } from '../../src/connection/liveness.js'
import type { Environment } from '../../src/types.js'

const pingtimeout = 30_000
let clock: ReturnType<typeof createManualClock>
let log: [string, number][]
let liveness: Liveness

beforeEach(() => {
  clock = createManualClock(1_000_000)
  log = []
  const note = (what: string) => () => void log.push([what, clock.now() - 1_000_000])
  liveness = new Liveness(clock as unknown as Environment, pingtimeout, { idle: note('idle'), dead: note('dead') })
})

const message = () => liveness.life()
const ping = () => {
  liveness.life()
  liveness.ping()
}
const after = async (ms: number, sign: () => void) => {
  await clock.advance(ms)
  sign()
}

describe('liveness', () => {
  test('no ping is visible: idle after the pingtimeout', async () => {
    await clock.advance(29_999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual([['idle', 30_000]])
  })

  test('every sign of life begins the silence anew', async () => {
    for (let i = 0; i < 5; i++) await after(29_000, message)
    await clock.advance(29_999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual([['idle', 5 * 29_000 + 30_000]])
  })

  test.each([1000, 5000, 20_000])('pings every %d ms: dead after 2.5 times that', async (rhythm) => {
    for (let i = 0; i < 4; i++) await after(rhythm, ping)
    await clock.advance(2.5 * rhythm - 1)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual([['dead', 6.5 * rhythm]])
  })

  test('where the server says what silence is death, it is that, with pings or without', async () => {
    liveness.stop()
    const note = (what: string) => () => void log.push([what, clock.now() - 1_000_000])
    const events = { idle: note('idle'), dead: note('dead') }
    liveness = new Liveness(clock as unknown as Environment, pingtimeout, events, 45_000)
    await after(44_999, message)
    for (let i = 0; i < 4; i++) await after(20_000, ping)
    await clock.advance(44_999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log).toEqual([['dead', 44_999 + 80_000 + 45_000]])
  })

  test('messages between pings do not shorten the rhythm that is learned', async () => {
    for (let i = 0; i < 3; i++) await after(10_000, ping)
    for (let i = 0; i < 50; i++) await after(100, message)
    await after(10_000, ping)
    await clock.advance(24_999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log.map(([what]) => what)).toEqual(['dead'])
  })

  test('the longest of the last three rhythms counts: a server that is reconfigured is learned anew', async () => {
    for (let i = 0; i < 3; i++) await after(2000, ping)
    await after(4900, ping)
    await clock.advance(2.5 * 4900 - 1)
    expect(log).toEqual([])
    ping()
    log.length = 0
    for (let i = 0; i < 4; i++) await after(1000, ping)
    await clock.advance(2501)
    expect(log.map(([what]) => what)).toEqual(['dead'])
  })

  test('pings that come together are no rhythm', async () => {
    await after(10, ping)
    await after(10, ping)
    await clock.advance(29_999)
    expect(log).toEqual([])
    await clock.advance(1)
    expect(log.map(([what]) => what)).toEqual(['idle'])
  })

  test('checked: well again for as long', async () => {
    await clock.advance(30_000)
    liveness.checked()
    await clock.advance(29_999)
    expect(log).toHaveLength(1)
    await clock.advance(1)
    expect(log).toEqual([
      ['idle', 30_000],
      ['idle', 60_000],
    ])
  })

  test.each([
    ['stop', () => liveness.stop()],
    [
      'stop, and then signs of life',
      () => {
        liveness.stop()
        ping()
        liveness.checked()
      },
    ],
  ])('after %s there is no timer', async (_, act) => {
    await after(5000, ping)
    await after(5000, act)
    expect(clock.pending).toBe(0)
    await clock.advance(100_000)
    expect(log).toEqual([])
  })

  test('there is never more than one timer', async () => {
    for (let i = 0; i < 20; i++) {
      await after(700, i % 3 === 0 ? ping : message)
      expect(clock.pending).toBeLessThanOrEqual(1)
    }
  })
})
