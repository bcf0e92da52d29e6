import { expect, test } from 'vitest'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'
import { SimulatedNchan } from '../support/simulated-nchan.js'

// After a reload, the client checks a chain of polls within one to two seconds, up to three times.

/** A chain whose server has just reloaded, and what came when. */
async function reloaded() {
  const server = new SimulatedNchan()
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
