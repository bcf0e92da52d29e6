import {
  messages,
  nativeWebSocket,
  type PushStream,
  messageTemplate as readTemplate,
  registerWithSchema,
  sendMessage,
} from '@pushstream/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { record, startProxy, startServer } from './support.js'

const publisher = { websocketAllowPublish: true }

describe('events', () => {
  test('on, once and off; a throwing listener is reported and disturbs nobody', async () => {
    const { server, url } = await startServer()
    const { stream, until, messages, errors } = record({ url })
    const heard: string[] = []
    const second = () => heard.push('second')
    stream
      .on('message', () => {
        throw new Error('mine')
      })
      .on('message', second)
      .once('message', () => heard.push('once'))
      .addChannel('a')
      .connect()
    await until(() => stream.status.state === 'open')
    server.publish('a', '1')
    server.publish('a', '2')
    await until(() => messages.length === 2)
    stream.off('message', second)
    server.publish('a', '3')
    await until(() => messages.length === 3)
    expect(heard).toEqual(['second', 'once', 'second'])
    expect(errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual(
      Array(3).fill(['listener', 'mine']),
    )
  })

  test('processors before and after addChannel, in order, by channel and type; a throwing one stops nobody; a schema’s refusal is a dead letter', async () => {
    const { server, url } = await startServer()
    const { stream, until, messages, errors } = record({ url })
    const heard: unknown[] = []
    const dead: unknown[] = []
    stream.on('deadletter', ({ channel, reason }) => dead.push([channel, reason]))
    const take = (name: string) => (data: unknown) => void heard.push([name, data])
    stream.registerProcessor('a', 'x', () => {
      throw new Error('mine')
    })
    stream.registerProcessor('a', 'x', take('a x'))
    stream.addChannel('a').addChannel('b').connect()
    stream.registerProcessor('*', '*', take('all'))
    const back = stream.registerProcessor('b', '*', take('b'))
    registerWithSchema(stream, 'a', 'n', z.object({ type: z.literal('n'), n: z.coerce.number() }), take('n'))
    await until(() => stream.status.state === 'open')
    server.publish('a', '{"type":"x"}')
    await until(() => messages.length === 1)
    server.publish('b', 'plain')
    await until(() => messages.length === 2)
    back()
    server.publish('b', 'again')
    await until(() => messages.length === 3)
    server.publish('a', '{"type":"n","n":"7"}')
    server.publish('a', '{"type":"n","n":"seven"}')
    await until(() => messages.length === 5)
    expect(heard).toEqual([
      ['a x', { type: 'x' }],
      ['all', { type: 'x' }],
      ['all', 'plain'],
      ['b', 'plain'],
      ['all', 'again'],
      ['all', { type: 'n', n: '7' }],
      ['n', { type: 'n', n: 7 }],
      ['all', { type: 'n', n: 'seven' }],
    ])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual([['listener', 'a']])
    expect(dead).toEqual([['a', expect.stringContaining('schema')]])
  })

  test('for await: the messages of a channel, until the loop is left or the client closed', async () => {
    const { server, url } = await startServer()
    const { stream, until } = record({ url })
    stream.addChannel('a').addChannel('b').connect()
    await until(() => stream.status.state === 'open')
    const read = async (of: PushStream, stop: number) => {
      const texts: string[] = []
      for await (const { text } of messages(of, 'a')) {
        texts.push(text)
        if (texts.length === stop) break
      }
      return texts
    }
    const two = read(stream, 2)
    const all = read(stream, Number.POSITIVE_INFINITY)
    for (const text of ['1', '2', '3']) {
      server.publish('b', 'no')
      server.publish('a', text)
    }
    expect(await two).toEqual(['1', '2'])
    await until(() => stream.stats.received === 6)
    stream.close()
    expect(await all).toEqual(['1', '2', '3'])
  })
})

describe('what an application adds', () => {
  test('params and headers are asked for anew before every request, and may be async', async () => {
    const { url } = await startServer()
    const proxy = await startProxy(url)
    let token = 0
    const { stream, until } = record({
      url: proxy.url,
      modes: ['eventsource'],
      params: async () => ({ token: ++token }),
      headers: async () => ({ 'X-Token': String(token) }),
    })
    stream.addChannel('a').connect()
    await until(() => stream.status.state === 'open')
    proxy.cut()
    await until(() => stream.stats.reconnects === 1)
    const tokens = proxy.requests.map(({ path }) => new URL(path, url).searchParams.get('token'))
    expect(tokens).toEqual(tokens.map((_, index) => String(index + 1)))
    expect(proxy.requests.every(({ headers }) => Number(headers['x-token']) > 0)).toBe(true)
  })

  test('a function that fails is the application’s error, and the request is tried again', async () => {
    const { url } = await startServer()
    let calls = 0
    const { stream, until, errors } = record({
      url,
      modes: ['websocket'],
      reconnectOnTimeoutInterval: 20,
      params: () => {
        if (++calls < 4) throw new Error('no token yet')
        return {}
      },
    })
    stream.addChannel('a').connect()
    await until(() => stream.status.state === 'open')
    expect(errors.some(({ code }) => code === 'listener')).toBe(true)
  })

  test('messagesPublishedAfter and lastEventId begin where they say', async () => {
    const { server, url } = await startServer()
    for (const [text, eventId] of [
      ['1', 'e1'],
      ['2', 'e2'],
      ['3', 'e3'],
    ] as const)
      server.publish('a', text, { eventId })
    const after = record({ url, messagesPublishedAfter: 60 })
    after.stream.addChannel('a').connect()
    await after.until(() => after.messages.length === 3)
    const event = record({ url, lastEventId: 'e1', urlPrefixEventsource: '/nowhere', modes: ['websocket'] })
    event.stream.addChannel('a').connect()
    await event.until(() => event.messages.length === 2)
    expect(event.messages.map(({ text }) => text)).toEqual(['2', '3'])
  })
})

describe('case 11: an event id that is not ASCII', () => {
  const headersOnly = { lastReceivedMessageTime: null, lastReceivedMessageTag: null, lastEventId: null }
  const messageTemplate = '{"channel":"~channel~","text":"~text~","eventid":"~event-id~"}'

  test.each(['eventsource', 'longpolling'] as const)('%s: option lastEventId → begins after it', async (mode) => {
    const { server, url } = await startServer({ settings: headersOnly })
    for (const n of [1, 2, 3]) server.publish('a', String(n), { eventId: `żółw-${n}` })
    const recording = record({ url, lastEventId: 'żółw-2', modes: [mode] })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.messages.length === 1)
    expect([recording.messages[0]?.text, recording.errors]).toEqual(['3', []])
  })

  test.each(['eventsource', 'longpolling'] as const)('%s: connection cut → resumes after it', async (mode) => {
    const { server, url } = await startServer({ settings: { ...headersOnly, messageTemplate } })
    const proxy = await startProxy(url)
    const recording = record({
      url: proxy.url,
      modes: [mode],
      messageTemplate: readTemplate(messageTemplate),
      reconnectOnTimeoutInterval: 20,
    })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    server.publish('a', '1', { eventId: 'żółw-1' })
    await recording.until(() => recording.messages.length === 1)
    proxy.cut()
    server.publish('a', '2', { eventId: 'żółw-2' })
    await recording.until(() => recording.messages.length === 2)
    server.publish('a', '3', { eventId: 'żółw-3' })
    await recording.until(() => recording.messages.length === 3)
    expect(recording.messages.map(({ text }) => text)).toEqual(['1', '2', '3'])
    // Whatever the cut did, no answer was a refusal.
    expect(recording.errors.filter(({ status }) => status !== undefined)).toEqual([])
  })
})

