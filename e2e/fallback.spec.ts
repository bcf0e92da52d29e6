import type { ModeName } from '@pushstream/core'
import type { FaultProxy } from '@pushstream/testkit'
import { expect, note, test } from './support/test.js'

const cases: readonly [
  what: string,
  fault: (proxy: FaultProxy) => void,
  modes: readonly ModeName[] | undefined,
  ModeName,
][] = [
  ['websocket refused with 403', (proxy) => proxy.upgrades({ status: 403 }), undefined, 'eventsource'],
  ['websocket swallowed', (proxy) => proxy.upgrades('swallow'), undefined, 'eventsource'],
  ['websocket hanging', (proxy) => proxy.upgrades('hang'), undefined, 'eventsource'],
  [
    'websocket hanging and streams held until 64 KB',
    (proxy) => {
      proxy.upgrades('hang')
      proxy.holdUntil(64 * 1024)
    },
    undefined,
    'longpolling',
  ],
  [
    'eventsource held until 64 KB',
    (proxy) => proxy.holdUntil(64 * 1024),
    ['eventsource', 'longpolling'],
    'longpolling',
  ],
  [
    'eventsource held until 64 KB, its head let through',
    (proxy) => proxy.holdUntil(64 * 1024, { head: 'pass' }),
    ['eventsource', 'longpolling'],
    'longpolling',
  ],
  ['stream held until 64 KB', (proxy) => proxy.holdUntil(64 * 1024), ['stream', 'longpolling'], 'longpolling'],
]

for (const [what, fault, modes, expected] of cases) {
  test(`${what}: the first message comes by ${expected}`, async ({ tab, site }) => {
    await tab.load()
    fault(site.proxy)
    const publishing = setInterval(() => site.server.publish('a', 'x'), 100)
    try {
      await tab.start({ options: modes ? { modes } : {}, channels: { a: 0 } })
      const { firstAfter } = await tab.received(1)
      note('first message after, ms', Math.round(firstAfter as number))
      // Two seconds is what is promised; the rest is for machines that are busy.
      expect(firstAfter).toBeLessThan(4000)
      const { status } = await tab.until('open', ({ status }) => status.state === 'open')
      expect(status.mode).toBe(expected)
    } finally {
      clearInterval(publishing)
    }
    const { id } = site.server.publish('a', 'the last')
    const { messages } = await tab.until('the last message', ({ messages }) => messages.at(-1)?.id === id)
    expect(messages.at(-1)?.mode).toBe(expected)
  })
}

test('what worked is remembered over a page reload', async ({ tab, site }) => {
  site.proxy.upgrades('hang')
  const start = { channels: { a: 0 } }
  await tab.load(start)
  await tab.until('eventsource', ({ status }) => status.mode === 'eventsource')
  site.proxy.upgrades('pass')
  const before = site.proxy.requests.length
  await tab.load(start)
  await tab.until('eventsource', ({ status }) => status.mode === 'eventsource')
  expect(site.proxy.requests.slice(before).filter(({ upgrade }) => upgrade)).toEqual([])
})
