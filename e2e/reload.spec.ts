import { survivesPageReloads } from './support/suites.js'
import { allModes, expect, test } from './support/test.js'

survivesPageReloads(test)

test('away and back in the history: the page receives again', async ({ tab, site }) => {
  for (const mode of allModes) {
    await tab.load({ options: { modes: [mode] }, channels: { a: 0 } })
    await tab.until('open', ({ status }) => status.state === 'open')
    await tab.page.goto(`${site.url}/other.html`)
    await tab.page.goBack()
    await tab.page.waitForFunction(() => window.e2e?.client !== undefined, undefined, { polling: 50 })
    await tab.until('open', ({ status }) => status.state === 'open')
    const last = site.server.publish('a', 'back').id
    await tab.until('a message', ({ messages }) => messages.at(-1)?.id === last)
  }
})

test('the page that was left holds no connection', async ({ tab, site }) => {
  for (const mode of allModes) {
    await tab.load({ options: { modes: [mode] }, channels: { a: 0 } })
    await tab.until('open', ({ status }) => status.state === 'open')
    await tab.page.reload()
    await tab.until('open', ({ status }) => status.state === 'open')
    await expect.poll(() => site.server.stats().subscribers, { intervals: [50] }).toBeLessThanOrEqual(1)
    await tab.page.goto(`${site.url}/other.html`)
    await expect.poll(() => site.server.stats().subscribers, { intervals: [50] }).toBe(0)
  }
})
