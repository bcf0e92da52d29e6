import { PublisherError } from '@pushstream/publisher'
import { describe, expect, test } from 'vitest'
import { missingNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { cleanup, type Ledger, makePublisher, startAccounted, startServer } from './support.js'

// Many callers lose patience, at any time: before, while a message waits, while it is on its way. What the server took is
// compared with what they were told.

/** Repeatable chance. */
function chance(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

async function impatience(url: string, ledger: Ledger, keepAlive: boolean): Promise<void> {
  const random = chance(keepAlive ? 7 : 8)
  const publisher = makePublisher({
    url,
    concurrency: 6,
    keepAlive,
    fetch: (input, init) => {
      const text = decodeURIComponent(new TextDecoder().decode(init?.body as Uint8Array))
      const { channel, n } = JSON.parse(text) as { channel: string; n: number }
      const headers = new Headers(init?.headers)
      headers.set('X-Number', String(n))
      headers.set('X-Channel', channel)
      return fetch(input, { ...init, headers })
    },
  })
  const told = await Promise.all(
    Array.from({ length: 1500 }, async (_, n) => {
      const channel = `channel-${n % 12}`
      const kind = random()
      const signal =
        kind < 0.1 ? AbortSignal.abort() : kind < 0.6 ? AbortSignal.timeout(Math.floor(random() * 1500)) : undefined
      try {
        await publisher.publish(channel, { channel, n }, { signal })
        return 'published'
      } catch (error) {
        if (!(error instanceof PublisherError) || error.code !== 'aborted') throw error
        return error.outcome
      }
    }),
  )
  const all = (outcome: string) => told.flatMap((one, n) => (one === outcome ? [n] : []))
  const read = () => ledger.taken().map(({ n }) => n)
  // nginx writes down what it took after it has answered.
  await expect.poll(() => all('published').filter((n) => !read().includes(n)), { interval: 300 }).toEqual([])
  const numbers = read()
  expect(new Set(numbers).size, 'doubled').toBe(numbers.length)
  expect(all('no').filter((n) => numbers.includes(n))).toEqual([])
  for (let c = 0; c < 12; c++) {
    // What was given up on its way may have been overtaken by what was sent after that.
    const on = numbers.filter((n) => n % 12 === c && told[n] === 'published')
    expect(on, `channel-${c}`).toEqual(on.toSorted((a, b) => a - b))
  }
  expect(all('published').length).toBeGreaterThan(500)
  expect(all('no').length).toBeGreaterThan(100)
  expect(publisher.pending).toBe(0)
}

test.each([true, false])('the development server, connections kept: %s', async (keepAlive) => {
  const { server, url } = await startServer({ settings: { maxMessagesStoredPerChannel: 5000 } })
  const taken: { channel: string; n: number }[] = []
  const { store } = server
  const publish = store.publish.bind(store)
  store.publish = (channel, text, ...rest) => {
    taken.push(JSON.parse(decodeURIComponent(text.toString())))
    return publish(channel, text, ...rest)
  }
  await impatience(url, { taken: () => taken }, keepAlive)
})

describe.skipIf(lacking(missingNginx('push-stream')) !== undefined)('the module in a live nginx', () => {
  test.each([true, false])('two workers, connections kept: %s', async (keepAlive) => {
    const { nginx, ledger } = await startAccounted('push-stream', { workers: 2 })
    cleanup(() => expect(nginx.crashes).toEqual([]))
    await impatience(nginx.url, ledger, keepAlive)
  })
})
