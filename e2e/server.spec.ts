import { survivesTheServer } from './support/suites.js'
import { expect, test } from './support/test.js'

survivesTheServer(test)

test('the server is away for a while: the state says so, and all is well after', async ({ tab, site }) => {
  await tab.open({ options: { reconnectOnTimeoutInterval: 200 }, channels: { a: 0 } })
  await site.proxy.refuse(true)
  site.proxy.cut()
  const { status } = await tab.until('two failures', ({ status }) => status.attempt >= 2)
  expect(status.state).not.toBe('open')
  site.server.publish('a', 'meanwhile')
  await site.proxy.refuse(false)
  const { messages } = await tab.received(1)
  expect(messages.map(({ text }) => text)).toEqual(['meanwhile'])
  await tab.until('open', ({ status }) => status.state === 'open')
})
