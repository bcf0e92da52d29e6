import { createManualClock, type ManualClock } from '@pushstream/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { createHeartbeat, type Heartbeat } from '../../src/session/heartbeat.js'

const start = 1_000_000
let clock: ManualClock
let heartbeat: Heartbeat

beforeEach(() => {
  clock = createManualClock(start)
  heartbeat = createHeartbeat(clock, 30_000)
})

const message = () => heartbeat.beat()
const ping = () => {
  heartbeat.beat()
  heartbeat.ping()
}
const check = () => heartbeat.check()
const after = async (ms: number, sign: () => void) => {
  await clock.advance(ms)
  sign()
}
const wellAt = ({ last, checked }: Heartbeat) => Math.max(last, checked)
const passed = () => [heartbeat.last - start, wellAt(heartbeat) - start]
const deadAfter = ({ deadAt, last }: Heartbeat) => deadAt - last

describe('last and well', () => {
  test('nothing came → both begin with the connection', () => {
    expect(passed()).toEqual([0, 0])
  })

  test('a sign of life → both are now', async () => {
    await after(700, message)
    expect(passed()).toEqual([700, 700])
  })

  test('a check → well is now, nothing came', async () => {
    await after(700, message)
    await after(30_000, check)
    expect(passed()).toEqual([700, 30_700])
    await after(1000, ping)
    expect(passed()).toEqual([31_700, 31_700])
  })
})

describe('pings', () => {
  test('none came → no silence means death', async () => {
    for (let i = 0; i < 10; i++) await after(1000, message)
    expect(deadAfter(heartbeat)).toBe(Number.POSITIVE_INFINITY)
  })

  test.each([1000, 5000, 20_000])('every %d ms → dead after 2.5 times that', async (interval) => {
    message()
    for (let i = 0; i < 4; i++) {
      await after(interval, ping)
      expect(deadAfter(heartbeat)).toBe(2.5 * interval)
    }
  })

  test('the greeting comes late → the first interval begins with it', async () => {
    await after(4000, message)
    await after(10_000, ping)
    expect(deadAfter(heartbeat)).toBe(25_000)
  })

  test('messages between pings → the interval that is known stays', async () => {
    message()
    for (let i = 0; i < 3; i++) await after(10_000, ping)
    for (let i = 0; i < 50; i++) await after(100, message)
    await after(10_000, ping)
    expect(deadAfter(heartbeat)).toBe(25_000)
  })

  test('the longest of the last three intervals counts: a server that is reconfigured is learned anew', async () => {
    message()
    for (let i = 0; i < 3; i++) await after(2000, ping)
    await after(4900, ping)
    expect(deadAfter(heartbeat)).toBe(2.5 * 4900)
    for (let i = 0; i < 3; i++) await after(1000, ping)
    expect(deadAfter(heartbeat)).toBe(2500)
  })

  test('pings that come together → no interval', async () => {
    message()
    await after(10, ping)
    await after(10, ping)
    ping()
    expect(deadAfter(heartbeat)).toBe(Number.POSITIVE_INFINITY)
  })

  test('a message and a ping in one piece → the interval since the ping before', async () => {
    message()
    await after(10_000, ping)
    await clock.advance(10_000)
    heartbeat.beat()
    heartbeat.ping()
    heartbeat.ping()
    expect(deadAfter(heartbeat)).toBe(25_000)
  })

  test('no ping in between, but stored messages after the greeting → the interval since the greeting', async () => {
    message()
    await after(50, message)
    await after(10_000, ping)
    expect(deadAfter(heartbeat)).toBe(2.5 * 10_050)
  })

  // nginx-push-stream-module restarts its ping timer with each message, not with the notice that a channel was deleted,
  // and a long message ends when the network has brought it. Other servers do not restart theirs at all.
  test('something comes just before a ping → the interval is not shorter for that', async () => {
    message()
    await after(29_300, message)
    await after(700, ping)
    expect(deadAfter(heartbeat)).toBe(Number.POSITIVE_INFINITY)
    await after(30_000, ping)
    await after(29_300, message)
    await after(700, ping)
    expect(deadAfter(heartbeat)).toBe(75_000)
  })

  test('a check is no part of the rhythm: message, check, punctual ping → no interval', async () => {
    message()
    await after(700, message)
    await after(29_300, check)
    await after(700, ping)
    expect(deadAfter(heartbeat)).toBe(Number.POSITIVE_INFINITY)
    await after(29_300, check)
    await after(700, ping)
    expect(deadAfter(heartbeat)).toBe(75_000)
  })
})

