import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventStream } from '@fanoutio/eventstream'
import { djangoEventStream, type Options } from '@pushstream/core'
import express from 'express'
import { describe, expect, test } from 'vitest'
import { cleanup, record, startProxy } from './support.js'

/** The server for Node, as an application has it: live, without a store and without numbers. */
async function startNode() {
  const events = new EventStream({})
  const app = express()
  app.get(
    '/events/',
    events.route((request) => new URL(request.url ?? '', 'http://h').searchParams.getAll('channel')),
  )
  app.get('/rooms/:room/', events.route('room-{room}'))
  const server = createServer(app)
  let open = 0
  server.on('request', (_, response) => {
    open++
    response.on('close', () => open--)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(
    () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    get open() {
      return open
    },
    publish: (channel: string, data: object, event = 'message') => events.publishEvent(channel, { event, data }),
  }
}

const client = (url: string, protocol = djangoEventStream(), options: Options = {}) =>
  record({ url, protocol, reconnectOnTimeoutInterval: 50, ...options })

describe('@fanoutio/eventstream', () => {
  test('each channel by its own connection: what comes is the right channel’s, once', async () => {
    const node = await startNode()
    const recording = client(node.url)
    recording.stream.addChannel('a').addChannel('b & c').connect()
    // Asked where it stands it says nothing: the second connection is for good.
    await recording.until(() => recording.stream.status.state === 'open' && recording.stream.stats.reconnects >= 1)
    await recording.until(() => node.open === 2)
    for (let n = 1; n <= 40; n++) await node.publish(n % 2 === 0 ? 'a' : 'b & c', { n, text: 'zażółć\nline' }, 'answer')
    await recording.until(() => recording.messages.length === 40)
    const seen = (channel: string) =>
      recording.messages.filter((message) => message.channel === channel).map(({ data }) => (data as { n: number }).n)
    expect(seen('a')).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + 2))
    expect(seen('b & c')).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + 1))
    expect(recording.messages[0]).toMatchObject({ type: 'answer', id: undefined, data: { text: 'zażółć\nline' } })
    expect(recording.stream.status).toMatchObject({ resume: 'none', gaps: 'none' })
    expect(recording.errors).toEqual([])
  })

  test('a cut: it connects again, and goes on with what comes then', async () => {
    const node = await startNode()
    const proxy = await startProxy(node.url)
    const recording = client(proxy.url, djangoEventStream({ probe: false }))
    recording.stream.addChannel('a').connect()
    await recording.until(() => node.open === 1 && recording.stream.status.state === 'open')
    await node.publish('a', { n: 1 })
    await recording.until(() => recording.messages.length === 1)
    proxy.cut()
    await recording.until(() => recording.stream.stats.reconnects === 1 && node.open === 1)
    await node.publish('a', { n: 2 })
    await recording.until(() => recording.messages.length === 2)
    expect(recording.messages.map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('a route with a name in it', async () => {
    const node = await startNode()
    const recording = client(node.url, djangoEventStream({ url: '/rooms/{channel}/', probe: false }))
    recording.stream.addChannel('lobby').connect()
    await recording.until(() => node.open === 1 && recording.stream.status.state === 'open')
    await node.publish('room-lobby', { text: 'hello' })
    await recording.until(() => recording.messages.length === 1)
    expect(recording.messages[0]).toMatchObject({ channel: 'lobby', data: { text: 'hello' } })
  })

  test('several on one connection can’t be told apart: they are dead letters, and say so', async () => {
    const node = await startNode()
    const recording = client(node.url, djangoEventStream({ together: true, probe: false }))
    const dead: string[] = []
    recording.stream.on('deadletter', ({ reason }) => dead.push(reason))
    recording.stream.addChannel('a').addChannel('b').connect()
    await recording.until(() => node.open === 1 && recording.stream.status.state === 'open')
    await node.publish('a', { n: 1 })
    await recording.until(() => dead.length === 1)
    expect(dead[0]).toMatch(/leave out 'together'/)
    expect(recording.messages).toEqual([])
  })

  test('a real 400 is final', async () => {
    const node = await startNode()
    const recording = client(node.url, djangoEventStream({ channels: 'route' }))
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.errors.some(({ channel }) => channel === 'a'))
    expect(recording.errors.at(-1)).toMatchObject({ code: 'bad-request', channel: 'a', status: 400 })
    expect(recording.stream.channels).toEqual([])
  })
})
