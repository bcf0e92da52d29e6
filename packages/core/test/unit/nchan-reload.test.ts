import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'

interface Stored {
  /** Seconds since 1970. */
  readonly time: number
  readonly text: string
}

/** Nchan as long-polls see it, each message in a second of its own. */
class Nchan {
  readonly clock = createManualClock(Date.UTC(2026, 10, 30, 12, 0, 0))
  readonly stored: Stored[] = []
  /** Polls that wait for a message. */
  waiting: { request: FakeRequest; deaf: boolean }[] = []
  /** Polls that begin now are held by a worker on its way out. */
  deaf = false
  /** How long it takes to tell the oldest message that is stored, in ms. */
  slow = 0
  readonly #server = createFakeFetch({ answer: (request) => this.#answer(request) })

  get environment() {
    return manualEnvironment(this.clock, { fetch: this.#server.fetch })
  }

  publish(text: string): void {
    this.stored.push({ time: Math.floor(this.clock.now() / 1000), text })
    const heard = this.waiting.filter(({ deaf }) => !deaf)
    this.waiting = this.waiting.filter(({ deaf }) => deaf)
    for (const { request } of heard) this.#tell(request, this.stored.at(-1) as Stored)
  }

  /** SIGHUP: what waits is answered with 410. */
  reload(): void {
    const ended = this.waiting
    this.waiting = []
    for (const { request } of ended) if (request.open) request.respond(410)
  }

  #answer(request: FakeRequest): void {
    if (request.method === 'OPTIONS') return request.respond(200)
    const id = request.query.get('last_event_id')
    const second = Number(id?.split(':')[0])
    const next = this.stored.find(({ time }) => time > second)
    if (next === undefined) this.waiting.push({ request, deaf: this.deaf })
    else if (id === '0:0') this.clock.setTimeout(() => this.#tell(request, next), this.slow)
    else this.#tell(request, next)
  }

  #tell(request: FakeRequest, { time, text }: Stored): void {
    if (!request.open) return
    const headers = { 'Last-Modified': new Date(time * 1000).toUTCString(), Etag: '0', 'Content-Type': 'text/plain' }
    request.respond(200, headers, text)
  }
}

// After a reload, the client checks a chain of polls within one to two seconds, up to three times.

/** A chain whose server has just reloaded, and what came when. */
async function reloaded() {
  const server = new Nchan()
  const { clock, environment } = server
  const stream = new PushStream({ url: 'http://h', modes: ['longpolling'], protocol: nchan(), environment })
  const cameAt = new Map<string, number>()
  stream.on('message', ({ text }) => cameAt.set(text, clock.now()))
  server.publish('one')
  stream.addChannel('a', { backtrack: 1 }).connect()
  await clock.advance(5000)
  server.reload()
  /** How late a message is, in ms. */
  const late = async (text: string) => {
    const sentAt = clock.now()
    server.publish(text)
    while (!cameAt.has(text) && clock.now() - sentAt < 60_000) await clock.advance(50)
    return (cameAt.get(text) as number) - sentAt
  }
  return { server, clock, stream, cameAt, late }
}

test('the first check after a reload reaches a worker on its way out, too → the second brings what was missed', async () => {
  const { server, clock, stream, late } = await reloaded()
  server.deaf = true
  await clock.advance(2500)
  server.deaf = false
  expect(await late('two')).toBeLessThan(2000)
  stream.close()
})

test('a chain looks at what is stored when it is to be checked after a reload → it is checked after that', async () => {
  const { server, clock, stream, cameAt, late } = await reloaded()
  // The client stays away for 150 ms. Its second poll brings a message, and an old worker holds the third.
  await clock.advance(160)
  server.slow = 2500
  server.deaf = true
  server.publish('two')
  await clock.advance(10)
  server.deaf = false
  await clock.advance(1000)
  server.slow = 0
  await clock.advance(1000)
  expect(cameAt.has('two')).toBe(false)
  expect(await late('three')).toBeLessThan(2000)
  expect([...cameAt.keys()]).toEqual(['one', 'two', 'three'])
  stream.close()
})
