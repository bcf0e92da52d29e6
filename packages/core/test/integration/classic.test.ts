import { describe, expect, test } from 'vitest'
import { sample } from '../../../../e2e/support/sample.js'
import { ClassicPushStream } from '../../src/classic/client.js'
import type { ClassicError } from '../../src/classic/error.js'
import type { ClassicSettings } from '../../src/classic/settings.js'
import { allModes, cleanup, environment, record, startProxy, startServer } from './support.js'

/** A browser has it: without it the page's own list of modes leaves it out. It is not used. */
const browser = { ...environment, EventSource: class {} as unknown as typeof EventSource }

interface Page {
  readonly stream: ClassicPushStream
  readonly texts: unknown[]
  readonly calls: unknown[][]
  readonly states: number[]
  readonly errors: ClassicError[]
  readonly deleted: string[]
}

/** What a page of old does. */
function open(port: number, settings: ClassicSettings = {}): Page {
  const page: Omit<Page, 'stream'> = { texts: [], calls: [], states: [], errors: [], deleted: [] }
  const stream = new ClassicPushStream({
    host: '127.0.0.1',
    port,
    environment: browser,
    reconnectOnTimeoutInterval: 100,
    ...settings,
  })
  cleanup(() => stream.disconnect())
  stream.onmessage ??= (...values) => {
    page.texts.push(values[0])
    page.calls.push(values)
  }
  stream.onstatuschange = (state) => page.states.push(state)
  stream.onerror = (error) => page.errors.push(error)
  stream.onchanneldeleted = (channel) => page.deleted.push(channel)
  return { ...page, stream }
}

const until = (condition: () => unknown) => expect.poll(condition, { timeout: 15_000, interval: 10 })
const opened = ({ stream }: Page) => until(() => stream.readyState).toBe(2)

test.each(allModes)('%s: the classic callbacks get the classic arguments', async (modes) => {
  const { server, port } = await startServer()
  const page = open(port, { modes })
  const { stream, calls, states } = page
  stream.addChannel('a')
  stream.connect()
  await opened(page)
  server.publish('a', 'a%20b', { eventId: 'e1' })
  await until(() => calls.length).toBe(1)
  expect(calls[0]).toEqual(['a b', 1, 'a', 'e1', true, expect.stringMatching(/ GMT$/)])
  expect(states).toEqual([1, 2])
})

