import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { PushStream } from '../../src/push-stream.js'

// `Retry-After` is a floor under the back-off, in every mode that shows a page the headers of an answer.

const start = Date.UTC(2026, 10, 30, 12, 0, 0)
const hour = 3_600_000
/** The longest timer of a browser, in ms. A longer one is due at once. */
const longestTimer = 2 ** 31 - 1

const at = (ms: number) => new Date(start + ms).toUTCString()

/** When a client that is refused with this header asks again, in ms since the refusal. */
async function secondAttempt(mode: 'eventsource' | 'stream' | 'longpolling', value: string): Promise<number> {
  const clock = createManualClock(start)
  const server = createFakeFetch({ answer: (request) => request.respond(503, { 'Retry-After': value }) })
  const stream = new PushStream({
    url: 'http://h',
    modes: [mode],
    environment: manualEnvironment(clock, {
      fetch: server.fetch,
      setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms > longestTimer ? 1 : ms),
    }),
  })
  stream.addChannel('a').connect()
  // The client may also send OPTIONS, to learn whether a poll hangs.
  const attempts = () => server.requests.filter(({ method }) => method === 'GET').length
  while (attempts() < 2 && clock.now() - start < 2 * hour) await clock.advance(500)
  stream.close()
  expect(attempts()).toBe(2)
  return clock.now() - start
}

describe.each(['eventsource', 'stream', 'longpolling'] as const)('%s', (mode) => {
  test.each([
    ['a number of seconds', '30', 30_000],
    ['a date', at(30_000), 30_000],
    ['nothing', '', 0],
    ['no time at all', '0', 0],
    ['a negative number', '-5', 0],
    ['a date in the past', at(-hour), 0],
    ['no number and no date', 'tomorrow', 0],
    ['more than an hour', '86400', hour],
    ['thirty years', '1000000000', hour],
    ['a date in a thousand years', 'Fri, 31 Dec 9999 23:59:59 GMT', hour],
    ['more digits than a number takes', '9'.repeat(400), hour],
  ])('503, Retry-After is %s → asked again after it, and within the first back-off', async (_, value, floor) => {
    const waited = await secondAttempt(mode, value)
    expect(waited).toBeGreaterThanOrEqual(floor)
    expect(waited).toBeLessThanOrEqual(floor + 1000)
  })
})
