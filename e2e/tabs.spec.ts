import { expect, note, type Tab, test } from './support/test.js'

/** All pages first: when six connections are taken, a browser loads no further page of that origin by HTTP/1.1. */
async function eight(newTab: () => Promise<Tab>): Promise<Tab[]> {
  const tabs: Tab[] = []
  for (let n = 0; n < 8; n++) tabs.push(await (await newTab()).load())
  return tabs
}

// Eight pages of a browser on two busy cores take their time.
test.describe.configure({ timeout: 90_000 })

test('eight tabs by websocket → all receive', async ({ newTab, site }) => {
  const tabs = await eight(newTab)
  // Of all modes, a page that is late with its websocket on a busy machine takes another.
  for (const tab of tabs) await tab.start({ options: { modes: ['websocket'] }, channels: { a: 0 } })
  for (const tab of tabs) await tab.until('open', ({ status }) => status.state === 'open')
  for (let n = 0; n < 10; n++) site.server.publish('a', `${n}`)
  for (const tab of tabs) {
    const { messages, status } = await tab.received(10)
    expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
    expect(status.mode).toBe('websocket')
  }
  expect(site.websockets).toBe(8)
})

for (const modes of [['eventsource'], ['eventsource', 'websocket']] as const) {
  test(`eight tabs with ${modes.join(' and ')}: six connections of HTTP/1.1 are all a browser opens to an origin`, async ({
    newTab,
    site,
    browserName,
  }) => {
    const tabs = await eight(newTab)
    for (const tab of tabs) {
      await tab.start({ options: { modes, timeout: 2000, reconnectOnTimeoutInterval: 200 }, channels: { a: 0 } })
    }
    const open = async () => {
      const recordings = await Promise.all(tabs.map((tab) => tab.recording()))
      return recordings.filter(({ status }) => status.state === 'open').map(({ status }) => status.mode)
    }
    // Firefox counts the handshake of a websocket among the six, Chromium does not.
    const expected = modes.length > 1 && browserName === 'chromium' ? 8 : 6
    await expect.poll(async () => (await open()).length).toBeGreaterThanOrEqual(expected)
    note('open', (await open()).join(' '))
    let id = site.server.publish('a', 'for all').id
    const receivers = async () => {
      const recordings = await Promise.all(tabs.map((tab) => tab.recording()))
      return recordings.filter(({ messages }) => messages.at(-1)?.id === id).length
    }
    await expect.poll(receivers).toBeGreaterThanOrEqual(expected)
    // As soon as others leave, those that got none have their turn.
    await tabs.shift()?.page.close()
    await tabs.shift()?.page.close()
    await expect.poll(async () => (await open()).length, { timeout: 20_000 }).toBe(6)
    id = site.server.publish('a', 'for all that are left').id
    await expect.poll(receivers).toBe(6)
  })
}

// The poll that checks the connection finds none of the six free; its silence says nothing about the good one.
test('six tabs by eventsource: a tab that is shown again keeps its connection', async ({ newTab, site }) => {
  const start = { options: { modes: ['eventsource'] as const, timeout: 1500 }, channels: { a: 0 } }
  const tabs: Tab[] = []
  for (let n = 0; n < 6; n++) tabs.push(await (await newTab()).load())
  for (const tab of tabs) await tab.start(start)
  for (const tab of tabs) await tab.until('open', ({ status }) => status.state === 'open')
  const shown = tabs[0] as Tab
  await shown.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  // The server's pings, every two seconds, go on showing that the connection lives.
  await shown.page.waitForTimeout(4000)
  const { stats, errors } = await shown.recording()
  expect(errors).toEqual([])
  expect(stats.reconnects).toBe(0)
  expect(site.server.stats().subscribers).toBe(6)
})
