import { allModes, expect, faults, publishAtRate, test } from './support/test.js'

const id = (message: { id: number | undefined }) => message.id as number

for (const mode of allModes) {
  test(`${mode}: the page is reloaded while messages are published, and gets what it asks for`, async ({
    tab,
    site,
  }) => {
    // The server's times are whole seconds: what was published before must be seconds before.
    const since = Date.now() - 2000
    await tab.load({
      options: { modes: [mode], messagesPublishedAfter: since },
      channels: { a: 0 },
    })
    const publishing = publishAtRate(site.server, ['a'], 150, 60)
    for (const count of [20, 60]) {
      await tab.received(count)
      await tab.page.reload()
    }
    await publishing
    const { all, gaps } = await tab.received(150)
    expect(faults(all)).toEqual([])
    expect(gaps).toEqual([])
    expect(all).toHaveLength(150)
  })
}

test('a backtrack of 5 after a page reload: five stored ones, then all that follow', async ({ tab, site }) => {
  const start = { channels: { a: 5 } }
  for (const mode of allModes) {
    const before = site.server.publish('a', 'before').id
    for (let n = 0; n < 6; n++) site.server.publish('a', 'before')
    await tab.load({ ...start, options: { modes: [mode] } })
    await tab.until('open', ({ status }) => status.state === 'open')
    for (let n = 0; n < 3; n++) site.server.publish('a', 'after')
    const { messages } = await tab.received(8)
    expect(messages.map(id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((n) => before + n))
  }
})

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
