import type { Page } from '@playwright/test'
import { type Playground, startPlayground } from './support/playground.js'
import { expect, test } from './support/test.js'

let playground: Playground

test.beforeAll(async () => {
  playground = await startPlayground()
})

test.afterAll(() => playground?.close())

const rows = (page: Page, kind = 'message') => page.locator(`[data-testid=devtools-log] tr[data-kind=${kind}]`)

/** Opens the page with channels of its own, so that tests do not see each other's messages. */
async function open(page: Page, query: string): Promise<void> {
  await page.goto(`${playground.url}/client.html?${query}`)
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
}

/** How much there is to scroll sideways. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

const publish = (channel: string, body: string) =>
  fetch(`${playground.url}/pub?id=${channel}`, { method: 'POST', body }).then((response) => {
    expect(response.status).toBe(200)
  })

test('what is published by POST appears, and after a cut all goes on', async ({ page }) => {
  await open(page, '')
  await publish('global', '{"type":"greeting","text":"hello"}')
  await expect(rows(page).first()).toContainText('hello')
  await expect(rows(page).first()).toContainText('greeting')
  await expect(page.getByTestId('devtools-counter-received')).toHaveText('1')
  await page.getByTestId('fault-cut').click()
  await expect(page.getByTestId('devtools-counter-reconnects')).toHaveText('1')
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
  await publish('global', 'after the cut')
  await expect(rows(page)).toHaveCount(2)
  await expect(rows(page).first()).toContainText('after the cut')
  await expect(page.getByTestId('devtools-counter-gaps')).toHaveText('0')
})

test('the faults: reload, restart with a gap, a blocked websocket', async ({ page }) => {
  await open(page, 'channels=faults')
  await publish('faults', 'one')
  await publish('faults', 'two')
  await expect(rows(page)).toHaveCount(2)
  await page.getByTestId('fault-reload').click()
  await expect(page.getByTestId('devtools-counter-reconnects')).not.toHaveText('0')
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
  const second = Math.floor(Date.now() / 1000)
  await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(second)
  await page.getByTestId('fault-restart').click()
  // The button works by a request: the answer is told.
  await expect(page.getByTestId('fault-result')).not.toBeEmpty()
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
  await expect
    .poll(async () => {
      await publish('faults', 'three')
      return rows(page, 'gap').count()
    })
    .toBe(1)
  await page.getByTestId('fault-websocket').click()
  await expect(page.getByTestId('mode')).not.toHaveAttribute('data-mode', 'websocket')
  await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
  await page.getByTestId('fault-websocket').click()
  await expect(page.getByTestId('fault-websocket')).toHaveAttribute('aria-pressed', 'false')
  await publish('faults', 'the last')
  await expect(rows(page).first()).toContainText('the last')
})

test('by keyboard alone: to the button by Tab, published by Enter', async ({ page }) => {
  await open(page, 'channels=keys')
  await page.getByTestId('publish-channel').focus()
  await expect(page.getByTestId('publish-channel')).toHaveValue('keys')
  const button = page.getByTestId('publish-button')
  await expect
    .poll(async () => {
      await page.keyboard.press('Tab')
      return button.evaluate((element) => element === document.activeElement)
    })
    .toBe(true)
  await page.keyboard.press('Enter')
  await expect(rows(page).first()).toContainText('answer')
  await page.getByTestId('publish-text').fill('from the text')
  await page.keyboard.press('Control+Enter')
  await expect(rows(page).first()).toContainText('from the text')
})

test('the index leads to every page, and each of them works from the sources', async ({ page }) => {
  await page.goto(playground.url)
  await expect(page.getByTestId('curl')).toContainText(`${playground.url}/pub?id=user-42`)
  const links = page.locator('.cards a')
  const leadsTo = await links.evaluateAll((all) =>
    all.map((link) => new URL((link as HTMLAnchorElement).href).pathname),
  )
  expect(leadsTo).toEqual([
    '/client.html',
    '/react/index.html',
    '/vue/index.html',
    '/plain/index.html',
    '/updates/index.html',
  ])
  await page.setViewportSize({ width: 360, height: 740 })
  const text = 'x'.repeat(300)
  await publish('user-42', JSON.stringify({ type: 'notification', id: 'index', text }))
  for (const path of leadsTo) {
    expect(await overflow(page)).toBe(0)
    await links.nth(leadsTo.indexOf(path)).click()
    await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
    if (path !== '/client.html') await expect(page.getByText(text)).toBeVisible()
    expect(await overflow(page)).toBe(0)
    await page.getByRole('link', { name: 'PushStream' }).click()
    // Until its load event: what leaves a page sooner may be interrupted.
    await page.waitForURL(`${playground.url}/index.html`)
  }
})

test('360 pixels wide: nothing to scroll sideways, also with long messages', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await open(page, 'channels=narrow')
  await publish('narrow', 'x'.repeat(500))
  await expect(rows(page)).toHaveCount(1)
  expect(await overflow(page)).toBe(0)
  await page.locator('summary').evaluateAll((all) => {
    for (const summary of all) (summary.parentElement as HTMLDetailsElement).open = true
  })
  expect(await overflow(page)).toBe(0)
})
