import { createManualClock, type ManualClock } from '@pushstream/testkit'
import { beforeEach, expect, test } from 'vitest'
import { createPollScheduler } from '../../src/protocols/poll-scheduler.js'
import type { PollScheduler, Slot } from '../../src/protocols/protocol.js'
import type { Environment } from '../../src/types.js'

let clock: ManualClock
let slots: PollScheduler
let limit: number

beforeEach(() => {
  clock = createManualClock(1_000_000)
  limit = 2
  slots = createPollScheduler({ ...(clock as unknown as Environment), connections: () => limit }, 'http://h')
})

/** Takes a slot, and notes when it has it. */
function take(): { slot: Slot | undefined } {
  const taken: { slot: Slot | undefined } = { slot: undefined }
  void slots.take().then((slot) => {
    taken.slot = slot
  })
  return taken
}

test('as many at once as the limit allows', async () => {
  const all = [take(), take(), take()]
  await clock.advance(0)
  expect(all.map(({ slot }) => slot !== undefined)).toEqual([true, true, false])
  all[1]?.slot?.release()
  await clock.advance(0)
  expect(all[2]?.slot).toBeDefined()
})

test('a poll may hang for ever while nobody waits', async () => {
  const one = take()
  await clock.advance(60_000)
  expect(one.slot?.until.aborted).toBe(false)
})

test('who waits makes those that hang give way, the longest first, and not before half a second', async () => {
  const first = take()
  await clock.advance(100)
  const second = take()
  await clock.advance(100)
  const third = take()
  await clock.advance(299)
  expect([first, second].map(({ slot }) => slot?.until.aborted)).toEqual([false, false])
  await clock.advance(1)
  expect([first, second].map(({ slot }) => slot?.until.aborted)).toEqual([true, false])
  first.slot?.release()
  await clock.advance(0)
  expect(third.slot).toBeDefined()
})

test('one that hung for long gives way at once', async () => {
  const first = take()
  const second = take()
  await clock.advance(60_000)
  const third = take()
  expect([first, second].map(({ slot }) => slot?.until.aborted)).toEqual([true, false])
  first.slot?.release()
  await clock.advance(0)
  expect(third.slot).toBeDefined()
})

test('in turn: ten polls that all hang share two connections', async () => {
  const turns: number[] = Array.from({ length: 10 }, () => 0)
  const run = async (index: number): Promise<never> => {
    for (;;) {
      const slot = await slots.take()
      turns[index] = (turns[index] ?? 0) + 1
      await new Promise<void>((resolve) => slot.until.addEventListener('abort', () => resolve()))
      slot.release()
    }
  }
  for (const index of turns.keys()) void run(index)
  await clock.advance(10_000)
  expect(Math.min(...turns)).toBeGreaterThanOrEqual(3)
  expect(Math.max(...turns)).toBeLessThanOrEqual(5)
})

test('who gives way is behind those that wait', async () => {
  limit = 1
  const first = take()
  await clock.advance(0)
  const second = take()
  first.slot?.release()
  const third = take()
  await clock.advance(0)
  expect([second, third].map(({ slot }) => slot !== undefined)).toEqual([true, false])
})

test('releasing twice releases once', async () => {
  const first = take()
  await clock.advance(0)
  first.slot?.release()
  first.slot?.release()
  const more = [take(), take(), take()]
  await clock.advance(0)
  expect(more.filter(({ slot }) => slot !== undefined)).toHaveLength(2)
})

test('one answer after the other: it goes on for its turn, then for its place in the line', async () => {
  limit = 1
  const first = take()
  await clock.advance(0)
  const second = take()
  let polls = 0
  for (; first.slot?.again(); polls++) await clock.advance(100)
  expect(polls).toBe(20)
  expect(first.slot?.until.aborted).toBe(false)
  first.slot?.release()
  await clock.advance(0)
  expect(second.slot).toBeDefined()
})

test('while nobody waits it goes on', async () => {
  const first = take()
  await clock.advance(10_000)
  for (let polls = 0; polls < 100; polls++) {
    expect(first.slot?.again()).toBe(true)
    await clock.advance(1000)
  }
})

test('a poll has the time that answers take on this way', async () => {
  limit = 1
  slots.answered(5000)
  slots.answered(700)
  const first = take()
  await clock.advance(0)
  take()
  await clock.advance(2099)
  expect(first.slot?.until.aborted).toBe(false)
  await clock.advance(1)
  expect(first.slot?.until.aborted).toBe(true)
})

test('answers that hung for long say nothing of the way: nobody keeps a connection for long because of them', async () => {
  limit = 1
  for (let n = 0; n < 8; n++) slots.answered(25_000)
  const first = take()
  await clock.advance(0)
  take()
  await clock.advance(5000)
  expect(first.slot?.until.aborted).toBe(true)
})

test('where nothing is answered any more, one in twenty has long', async () => {
  limit = 1
  const times: number[] = []
  const run = async (): Promise<never> => {
    for (;;) {
      const slot = await slots.take()
      const began = clock.now()
      await new Promise<void>((resolve) => slot.until.addEventListener('abort', () => resolve()))
      times.push(clock.now() - began)
      slot.release()
    }
  }
  void run()
  void run()
  await clock.advance(40_000)
  expect(times.indexOf(5000)).toBe(20)
  expect(times.lastIndexOf(5000)).toBe(40)
})
