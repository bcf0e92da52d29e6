import type { Page } from '@playwright/test'
import { ask, type LivePlace, startLive } from './support/live.js'
import { withLive } from './support/live-test.js'
import { missingNginx, type NginxOptions } from './support/nginx.js'
import { allModes, test as base, expect, needs } from './support/test.js'

// A page of old with pushstream.js, behind the module itself, set up as for the module's own script.

const test = base.extend<{ values: NonNullable<NginxOptions['values']>; live: LivePlace }>({
  values: [{}, { option: true }],
  live: ({ values }, use, info) => withLive(startLive('script', { values: { ttl: '15m', ...values } }), use, info),
  place: ({ live }, use) => use(live),
})

needs(missingNginx('script'))

/** What `e2e/page/classic.js` gives to the page. */
declare const self: {
  readonly errors: readonly (readonly [type: string, channel: string, state: number])[]
  readonly texts: readonly string[]
  readonly pushstream: {
    readonly readyState: number
    addChannel(name: string): void
    connect(): void
    disconnect(): void
    sendMessage(text: string, success: () => void): void
  }
  start(settings: Record<string, unknown>, channels: readonly string[]): void
}

const open = async (page: Page, live: LivePlace, settings: Record<string, unknown>, ...channels: string[]) => {
  await page.goto(`${live.url}/classic.html`)
  await page.evaluate(([how, names]) => self.start(how, names), [settings, channels] as const)
}
const texts = (page: Page) => page.evaluate(() => self.texts)
const errors = (page: Page) => page.evaluate(() => self.errors)
const state = (page: Page) => page.locator('#state')

for (const modes of allModes) {
  test(`${modes}: texts that would break a script, events, a deletion, a channel more`, async ({ page, live }) => {
    await live.push.publish('a', 'before', { eventId: 'e1' })
    await open(page, live, { modes, messagesPublishedAfter: 60 }, 'a')
    await expect(state(page)).toHaveText('12')
    const bodies = [`it's "quoted"`, "');alert(1);('", '</script><script>window.ran=1</script>', '漢字 😀', '{"a":[1]}']
    for (const body of bodies) await live.push.publish('a', body)
    await live.push.publish('a', encodeURIComponent('100% & "more"'))
    await expect.poll(() => texts(page)).toEqual(['before', ...bodies, '100% & "more"'])
    await expect(page.locator('#log > li').first()).toHaveText('["before",1,"a","e1",true,"string"]')
    expect(await page.evaluate(() => 'ran' in self)).toBe(false)

    await page.evaluate(() => self.pushstream.addChannel('b'))
    await live.push.publish('a', 'and on')
    await expect
      .poll(async () => {
        await live.push.publish('b', 'on b')
        return (await texts(page)).includes('on b')
      })
      .toBe(true)
    expect((await texts(page)).filter((text) => text === 'and on')).toHaveLength(1)
    await expect(state(page)).toHaveText('12')
    expect(await errors(page)).toEqual([])

    // A deletion is not stored: between two long-polls, it reaches no one.
    await live.push.publish('b', 'the last on b')
    await expect.poll(async () => (await texts(page)).at(-1)).toBe('the last on b')
    await expect
      .poll(async () => {
        const { text } = await ask('GET', `${live.nginx.url}/channels-stats?id=a`)
        return Number((JSON.parse(text) as { subscribers: string }).subscribers)
      })
      .toBeGreaterThan(0)
    await ask('DELETE', `${live.nginx.url}/pub?id=a`)
    await expect(page.locator('#log > li', { hasText: '"deleted",0,"a"' })).toHaveCount(1)
  })

  test(`${modes}: nginx reloads, the line is cut, the page disconnects: each message once, in order`, async ({
    page,
    live,
  }) => {
    await open(page, live, { modes }, 'a')
    await expect(state(page)).toHaveText('12')
    const all = Array.from({ length: 120 }, (_, n) => `message ${n}`)
    for (const [n, text] of all.entries()) {
      if (n === 30) await live.nginx.reload()
      if (n === 60 || n === 65) live.proxy.cut()
      if (n === 90) await page.evaluate(() => self.pushstream.disconnect())
      if (n === 100) await page.evaluate(() => self.pushstream.connect())
      await live.push.publish('a', text)
    }
    await expect.poll(() => texts(page)).toEqual(all)
    await expect(state(page)).toHaveText(/012$/)
    expect((await errors(page)).every(([type, channel]) => type !== 'load' || channel === '')).toBe(true)
  })
}

test('sendMessage: by the websocket, to everybody', async ({ page, live }) => {
  await open(page, live, { modes: 'websocket' }, 'a')
  await expect(state(page)).toHaveText('12')
  await page.evaluate(() => new Promise<void>((resolve) => self.pushstream.sendMessage('"é" from the page', resolve)))
  await expect.poll(() => texts(page)).toEqual(['"é" from the page'])
})

test('channels with another name on the server: nothing is lost, and they come as the server names them', async ({
  page,
  live,
}) => {
  await live.push.publish('own-a', 'long ago')
  await open(page, live, { modes: 'eventsource', urlPrefixEventsource: '/own' }, 'a', 'b')
  await expect(state(page)).toHaveText('12')
  await live.push.publish('own-a', '1')
  await live.push.publish('b', '2')
  await expect.poll(() => texts(page)).toEqual(['1', '2'])
  live.proxy.cut()
  await live.push.publish('own-a', '3')
  await expect.poll(() => texts(page)).toEqual(['1', '2', '3'])
  await expect(page.locator('#log > li').last()).toHaveText('["3",3,"own-a","",true,"string"]')
})

test.describe('connections that the server ends after 3 seconds', () => {
  test.use({ values: { ttl: '3s' } })
  for (const modes of ['websocket', 'eventsource', 'stream']) {
    test(`${modes}: CLOSED, an error of type timeout, and open again`, async ({ page, live }) => {
      await open(page, live, { modes }, 'a')
      await expect(state(page)).toHaveText(/^12012/)
      expect((await errors(page))[0]).toEqual(['timeout', '', 0])
      await live.push.publish('a', 'still')
      await expect.poll(() => texts(page)).toEqual(['still'])
    })
  }
})

test.describe('channels that have to exist', () => {
  test.use({ values: { authorized: 'on' } })
  for (const modes of allModes) {
    test(`${modes}: refused, asked for again, there`, async ({ page, live }) => {
      await open(page, live, { modes }, 'later')
      await expect.poll(async () => (await errors(page)).length).toBeGreaterThan(1)
      expect((await errors(page))[0]).toEqual(['load', 'later', 0])
      await live.push.publish('later', 'it is there')
      await expect.poll(() => page.evaluate(() => self.pushstream.readyState)).toBe(2)
      await live.push.publish('later', 'hello')
      await expect.poll(() => texts(page)).toEqual(['hello'])
    })
  }
})