describe.each(allModes)('%s', (modes) => {
  test('what is lost is told before what follows, to who asks: ongap', async () => {
    const { server, port } = await startServer({ ...sample, settings: { maxMessagesStoredPerChannel: 3 } })
    const page = open(port, { modes })
    const { stream, texts } = page
    stream.ongap = (...values) => texts.push(values)
    stream.addChannel('a')
    stream.connect()
    await opened(page)
    server.publish('a', '1')
    await until(() => texts).toEqual(['1'])
    stream.disconnect()
    for (const n of [2, 3, 4, 5, 6, 7]) server.publish('a', `${n}`)
    stream.connect()
    await until(() => texts).toEqual(['1', ['a', 2, 4, 'overflow'], '5', '6', '7'])
  })

  test('callbacks, states, deletion, wrapper', async () => {
    const { server, port } = await startServer(sample)
    const page = open(port, { modes })
    page.stream.addChannel('a')
    page.stream.connect()
    expect(page.states).toEqual([1])
    await opened(page)
    server.publish('a', 'one%20%22two%22', { eventId: 'e1' })
    server.publish('a', `it's </script>`)
    await until(() => page.texts).toEqual(['one "two"', `it's </script>`])
    const time = expect.stringMatching(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(page.calls).toEqual([
      ['one "two"', 1, 'a', 'e1', expect.any(Boolean), time],
      [`it's </script>`, 2, 'a', '', true, time],
    ])
    expect(page.stream.wrapper?.type.toLowerCase()).toBe(modes)
    // The server reports a deletion only to who is subscribed at that moment, and between two long-polls no one is.
    const subscribers = (count: number) => until(() => server.stats().subscribers).toBe(count)
    await subscribers(1)
    page.stream.disconnect()
    expect(page.states).toEqual([1, 2, 0])
    expect(page.errors).toEqual([])
    await subscribers(0)
    page.stream.connect()
    await opened(page)
    await subscribers(1)
    server.deleteChannel('a')
    await until(() => page.deleted).toEqual(['a'])
  })

  test('a channel is added while connected, without a loss and without another state', async () => {
    const { server, port } = await startServer(sample)
    const page = open(port, { modes })
    page.stream.addChannel('a')
    page.stream.connect()
    await opened(page)
    server.publish('b', 'before')
    page.stream.addChannel('b', { backtrack: 1 })
    for (let n = 0; n < 20; n++) server.publish('a', String(n))
    await until(() => page.texts.length).toBe(21)
    server.publish('b', 'after')
    await until(() => page.texts.at(-1)).toBe('after')
    expect(page.calls.filter(([, , channel]) => channel === 'a').map(([text]) => text)).toEqual(
      Array.from({ length: 20 }, (_, n) => String(n)),
    )
    expect(page.states).toEqual([1, 2])
    page.stream.removeChannel('a')
    server.publish('a', 'never')
    server.publish('b', 'at last')
    await until(() => page.texts.at(-1)).toBe('at last')
    expect(page.texts).not.toContain('never')
  })

  test('what is published while it is disconnected comes with the next connect, once; also with other settings', async () => {
    const { server, port } = await startServer(sample)
    const page = open(port, { modes })
    page.stream.addChannel('a')
    page.stream.connect()
    await opened(page)
    server.publish('a', '1')
    await until(() => page.texts).toEqual(['1'])
    page.stream.disconnect()
    server.publish('a', '2')
    page.stream.connect()
    await until(() => page.texts).toEqual(['1', '2'])
    page.stream.disconnect()
    server.publish('a', '3')
    page.stream.pingtimeout = 5000
    page.stream.connect()
    await until(() => page.texts).toEqual(['1', '2', '3'])
    await opened(page)
    server.publish('a', '4')
    await until(() => page.texts).toEqual(['1', '2', '3', '4'])
    expect(page.states).toEqual([1, 2, 0, 1, 2, 0, 1, 2])
    expect(page.errors).toEqual([])
  })

  test('a connection that is lost: CLOSED, an error of type timeout, and nothing is lost', async () => {
    const { server, url } = await startServer(sample)
    const proxy = await startProxy(url)
    const page = open(proxy.port, { modes })
    page.stream.addChannel('a')
    page.stream.connect()
    await opened(page)
    server.publish('a', '1')
    await until(() => page.texts).toEqual(['1'])
    // The next long-poll is there to be cut.
    await until(() => server.stats().subscribers).toBe(1)
    const at: number[] = []
    page.stream.onerror = (error) => {
      page.errors.push(error)
      at.push(page.stream.readyState)
    }
    proxy.cut()
    server.publish('a', '2')
    await until(() => page.texts).toEqual(['1', '2'])
    await opened(page)
    expect(page.states).toEqual([1, 2, 0, 1, 2])
    expect(page.errors.map(({ type }) => type)).toEqual(['timeout'])
    expect(at).toEqual([0])
  })

  test('event ids, seconds, a Date and everything say where to begin; where it was goes before backtrack', async () => {
    const { server, port } = await startServer(sample)
    for (const [n, text] of ['1', '2', '3'].entries()) server.publish('a', text, { eventId: `e${n + 1}` })
    const begin = async (settings: ClassicSettings, want: string[], backtrack?: number) => {
      const page = open(port, { modes, ...settings })
      page.stream.addChannel('a', backtrack === undefined ? undefined : { backtrack })
      page.stream.connect()
      await until(() => page.texts).toEqual(want)
      page.stream.disconnect()
    }
    for (const messagesControlByArgument of [true, false]) {
      await begin({ messagesControlByArgument, lastEventId: 'e2' }, ['3'])
      await begin({ messagesControlByArgument, messagesPublishedAfter: 60 }, ['1', '2', '3'])
      await begin({ messagesControlByArgument, messagesPublishedAfter: '-1' }, ['1', '2', '3'])
      await begin({ messagesControlByArgument, messagesPublishedAfter: new Date(Date.now() - 60_000) }, ['1', '2', '3'])
      await begin({ messagesControlByArgument }, ['2', '3'], 2)
    }
    await begin({ messagesControlByArgument: true, messagesPublishedAfter: 60 }, ['1', '2', '3'], 1)
    await begin({ messagesPublishedAfter: 60 }, ['3'], 1)
  })

  test('a channel that is refused is asked for again, and comes once it is there; the others go on', async () => {
    const { server, port } = await startServer({ ...sample, settings: { authorizedChannelsOnly: true } })
    const page = open(port, { modes, reconnectOnChannelUnavailableInterval: 300 })
    page.stream.addChannel('late')
    page.stream.connect()
    await until(() => page.errors.length).toBeGreaterThan(1)
    const [error] = page.errors
    expect(error).toMatchObject({ type: 'load', code: 'forbidden', status: 403, channel: 'late' })
    expect(page.stream.readyState).not.toBe(2)
    server.publish('late', 'here')
    await opened(page)
    server.publish('late', 'and on')
    await until(() => page.texts.at(-1)).toBe('and on')

    const before = page.states.length
    page.stream.addChannel('later')
    await until(() => page.errors.at(-1)?.channel).toBe('later')
    expect(page.stream.readyState).toBe(2)
    server.publish('late', 'still')
    await until(() => page.texts.at(-1)).toBe('still')
    server.publish('later', 'created')
    await until(() => {
      server.publish('later', 'later 2')
      return page.texts.includes('later 2')
    }).toBe(true)
    expect(page.states.slice(before)).toEqual([])
    expect(page.stream.channelsCount).toBe(2)
  })
})

test('sendMessage: by websocket frame, by POST, and as a static method', async () => {
  const { server, url, port } = await startServer(sample)
  const got: unknown[] = []
  const answers: unknown[] = []
  const success = (answer?: string) => answers.push(answer && JSON.parse(answer).channel)
  const failure = (status: number) => answers.push(status)
  for (const modes of ['websocket', 'eventsource']) {
    const page = open(port, { modes, onmessage: (text) => got.push(text) })
    page.stream.addChannel('a')
    page.stream.connect()
    await opened(page)
    page.stream.sendMessage(`"ü" by ${modes}`, success, failure)
    await until(() => got.at(-1)).toBe(`"ü" by ${modes}`)
  }
  await until(() => answers).toEqual([undefined, 'a'])
  ClassicPushStream.sendMessage(`${url}/pub?id=a`, '"static" %', success, failure)
  await until(() => got.slice(-2)).toEqual(['"static" %', '"static" %'])
  ClassicPushStream.sendMessage(`${url}/pub`, 'x', success, failure)
  ClassicPushStream.sendMessage('http://127.0.0.1:9/', 'x', success, failure)
  await until(() => answers.length).toBe(5)
  expect(answers[2]).toBe('a')
  expect(answers.slice(3).sort()).toEqual([0, 400])
  void server
})

test('a refused channel that had come so far goes on there, without a repetition', async () => {
  const { server, port } = await startServer({
    ...sample,
    settings: { authorizedChannelsOnly: true, channelInactivityTime: 600_000 },
  })
  const page = open(port, { modes: 'eventsource', reconnectOnChannelUnavailableInterval: 300 })
  server.publish('a', '1')
  server.publish('a', '2')
  page.stream.addChannel('a', { backtrack: 5 })
  page.stream.connect()
  await until(() => page.texts).toEqual(['1', '2'])
  await opened(page)
  page.stream.disconnect()
  server.deleteChannel('a')
  page.stream.connect()
  await until(() => page.errors.at(-1)?.code).toBe('forbidden')
  for (const text of ['3', '4']) server.publish('a', text)
  await until(() => page.texts.slice(2)).toEqual(['3', '4'])
  server.publish('a', '5')
  await until(() => page.texts.slice(2)).toEqual(['3', '4', '5'])
})

test('extraParams is asked at every attempt, also when it is assigned later', async () => {
  const { server, url } = await startServer(sample)
  const proxy = await startProxy(url)
  let asked = 0
  const page = open(proxy.port, { modes: 'eventsource' })
  page.stream.extraParams = () => ({ token: `t${++asked}`, none: null as unknown as string })
  page.stream.addChannel('a')
  page.stream.connect()
  await opened(page)
  page.stream.extraParams = () => ({ token: 'later' })
  const before = proxy.requests.length
  proxy.cut()
  await until(() => proxy.requests.slice(before).some(({ path }) => path.includes('token=later'))).toBe(true)
  const first = proxy.requests.slice(0, before)
  expect(first.every(({ path }) => /[?&]token=t\d/.test(path) && /[?&]none=(&|$)/.test(path))).toBe(true)
  void server
})

test('the client of today goes on after an event too, where it could be told where its channels stand', async () => {
  const { server, url } = await startServer()
  for (const n of [1, 2, 3]) server.publish('a', String(n), { eventId: `e${n}` })
  for (const mode of allModes) {
    const page = record({ url, lastEventId: 'e1', modes: [mode] })
    page.stream.addChannel('a').connect()
    await page.until(() => page.messages.length === 2)
    expect(page.messages.map(({ text }) => text)).toEqual(['2', '3'])
  }
})
