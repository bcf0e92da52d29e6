import { ScriptedDjango } from '../packages/core/test/support/scripted-django.js'
import { close, flowPast, openAll } from './support/sharing.js'
import { expect, faults, note, publishAtRate, type Tab, test } from './support/test.js'

// One connection for all tabs. The pages are of one browser, as Web Locks and BroadcastChannel are shared by its tabs alone.

const start = (options: object = {}, channels: Record<string, number> = { a: 0 }) => ({
  options: { modes: ['eventsource'] as const, ...options },
  channels,
})

// Eight pages of a browser on two busy cores take their time.
test.describe.configure({ timeout: 90_000 })

test('eight tabs by eventsource over HTTP/1.1 → one connection, all receive, and the page can fetch', async ({
  newTab,
  site,
}) => {
  const tabs = await openAll(newTab, 8, start())
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
  const [one] = await openAll(newTab, 1, start({}, { a: 0, b: 0 }))
  const [two] = await openAll(newTab, 1, start({}, { b: 0, c: 0 }))
  const [other] = await openAll(newTab, 1, start({ params: { token: 'x' } }, { a: 0 }))
  for (const name of ['a', 'b', 'c']) site.server.publish(name, name)
  expect((await one!.received(2)).messages.map(({ text }) => text)).toEqual(['a', 'b'])
  expect((await two!.received(2)).messages.map(({ text }) => text)).toEqual(['b', 'c'])
  expect((await other!.received(1)).messages.map(({ text }) => text)).toEqual(['a'])
  await expect.poll(() => site.server.stats().subscribers).toBe(2)
})

test('2,000 messages at 200/s over eight tabs, the leader closed every two seconds → each once, in order', async ({
  newTab,
  site,
}) => {
  const { server } = site
  const left = await flowPast(
    await openAll(newTab, 8, start()),
    (name, text) => server.publish(name, text),
    2000,
    close,
  )
  await expect.poll(() => server.stats().subscribers).toBe(1)
  note('tabs left', left.length)
})

test('the leader crashes every two seconds → each message once, in order', async ({ newTab, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'Only Chromium can be told to crash a page')
  const { server } = site
  const tabs = await openAll(newTab, 8, start())
  await flowPast(
    tabs,
    (name, text) => server.publish(name, text),
    2000,
    async ({ page }) => {
      const session = await page.context().newCDPSession(page)
      // The session ends with the page.
      session.send('Page.crash').catch(() => {})
      await page.waitForEvent('crash')
      return true
    },
  )
  await expect.poll(() => server.stats().subscribers).toBe(1)
})

test('the leader hangs for three seconds, every few seconds → each message once, in order', async ({
  newTab,
  site,
  browserName,
}) => {
  test.skip(browserName !== 'chromium', 'Only Chromium can be told to pause a page')
  const { server } = site
  const tabs = await openAll(newTab, 6, start())
  let going = Promise.resolve()
  // No script of it runs meanwhile, as in a debugger. What comes is read afterwards.
  const hang = async ({ page }: Tab) => {
    const session = await page.context().newCDPSession(page)
    await session.send('Debugger.enable')
    await session.send('Debugger.pause')
    going = new Promise((resolve) => setTimeout(resolve, 3000)).then(() => session.detach())
    return false
  }
  await flowPast(tabs, (name, text) => server.publish(name, text), 2000, hang)
  await going
  await expect.poll(() => server.stats().subscribers, { timeout: 20_000 }).toBe(1)
})

test('tabs on django-eventstream, the leader closed every 0.7 s → each message once, in order', async ({ newTab }) => {
  const django = await new ScriptedDjango().start()
  try {
    const how = { protocol: { name: 'django' }, options: { url: django.url }, channels: { a: 0 } } as const
    const tabs = await openAll(newTab, 5, how, 'elsewhere.html')
    const left = await flowPast(tabs, (name, text) => django.publish(name, text), 400, close, 700)
    expect(left.length).toBeLessThan(5)
    await expect.poll(() => django.listeners).toBe(1)
  } finally {
    await django.close()
  }
})
