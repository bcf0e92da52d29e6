import { expect, expectTypeOf, test } from 'vitest'
import { createManualClock, manualEnvironment } from '../../src/index.js'

test('without overrides → time is the clock’s, `random` is 0.5, and there is no page', async () => {
  const clock = createManualClock(1000)
  const { now, setTimeout, clearTimeout, ...rest } = manualEnvironment(clock)
  const ran: string[] = []
  setTimeout(() => ran.push('one'), 10)
  const other = setTimeout(() => ran.push('other'), 10)
  clearTimeout(other)
  await clock.advance(10)
  expect([now(), ran, clock.pending]).toEqual([1010, ['one'], 0])
  expect([rest.random(), rest.page, rest.memory, rest.location]).toEqual([0.5, undefined, undefined, undefined])
})

test('overrides → replace and add, `undefined` too', () => {
  const location = { hostname: 'h' }
  const made = manualEnvironment(createManualClock(), { random: () => 1, location, now: undefined, connections: 4 })
  expect(made).toMatchObject({ location, now: undefined, connections: 4 })
  expect(made.random()).toBe(1)
  expectTypeOf(made.location).toEqualTypeOf<{ hostname: string }>()
  expectTypeOf(made.page).toEqualTypeOf<undefined>()
})
