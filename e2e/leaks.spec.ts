import type { Start } from './page/page.js'
import { allModes, expect, test } from './support/test.js'

for (const mode of allModes) {
  test(`${mode}: fifty clients come and go, and leave no timer and no connection`, async ({ tab, site }) => {
    await tab.load()
    const start: Start = { options: { modes: [mode] }, channels: { a: 0, b: 2 } }
    const before = await tab.page.evaluate(() => window.watched.timers())
    await tab.page.evaluate(async (how) => {
      for (let n = 0; n < 50; n++) {
        window.e2e.start(how)
        const { stream } = window.e2e.client!
        // Some leave before they are open, some in the middle of it, some after.
        if (n % 5 === 0) await new Promise<void>((resolve) => stream.once('open', () => resolve()))
        else if (n % 5 > 1) await fetch('/other.html')
        stream.close()
      }
    }, start)
    await expect.poll(() => tab.page.evaluate(() => window.watched.timers())).toBe(before)
    await expect.poll(() => site.server.stats().subscribers).toBe(0)
    await expect.poll(() => site.websockets).toBe(0)
  })
}
