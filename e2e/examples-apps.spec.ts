import type { BrowserContext, Page } from '@playwright/test'
import { createFaultProxy } from '@pushstream/testkit'
import { ScriptedDjango } from '../packages/core/test/support/scripted-django.js'
import { buildForExamples, type Example, missingEventstream, servePage, startExample } from './support/example.js'
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

test.beforeAll(() => {
  test.setTimeout(180_000)
  buildForExamples()
})

const isOpen = (page: Page) => expect(page.locator('#status')).toHaveAttribute('data-state', 'open')
const isLost = (page: Page) => expect(page.locator('#status')).not.toHaveAttribute('data-state', 'open')

const markup = '<img src=x onerror="document.title=1"> & "quotes"'

/** Stops the push server. In the second of the last message, a restart would look like a reload. */
async function stopLater(example: Example): Promise<void> {
  const second = Math.floor(Date.now() / 1000)
  await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(second)
  await example.stop()
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await isOpen(page)
}

async function notify(page: Page, text: string): Promise<void> {
  await page.getByLabel('Text').fill(text)
  await page.getByRole('button', { name: 'Notify' }).click()
}

async function publish(page: Page, text: string): Promise<void> {
  await page.getByLabel('Text').fill(text)
  await page.getByRole('button', { name: 'Publish' }).click()
}

const cookiesOf = async (context: BrowserContext) =>
  (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')

/** The status of a subscription. */
async function subscribing({ url }: Example, channel: string, cookie = ''): Promise<number> {
  const headers = { Accept: 'text/event-stream', cookie }
  const answer = await fetch(new URL(`/sub/${channel}`, url), { headers })
  await answer.body?.cancel()
  return answer.status
}

/** Vite reloads a page when Vite comes back. Without that, the page itself goes on. */
const withoutHotReload = (page: Page) => page.routeWebSocket(/[?&]token=/, () => {})

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
  test.describe(`plain, on ${server}`, { tag: '@server' }, () => {
    test.use({ command: ['plain', ...options] })
    needs(...missing)

    test('published by curl and by the form; the server is stopped and started → the page goes on', async ({
      page,
      example,
    }) => {
      const items = page.locator('#messages li')
      const publishByCurl = async (text: string) => {
        const { ok } = await fetch(new URL(pub, example.url), { method: 'POST', body: JSON.stringify({ text }) })
        expect(ok).toBe(true)
      }
      await publishByCurl('stored')
      await page.goto(example.url)
      await isOpen(page)
      await expect(items).toHaveText([/stored/])
      await publish(page, markup)
      await expect(items.first()).toContainText(markup)
      await stopLater(example)
      await isLost(page)
      await publish(page, 'while it is away')
      await expect(page.locator('#problem')).toHaveText(/not published/)
      await example.start()
      await isOpen(page)
      await publishByCurl('after the restart')
      // What the server had in memory is gone, so the page cannot know whether it saw all of it.
      await expect(items).toHaveText([/after the restart/, /may be missing/, /quotes/, /stored/])
    })
  })
}

test.describe('express', { tag: '@server' }, () => {
  test.use({ command: ['express'] })
  needs(...withNchan)

  test('signs in, is notified, loses nginx, signs out → both tabs end', async ({ page, context, example }) => {
    const items = page.locator('#notifications li')
    await page.goto(example.url)
    await signIn(page, 'Ada')
    await notify(page, 'first')
    await expect(items).toHaveText(['first'])
    await notify(page, markup)
    await expect(items).toHaveText([markup, 'first'])

    const { channel } = (await (await page.request.get(`${example.url}me`)).json()) as { channel: string }
    expect(await subscribing(example, channel)).toBe(401)
    const cookie = await cookiesOf(context)
    expect(await subscribing(example, 'user-of-another-login', cookie)).toBe(403)

    const other = await context.newPage()
    await other.goto(example.url)
    await isOpen(other)
    await expect(other.locator('#notifications li')).toHaveText([markup, 'first'])
    await expect(other.locator('#notice')).toBeEmpty()

    await stopLater(example)
    await isLost(page)
    await example.start()
    await isOpen(page)
    await notify(page, 'after the restart')
    await expect(items).toHaveText(['after the restart', markup, 'first'])
    await expect(other.locator('#notifications li')).toHaveText(['after the restart', markup, 'first'])
    await expect(other.locator('#notice')).toHaveText(/loaded again/)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(await subscribing(example, channel, cookie)).toBe(401)
  })
})

