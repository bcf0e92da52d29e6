import { defineConfig } from '@playwright/test'
import { findBrowser } from './support/browsers.js'

const chromium = await findBrowser('chromium')
const firefox = await findBrowser('firefox')

/**
 * The browsers of the system: Playwright's own are not downloaded. A test needs the sources only, `npm run build` is not
 * necessary.
 */
export default defineConfig({
  testDir: '.',
  // What ends in .test.ts is Vitest's.
  testMatch: '**/*.spec.ts',
  globalSetup: './support/build.ts',
  timeout: 45_000,
  expect: { timeout: 15_000 },
  // Each test has servers and pages of its own, and waits most of the time. Four at once keep two cores busy all the
  // time, so that whoever measures how late something is measures the others.
  workers: 3,
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  reporter: [['list']],
  use: {
    screenshot: 'only-on-failure',
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false, sources: false },
    viewport: { width: 1000, height: 700 },
  },
  // A folder each: a run empties its own, and `npm test` runs one browser after the other.
  projects: [
    {
      name: 'chromium',
      outputDir: './artefacts/chromium',
      use: {
        browserName: 'chromium',
        launchOptions: {
          executablePath: chromium ?? '',
          args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
          ],
        },
      },
    },
    {
      name: 'firefox',
      outputDir: './artefacts/firefox',
      // What shows a server, and no browser, is left to Chromium.
      grepInvert: /@server/,
      // Any Firefox as it is, by WebDriver BiDi.
      use: { browserName: 'firefox', channel: 'moz-firefox', launchOptions: { executablePath: firefox ?? '' } },
    },
  ],
})