describe('sendMessage', () => {
  test.each(['websocket', 'longpolling'] as const)(
    '%s: to every channel, where each has a connection of its own',
    async (mode) => {
      const messageTemplate = '{"text":"~text~"}'
      const { url } = await startServer({ settings: { messageTemplate, websocketAllowPublish: true } })
      const recording = record({ url, modes: [mode], messageTemplate: readTemplate(messageTemplate) })
      recording.stream.addChannel('a').addChannel('b').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      await sendMessage(recording.stream, 'to both')
      await recording.until(() => recording.messages.length === 2)
      expect(recording.messages.map(({ channel, text }) => `${channel}: ${text}`).sort()).toEqual([
        'a: to both',
        'b: to both',
      ])
    },
  )

  test.each(['websocket', 'longpolling'] as const)('%s: arrives at everybody, whatever the text', async (mode) => {
    const { url } = await startServer({ settings: publisher })
    const { stream, until, messages } = record({ url, modes: [mode] })
    stream.addChannel('a').connect()
    await until(() => stream.status.state === 'open')
    for (const [index, text] of ['hello', '100% "quoted"\nline', '😀'].entries()) {
      await sendMessage(stream, text)
      await until(() => messages.length === index + 1)
      expect(messages[index]?.text).toBe(text)
    }
  })

  test('what can’t be published is a send error', async () => {
    const { url } = await startServer()
    const { stream } = record({ url, urlPrefixPublisher: '/nowhere' })
    await expect(sendMessage(stream, 'x')).rejects.toMatchObject({ code: 'send' })
    stream.addChannel('a')
    await expect(sendMessage(stream, 'x')).rejects.toMatchObject({ code: 'send', status: 404 })
  })
})

test('nativeWebSocket in Node, nobody listens there → unreachable, and nothing is thrown past the client', async () => {
  const thrown: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => thrown.push(error))
  try {
    const { stream, until, errors } = record({ url: 'http://127.0.0.1:1', modes: [nativeWebSocket] })
    stream.addChannel('a').connect()
    await until(() => errors.length > 0 && stream.status.state === 'waiting')
    expect(errors[0]).toMatchObject({ code: 'unreachable', mode: 'websocket' })
    expect(thrown).toEqual([])
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  }
})