test.describe('django', { tag: '@server' }, () => {
  test.use({ command: ['django'] })
  needs(...withNchan, missingProgram('django'))

  test('signs in, is notified, follows a job; nginx is stopped and started → nothing is missing', async ({
    page,
    context,
    example,
  }) => {
    const items = page.locator('#notifications li')
    await page.goto(example.url)
    await signIn(page, 'Ada')
    await notify(page, 'first')
    await expect(items).toHaveText(['first'])
    await notify(page, markup)
    await expect(items).toHaveText([markup, 'first'])

    const channel = await page.evaluate(() => document.body.dataset.channel as string)
    expect(await subscribing(example, channel)).toBe(401)
    const cookie = await cookiesOf(context)
    expect(await subscribing(example, 'user-7', cookie)).toBe(403)
    expect(await subscribing(example, 'job-7', cookie)).toBe(403)

    const progress = page.locator('#progress-text')
    await page.getByRole('button', { name: 'Start a job' }).click()
    await expect(progress).toHaveText(/^[1-9] of 10/)
    await stopLater(example)
    await isLost(page)
    await example.start()
    await expect(progress).toHaveText('Done.')
    await page.getByRole('button', { name: 'Close' }).click()

    await notify(page, 'after the restart')
    await expect(items).toHaveText(['after the restart', markup, 'first'])
    await expect(page.locator('#notice')).toHaveText(/brought up to date/)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(await subscribing(example, channel, await cookiesOf(context))).toBe(401)
  })
})

test.describe('php', { tag: '@server' }, () => {
  test.use({ command: ['php'] })
  needs(...withNchan, missingProgram('php'))

  test('signs in, is notified, loses nginx, signs out → the list is complete', async ({ page, context, example }) => {
    const items = page.locator('#notifications li')
    await page.goto(example.url)
    await signIn(page, 'Ada <b>')
    await expect(page.getByRole('heading')).toHaveText('Notifications of Ada <b>')
    await notify(page, 'first')
    await expect(items).toHaveText(['first'])
    await notify(page, markup)
    await expect(items).toHaveText([markup, 'first'])

    const channel = await page.evaluate(() => document.body.dataset.channel as string)
    expect(await subscribing(example, channel)).toBe(401)
    const cookie = await cookiesOf(context)
    expect(await subscribing(example, `user-${'0'.repeat(32)}`, cookie)).toBe(403)

    await stopLater(example)
    await isLost(page)
    await example.start()
    await isOpen(page)
    await notify(page, 'after the restart')
    await expect(items).toHaveText(['after the restart', markup, 'first'])
    await expect(page.locator('#notice')).toHaveText(/loaded again/)
    await page.reload()
    await expect(items).toHaveText(['after the restart', markup, 'first'])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(await subscribing(example, channel, cookie)).toBe(401)
  })
})

test.describe('react-dashboard', { tag: '@server' }, () => {
  test.use({ command: ['react-dashboard'] })

  test('several channels; the server is stopped and started → the page goes on, and says what is missing', async ({
    page,
    example,
  }) => {
    await withoutHotReload(page)
    await page.goto(example.url)
    await isOpen(page)
    await expect(page.getByRole('region', { name: 'Load' })).toContainText(/\d %/)
    await expect(page.getByRole('region', { name: 'Visitors' })).toContainText(/\d/)
    const orders = page.getByRole('region', { name: 'Orders' })
    const sum = orders.locator('.number')
    const order = async (product: string, amount: number) => {
      await page.getByLabel('Product').fill(product)
      await page.getByLabel('Amount').fill(`${amount}`)
      await page.getByRole('button', { name: 'Order' }).click()
    }
    await order('Tea', 12)
    await expect(sum).toHaveText('1 for 12 €')
    await order(markup, 30)
    await expect(sum).toHaveText('2 for 42 €')
    await expect(orders.getByRole('listitem')).toHaveText([`${markup} for 30 €`, 'Tea for 12 €'])
    await expect(orders.getByRole('alert')).toHaveCount(0)

    await stopLater(example)
    await isLost(page)
    await order('Cake', 1)
    await expect(orders.getByRole('alert')).toHaveText('The order was not published.')
    await example.start()
    await isOpen(page)
    await order('Coffee', 5)
    await expect(sum).toHaveText('3 for 47 €')
    await expect(orders.getByRole('alert')).toHaveText(/^Orders may be missing \(restart\)/)
    await page.getByRole('button', { name: 'Understood' }).click()
    await expect(orders.getByRole('alert')).toHaveCount(0)
  })
})

