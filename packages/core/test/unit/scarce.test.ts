import { createManualClock, manualEnvironment } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'

/**
 * A page with ten channels, of which one has so many stored messages of a single second, on a server like Nchan: one message
 * an answer, at the end of a way that takes `latency` ms there and back. A browser makes six connections at once.
 */
function visit(latency: number, stored: number) {
  const clock = createManualClock(1_795_248_204_000)
  const all = new Map<string, { id: [number, number]; text: string }[]>()
  const hanging = new Set<() => void>()
  const publish = (channel: string, text: string, second = Math.floor(clock.now() / 1000)) => {
    const list = all.get(channel) ?? []
    const last = list.at(-1)
    list.push({ id: [second, last?.id[0] === second ? last.id[1] + 1 : 0], text })
    all.set(channel, list)
    for (const one of [...hanging]) one()
  }
  let open = 0
  const queue: (() => void)[] = []
  const fetching = (input: string, init: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      const url = new URL(input)
      const name = decodeURIComponent(url.pathname.slice(5))
      const asked = url.searchParams.get('last_event_id')
      const [second, tag] = (asked ?? '0:0').split(':').map(Number) as [number, number]
      let done = false
      let started = false
      const finish = () => {
        if (done) return
        done = true
        hanging.delete(look)
        if (started) {
          open--
          queue.shift()?.()
        }
      }
      const look = () => {
        if (done) return
        const next = (all.get(name) ?? []).find(({ id: [s, t] }) => s > second || (s === second && t > tag))
        if (next === undefined) return void hanging.add(look)
        hanging.delete(look)
        clock.setTimeout(() => {
          if (done) return
          finish()
          resolve(
            new Response(next.text, {
              headers: {
                'Last-Modified': new Date(next.id[0] * 1000).toUTCString(),
                Etag: String(next.id[1]),
                'Content-Type': 'text/plain',
              },
            }),
          )
        }, latency / 2)
      }
      const start = () => {
        if (done) return queue.shift()?.()
        started = true
        open++
        if (init.method === 'OPTIONS') {
          clock.setTimeout(() => {
            finish()
            resolve(new Response('', { headers: { Allow: 'GET' } }))
          }, latency)
          return
        }
        clock.setTimeout(look, latency / 2)
      }
      init.signal?.addEventListener('abort', () => {
        if (done) return
        finish()
        reject(init.signal?.reason)
      })
      if (open < 6) start()
      else queue.push(start)
    })
  const gaps: unknown[] = []
  const stream = new PushStream({
    url: 'http://h',
    modes: ['longpolling'],
    protocol: nchan(),
    environment: manualEnvironment(clock, {
      fetch: fetching as unknown as typeof fetch,
      connections: () => 4,
    }),
  })
  const got: string[] = []
  stream.on('message', ({ text }) => got.push(text))
  stream.on('gap', (gap) => gaps.push(gap))
  for (let n = 0; n < stored; n++) publish('c3', `m${n}`, 1_795_248_190)
  for (let n = 0; n < 10; n++) stream.addChannel(`c${n}`)
  stream.connect()
  return { clock, stream, got, gaps, publish }
}

describe.each([5, 50, 150, 300, 600, 900])('a way of %i ms', (latency) => {
  test.each([4, 20, 40])('%i messages of one second, then one that is published now', async (stored) => {
    const { clock, stream, got, gaps, publish } = visit(latency, stored)
    await clock.advance(3000)
    publish('c3', 'now')
    // One message an answer and a turn for everybody: a bound that only says that it goes on.
    for (let seconds = 0; seconds < 90 && !got.includes('now'); seconds++) await clock.advance(1000)
    expect(got).toEqual([...Array.from({ length: stored }, (_, n) => `m${n}`), 'now'])
    expect(gaps).toEqual([])
    expect(stream.stats.duplicates).toBe(0)
    stream.close()
    await clock.advance(10_000)
    expect(clock.pending).toBe(0)
  })
})
