import type { CDPSession } from '@playwright/test'
import { expect, faults, note, publishAtRate, type Tab, test } from './support/test.js'

// One connection for all tabs. The pages are of one browser, as Web Locks and BroadcastChannel are shared by its tabs alone.

const start = (options: object = {}, channels: Record<string, number> = { a: 0 }) => ({
  options: { modes: ['eventsource'] as const, ...options },
  share: {},
  channels,
})

/** All pages first: when six connections are taken, a browser loads no further page of that origin by HTTP/1.1. */
async function open(newTab: () => Promise<Tab>, count: number, how = start()): Promise<Tab[]> {
  const tabs: Tab[] = []
  for (let n = 0; n < count; n++) tabs.push(await (await newTab()).load())
  for (const tab of tabs) await tab.start(how)
  for (const tab of tabs) await tab.until('open', ({ status }) => status.state === 'open', 30_000)
  return tabs
}

// Eight pages of a browser on two busy cores take their time.
test.describe.configure({ timeout: 90_000 })

test('eight tabs by eventsource over HTTP/1.1 → one connection, all receive, and the page can fetch', async ({
  newTab,
  site,
}) => {
  const tabs = await open(newTab, 8)
  await expect.poll(() => site.server.stats().subscribers).toBe(1)
  await publishAtRate(site.server, ['a'], 100, 200)
  for (const tab of tabs) {
    const { all, stats } = await tab.received(100)
    expect(faults(all)).toEqual([])
    expect(stats).toMatchObject({ received: 100, gaps: 0 })
  }
  expect(site.server.stats().subscribers).toBe(1)
  const fetched = tabs.map(({ page }) => page.evaluate(async () => (await fetch('/index.html')).status))
  expect(await Promise.all(fetched)).toEqual(tabs.map(() => 200))
})

test('tabs with other channels, and one with other options → each gets its own', async ({ newTab, site }) => {
  const [one] = await open(newTab, 1, start({}, { a: 0, b: 0 }))
  const [two] = await open(newTab, 1, start({}, { b: 0, c: 0 }))
  const [other] = await open(newTab, 1, start({ params: { token: 'x' } }, { a: 0 }))
  for (const name of ['a', 'b', 'c']) site.server.publish(name, name)
  expect((await one!.received(2)).messages.map(({ text }) => text)).toEqual(['a', 'b'])
  expect((await two!.received(2)).messages.map(({ text }) => text)).toEqual(['b', 'c'])
  expect((await other!.received(1)).messages.map(({ text }) => text)).toEqual(['a'])
  await expect.poll(() => site.server.stats().subscribers).toBe(2)
})

/** The tab that leads: the one with a connection. */
async function leaderOf(tabs: readonly Tab[]): Promise<Tab | undefined> {
  const leads = await Promise.all(tabs.map((tab) => tab.page.evaluate(() => window.e2e.leads())))
  return tabs[leads.findIndex(Boolean)]
}

async function flow(
  tabs: Tab[],
  site: { server: { publish(name: string, text: string): unknown } },
  count: number,
  end: (leader: Tab) => Promise<boolean>,
): Promise<Tab[]> {
  let left = tabs
  let ended = 0
  const publishing = publishAtRate(site.server, ['a'], count, 200)
  let over = false
  void publishing.then(() => {
    over = true
  })
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const leader = left.length > 2 && !over ? await leaderOf(left) : undefined
    if (leader === undefined) continue
    ended++
    if (await end(leader)) left = left.filter((tab) => tab !== leader)
  }
  await publishing
  note('leaders that ended', ended)
  expect(ended).toBeGreaterThan(1)
  for (const tab of left) {
    const { all, gaps } = await tab.received(count, 20_000)
    expect(faults(all)).toEqual([])
    expect(gaps).toEqual([])
    expect(all.length).toBe(count)
  }
  return left
}

test('2,000 messages at 200/s over eight tabs, the leader closed every two seconds → each once, in order', async ({
  newTab,
  site,
}) => {
  const left = await flow(await open(newTab, 8), site, 2000, async ({ page }) => {
    await page.close()
    return true
  })
  await expect.poll(() => site.server.stats().subscribers).toBe(1)
  note('tabs left', left.length)
})

test('the leader crashes every two seconds → each message once, in order', async ({ newTab, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'Only Chromium can be told to crash a page')
  await flow(await open(newTab, 8), site, 2000, async ({ page }) => {
    const session = await page.context().newCDPSession(page)
    // The session ends with the page.
    session.send('Page.crash').catch(() => {})
    await page.waitForEvent('crash')
    return true
  })
  await expect.poll(() => site.server.stats().subscribers).toBe(1)
})

test('the leader freezes for two seconds, every two seconds → each message once, in order', async ({
  newTab,
  site,
  browserName,
}) => {
  test.skip(browserName !== 'chromium', 'Only Chromium can be told to freeze a page')
  let frozen: CDPSession | undefined
  const resume = async () => frozen?.send('Page.setWebLifecycleState', { state: 'active' })
  const tabs = await open(newTab, 6)
  await flow(tabs, site, 2000, async ({ page }) => {
    await resume()
    frozen = await page.context().newCDPSession(page)
    await frozen.send('Page.setWebLifecycleState', { state: 'frozen' })
    // The last one goes on before its recording is read.
    setTimeout(() => void resume(), 1500)
    return false
  })
  await resume()
  await expect.poll(() => site.server.stats().subscribers, { timeout: 20_000 }).toBe(1)
})