test.describe('vue-chat', { tag: '@server' }, () => {
  test.use({ command: ['vue-chat'] })

  test('two pages talk in rooms; the server is stopped and started → both go on, and say what is missing', async ({
    page,
    context,
    example,
  }) => {
    const other = await context.newPage()
    const join = async (page: Page, name: string) => {
      await withoutHotReload(page)
      await page.goto(example.url)
      await page.getByLabel('Your name').fill(name)
      await isOpen(page)
    }
    const say = async (page: Page, text: string) => {
      await page.getByLabel('Text').fill(text)
      await page.getByRole('button', { name: 'Say' }).click()
    }
    const lines = (page: Page) => page.getByRole('listitem')
    await join(page, 'Ada')
    await say(page, 'hello')
    await expect(lines(page)).toHaveText(['Ada hello'])
    await join(other, 'Bob')
    await expect(lines(other)).toHaveText(['Ada hello'])
    await say(other, markup)
    await expect(lines(page)).toHaveText(['Ada hello', `Bob ${markup}`])

    await page.getByLabel('Text').fill('not said yet')
    await page.getByRole('combobox').selectOption('coffee')
    await expect(lines(page)).toHaveCount(0)
    await say(other, 'while Ada is in another room')
    await expect(lines(other)).toHaveCount(3)
    await expect(lines(page)).toHaveCount(0)
    await page.getByRole('combobox').selectOption('tea')
    await expect(lines(page)).toHaveText(['Ada hello', `Bob ${markup}`, 'Bob while Ada is in another room'])
    await expect(page.getByLabel('Text')).toHaveValue('not said yet')
    await expect(page.getByRole('alert')).toHaveCount(0)

    await stopLater(example)
    await isLost(page)
    await isLost(other)
    await example.start()
    await isOpen(page)
    await isOpen(other)
    await say(page, 'after the restart')
    for (const each of [page, other]) {
      await expect(lines(each).last()).toHaveText('Ada after the restart')
      await expect(each.getByRole('alert')).toHaveText('Some lines are no longer available (restart).')
    }
  })
})

test.describe('django-eventstream', { tag: '@server' }, () => {
  test.use({ command: ['django-eventstream'] })
  needs(...withNchan, missingEventstream('uvicorn'))

  test('published; nginx is stopped and started → nothing is missing, and no gap', async ({
    page,
    context,
    example,
  }) => {
    const items = page.locator('#items li')
    await page.goto(example.url)
    await isOpen(page)
    await publish(page, 'first')
    await expect(items).toHaveText(['first'])
    await publish(page, markup)
    await expect(items).toHaveText([markup, 'first'])
    await example.stop()
    await isLost(page)
    await example.start()
    // Another visitor is there first.
    const other = await context.newPage()
    await other.goto(example.url)
    await publish(other, 'meanwhile')
    await expect(items).toHaveText(['meanwhile', markup, 'first'])
    await expect(other.locator('#items li')).toHaveText(['meanwhile', markup, 'first'])
    await expect(page.locator('#notice')).toBeEmpty()
  })
})

test('django-eventstream, its page on a server that does as django-eventstream: a cut, a gap', {
  tag: '@server',
}, async ({ page }) => {
  const django = await new ScriptedDjango().start()
  const proxy = createFaultProxy({ target: django.url })
  const { url } = await proxy.listen()
  const stored = new Map<number, string>()
  const add = (text: string) => {
    const id = stored.size + 1
    stored.set(id, text)
    django.publish('news', JSON.stringify({ id, text }), { type: 'item' })
  }
  servePage(django.server, 'django-eventstream')
  django.server.on('GET /items', (exchange) => {
    const items = [...stored].map(([id, text]) => ({ id, text })).reverse()
    exchange.respond(200, {}, JSON.stringify({ lastEventId: `news:${stored.size}`, items }))
  })
  try {
    const items = page.locator('#items li')
    add('first')
    await page.goto(url)
    await isOpen(page)
    await expect(items).toHaveText(['first'])
    add(markup)
    await expect(items).toHaveText([markup, 'first'])
    proxy.cut()
    add('after a cut')
    await expect(items).toHaveText(['after a cut', markup, 'first'])
    await expect(page.locator('#notice')).toBeEmpty()
    await proxy.refuse(true)
    proxy.cut()
    await isLost(page)
    for (const text of ['no longer stored as an event', 'nor this']) add(text)
    django.store.trim('news', 1)
    await proxy.refuse(false)
    await expect(items).toHaveText(['nor this', 'no longer stored as an event', 'after a cut', markup, 'first'])
    await expect(page.locator('#notice')).toHaveText(/loaded again/)
  } finally {
    await proxy.close()
    await django.close()
  }
})
