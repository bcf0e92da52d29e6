import type { Page } from '@playwright/test'
import { ask, startLive } from './support/live.js'
import { startNchanPlace } from './support/nchan.js'
import { missingNginx } from './support/nginx.js'
import { type Place, startSite } from './support/site.js'
import { test as base, expect, needs } from './support/test.js'

// The playground's examples, clicked through on every server there is: built, and served with a strict policy.

/** Where an example runs. */
interface Stage {
  readonly place: Place
  /** What the page's address says of the server. */
  readonly query: string
  /** Who listens to a channel, as the server sees it. */
  subscribers(channel: string): Promise<number>
  close(): Promise<void>
}

/** As the push stream module's statistics say. */
async function counted(origin: string, channel: string): Promise<number> {
  const { status, text } = await ask('GET', `${origin}/channels-stats?id=${channel}`)
  return status === 404 ? 0 : Number((JSON.parse(text) as { subscribers: unknown }).subscribers)
}

const stages = {
  'the development server': async (): Promise<Stage> => {
    const site = await startSite()
    return { place: site, query: '', subscribers: (name) => counted(site.url, name), close: () => site.close() }
  },
  Nchan: async (): Promise<Stage> => {
    const live = await startNchanPlace()
    return { place: live, query: '?server=nchan', subscribers: live.subscribers, close: () => live.close() }
  },
  'the push stream module': async (): Promise<Stage> => {
    const live = await startLive('push-stream')
    return { place: live, query: '', subscribers: (name) => counted(live.nginx.url, name), close: () => live.close() }
  },
}

type ServerName = keyof typeof stages

const test = base.extend<{ server: ServerName; stage: Stage }>({
  server: ['the development server', { option: true }],

  stage: async ({ server }, use) => {
    const stage = await stages[server]()
    await use(stage)
    await stage.close()
  },

  place: async ({ stage }, use) => {
    await use(stage.place)
  },
})

const needed: Record<ServerName, string | undefined> = {
  'the development server': undefined,
  Nchan: missingNginx('nchan'),
  'the push stream module': missingNginx('push-stream'),
}

const notification = (n: number) => JSON.stringify({ type: 'notification', id: `n${n}`, text: `number ${n}` })
const job = (id: string, state: 'running' | 'done') => JSON.stringify({ type: 'job', id, state, by: 'Ada' })
const progress = (done: number) => JSON.stringify({ type: 'progress', done, of: 10 })

/** The texts of the notifications with these numbers, as the page lists them. */
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `number ${to - n}`)

/** Publishes notifications with these numbers, one after the other. */
async function notify({ push }: Place, from: number, to: number, during?: (n: number) => void): Promise<void> {
  for (let n = from; n <= to; n++) {
    await push.publish('user-42', notification(n))
    during?.(n)
  }
}

/** How often a server is asked. */
const intervals = [100]

/** The application in a page. */
class Application {
  readonly page: Page
  readonly #stage: Stage

  constructor(page: Page, stage: Stage) {
    this.page = page
    this.#stage = stage
  }

  get texts() {
    return this.page.getByTestId('notifications').locator('.text')
  }

  get unread() {
    return this.page.getByTestId('unread')
  }

  get jobs() {
    return this.page.getByTestId('jobs').locator('li')
  }

  get dialog() {
    return this.page.getByTestId('progress')
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.#stage.place.url}/${path}/index.html${this.#stage.query}`)
    await this.isOpen()
  }

  isOpen(): Promise<void> {
    return expect(this.page.getByTestId('state')).toHaveAttribute('data-state', 'open')
  }

  click(id: string): Promise<void> {
    return this.page.getByTestId(id).click()
  }

