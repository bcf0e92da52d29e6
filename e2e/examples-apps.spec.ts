import type { Page } from '@playwright/test'
import { buildForExamples, type Example, startExample } from './support/example.js'
import { missingProgram } from './support/programs.js'
import { test as base, expect, needs } from './support/test.js'

// The applications in examples/, started by the command that their READMEs name, and used as a visitor uses them.

// One after the other: each has an nginx and a back end of its own, and other files run at the same time.
base.describe.configure({ mode: 'default' })

const test = base.extend<{ command: string[]; example: Example }>({
  /** What stands behind `npm run example --`. */
  command: [[], { option: true }],

  example: async ({ command }, use) => {
    const [name = '', ...options] = command
    const example = await startExample(name, ...options)
    await use(example)
    await example.close()
  },
})

test.skip(({ browserName }) => browserName !== 'chromium', 'Chromium shows it.')
test.beforeAll(async ({ browserName }) => {
  if (browserName !== 'chromium') return
  test.setTimeout(180_000)
  await buildForExamples()
})

const isOpen = (page: Page) => expect(page.locator('#status')).toHaveAttribute('data-state', 'open')
const isLost = (page: Page) => expect(page.locator('#status')).not.toHaveAttribute('data-state', 'open')

const markup = '<img src=x onerror="document.title=1"> & "quotes"'

const withNchan = [missingProgram('nginx'), missingProgram('nchan')]

const plain = [
  {
    server: 'nginx with Nchan',
    options: [],
    pub: '/pub/news',
    missing: withNchan,
  },
  { server: 'the development server', options: ['--devserver'], pub: '/pub?id=news', missing: [] },
]

for (const { server, options, pub, missing } of plain) {
  test.describe(`plain, on ${server}`, () => {
    test.use({ command: ['plain', ...options] })
    needs(...missing)

    test('published by curl and by the form; the server is stopped and started → the page goes on', async ({
      page,
      example,
    }) => {
      const items = page.locator('#messages li')
      const publish = async (text: string) => {
        const { ok } = await fetch(new URL(pub, example.url), { method: 'POST', body: JSON.stringify({ text }) })
        expect(ok).toBe(true)
      }
      await publish('stored')
      await page.goto(example.url)
      await isOpen(page)
      await expect(items).toHaveText([/stored/])
      await page.getByLabel('Text').fill(markup)
      await page.getByRole('button', { name: 'Publish' }).click()
      await expect(items.first()).toContainText(markup)
      await example.stop()
      await isLost(page)
      await page.getByLabel('Text').fill('while it is away')
      await page.getByRole('button', { name: 'Publish' }).click()
      await expect(page.locator('#problem')).toHaveText(/not published/)
      await example.start()
      await isOpen(page)
      await publish('after the restart')
      // What the server had in memory is gone, so the page cannot know whether it saw all of it.
      await expect(items).toHaveText([/after the restart/, /may be missing/, /quotes/, /stored/])
    })
  })
}

test.describe('express', () => {
  test.use({ command: ['express'] })
  needs(...withNchan)

  test('signs in, is notified, loses nginx, signs out → both tabs end', async ({ page, context, example }) => {
    const items = page.locator('#notifications li')
    const notify = async (text: string) => {
      await page.getByLabel('Text').fill(text)
      await page.getByRole('button', { name: 'Notify' }).click()
    }
    await page.goto(example.url)
    await page.getByLabel('Name').fill('Ada')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await isOpen(page)
    await notify('first')
    await expect(items).toHaveText(['first'])
    await notify(markup)
    await expect(items).toHaveText([markup, 'first'])

    const { channel } = (await (await page.request.get(`${example.url}me`)).json()) as { channel: string }
    const subscribe = (headers: Record<string, string>, name = channel) =>
      fetch(new URL(`/sub/${name}`, example.url), { headers: { Accept: 'text/event-stream', ...headers } })
    expect((await subscribe({})).status).toBe(401)
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join()
    expect((await subscribe({ cookie }, 'user-of-another-login')).status).toBe(403)

    const other = await context.newPage()
    await other.goto(example.url)
    await isOpen(other)
    await expect(other.locator('#notifications li')).toHaveText([markup, 'first'])
    await expect(other.locator('#notice')).toBeEmpty()

    await example.stop()
    await isLost(page)
    await example.start()
    await isOpen(page)
    await notify('after the restart')
    await expect(items).toHaveText(['after the restart', markup, 'first'])
    await expect(other.locator('#notifications li')).toHaveText(['after the restart', markup, 'first'])
    await expect(other.locator('#notice')).toHaveText(/loaded again/)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect((await subscribe({ cookie })).status).toBe(401)
  })
})
