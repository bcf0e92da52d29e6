import { describe, expect, test } from 'vitest'
import { simulate } from '../support/herd.js'

// Many clients lose one server in the same ms. bench/herd.mjs prints the figures of 10,000; these are bounds.

const clients = 2000
const outages = [
  { downFor: 0, otherwise: 'refused' },
  { downFor: 2000, otherwise: 'refused' },
  { downFor: 10_000, otherwise: 'dropped' },
  { downFor: 60_000, otherwise: 'refused' },
  { downFor: 60_000, otherwise: 'dropped' },
] as const
const run = (policy: 'core' | 'every 3 s', outage: (typeof outages)[number]) =>
  simulate({ policy, clients, perSecond: clients / 5, seed: 1, ...outage })

/** What share of the clients is back within so many ms. */
const shareWithin = (back: readonly number[], ms: number) => back.filter((one) => one <= ms).length / clients

describe.each(outages)(
  '2,000 clients lose a server for $downFor ms, what it does not take is $otherwise',
  { timeout: 60_000 },
  (outage) => {
    // What is dropped waits for TCP as well.
    const soon = outage.otherwise === 'refused' ? 10_000 : 13_000

    test(`99 % are back within ${soon / 1000} s after its return, and never do many come in the same moment`, () => {
      const { back, densest, first } = run('core', outage)
      expect(shareWithin(back, soon)).toBeGreaterThanOrEqual(0.99)
      expect(back).toHaveLength(clients)
      // In 10 ms, although each may try three modes.
      expect(densest).toBeLessThan(clients / 2)
      // The loss itself is no reason to hesitate.
      expect(Math.max(...first)).toBeLessThan(200)
    })
  },
)

test('clients that come back every 3 s → all in the same moment, so the measure would show a herd', () => {
  const { back, densest } = run('every 3 s', { downFor: 2000, otherwise: 'refused' })
  expect(densest).toBe(clients)
  expect(shareWithin(back, 10_000)).toBeLessThan(0.5)
})
