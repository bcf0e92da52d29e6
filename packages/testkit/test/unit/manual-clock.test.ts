import { describe, expect, test } from 'vitest'
import { createManualClock } from '../../src/index.js'

describe('manual clock', () => {
  test('stands still until moved', async () => {
    const clock = createManualClock(1000)
    let ran = 0
    clock.setTimeout(() => ran++, 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([clock.now(), ran, clock.pending]).toEqual([1000, 0, 1])
    await clock.advance(0)
    expect([clock.now(), ran, clock.pending]).toEqual([1000, 1, 0])
  })

  test('runs in order of time, then of making, each at its own moment', async () => {
    const clock = createManualClock()
    const log: [string, number][] = []
    const note = (name: string) => () => void log.push([name, clock.now()])
    clock.setTimeout(note('late'), 30)
    clock.setTimeout(note('first'), 10)
    clock.setTimeout(note('second'), 10)
    clock.setTimeout(note('not yet'), 31)
    await clock.advance(30)
    expect(log).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 30],
    ])
    expect(clock.now()).toBe(30)
    expect(clock.pending).toBe(1)
  })

  test('runs timers set on the way, also after awaits', async () => {
    const clock = createManualClock()
    const times: number[] = []
    const loop = async () => {
      for (let i = 0; i < 3; i++) {
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 100))
        await Promise.resolve()
        times.push(clock.now())
      }
    }
    const done = loop()
    await clock.advance(300)
    await done
    expect(times).toEqual([100, 200, 300])
  })

  test('a timer cleared by an earlier one does not run', async () => {
    const clock = createManualClock()
    let ran = false
    const id = clock.setTimeout(() => {
      ran = true
    }, 10)
    clock.setTimeout(() => clock.clearTimeout(id), 5)
    expect(typeof id).toBe('number')
    expect(id).not.toBe(0)
    await clock.advance(20)
    expect(ran).toBe(false)
    clock.clearTimeout(id)
    clock.clearTimeout(12345)
  })

  test('a throwing timer rejects, and the clock goes on afterwards', async () => {
    const clock = createManualClock()
    clock.setTimeout(() => {
      throw new Error('mine')
    }, 10)
    await expect(clock.advance(20)).rejects.toThrow('mine')
    expect(clock.now()).toBe(10)
    await clock.advance(10)
    expect(clock.now()).toBe(20)
  })

  test('says so when time would go backwards or timers never end', async () => {
    const clock = createManualClock()
    await expect(clock.advance(-1)).rejects.toThrow(RangeError)
  })
})
