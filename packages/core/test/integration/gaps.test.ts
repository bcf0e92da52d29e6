import { expect, test } from 'vitest'
import { allModes, faults, record, startProxy, startServer } from './support.js'

test.each(allModes)('%s: overflow of the store while away: exactly one gap, with the right ids', async (mode) => {
  const { server, url } = await startServer({ settings: { maxMessagesStoredPerChannel: 20 } })
  const proxy = await startProxy(url)
  const recording = record({ url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50 })
  recording.stream.addChannel('a').addChannel('b').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  for (let i = 1; i <= 5; i++) server.publish('a', String(i))
  server.publish('b', '1')
  await recording.until(() => recording.messages.length === 6)
  await proxy.refuse(true)
  proxy.cut()
  for (let i = 6; i <= 40; i++) server.publish('a', String(i))
  server.publish('b', '2')
  await proxy.refuse(false)
  await recording.until(() => recording.messages.length === 6 + 20 + 1)
  expect(recording.gaps).toEqual([{ channel: 'a', first: 6, last: 20, reason: 'overflow' }])
  expect(faults(recording)).toEqual([])
  // The gap comes before the message that follows it.
  const at = recording.all.findIndex((event) => 'reason' in event)
  expect(recording.all[at + 1]).toMatchObject({ channel: 'a', id: 21 })
})

test.each(allModes)(
  '%s: messages that are never stored are a gap when they were missed, with or without polls',
  async (mode) => {
    for (const urlPrefixEventsource of mode === 'eventsource' ? ['/ev'] : ['/ev', '/nowhere']) {
      const { server, url } = await startServer()
      const proxy = await startProxy(url)
      const recording = record({ url: proxy.url, modes: [mode], urlPrefixEventsource, timeout: 2500 })
      recording.stream.addChannel('a').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      const publish = (text: string) => server.publish('a', text, { store: false })
      publish('1')
      await recording.until(() => recording.messages.length === 1)
      // The next long-poll is there to be cut.
      while (server.stats().subscribers === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      await proxy.refuse(true)
      proxy.cut()
      publish('2')
      publish('3')
      await proxy.refuse(false)
      await recording.until(() => recording.stream.stats.reconnects === 1 && recording.stream.status.state === 'open')
      while (server.stats().subscribers === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      publish('4')
      await recording.until(() => recording.messages.length === 2)
      expect(recording.messages.map(({ id }) => id)).toEqual([1, 4])
      expect(recording.gaps).toEqual([{ channel: 'a', first: 2, last: 3, reason: 'overflow' }])
      recording.stream.close()
    }
  },
)

test.each(allModes)(
  '%s: messages published before the first one was ever received are not lost with the connection',
  async (mode) => {
    const { server, url } = await startServer()
    server.publish('old', 'from before')
    const proxy = await startProxy(url)
    const recording = record({ url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50 })
    recording.stream.addChannel('old').addChannel('empty').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    await proxy.refuse(true)
    proxy.cut()
    server.publish('old', 'one')
    server.publish('empty', 'two')
    await proxy.refuse(false)
    await recording.until(() => recording.messages.length === 2)
    expect(recording.messages.map(({ text }) => text).sort()).toEqual(['one', 'two'])
    expect(recording.gaps).toEqual([])
  },
)

test('disconnect and connect: what was published in between is fetched', async () => {
  const { server, url } = await startServer()
  const recording = record({ url })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  server.publish('a', '1')
  await recording.until(() => recording.messages.length === 1)
  recording.stream.disconnect()
  expect(recording.stream.status.state).toBe('closed')
  server.publish('a', '2')
  recording.stream.connect()
  await recording.until(() => recording.messages.length === 2)
  expect(faults(recording)).toEqual([])
})
