import type { Page } from '@playwright/test'
import { missingCertificate } from './support/certificate.js'
import { ask, type LivePlace, startLive } from './support/live.js'
import { missingNginx, pushStreamModule } from './support/nginx.js'
import { type ProxiedPlace, startProxied } from './support/proxied.js'
import { test as base, expect, needs, note } from './support/test.js'

// The page of a site of the classic kind, e2e/page/feed.js, behind the nginx it is used to: with the push stream module
// where there is one, else in front of a development server with the same template and paths.

const bare = '{"text":~text~}'
const full = '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~"}'

const test = base.extend<{ template: string; feed: LivePlace | ProxiedPlace }>({
  template: [bare, { option: true }],

  feed: async ({ template }, use) => {
    const feed =
      pushStreamModule() === undefined
        ? await startProxied('proxy', { server: { base: '/events', settings: { messageTemplate: template } } })
        : await startLive('feed', { adjust: (config) => config.replace(`'${bare}'`, `'${template}'`) })
    note('served by', pushStreamModule() === undefined ? 'the development server' : 'the module')
    await use(feed)
    await feed.close()
  },

  place: async ({ feed }, use) => {
    await use(feed)
  },
})

// Which of the two it is depends on the module alone: nginx has to be there for both.
if (pushStreamModule() === undefined) needs(missingNginx('proxy'), missingCertificate())
else needs(missingNginx('feed'))

const events = {
  commit: (sha: string) => JSON.stringify({ type: 'commit', sha, author: 'Ann "A"', title: `Fix {"x": [${sha}]}` }),
  progress: (done: number) => JSON.stringify({ type: 'progress', project: 7, done, of: 20 }),
  notification: (unread: number) => JSON.stringify({ type: 'notification', unread }),
}
const line = (sha: string) => `${sha} Ann "A": Fix {"x": [${sha}]}`

/** What the page shows. */
const shown = (page: Page) => ({
  commits: page.locator('#commits > li'),
  progress: page.locator('#project-7'),
  notifications: page.locator('#notifications'),
  state: page.locator('#state'),
})

/** The server has as many connections: with a template this poor, what is published before is not for the page. */
async function listening(feed: LivePlace | ProxiedPlace, connections: number): Promise<void> {
  const subscribers = async () => {
    if ('server' in feed) return feed.server.stats().subscribers
    const { text } = await ask('GET', `${feed.nginx.url}/channels-stats`)
    return (JSON.parse(text) as { subscribers: number }).subscribers
  }
  await expect.poll(subscribers, { intervals: [50] }).toBeGreaterThanOrEqual(connections)
}

/** A day of the feed. `states`: what the page says when all of it is connected. */
async function follow(page: Page, feed: LivePlace | ProxiedPlace, address: string, states: string, connections = 3) {
  const { push, nginx } = feed
  for (const sha of ['a1', 'a2', 'a3', 'a4']) await push.publish('global', events.commit(sha))
  await push.publish('project-7', events.progress(5))
  await page.goto(address)
  const { commits, progress, notifications, state } = shown(page)
  // Three that were stored, and as far as the project is.
  await expect(commits).toHaveText(['a2', 'a3', 'a4'].map(line))
  await expect(progress).toHaveJSProperty('value', 25)
  await expect(state).toHaveText(states)
  await listening(feed, connections)

  await push.publish('global', events.commit('b1'))
  await push.publish('project-7', events.progress(10))
  await push.publish('user-42', events.notification(2))
  await expect(commits).toHaveText(['a2', 'a3', 'a4', 'b1'].map(line))
  await expect(progress).toHaveJSProperty('value', 50)
  await expect(notifications).toHaveText('2')
  return { commits, progress, notifications, state, push, nginx }
}

/** Reloads nginx, and waits until so many connections are made anew. */
async function reload(feed: LivePlace | ProxiedPlace, count: number): Promise<void> {
  const before = feed.proxy.requests.length
  await feed.nginx.reload()
  // An nginx that only passes on lets the old connections live: then it is the line that ends them.
  if ('behind' in feed) feed.proxy.cut()
  // In any mode: on a busy machine another than the first may win. Polls that ask where a channel stands are not connections.
  const again = () =>
    feed.proxy.requests
      .slice(before)
      .filter(({ path, headers }) => /^\/events\/(ws|ev|lp)\//.test(path) && !('x-nginx-pushstream-mode' in headers))
      .length
  await expect.poll(again, { intervals: [50] }).toBeGreaterThanOrEqual(count)
}

for (const modes of ['websocket|eventsource|longpolling', 'longpolling']) {
  test(`${modes}: a client for each channel, as a template without a channel needs`, async ({ page, feed }) => {
    const { commits, progress, notifications, state, push } = await follow(
      page,
      feed,
      `${feed.url}/feed.html?modes=${modes}`,
      '2 2 2',
    )
    await reload(feed, 3)
    await expect(state).toHaveText('2 2 2')
    await listening(feed, 3)
    await push.publish('user-42', events.notification(3))
    await push.publish('project-7', events.progress(20))
    await push.publish('global', events.commit('c1'))
    await expect(notifications).toHaveText('3')
    await expect(progress).toHaveJSProperty('value', 100)
    // Nothing that was there comes again.
    await expect(commits).toHaveText(['a2', 'a3', 'a4', 'b1', 'c1'].map(line))
  })
}

test('one client for all channels, told the template: a connection for each', async ({ page, feed }) => {
  const address = `${feed.url}/feed.html?clients=one&template=${encodeURIComponent(bare)}`
  const { commits, notifications, push, state } = await follow(page, feed, address, '2')
  await reload(feed, 3)
  await expect(state).toHaveText('2')
  await listening(feed, 3)
  await push.publish('user-42', events.notification(3))
  await push.publish('global', events.commit('c1'))
  await expect(notifications).toHaveText('3')
  await expect(commits).toHaveText(['a2', 'a3', 'a4', 'b1', 'c1'].map(line))
})

test.describe('with a template that has channel, id and time', () => {
  test.use({ template: full })
  test('one client for all channels: nothing is lost while nginx reloads or the line is cut', async ({
    page,
    feed,
  }) => {
    const { commits, notifications, progress, push, nginx } = await follow(
      page,
      feed,
      `${feed.url}/feed.html?clients=one`,
      '2',
      1,
    )
    const reloading = nginx.reload()
    const shas = Array.from({ length: 30 }, (_, n) => `c${n}`)
    for (const [n, sha] of shas.entries()) {
      await push.publish('global', events.commit(sha))
      if (n % 10 === 5) feed.proxy.cut()
    }
    await push.publish('user-42', events.notification(7))
    await push.publish('project-7', events.progress(20))
    await reloading
    await expect(notifications).toHaveText('7')
    await expect(progress).toHaveJSProperty('value', 100)
    await expect(commits).toHaveText(['a2', 'a3', 'a4', 'b1', ...shas].map(line))
  })
})
