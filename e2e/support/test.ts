import { test as base, type Page } from '@playwright/test'
import type { ModeName } from '@pushstream/core'
import type { DevServerOptions } from '@pushstream/devserver'
import { type BrowserName, findBrowser, missing } from './browsers.js'
import { lacking } from './programs.js'
import { type Place, type Site, startSite } from './site.js'
import { Tab } from './tab.js'
import { watch } from './watch.js'

export { expect } from '@playwright/test'
export { faults, sentAgain } from '../../packages/core/test/support/numbered.js'
export { publishAtRate } from './publish.js'
export { Tab } from './tab.js'

export const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const satisfies readonly ModeName[]

/** What a browser logs about connections that a test breaks. A page can't prevent it. */
const networkTrouble =
  /Failed to load resource|WebSocket connection to|can.t establish a connection|^The connection to .* was interrupted|Same Origin Policy disallows|blocked by CORS policy/

interface Fixtures {
  /** The settings of a test's push server. */
  serverOptions: DevServerOptions
  site: Site
  /** The origin of the pages. Default: the site with the development server. */
  place: Place
  /** Opens another page of the same browser context. */
  newTab: () => Promise<Tab>
  tab: Tab
  /** Errors in the pages of this test. It must be empty at the end. */
  troubles: string[]
  /** Skips a test if its browser is missing. */
  present: undefined
}

let said = false

export const test = base.extend<Fixtures>({
  present: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    async ({}, use, testInfo) => {
      const name = testInfo.project.name as BrowserName
      if ((await findBrowser(name)) === undefined) {
        const why = await missing(name)
        if (!said) console.error(why)
        said = true
        if (/^(1|true)$/i.test(process.env.CI ?? '')) throw new Error(why)
        testInfo.skip(true, why)
      }
      await use(undefined)
    },
    { auto: true },
  ],

  serverOptions: [{}, { option: true }],

  site: async ({ serverOptions }, use) => {
    const site = await startSite(serverOptions)
    await use(site)
    await site.close()
  },

  place: async ({ site }, use) => {
    await use(site)
  },

  troubles: [
    async ({ present, context }, use, testInfo) => {
      void present
      const troubles: string[] = []
      await context.addInitScript(watch)
      const trouble = (kind: string, text: string) => {
        if (!networkTrouble.test(text)) troubles.push(`${kind}: ${text}`)
      }
      context.on('weberror', (error) => trouble('page error', error.error().message))
      context.on('console', (message) => {
        if (message.type() === 'error') trouble('console', message.text())
      })
      await use(troubles)
      for (const page of context.pages()) troubles.push(...(await inside(page)))
      // The screenshot of a failure uses a style that the policy of the pages forbids.
      const own = testInfo.errors.length > 0 ? /inline style|style-src-elem/ : undefined
      const found = [...new Set(troubles)].filter((trouble) => !own?.test(trouble))
      if (found.length > 0) throw new Error(`Errors in the page:\n${found.join('\n')}`)
    },
    { auto: true },
  ],

  newTab: async ({ context, place }, use) => {
    await use(async () => new Tab(await context.newPage(), place.url))
  },

  tab: async ({ page, place, troubles }, use) => {
    void troubles
    await use(new Tab(page, place.url))
  },
})

/** Skips the tests of a file or group that can't run here, and prints why. With CI=true, they may fail instead. */
export function needs(...missing: readonly (string | undefined)[]): void {
  test.beforeEach(() => {
    const why = lacking(...missing)
    test.skip(why !== undefined, why)
  })
}

async function inside(page: Page): Promise<string[]> {
  return page.isClosed() ? [] : page.evaluate(() => window.watched?.troubles ?? []).catch(() => [])
}

/** Adds a value to the test's result. */
export function note(type: string, value: string | number): void {
  test.info().annotations.push({ type, description: String(value) })
}
