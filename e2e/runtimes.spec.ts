import { createDevServer } from '@pushstream/devserver'
import { createFaultProxy } from '@pushstream/testkit'
import { startPlace } from './runtimes/place.mjs'
import { serve } from './support/pages.js'
import { test as base, expect } from './support/test.js'

// What Node, Deno and Bun run as well (`runtimes/run.mjs`), in a window and in workers.

const test = base.extend({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  place: async ({}, use) => {
    const place = await startPlace({ createDevServer, createFaultProxy }, (...given) => void serve(...given))
    await use(place as never)
    await place.close()
  },
})

declare global {
  interface Window {
    /** Runs the suite in the window or in a kind of worker. */
    runIn(place: string): Promise<{ title: string; error?: string }[]>
  }
}

for (const where of ['window', 'worker', 'shared worker', 'service worker']) {
  test(`in a ${where} → each mode does what it does elsewhere`, async ({ page, place, troubles }) => {
    void troubles
    await page.goto(`${place.url}/runtimes.html`)
    const results = await page.evaluate((name) => window.runIn(name), where)
    expect(results.filter(({ error }) => error)).toEqual([])
    expect(results).toHaveLength(20)
  })
}