  /** Waits until so many listen to a channel. */
  async listeners(channel: string, count: number): Promise<void> {
    await expect
      .poll(() => this.#stage.subscribers(channel), { message: `listeners to ${channel}`, intervals })
      .toBe(count)
  }
}

/** Requests of subscribers that came through the network so far. */
/** Requests that subscribe. Polls that ask whether a silent connection is well come now and then. */
const subscriptions = ({ proxy }: Place) =>
  proxy.requests
    .filter(({ path, headers }) => /^\/(?:ws|ev|lp|sub)\//.test(path) && !headers['x-nginx-pushstream-mode'])
    .map(({ path }) => path)

const applications = {
  'React, built': 'examples/react',
  'React 19, mounting twice': 'examples-strict/react',
  'React 18, mounting twice': 'examples-strict-18/react',
  Vue: 'examples/vue',
} as const

/** What differs by browser does not differ by server. */
const tagOf = (server: ServerName) => (server === 'the development server' ? [] : '@server')

const clickedThrough: readonly [ServerName, keyof typeof applications][] = [
  ['the development server', 'React 18, mounting twice'],
  ['the development server', 'Vue'],
  ['Nchan', 'React 19, mounting twice'],
  ['Nchan', 'Vue'],
  ['the push stream module', 'React, built'],
  ['the push stream module', 'Vue'],
]

for (const [server, name] of clickedThrough) {
  test.describe(`${name}, on ${server}`, { tag: tagOf(server) }, () => {
    test.use({ server })
    needs(needed[server])

    test('clicked through, reloaded, cut, restarted', async ({ page, stage }) => {
      const { place } = stage
      const app = new Application(page, stage)
      await test.step('what is stored, what comes, and an answer', async () => {
        await notify(place, 1, 1)
        await app.open(applications[name])
        await expect(app.texts).toHaveText(numbers(1, 1))
        await app.click('notify')
        await expect(app.unread).toHaveText('2 unread')
        await app.click('mark-read')
        await expect(app.unread).toHaveCount(0)
        await app.click('answer')
        await expect(page.getByTestId('toast')).toHaveText(/report/)
      })
      await test.step('a burst is all there, in order', async () => {
        await app.click('notify-50')
        await expect(app.unread).toHaveText('50 unread')
        const burst = Array.from({ length: 50 }, (_, n) => `${50 - n} of 50 arrived`)
        expect((await app.texts.allTextContents()).slice(0, 50)).toEqual(burst)
        await expect(app.texts).toHaveCount(52)
      })
      await test.step('the dialog subscribes while it is open', async () => {
        await app.click('tab-jobs')
        await place.push.publish('jobs', job('seven', 'running'))
        await expect(app.jobs).toHaveText([/Ada runs seven/])
        await place.push.publish('job-seven', progress(2))
        await place.push.publish('job-seven', progress(3))
        await app.page.getByRole('button', { name: 'Show the progress of seven' }).click()
        await expect(page.getByTestId('progress-text')).toHaveText('3 of 10')
        await app.listeners('job-seven', 1)
        await place.push.publish('job-seven', progress(4))
        await expect(page.getByTestId('progress-text')).toHaveText('4 of 10')
        await app.click('progress-close')
        await expect(app.dialog).toBeHidden()
        await app.page.getByRole('button', { name: 'Show the progress of seven' }).click()
        await expect(page.getByTestId('progress-text')).toHaveText('4 of 10')
        await place.push.publish('job-seven', progress(10))
        await expect(page.getByTestId('progress-text')).toHaveText('Done.')
        await expect(app.dialog).toBeHidden()
      })
      await test.step('the line is cut: nothing is lost', async () => {
        await app.click('tab-notifications')
        await notify(place, 2, 31, (n) => {
          if (n === 10 || n === 20) place.proxy.cut()
        })
        await expect(app.unread).toHaveText('80 unread')
        expect((await app.texts.allTextContents()).slice(0, 30)).toEqual(numbers(2, 31))
        await expect(page.getByTestId('gap')).toHaveCount(0)
      })
      await test.step('a reload of the page shows what is stored', async () => {
        await app.listeners('job-seven', 0)
        await page.reload()
        await app.isOpen()
        await expect(app.texts).toHaveCount(82)
        await expect(app.unread).toHaveText('82 unread')
        // What was answered before is not said again.
        await expect(page.getByTestId('toast')).toBeEmpty()
        await app.click('tab-jobs')
        await expect(app.jobs).toHaveText([/Ada runs seven/])
        await place.push.publish('jobs', job('seven', 'done'))
        await expect(app.jobs).toHaveText([/Ada ran seven/])
        await app.click('tab-notifications')
      })
      await test.step('the server is restarted: that is said, and all goes on', async () => {
        // In the second of the last message a restart would look like a reload.
        const second = Math.floor(Date.now() / 1000)
        await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(second)
        await place.push.restart()
        await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
        let n = 31
        await expect
          .poll(
            async () => {
              await notify(place, ++n, n)
              return page.getByTestId('gap').count()
            },
            { intervals: [250] },
          )
          .toBe(1)
        await expect(page.getByTestId('gap')).toContainText('missed on user-42: the server was restarted')
        await notify(place, ++n, n)
        await expect(app.texts.first()).toHaveText(`number ${n}`)
        await page.getByRole('button', { name: 'Understood' }).click()
        await expect(page.getByTestId('gap')).toHaveCount(0)
      })
    })
  })
}

for (const name of ['React 19, mounting twice', 'React 18, mounting twice', 'Vue'] as const) {
  const noStorm = `${name}: no storm of requests, and views that went and came have everything`
  test(noStorm, { tag: '@server' }, async ({ page, stage }) => {
    const { place } = stage
    const app = new Application(page, stage)
    await place.push.publish('jobs', job('one', 'running'))
    await app.open(applications[name])
    await app.click('tab-jobs')
    await expect(app.jobs).toHaveText([/one/])
    await app.listeners('jobs', 1)
    const before = subscriptions(place)
    // In the page itself: what is away for longer than a moment is let go of.
    await page.evaluate(async () => {
      for (let n = 0; n < 10; n++) {
        const id = n % 2 === 0 ? 'tab-notifications' : 'tab-jobs'
        document.querySelector<HTMLElement>(`[data-testid=${id}]`)?.click()
        await new Promise(requestAnimationFrame)
      }
    })
    await place.push.publish('jobs', job('two', 'running'))
    await expect(app.jobs).toHaveText([/two/, /one/])
    expect(subscriptions(place)).toEqual(before)
    // A connection for the first channels, and one when the jobs came; on a busy machine each in two modes at most.
    expect(new Set(before.map((path) => path.includes('jobs'))).size).toBe(2)
    expect(before.length).toBeLessThanOrEqual(4)
    await app.click('tab-notifications')
    if (name === 'Vue') {
      // Put aside, it goes on receiving.
      await place.push.publish('jobs', job('three', 'running'))
      await notify(place, 1, 1)
      await expect(app.texts).toHaveText(numbers(1, 1))
      expect(subscriptions(place)).toEqual(before)
    } else {
      await app.listeners('jobs', 0)
      await place.push.publish('jobs', job('three', 'running'))
    }
    await app.click('tab-jobs')
    await expect(app.jobs).toHaveText([/three/, /two/, /one/])
  })
}

test('a job that the page runs itself: from its button to its end, in both applications at once', async ({
  page,
  context,
  stage,
}) => {
  const react = new Application(page, stage)
  const vue = new Application(await context.newPage(), stage)
  await react.open(applications['React, built'])
  await vue.open(applications.Vue)
  await react.click('tab-jobs')
  await vue.click('tab-jobs')
  // By the page in front: browsers slow the timers of others.
  await vue.click('start-job')
  for (const { page, dialog } of [react, vue]) {
    await page.getByRole('button', { name: /^Show the progress/ }).click()
    await expect(dialog.getByTestId('progress-text')).toHaveText(/^\d+ of 20$/)
  }
  for (const { dialog, jobs } of [react, vue]) {
    await expect(dialog).toBeHidden()
    await expect(jobs).toHaveText([/ran .*done/])
  }
})

for (const server of ['the development server', 'Nchan', 'the push stream module'] as const) {
  test.describe(`one script tag, on ${server}`, { tag: tagOf(server) }, () => {
    test.use({ server })
    needs(needed[server])

    test('channels, sending, a cut, a reload', async ({ page, stage }) => {
      const { place, query } = stage
      const count = page.getByTestId('count')
      const log = page.getByTestId('log').locator('tr')
      const open = () => expect(page.getByTestId('state')).toHaveAttribute('data-state', 'open')
      await place.push.publish('news', 'stored')
      await page.goto(`${place.url}/examples/plain/index.html${query}`)
      await open()
      // On a busy machine a websocket may take longer than its head start.
      await expect(page.getByTestId('mode')).toHaveText(/^(websocket|eventsource)$/)
      await expect(log).toHaveText([/news.*stored/])
      await page.getByTestId('channel-name').fill('more')
      await page.getByTestId('channel-add').click()
      await expect.poll(() => stage.subscribers('more'), { intervals }).toBe(1)
      await place.push.publish('more', 'on the new channel')
      await expect(log.first()).toHaveText(/more.*on the new channel/)
      await page.getByRole('button', { name: 'Remove more' }).click()
      await expect.poll(() => stage.subscribers('more'), { intervals }).toBe(0)
      for (let n = 1; n <= 30; n++) {
        await place.push.publish('user-42', `burst ${n}`)
        if (n === 10 || n === 20) place.proxy.cut()
      }
      await expect(count).toHaveText('32')
      const texts = await log.locator('.text').allTextContents()
      expect(texts.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, n) => `burst ${30 - n}`))
      await open()
      await page.getByTestId('disconnect').click()
      await expect(page.getByTestId('state')).toHaveAttribute('data-state', 'closed')
      await place.push.publish('news', 'while away')
      await page.getByTestId('connect').click()
      await expect(log.first()).toHaveText(/news.*while away/)
      await page.getByTestId('send-button').click()
      await expect(log.first()).toHaveText(/news.*Hello "World"/)
      await page.reload()
      await open()
      // Of a backtrack of ten: ten of one channel, three of the other. Nchan can't count them, and gives all.
      await expect(count).toHaveText(server === 'Nchan' ? '33' : '13')
    })
  })
}

