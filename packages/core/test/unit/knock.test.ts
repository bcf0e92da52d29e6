import { createManualClock } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'

/** What a server does with a request, and after how many ms. `undefined`: it lets it hang. */
type Answer = { after: number; response: () => Response } | undefined

const said = (status: number, after: number): Answer => ({ after, response: () => new Response('', { status }) })
const brought = (text: string): Answer => ({
  after: 0,
  response: () => new Response(text, { headers: { 'Last-Modified': 'Fri, 20 Nov 2026 23:47:54 GMT', Etag: '0' } }),
})

/** A client of one channel that long-polls Nchan: OPTIONS is answered at once, its polls in this order. */
async function follow(...polls: Answer[]) {
  const clock = createManualClock(1_795_248_204_000)
  const fetching = (_url: string, { method, signal }: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
      const answer = method === 'OPTIONS' ? said(200, 0) : polls.shift()
      if (answer !== undefined) clock.setTimeout(() => resolve(answer.response()), answer.after)
    })
  const told: string[] = []
  const stream = new PushStream({
    url: 'http://h',
    modes: ['longpolling'],
    protocol: nchan(),
    environment: {
      now: () => clock.now(),
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
      clearTimeout: (timer) => clock.clearTimeout(timer as number),
      random: () => 0.5,
      fetch: fetching as unknown as typeof fetch,
      page: undefined,
      memory: undefined,
      location: undefined,
    },
  })
  stream.on('status', ({ state }) => {
    if (told.at(-1) !== state) told.push(state)
  })
  stream.on('gap', ({ reason }) => told.push(`gap: ${reason}`))
  stream.on('message', ({ text }) => told.push(text))
  stream.on('error', ({ code }) => told.push(code))
  stream.addChannel('a').connect()
  await clock.advance(1000)
  stream.close()
  return told
}

test('a poll that hangs, where the server answers OPTIONS → open', async () => {
  expect(await follow(undefined)).toEqual(['connecting', 'open', 'closed'])
})

test('OPTIONS is answered first, then the poll is refused for good → never open', async () => {
  expect(await follow(said(403, 50))).toEqual(['connecting', 'closed', 'forbidden'])
})

test('OPTIONS is answered first, then the poll with 503 → not open before the next one, and no gap', async () => {
  expect(await follow(said(503, 50), brought('first'))).toEqual([
    'connecting',
    'http',
    'waiting',
    'connecting',
    'open',
    'first',
    'closed',
  ])
})
