import { allModes, expect, faults, note, test } from './support/test.js'

for (const mode of allModes) {
  test(`${mode}: offline, then online: nothing of what was published meanwhile is lost`, async ({
    tab,
    site,
    context,
  }) => {
    await tab.open({ options: { modes: [mode] }, channels: { a: 0, b: 0 } })
    site.server.publish('a', 'before')
    await tab.received(1)
    await context.setOffline(true)
    // A browser that plays offline may keep what is open, and send a cut request once more: a real network would not.
    await site.proxy.refuse(true)
    site.proxy.cut()
    await tab.until('not open', ({ status }) => status.state !== 'open')
    for (let n = 0; n < 20; n++) site.server.publish(n % 2 ? 'a' : 'b', `meanwhile ${n}`)
    await tab.until('waiting', ({ status }) => status.state === 'waiting')
    const { messages } = await tab.recording()
    expect(messages).toHaveLength(1)
    await site.proxy.refuse(false)
    const began = Date.now()
    await context.setOffline(false)
    const { all, gaps } = await tab.received(21)
    const took = Date.now() - began
    note('all there after online, ms', took)
    expect(took).toBeLessThan(5000)
    expect(faults(all)).toEqual([])
    expect(gaps).toEqual([])
    site.server.publish('a', 'after')
    const { states } = await tab.received(22)
    expect(states.at(-1)).toBe(mode)
  })
}
