import { strictPolicy } from './support/pages.js'
import { allModes, expect, test } from './support/test.js'

// The policy is checked for violations at the end of every test: all pages here are served with it.
for (const modes of ['websocket|eventsource|longpolling', ...allModes]) {
  test(`pushstream.js in a plain page with a strict policy, as it was always used: ${modes}`, async ({
    page,
    site,
  }) => {
    site.server.publish('my_channel_1', 'before the page', { eventId: 'e1' })
    const answer = await page.goto(`${site.url}/classic.html?modes=${modes}`)
    expect(answer?.headers()['content-security-policy']).toBe(strictPolicy)
    expect(await page.evaluate(() => typeof (window as { PushStream?: unknown }).PushStream)).toBe('function')
    await expect(page.locator('#state')).toHaveText('12')
    site.server.publish('my_channel_1', 'Hello "World"')
    await expect(page.locator('#log > li')).toHaveText([
      '["before the page",1,"my_channel_1","e1",true,"string"]',
      '["Hello \\"World\\"",2,"my_channel_1","",true,"string"]',
    ])
    site.server.deleteChannel('my_channel_1')
    await expect(page.locator('#log > li')).toHaveCount(3)
    await expect(page.locator('#log > li').last()).toContainText('deleted')
    await page.evaluate(() => (window as unknown as { pushstream: { disconnect(): void } }).pushstream.disconnect())
    await expect(page.locator('#state')).toHaveText(/0$/)
  })
}

test('the policy is in force, and what it forbids is noticed', async ({ tab, troubles }) => {
  await tab.load()
  const allowed = await tab.page.evaluate(() => {
    try {
      const script = document.createElement('script')
      script.textContent = 'window.inline = true'
      document.head.append(script)
    } catch {
      // That is how trusted types refuse it.
    }
    return 'inline' in window
  })
  expect(allowed).toBe(false)
  await expect.poll(() => tab.page.evaluate(() => window.watched.troubles.length)).toBeGreaterThan(0)
  // These were meant.
  await tab.page.evaluate(() => window.watched.troubles.splice(0))
  await expect.poll(() => troubles.length).toBeGreaterThan(0)
  troubles.length = 0
})
