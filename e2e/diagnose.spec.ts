import type { Page } from '@playwright/test'
import { type DiagnoseOptions, formatReport } from '@pushstream/core/diagnose'
import { startSite } from './support/site.js'
import { expect, test } from './support/test.js'

// diagnose() in a page: what a browser shows, and what it hides.

const settings = { pingMessageInterval: 300 }

async function examine(page: Page, at: string, options: DiagnoseOptions) {
  await page.goto(at)
  await page.waitForFunction(() => window.diagnose !== undefined)
  const report = await page.evaluate((given) => window.diagnose({ wait: 1000, ...given }), options)
  const found = report.findings.map(({ fault, modes }) => [fault, ...modes].join(' '))
  const unknown = report.rows.filter(({ outcome }) => outcome === 'unknown').map(({ check }) => check)
  return { report, found, unknown }
}

test('the page’s own server, and a publisher → nothing is found, and everything was seen', async ({
  page,
  troubles,
}) => {
  const site = await startSite({ settings })
  const { found, unknown, report } = await examine(page, `${site.url}/diagnose.html`, {
    publish: '/pub?id={channel}',
    limits: true,
  })
  await site.close()
  expect([found, unknown, troubles], formatReport(report)).toEqual([[], [], []])
  expect(report.rows.find(({ check }) => check === 'http version')?.detail).toBe('http/1.1')
})

test('no websocket location → missing, though a browser hides the status', async ({ page }) => {
  const site = await startSite({
    settings,
    locations: [
      { path: '/ev/', mode: 'eventsource' },
      { path: '/lp/', mode: 'long-polling' },
    ],
  })
  const { found } = await examine(page, `${site.url}/diagnose.html`, {})
  await site.close()
  expect(found).toEqual(['missing websocket'])
})

test.describe('a server of another origin', () => {
  for (const [what, allowedOrigins, expected] of [
    ['allows the page → nothing is found', '*', []],
    ['allows no one → cors', '', ['cors eventsource longpolling']],
  ] as const) {
    test(what, async ({ page }) => {
      const [pages, site] = [await startSite(), await startSite({ settings: { ...settings, allowedOrigins } })]
      site.server.publish('news', 'x')
      const { found } = await examine(page, `${pages.url}/diagnose-elsewhere.html`, { url: site.url, channel: 'news' })
      await pages.close()
      await site.close()
      expect(found).toEqual(expected)
    })
  }

  test('every origin is allowed, and cookies are sent → credentials', async ({ page }) => {
    const [pages, site] = [await startSite(), await startSite({ settings: { ...settings, allowedOrigins: '*' } })]
    const { found } = await examine(page, `${pages.url}/diagnose-elsewhere.html`, {
      url: site.url,
      credentials: 'include',
    })
    await pages.close()
    await site.close()
    expect(found).toEqual(['credentials eventsource longpolling'])
  })

  test('the policy of the page forbids it → csp', async ({ browser }) => {
    // Its own context, as what the browser says about the policy is no trouble here.
    const page = await browser.newPage()
    const [pages, site] = [await startSite(), await startSite({ settings: { ...settings, allowedOrigins: '*' } })]
    const { found } = await examine(page, `${pages.url}/diagnose.html`, {
      url: site.url,
      modes: ['eventsource', 'longpolling'],
    })
    await pages.close()
    await site.close()
    await page.close()
    expect(found).toEqual(['csp eventsource longpolling'])
  })
})
