import { allModes, expect, faults, test } from './support/test.js'

for (const mode of allModes) {
  test(`${mode}: the server reloads: all goes on; it restarts: a gap says so`, async ({ tab, site }) => {
    await tab.open({ options: { modes: [mode] }, channels: { a: 0 } })
    for (let n = 0; n < 5; n++) site.server.publish('a', 'before')
    await tab.received(5)
    site.server.reload()
    for (let n = 0; n < 5; n++) site.server.publish('a', 'after the reload')
    const second = Math.floor(Date.now() / 1000)
    const reloaded = await tab.received(10)
    expect(faults(reloaded.all)).toEqual([])
    expect(reloaded.gaps).toEqual([])

    await tab.until('open', ({ status }) => status.state === 'open')
    // The protocol tells times in whole seconds: no server restarts and publishes within the one of its last message.
    await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(second)
    site.server.restart()
    for (let n = 0; n < 3; n++) site.server.publish('a', 'after the restart')
    const { messages, gaps, all } = await tab.received(13)
    expect(gaps).toEqual([{ channel: 'a', first: 11, last: 'unknown', reason: 'restart' }])
    expect(messages.slice(10).map(({ id }) => id)).toEqual([1, 2, 3])
    expect(faults(all)).toEqual([])
  })
}

test('the server is away for a while: the state says so, and all is well after', async ({ tab, site }) => {
  await tab.open({ options: { reconnectOnTimeoutInterval: 200 }, channels: { a: 0 } })
  await site.proxy.refuse(true)
  site.proxy.cut()
  const { status } = await tab.until('two failures', ({ status }) => status.attempt >= 2)
  expect(status.state).not.toBe('open')
  site.server.publish('a', 'meanwhile')
  await site.proxy.refuse(false)
  const { messages } = await tab.received(1)
  expect(messages.map(({ text }) => text)).toEqual(['meanwhile'])
  await tab.until('open', ({ status }) => status.state === 'open')
})
