import { allModes, expect, faults, test } from './support/test.js'

// The events of a page's lifecycle, as the client listens to them. They are dispatched by hand: headless Chromium neither
// freezes a page on request nor prerenders one.

for (const mode of allModes) {
  test(`${mode}: freeze, then resume → no connection meanwhile, nothing lost or doubled`, async ({ tab, site }) => {
    await tab.open({ options: { modes: [mode] }, channels: { a: 0 } })
    site.server.publish('a', 'before')
    await tab.received(1)
    await tab.page.evaluate(() => document.dispatchEvent(new Event('freeze')))
    await expect.poll(() => site.server.stats().subscribers).toBe(0)
    for (let n = 0; n < 20; n++) site.server.publish('a', `meanwhile ${n}`)
    expect((await tab.recording()).messages).toHaveLength(1)
    await tab.page.evaluate(() => document.dispatchEvent(new Event('resume')))
    const { all, gaps, errors } = await tab.received(21)
    expect(faults(all)).toEqual([])
    expect(gaps).toEqual([])
    expect(errors).toEqual([])
  })

  test(`${mode}: prerendering → no connection until prerenderingchange`, async ({ tab, site }) => {
    await tab.page.addInitScript(() => {
      Object.defineProperty(document, 'prerendering', { value: true, configurable: true })
    })
    await tab.load()
    await tab.start({ options: { modes: [mode] }, channels: { a: 0 } })
    await tab.page.evaluate(() => window.dispatchEvent(new Event('online')))
    // Nothing is to happen, so there is nothing else to wait for.
    await tab.page.waitForTimeout(1000)
    expect(site.server.stats().subscribers).toBe(0)
    await tab.page.evaluate(() => {
      Object.defineProperty(document, 'prerendering', { value: false })
      document.dispatchEvent(new Event('prerenderingchange'))
    })
    await tab.until('open', ({ status }) => status.state === 'open')
    site.server.publish('a', 'after')
    const { errors } = await tab.received(1)
    expect(errors).toEqual([])
  })
}
