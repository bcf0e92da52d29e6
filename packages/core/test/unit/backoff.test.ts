import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff } from '../../src/session/backoff.js'
import { runs } from './support/runs.js'

const policy = { base: 1000, cap: 60_000 }

test.each([
  // failures, random, floor, ms
  [0, 0, 0, 0],
  [1, 0.5, 0, 500],
  [2, 0.5, 0, 1000],
  [6, 0.5, 0, 16_000],
  [7, 0.5, 0, 30_000],
  [5000, 0.5, 0, 30_000],
  [1, 0, 7000, 7000],
  [1, 0.5, 7000, 7500],
])('after %d failures, random %d, floor %d: %d ms', (failures, random, floor, ms) => {
  expect(backoff(policy, failures, random, floor)).toBe(ms)
})

test.each([
  // other servers, failures, ms at most
  [1, 0, 70],
  [1, 1, 70],
  [1, 2, 1000],
  [1, 3, 2000],
  [3, 3, 70],
  [3, 4, 1000],
  [3, 20, 60_000],
])('with %d other servers, after %d failures: at most %d ms', (others, failures, ms) => {
  expect(backoff({ ...policy, others }, failures, 0)).toBe(0)
  expect(backoff({ ...policy, others }, failures, 0.999999)).toBeCloseTo(ms, -1)
  // What the server asks for holds for every server.
  expect(backoff({ ...policy, others }, failures, 0, 7000)).toBe(7000)
})

test('after a connection that had worked, next to nothing', () => {
  expect(backoff(policy, 0, 0.999)).toBeGreaterThan(0)
  expect(backoff(policy, 0, 0.999)).toBeLessThan(200)
})

test('between the floor and the ceiling above it', () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(3_600_000),
      (failures, random, floor) => {
        const ms = backoff(policy, failures, random, floor)
        expect(ms).toBeGreaterThanOrEqual(floor)
        expect(ms).toBeLessThanOrEqual(floor + policy.cap)
      },
    ),
    runs(),
  )
})
