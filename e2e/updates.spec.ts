import { type NchanPlace, startNchanPlace } from './support/nchan.js'
import { missingNginx } from './support/nginx.js'
import { policyForJQuery } from './support/pages.js'
import { expect, needs, test } from './support/test.js'

const answer = (value: unknown) => JSON.stringify({ type: 'answer', value })

/** The page, with these addresses. */
const pageOf = (url: string, urls: Record<string, string>) =>
  `${url}/updates.html?urls=${encodeURIComponent(JSON.stringify(urls))}`

for (const messageTemplate of [undefined, '~text~']) {
  const settings = messageTemplate === undefined ? {} : { messageTemplate }
  test.describe(`a page written for updates.js, from a push stream server with ${messageTemplate ?? 'the usual template'}`, () => {
    test.use({ serverOptions: { settings } })

    test('what is stored, what comes, a processor that throws, texts that are no JSON, cuts', async ({
      page,
      site,
    }) => {
      const warnings: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'warning') warnings.push(message.text())
      })
      const { server, proxy } = site
      const publish = (text: string, channel = 'some_id') =>
        server.publish(channel, messageTemplate === undefined ? encodeURIComponent(text) : text)
      publish(answer(1))
      publish(answer('<b>2</b>'))
      const reply = await page.goto(
        pageOf(site.url, { main_channel: '/lp/some_id', second_channel: '/lp/second', none: '' }),
      )
      expect(reply?.headers()['content-security-policy']).toBe(policyForJQuery)
      await expect(page.locator('#answers > li')).toHaveText(['1', '<b>2</b>'])
      await expect(page.locator('#log > li')).toHaveText([answer(1), answer('<b>2</b>')])
      publish('{"type":"bomb"}')
      await expect(page.locator('#log > li').last()).toHaveText('after the bomb')
      publish('no JSON')
      proxy.cut()
      publish('{"type":"unknown"}')
      publish(answer(3))
      await expect(page.locator('#answers > li')).toHaveText(['1', '<b>2</b>', '3'])
      publish(answer(4), 'second')
      await expect(page.locator('#log > li').last()).toHaveText(`second ${answer(4)}`)
      for (let value = 5; value < 25; value++) {
        publish(answer(value))
        if (value === 10) proxy.cut()
      }
      await expect(page.locator('#answers > li')).toHaveCount(23)
      const values = await page.locator('#answers > li').allTextContents()
      expect(values.slice(3).map(Number)).toEqual(Array.from({ length: 20 }, (_, n) => n + 5))
      expect(warnings.filter((text) => text.includes("A processor of 'main_channel' threw"))).toHaveLength(1)
      expect(warnings.filter((text) => text.includes('it is no JSON: no JSON'))).toHaveLength(1)
    })
  })
}

test.describe('a page written for updates.js, from live Nchan', () => {
  needs(missingNginx('nchan'))

  let nchan: NchanPlace
  test.beforeEach(async () => {
    nchan = await startNchanPlace()
  })
  test.afterEach(async () => {
    await nchan.close()
  })

  for (const location of ['sub', 'lpm']) {
    test(`/${location}: 60 messages, stored and live, while connections are cut`, async ({ page }) => {
      for (let value = 0; value < 20; value++) await nchan.publish('some_id', answer(value))
      await page.goto(pageOf(nchan.url, { main_channel: `/${location}/some_id` }))
      await expect(page.locator('#answers > li')).toHaveCount(20)
      for (let value = 20; value < 60; value++) {
        await nchan.publish('some_id', answer(value))
        if (value % 15 === 0) nchan.proxy.cut()
      }
      await expect(page.locator('#answers > li')).toHaveCount(60)
      const values = await page.locator('#answers > li').allTextContents()
      expect(values.map(Number)).toEqual(Array.from({ length: 60 }, (_, n) => n))
    })
  }
})
