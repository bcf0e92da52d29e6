import type { ModeName } from '@pushstream/core'
import { type LivePlace, startLive } from './support/live.js'
import { withLive } from './support/live-test.js'
import { type NchanPlace, startNchanPlace } from './support/nchan.js'
import { missingNginx } from './support/nginx.js'
import { close, flowPast, openAll } from './support/sharing.js'
import { test as base, expect, needs } from './support/test.js'

// One connection for all tabs, to the servers themselves.

base.describe.configure({ timeout: 90_000 })

const modes = ['websocket', 'eventsource', 'longpolling'] as const satisfies readonly ModeName[]

base.describe('Nchan', { tag: '@server' }, () => {
  needs(missingNginx('nchan'))
  const test = base.extend<{ live: NchanPlace }>({
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    live: ({}, use, info) => withLive(startNchanPlace(), use, info),
    place: ({ live }, use) => use(live),
  })
  for (const mode of modes) {
    test(`${mode}: the leader closed every 0.7 s → each tab has each message once, in order`, async ({
      newTab,
      live,
    }) => {
      const how = { protocol: { name: 'nchan' }, options: { modes: [mode] }, channels: { a: 0 } } as const
      await flowPast(await openAll(newTab, 5, how), live.publish, 400, close, 700)
      await expect.poll(() => live.subscribers('a')).toBe(1)
    })
  }
})

base.describe('the push stream module', { tag: '@server' }, () => {
  needs(missingNginx('push-stream'))
  const test = base.extend<{ live: LivePlace }>({
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    live: ({}, use, info) => withLive(startLive('push-stream'), use, info),
    place: ({ live }, use) => use(live),
  })
  for (const mode of modes) {
    test(`${mode}: the leader closed every 0.7 s → each tab has each message once, in order`, async ({
      newTab,
      live,
    }) => {
      const how = { options: { modes: [mode] }, channels: { a: 0 } } as const
      await flowPast(await openAll(newTab, 5, how), live.push.publish, 400, close, 700)
    })
  }
})
