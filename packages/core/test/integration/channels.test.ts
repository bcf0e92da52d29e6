import { describe, expect, test } from 'vitest'
import { allModes, faults, publishAtRate, record, startProxy, startServer } from './support.js'

const settled = () => new Promise((resolve) => setTimeout(resolve, 300))

describe.each(allModes)('%s', (mode) => {
  test('channels added and removed in flow at 200/s: nothing lost or doubled on the others', async () => {
    const { server, url } = await startServer()
    const recording = record({ url, modes: [mode] })
    const { stream } = recording
    stream.addChannel('steady').addChannel('leaving').connect()
    await recording.until(() => stream.status.state === 'open')
    let removedAt = -1
    await publishAtRate(
      (channel, text) => server.publish(channel, text),
      ['steady', 'leaving', 'coming'],
      1200,
      200,
      (number) => {
        if (number === 400) stream.addChannel('coming')
        if (number === 800) {
          stream.removeChannel('leaving')
          removedAt = recording.messages.length
        }
      },
    )
    await recording.until(() => recording.messages.filter(({ channel }) => channel === 'steady').length === 400)
    await recording.until(
      () =>
        recording.messages.at(-1)?.channel !== 'leaving' &&
        recording.messages.some(({ id, channel }) => channel === 'coming' && id === 400),
    )
    const of = (name: string) => recording.messages.filter(({ channel }) => channel === name).map(({ id }) => id)
    expect(of('steady')).toEqual(Array.from({ length: 400 }, (_, index) => index + 1))
    const coming = of('coming') as number[]
    // From the moment it was added on, without a hole: not what was published before.
    expect(coming[0]).toBeGreaterThan(130)
    expect(coming[0]).toBeLessThan(300)
    expect(coming).toEqual(Array.from({ length: coming.length }, (_, index) => (coming[0] as number) + index))
    expect(recording.messages.slice(removedAt).filter(({ channel }) => channel === 'leaving')).toEqual([])
    expect(recording.gaps).toEqual([])
    expect(stream.stats.reconnects).toBe(0)
  })
})

test('50 changes in a tick make one connection', async () => {
  const { server, url } = await startServer()
  const proxy = await startProxy(url)
  const recording = record({ url: proxy.url, modes: ['websocket'] })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  const before = proxy.requests.filter(({ upgrade }) => upgrade).length
  for (let i = 0; i < 25; i++) recording.stream.addChannel(`c${i}`)
  for (let i = 0; i < 25; i++) recording.stream.removeChannel(`c${i}`).addChannel(`d${i}`)
  await settled()
  expect(proxy.requests.filter(({ upgrade }) => upgrade).length - before).toBe(1)
  for (let i = 0; i < 25; i++) server.publish(`d${i}`, 'x')
  await recording.until(() => recording.messages.length === 25)
})

test('backtrack: the stored messages asked for, once, also after a reconnect; the others only get what is new', async () => {
  for (const mode of allModes) {
    const { server, url } = await startServer()
    for (let i = 1; i <= 8; i++) for (const channel of ['back', 'new']) server.publish(channel, String(i))
    const proxy = await startProxy(url)
    const recording = record({ url: proxy.url, modes: [mode] })
    recording.stream.addChannel('back', { backtrack: 3 }).addChannel('new').connect()
    await recording.until(() => recording.stream.status.state === 'open' && recording.messages.length === 3)
    expect(recording.messages.map(({ channel, id, replayed }) => [channel, id, replayed])).toEqual([
      ['back', 6, true],
      ['back', 7, true],
      ['back', 8, true],
    ])
    proxy.cut()
    server.publish('back', '9')
    server.publish('new', '9')
    await recording.until(() => recording.messages.length === 5)
    await settled()
    expect(recording.messages).toHaveLength(5)
    expect(recording.messages.filter(({ channel }) => channel === 'new').map(({ id }) => id)).toEqual([9])
    recording.stream.close()
  }
})

