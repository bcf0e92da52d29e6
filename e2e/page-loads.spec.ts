import type { Page } from '@playwright/test'
import type { ModeName } from '@pushstream/core'
import type { Site } from './support/site.js'
import { expect, note, publishAtRate, Tab, test } from './support/test.js'

// Pages that keep their positions across page loads, as docs/page-loads.md describes.

const least = 2000
const rate = 200
const loads = 10

/** What the application got on all pages, in the order of the pages. */
const seen = (page: Page, kind: 'session' | 'local') =>
  page.evaluate((where) => {
    const storage = where === 'local' ? localStorage : sessionStorage
    const keys = Object.keys(storage).filter((key) => key.startsWith('seen '))
    const parts = keys.map((key) => key.split(' ').slice(1).map(Number) as [number, number])
    parts.sort(([page, part], [other, later]) => page - other || part - later)
    const pages = new Map<number, string[]>()
    for (const [page, part] of parts) {
      const seen = JSON.parse(storage.getItem(`seen ${page} ${part}`) as string) as string[]
      pages.set(page, [...(pages.get(page) ?? []), ...seen])
    }
    return [...pages.values()]
  }, kind)

/** Publishes at the rate to both channels until it is ended, and at least so many. Resolves with how many each got. */
function flow(site: Site) {
  let over = false
  const done = (async () => {
    let sent = 0
    for (; !over || sent < least; sent += rate / 10) await publishAtRate(site.server, ['a', 'b'], rate / 10, rate)
    return sent / 2
  })()
  return {
    end(): Promise<number> {
      over = true
      return done
    },
  }
}

/** Waits until the page has the last message of each channel, and checks what came of all pages. */
async function check(page: Page, kind: 'session' | 'local', perChannel: number) {
  const ids = (pages: string[][], channel: string) =>
    pages.flat().flatMap((one) => (one.startsWith(`${channel} `) ? [one.slice(2)] : []))
  const expected = Array.from({ length: perChannel }, (_, n) => String(n + 1))
  const last = async () => {
    const pages = await seen(page, kind)
    return ['a', 'b'].every((channel) => ids(pages, channel).at(-1) === String(perChannel))
  }
  await expect.poll(last, { timeout: 20_000, intervals: [100] }).toBe(true)
  const pages = await seen(page, kind)
  note('messages of each page', pages.map(({ length }) => length).join(' '))
  for (const channel of ['a', 'b']) expect(ids(pages, channel)).toEqual(expected)
  return pages
}

const startOf = (mode: ModeName, kind: 'session' | 'local') => ({
  options: { modes: [mode] },
  persist: kind,
  channels: { a: 0, b: 0 },
})

test.describe.configure({ timeout: 120_000 })

for (const mode of ['websocket', 'eventsource'] as const) {
  test(`${mode}: ten page loads in a flow of ${rate} messages a second → 0 lost, 0 doubled, no gap`, async ({
    tab,
    site,
  }) => {
    const start = startOf(mode, 'session')
    await tab.load(start)
    await tab.until('open', ({ status }) => status.state === 'open')
    const published = flow(site)
    for (let n = 0; n < loads; n++) {
      // As pages are left: at any moment, some before they have a connection.
      await tab.page.waitForTimeout([600, 900, 150, 1000, 50, 700, 300, 1100, 20, 800][n] as number)
      if (n % 3 === 0) await tab.page.reload()
      else if (n % 3 === 1) await tab.load(start, n % 2 ? '' : 'index.html')
      else {
        await tab.page.goto(`${site.url}/other.html`)
        await tab.load(start)
      }
    }
    const pages = await check(tab.page, 'session', await published.end())
    expect(pages.length).toBeGreaterThan(loads / 2)
  })
}

test('the browser is started again → it goes on where it was', async ({ browser, site, context }) => {
  const start = startOf('eventsource', 'local')
  const first = await new Tab(await context.newPage(), site.url).load(start)
  await first.until('open', ({ status }) => status.state === 'open')
  const published = flow(site)
  let tab = first
  let last = context
  for (let n = 0; n < 2; n++) {
    await tab.page.waitForTimeout(1500)
    await tab.page.goto('about:blank')
    const storageState = await last.storageState()
    if (last !== context) await last.close()
    last = await browser.newContext({ storageState })
    tab = await new Tab(await last.newPage(), site.url).load(start)
  }
  const pages = await check(tab.page, 'local', await published.end())
  expect(pages).toHaveLength(3)
  await last.close()
})

test('three tabs with one connection load pages in turn in a flow → each gets each message once, no gap', async ({
  tab,
  site,
  newTab,
}) => {
  const start = { ...startOf('eventsource', 'session'), share: {} }
  const tabs = [tab, await newTab(), await newTab()]
  for (const one of tabs) {
    await one.load(start)
    await one.until('open', ({ status }) => status.state === 'open')
  }
  const published = flow(site)
  for (let n = 0; n < loads; n++) {
    await tab.page.waitForTimeout([600, 900, 150, 1000, 50, 700, 300, 1100, 20, 800][n] as number)
    const one = tabs[n % tabs.length] as Tab
    if (n % 2 === 0) await one.page.reload()
    else await one.load(start, '')
  }
  const perChannel = await published.end()
  for (const one of tabs) expect((await check(one.page, 'session', perChannel)).length).toBeGreaterThan(1)
  await expect.poll(() => site.server.stats().subscribers).toBe(1)
})

test('positions of a tab that was duplicated → each goes on by itself', async ({ tab, site, newTab }) => {
  const start = startOf('websocket', 'local')
  await tab.load(start)
  await tab.until('open', ({ status }) => status.state === 'open')
  for (let n = 0; n < 5; n++) site.server.publish('a', `${n}`)
  await tab.received(5)
  const other = await (await newTab()).load(start)
  await other.until('open', ({ status }) => status.state === 'open')
  for (let n = 5; n < 8; n++) site.server.publish('a', `${n}`)
  const texts = async (one: Tab) => (await one.recording()).messages.map(({ text }) => text)
  await tab.received(8)
  await other.received(3)
  expect(await texts(tab)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  expect(await texts(other)).toEqual(['5', '6', '7'])
})