test('the first sign of life takes 8 s, as the server is slow → no part of the rhythm', async () => {
  await after(8000, message)
  for (let n = 0; n < 5; n++) await after(1000, message)
  expect(heartbeat.usual()).toBe(1000)
})

describe('the usual silence', () => {
  // The connection opens.
  beforeEach(message)

  test('fewer than three intervals → unknown', async () => {
    for (let i = 0; i < 2; i++) await after(1000, message)
    expect(heartbeat.usual()).toBeUndefined()
    await after(1000, message)
    expect(heartbeat.usual()).toBe(1000)
  })

  test('the longest of the last eight', async () => {
    await after(9000, message)
    for (let i = 0; i < 7; i++) await after(1000, message)
    expect(heartbeat.usual()).toBe(9000)
    await after(1000, message)
    expect(heartbeat.usual()).toBe(1000)
  })

  test('signs of life closer together than half a second → one, and the silence is counted from the first of them', async () => {
    for (let i = 0; i < 3; i++) {
      await after(2000, message)
      await after(100, message)
      await after(100, message)
    }
    expect(heartbeat.rhythm.intervals).toEqual([2000, 2200, 2200])
  })

  test('a steady flow, closer together than half a second → its silence is known all the same', async () => {
    for (let i = 0; i < 20; i++) await after(200, message)
    expect(heartbeat.usual()).toBe(600)
  })

  test('pings count like messages', async () => {
    for (let i = 0; i < 3; i++) await after(5000, i % 2 === 0 ? ping : message)
    expect(heartbeat.usual()).toBe(5000)
  })

  test('well after a longer silence → that silence is usual from now on, until something comes', async () => {
    for (let i = 0; i < 3; i++) await after(1000, message)
    await after(20_000, check)
    expect(heartbeat.usual()).toBe(20_000)
    await after(1000, message)
    expect(heartbeat.usual()).toBe(21_000)
  })

  test('a check is no interval', async () => {
    for (let i = 0; i < 3; i++) await after(10_000, message)
    for (let i = 0; i < 8; i++) await after(1000, check)
    expect(heartbeat.usual()).toBe(10_000)
    await after(2000, message)
    expect(heartbeat.rhythm.intervals).toEqual([10_000, 10_000, 10_000, 10_000])
  })
})

describe('silence calls for a check', () => {
  const unusualIn = (takesTurns = false) => heartbeat.unusualAt(takesTurns) - clock.now()

  test('no rhythm is known → after the longest silence, counted from the last check', async () => {
    expect(unusualIn()).toBe(30_000)
    await after(1000, check)
    expect(unusualIn()).toBe(30_000)
  })

  test.each([
    [500, 3000],
    [2000, 6000],
    [20_000, 30_000],
  ])('something came every %d ms → after %d ms', async (interval, ms) => {
    for (let i = 0; i < 4; i++) await after(interval, message)
    expect([unusualIn(), unusualIn(true)]).toEqual([ms, 30_000])
  })

  test('only pings show a rhythm → never, as they say when the connection is dead', async () => {
    message()
    await after(1000, ping)
    expect(unusualIn()).toBe(Number.POSITIVE_INFINITY)
  })

  test('the server has keep-alives → never, and their silence means death whatever came', async () => {
    heartbeat = createHeartbeat(clock, 30_000, 25_000)
    for (let i = 0; i < 4; i++) await after(1000, ping)
    expect([unusualIn(), deadAfter(heartbeat)]).toEqual([Number.POSITIVE_INFINITY, 25_000])
  })
})

describe('a successor', () => {
  test('follows one of the same kind → it knows the rhythm', async () => {
    message()
    for (let i = 0; i < 3; i++) await after(5000, ping)
    const successor = createHeartbeat(clock, 30_000)
    expect([deadAfter(successor), successor.usual()]).toEqual([Number.POSITIVE_INFINITY, undefined])
    successor.follow(heartbeat)
    expect([deadAfter(successor), successor.usual()]).toEqual([12_500, 5000])
    expect([successor.last, wellAt(successor)]).toEqual([clock.now(), clock.now()])
  })

  test('learns on its own → the one before it keeps what it knows', async () => {
    message()
    for (let i = 0; i < 3; i++) await after(5000, ping)
    const successor = createHeartbeat(clock, 30_000)
    successor.follow(heartbeat)
    successor.beat()
    for (let i = 0; i < 3; i++) {
      await clock.advance(1000)
      successor.beat()
      successor.ping()
    }
    expect([deadAfter(successor), deadAfter(heartbeat)]).toEqual([2500, 12_500])
  })
})
