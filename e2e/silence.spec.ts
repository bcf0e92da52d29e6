import { expect, faults, note, sentAgain, test } from './support/test.js'

// The client ignores pings that are less than 500 ms apart. Twice that leaves room for a busy machine.
const pingMessageInterval = 1000

test.describe('a black hole', () => {
  test.use({ serverOptions: { settings: { pingMessageInterval } } })
  for (const mode of ['eventsource', 'stream'] as const) {
    test(`${mode}: noticed by the pings that stop, and the client goes on`, async ({ tab, site }) => {
      await tab.open({ options: { modes: [mode], timeout: 2000 }, channels: { a: 0 } })
      const waited = site.server.publish('a', 'one').id
      await tab.until('the first message', ({ messages }) => messages.at(-1)?.id === waited)
      // The rhythm is learned from pings.
      await sentAgain(site.proxy, 3)
      const began = Date.now()
      site.proxy.blackhole(true)
      site.server.publish('a', 'into the hole')
      // Without a rhythm it would be half a minute.
      await tab.until('silent', ({ errors }) => errors.some(({ code }) => code === 'silent'))
      note('noticed after, ms', Date.now() - began)
      site.proxy.blackhole(false)
      site.server.publish('a', 'after it')
      const { all, gaps } = await tab.received(3, 25_000)
      expect(faults(all)).toEqual([])
      expect(gaps).toEqual([])
    })
  }
})

for (const mode of ['websocket', 'longpolling'] as const) {
  test(`${mode}: a black hole is noticed by asking, and the client goes on`, async ({ tab, site }) => {
    await tab.open({ options: { modes: [mode], pingtimeout: 800, timeout: 1000 }, channels: { a: 0 } })
    // A long-poll that hangs looks the same on a dead network, until the server has repeated what is known.
    site.server.publish('a', 'first')
    await tab.until('a repetition', ({ stats }) => stats.duplicates > 0)
    const began = Date.now()
    site.proxy.blackhole(true)
    site.server.publish('a', 'into the hole')
    await tab.until('silent', ({ errors }) => errors.some(({ code }) => code === 'silent'))
    note('noticed after, ms', Date.now() - began)
    site.proxy.blackhole(false)
    site.server.publish('a', 'after it')
    const { all } = await tab.received(3, 25_000)
    expect(faults(all)).toEqual([])
  })
}

test('a connection that died unseen is found out when the page is shown again', async ({ tab, site }) => {
  const modes = ['websocket', 'eventsource'] as const
  await tab.open({ options: { modes, pingtimeout: 600_000, timeout: 2000 }, channels: { a: 0 } })
  // What is open meanwhile stays silent for good, new connections work.
  site.proxy.blackhole(true)
  site.proxy.blackhole(false)
  site.server.publish('a', 'unseen')
  // No browser without a window hides a page, so the event is made; who listens to it is the client.
  await tab.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await tab.received(1)
  await tab.until('another connection', ({ stats }) => stats.reconnects === 1)
  site.server.publish('a', 'seen')
  const { messages } = await tab.received(2)
  expect(messages.map(({ text }) => text)).toEqual(['unseen', 'seen'])
})