test('a channel that was deleted is told, and delivers again when it is made again, in every mode', async () => {
  for (const mode of allModes) {
    const { server, url } = await startServer()
    const recording = record({ url, modes: [mode] })
    const deleted: unknown[] = []
    recording.stream.on('channeldeleted', (event) => deleted.push(event))
    recording.stream.addChannel('a').addChannel('b').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    server.publish('a', 'one')
    server.publish('a', 'two')
    await recording.until(() => recording.messages.length === 2)
    // Between two polls nobody would be told.
    while (server.stats().subscribers === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    server.deleteChannel('a', 'gone')
    await recording.until(() => deleted.length > 0)
    expect(deleted).toEqual([{ channel: 'a', text: 'gone' }])
    await settled()
    server.publish('a', 'again')
    server.publish('b', 'also')
    await recording.until(() => recording.messages.length === 4)
    expect(recording.messages.map(({ channel, id, text }) => [channel, id, text]).sort()).toEqual([
      ['a', 1, 'again'],
      ['a', 1, 'one'],
      ['a', 2, 'two'],
      ['b', 1, 'also'],
    ])
    expect(recording.gaps).toEqual([])
    recording.stream.close()
  }
})

describe('a channel the server refuses', () => {
  const authorizedChannelsOnly = true

  test.each(allModes)(
    '%s: one typed error with the explanation, the others go on, no storm of retries',
    async (mode) => {
      const { server, url } = await startServer({ settings: { authorizedChannelsOnly } })
      server.publish('good', 'first')
      server.publish('fine', 'first')
      const proxy = await startProxy(url)
      const recording = record({ url: proxy.url, modes: [mode] })
      recording.stream.addChannel('good').addChannel('bad').addChannel('fine').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      server.publish('good', 'second')
      server.publish('fine', 'second')
      await recording.until(() => recording.messages.length === 2)
      expect(recording.errors).toHaveLength(1)
      expect(recording.errors[0]).toMatchObject({ code: 'forbidden', channel: 'bad', status: 403 })
      expect(recording.errors[0]?.message).toContain('Subscriber could not create channels.')
      expect(recording.stream.channels).toEqual(['good', 'fine'])
      const before = proxy.requests.length
      await settled()
      expect(proxy.requests.length - before).toBeLessThanOrEqual(1)
    },
  )

  test.each(allModes)('%s: added to a working connection, it costs that connection nothing', async (mode) => {
    const { server, url } = await startServer({ settings: { authorizedChannelsOnly } })
    server.publish('good', 'first')
    const recording = record({ url, modes: [mode] })
    recording.stream.addChannel('good').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    recording.stream.addChannel('bad')
    await recording.until(() => recording.errors.length > 0)
    server.publish('good', 'second')
    await recording.until(() => recording.messages.length === 1)
    expect(recording.errors.map(({ code, channel }) => [code, channel])).toEqual([['forbidden', 'bad']])
    expect(recording.stream.stats.reconnects).toBe(0)
    expect(recording.stream.status.state).toBe('open')
  })

  test('websocket alone, refused by 1008 after 101 → the channel is reported with its status', async () => {
    const { server, url } = await startServer({ settings: { authorizedChannelsOnly } })
    server.publish('good', 'first')
    const recording = record({ url, modes: ['websocket'], urlPrefixEventsource: '/nowhere' })
    recording.stream.addChannel('good').addChannel('bad').connect()
    await recording.until(() => recording.stream.status.state === 'open' && recording.errors.length > 0)
    expect(recording.errors.map(({ code, channel, status }) => [code, channel, status])).toContainEqual([
      'forbidden',
      'bad',
      403,
    ])
    server.publish('good', 'second')
    await recording.until(() => recording.messages.length === 1)
  })

  test('the only channel: the client closes, and takes it up again when it is added again', async () => {
    const { server, url } = await startServer({ settings: { authorizedChannelsOnly } })
    const recording = record({ url, modes: ['websocket', 'eventsource', 'longpolling'] })
    recording.stream.addChannel('late').connect()
    await recording.until(() => recording.errors.length > 0)
    expect(recording.stream.status).toMatchObject({ state: 'closed', error: { code: 'forbidden', channel: 'late' } })
    server.publish('late', 'first')
    recording.stream.addChannel('late', { backtrack: 1 })
    await recording.until(() => recording.messages.length === 1)
  })

  test('a limit of the server is temporary: the client tries again', async () => {
    const { server, url } = await startServer({ settings: { maxSubscribersPerChannel: 1 } })
    const first = record({ url, modes: ['websocket'] })
    first.stream.addChannel('a').connect()
    await first.until(() => first.stream.status.state === 'open')
    const second = record({ url, modes: ['websocket'], reconnectOnTimeoutInterval: 50 })
    second.stream.addChannel('a').connect()
    await second.until(() => second.stream.status.attempt > 0)
    expect(second.stream.status.error).toMatchObject({ code: 'http', status: 403 })
    first.stream.close()
    await second.until(() => second.stream.status.state === 'open')
    server.publish('a', 'x')
    await second.until(() => second.messages.length === 1)
    expect(faults(second)).toEqual([])
  })
})