for (const server of ['the development server', 'Nchan', 'the push stream module'] as const) {
  test.describe(`$.updates, on ${server}`, { tag: tagOf(server) }, () => {
    test.use({ server })
    needs(needed[server])

    test('what is stored, what comes, a cut, an end', async ({ page, stage }) => {
      const { place, query } = stage
      const texts = page.getByTestId('notifications').locator('.text')
      await notify(place, 1, 2)
      await page.goto(`${place.url}/examples/updates/index.html${query}`)
      await expect(texts).toHaveText(numbers(1, 2))
      await page.getByTestId('send-answer').click()
      await expect(page.getByTestId('answers')).toContainText('An answer')
      await page.getByTestId('send-notification').click()
      await expect(texts.first()).toContainText('A notification')
      await notify(place, 3, 32, (n) => {
        if (n === 10 || n === 20) place.proxy.cut()
      })
      await expect(page.getByTestId('count')).toHaveText('34')
      expect((await texts.allTextContents()).slice(0, 30)).toEqual(numbers(3, 32))
      await page.getByTestId('unsubscribe').click()
      await notify(place, 33, 33)
      await expect(page.getByTestId('state')).toHaveText('not subscribed')
      await page.getByTestId('subscribe').click()
      // Everything that is stored, anew.
      await expect(page.getByTestId('count')).toHaveText('35')
      await expect(texts.first()).toHaveText('number 33')
      await expect(page.getByTestId('gap')).toBeEmpty()
    })
  })
}
