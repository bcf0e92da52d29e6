import { deliversThroughCuts, keepsRawBodies, keepsTexts, rawTemplate } from './support/suites.js'
import { expect, faults, test } from './support/test.js'

deliversThroughCuts(test)
keepsTexts(test)

test.describe('with bodies as raw JSON', () => {
  test.use({ serverOptions: { settings: { messageTemplate: rawTemplate } } })
  keepsRawBodies(test)
})

test('a client made of the native WebSocket and nothing else → all messages, in order, through cuts', async ({
  tab,
  site,
}) => {
  await tab.open({ transports: ['nativeWebSocket'], channels: { a: 0 } })
  site.server.publish('a', 'one')
  await tab.received(1)
  site.proxy.cut()
  site.server.publish('a', 'two')
  const { all, messages } = await tab.received(2)
  expect(faults(all)).toEqual([])
  expect(messages.map(({ text }) => text)).toEqual(['one', 'two'])
  const { states } = await tab.until(
    'open again',
    ({ status, stats }) => status.state === 'open' && stats.reconnects > 0,
  )
  expect(states.filter((state) => state === 'websocket')).toHaveLength(2)
})

test('the native EventSource: named events pass it by, and come by the audit, in their place', async ({
  tab,
  site,
}) => {
  await tab.open({
    transports: ['nativeEventSource'],
    options: { pingtimeout: 1500 },
    channels: { a: 0 },
  })
  site.server.publish('a', 'one')
  site.server.publish('a', 'named', { eventType: 'price' })
  site.server.publish('a', 'three')
  await tab.received(3)
  site.proxy.cut()
  site.server.publish('a', 'four')
  const { all, messages } = await tab.received(4)
  expect(faults(all)).toEqual([])
  expect(messages.map(({ text }) => text)).toEqual(['one', 'named', 'three', 'four'])
})

test('a message, spread, cloned and posted → its text and data go with it', async ({ tab, site }) => {
  await tab.open({ options: { modes: ['websocket'] }, channels: { a: 0 } })
  const taken = await tab.page.evaluateHandle(() => ({
    all: new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      window.e2e.client?.stream.on('message', (message) => {
        port1.onmessage = ({ data: posted }) => resolve([{ ...message }, structuredClone(message), posted])
        port2.postMessage(message)
      })
    }),
  }))
  site.server.publish('a', encodeURIComponent('{"type":"price","value":7}'), { eventId: 'e1' })
  await tab.received(1)
  const fields = { channel: 'a', id: 1, type: 'price', eventId: 'e1', tag: 1, mode: 'websocket', replayed: false }
  const message = { ...fields, text: '{"type":"price","value":7}', data: { type: 'price', value: 7 } }
  const [spread, ...others] = (await taken.evaluate(({ all }) => all)) as { time: Date }[]
  expect(spread).toEqual({ ...message, contentType: undefined, time: expect.any(Date) })
  expect(others).toEqual([spread, spread])
})
