import type { Page } from '@playwright/test'
import { strictPolicy } from './support/pages.js'
import { sample } from './support/sample.js'
import { allModes, expect, test } from './support/test.js'

/** What `e2e/page/classic.js` and the script it loads give to the page. */
interface Classic extends Window {
  readonly PushStream: {
    LOG_LEVEL: string
    Client: new (options: object) => Client
    Error: unknown
    nchan?: () => unknown
    CLOSED: number
    CONNECTING: number
    OPEN: number
    sendMessage(url: string, text: string, success: (answer: string) => void, failure: (status: number) => void): void
  }
  readonly PushStreamManager: Stream[]
  readonly before: readonly [unknown, unknown, readonly string[]]
  readonly pushstream: Stream
  readonly errors: readonly (readonly [type: string, channel: string, state: number])[]
  readonly texts: readonly unknown[]
  start(settings: Record<string, unknown>, channels: readonly string[]): Stream
}

interface Stream {
  readonly id: number
  readonly readyState: number
  readonly wrapper: { type: string }
  channelsCount: number
  addChannel(name: string): void
  connect(): void
  disconnect(): void
  sendMessage(text: string, success: () => void): void
}

interface Client {
  on(event: string, listener: (event: { text: string }) => void): Client
  addChannel(name: string): Client
  connect(): Client
  close(): void
}

/** `window` of such a page, inside of it. */
declare const self: Classic

const start = (page: Page, settings: Record<string, unknown>, ...channels: string[]) =>
  page.evaluate(([how, names]) => void self.start(how, names), [settings, channels] as const)
const texts = (page: Page) => page.evaluate(() => self.texts)

test.use({ serverOptions: sample })

// The policy is checked for violations at the end of every test: all pages here are served with it.
for (const modes of ['eventsource|websocket|stream|longpolling', 'websocket|eventsource|longpolling', ...allModes]) {
  test(`pushstream.js in a plain page with a strict policy, as it was always used: ${modes}`, async ({
    page,
    site,
  }) => {
    site.server.publish('my_channel_1', 'before the page', { eventId: 'e1' })
    const answer = await page.goto(`${site.url}/classic.html?modes=${modes}`)
    expect(answer?.headers()['content-security-policy']).toBe(strictPolicy)
    await expect(page.locator('#state')).toHaveText('12')
    site.server.publish('my_channel_1', `Hello "World", it's </script>`)
    await expect(page.locator('#log > li')).toHaveText([
      '["before the page",1,"my_channel_1","e1",true,"string"]',
      `["Hello \\"World\\", it's </script>",2,"my_channel_1","",true,"string"]`,
    ])
    await page.evaluate(() => self.pushstream.disconnect())
    await expect(page.locator('#state')).toHaveText('120')
    site.server.publish('my_channel_1', 'while it was away')
    await page.evaluate(() => self.pushstream.connect())
    await expect(page.locator('#log > li')).toHaveCount(3)
    await expect(page.locator('#state')).toHaveText('12012')

    await page.evaluate(() => self.pushstream.addChannel('my_channel_2'))
    for (let n = 0; n < 10; n++) site.server.publish('my_channel_1', String(n))
    await expect
      .poll(async () => {
        site.server.publish('my_channel_2', 'another channel')
        return (await texts(page)).includes('another channel')
      })
      .toBe(true)
    await expect
      .poll(async () => (await texts(page)).filter((text) => text !== 'another channel').slice(3))
      .toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    await expect(page.locator('#state')).toHaveText('12012')
    expect(await page.evaluate(() => self.errors)).toEqual([])

    // The server reports a deletion only to who is subscribed at that moment: between two long-polls no one is.
    await expect.poll(() => site.server.stats().subscribers).toBe(1)
    site.server.deleteChannel('my_channel_1')
    await expect(page.locator('#log > li', { hasText: 'deleted' })).toHaveCount(1)
    const wrapper = await page.evaluate(() => self.pushstream.wrapper.type)
    expect(modes).toContain(wrapper.toLowerCase())
    await page.evaluate(() => self.pushstream.disconnect())
    await expect(page.locator('#state')).toHaveText(/0$/)
  })
}

test('the globals, also where the script is loaded twice, and the client of today beside them', async ({
  page,
  site,
}) => {
  await page.goto(`${site.url}/classic.html`)
  const globals = await page.evaluate(() => {
    const { PushStream, PushStreamManager, before } = self
    const streams = [self.start({ modes: 'websocket' }, ['a']), self.start({ modes: 'websocket' }, ['b'])]
    return {
      same: before[0] === PushStream && before[1] === PushStreamManager,
      manager: Array.isArray(PushStreamManager) && PushStreamManager.every((one, i) => one === streams[i]),
      ids: streams.map(({ id }) => id),
      states: [PushStream.CLOSED, PushStream.CONNECTING, PushStream.OPEN],
      level: PushStream.LOG_LEVEL,
      parts: [typeof PushStream.Client, typeof PushStream.Error, typeof PushStream.nchan],
      defined: before[2].filter((name) => /^(PushStream|nchan|Utils)/.test(name)),
    }
  })
  expect(globals).toEqual({
    same: true,
    manager: true,
    ids: [0, 1],
    states: [0, 1, 2],
    level: 'error',
    parts: ['function', 'function', 'undefined'],
    defined: ['PushStream', 'PushStreamManager'],
  })
  const text = page.evaluate(
    () =>
      new Promise((resolve) => {
        const client = new self.PushStream.Client({ modes: ['websocket'] })
        client.on('open', () => self.PushStream.sendMessage('/pub?id=c', 'é "x"', () => {}, resolve))
        client.on('message', (message) => {
          client.close()
          resolve(message.text)
        })
        client.addChannel('c').connect()
      }),
  )
  expect(await text).toBe('é "x"')
})

test('pushstream-nchan.js → adds the protocol, and what it throws is a PushStream.Error', async ({ page, site }) => {
  await page.goto(`${site.url}/nchan.html`)
  const thrown = await page.evaluate(() => {
    const { Client, Error: PushStreamError, nchan } = self.PushStream
    const client = new Client({ protocol: nchan?.() })
    try {
      client.addChannel('a//b')
      return 'nothing'
    } catch (error) {
      return error instanceof (PushStreamError as typeof Error) ? error.message : 'another error'
    } finally {
      client.close()
    }
  })
  expect(thrown).toContain('a//b')
})

test('errors are thrown where they always were', async ({ page, site }) => {
  await page.goto(`${site.url}/classic.html`)
  const messages = await page.evaluate(() => {
    const stream = self.start({ modes: 'websocket' }, ['a'])
    const empty = self.PushStreamManager.length
    const attempts = [
      () => stream.addChannel('a'),
      () => stream.addChannel('a b'),
      () => self.start({ modes: 'websocket' }, []),
      () => self.start({ modes: 'carrier pigeon' }, ['a']),
    ]
    const thrown = attempts.map((attempt) => {
      try {
        attempt()
        return 'nothing'
      } catch (error) {
        return error instanceof Error ? error.message.split(/[:!]/)[0] : error
      }
    })
    return [empty, ...thrown]
  })
  expect(messages).toEqual([
    1,
    'Cannot add channel a',
    'Invalid channel name',
    'No channels specified',
    'No available support for this browser',
  ])
})

test('the log element: as much as LOG_LEVEL wants, as text, a hundred lines', async ({ page, site }) => {
  await page.goto(`${site.url}/classic.html?modes=websocket`)
  const log = page.locator('#Log4jsLogOutput')
  await expect(page.locator('#state')).toHaveText('12')
  await expect(log).toHaveText('')
  await page.evaluate(() => {
    self.PushStream.LOG_LEVEL = 'debug'
  })
  site.server.publish('my_channel_1', '<img src=x onerror="window.ran = true"><b>bold</b>')
  await expect(log).toContainText('<b>bold</b>')
  expect(await log.locator('*').count()).toBe(0)
  for (let n = 0; n < 150; n++) site.server.publish('my_channel_1', `number-${n}`)
  await expect(log).toContainText('number-149')
  const lines = (await log.textContent())?.split('\n') ?? []
  expect(lines.length).toBeLessThanOrEqual(101)
  expect(lines.join()).not.toContain('number-10,')
  expect(await page.evaluate(() => 'ran' in self)).toBe(false)
})

test('a stream of JSON is a stream as well', async ({ page, site }) => {
  await page.goto(`${site.url}/classic.html`)
  await start(page, { modes: 'stream', urlPrefixStream: '/json' }, 'a')
  await expect(page.locator('#state')).toHaveText('12')
  for (const text of ['one', `it's "two"`, '</script>']) site.server.publish('a', text)
  await expect.poll(() => texts(page)).toEqual(['one', `it's "two"`, '</script>'])
})

test('sendMessage publishes', async ({ page, site }) => {
  await page.goto(`${site.url}/classic.html?modes=websocket`)
  await expect(page.locator('#state')).toHaveText('12')
  await page.evaluate(() => new Promise<void>((resolve) => self.pushstream.sendMessage('by "frame"', resolve)))
  await expect.poll(() => texts(page)).toEqual(['by "frame"'])
  const answers = await page.evaluate(async () => {
    const send = (url: string) =>
      new Promise((resolve) =>
        self.PushStream.sendMessage(url, 'by % post', (answer) => resolve(JSON.parse(answer).channel), resolve),
      )
    return [await send('/pub?id=my_channel_1'), await send('/pub'), await send('/nowhere')]
  })
  expect(answers).toEqual(['my_channel_1', 400, 404])
  await expect.poll(() => texts(page)).toEqual(['by "frame"', 'by % post'])
})

test('a connection that is lost is told of, and nothing is', async ({ page, site }) => {
  await page.goto(`${site.url}/classic.html`)
  await start(page, { modes: 'eventsource' }, 'a')
  await expect(page.locator('#state')).toHaveText('12')
  site.server.publish('a', '1')
  await expect.poll(() => texts(page)).toEqual(['1'])
  site.proxy.cut()
  site.server.publish('a', '2')
  await expect.poll(() => texts(page)).toEqual(['1', '2'])
  await expect(page.locator('#state')).toHaveText('12012')
  expect(await page.evaluate(() => self.errors)).toEqual([['timeout', '', 0]])
})

test.describe('channels that have to exist', { tag: '@server' }, () => {
  test.use({ serverOptions: { ...sample, settings: { authorizedChannelsOnly: true } } })
  for (const modes of allModes) {
    test(`${modes}: one that is refused comes when it is there; without autoReconnect it doesn't`, async ({
      page,
      site,
    }) => {
      await page.goto(`${site.url}/classic.html`)
      await start(page, { modes, autoReconnect: false }, 'never')
      await expect.poll(() => page.evaluate(() => self.errors)).toEqual([['load', 'never', 0]])
      await page.evaluate(() => self.pushstream.disconnect())
      await start(page, { modes }, 'later')
      await expect.poll(() => page.evaluate(() => self.errors.length)).toBeGreaterThan(2)
      expect(await page.evaluate(() => self.errors.slice(1).every((error) => String(error) === 'load,later,0'))).toBe(
        true,
      )
      site.server.publish('later', 'the channel is there')
      await expect.poll(() => page.evaluate(() => self.pushstream.readyState)).toBe(2)
      site.server.publish('later', 'hello')
      await expect.poll(() => texts(page)).toEqual(['hello'])
      // Between two polls there is none.
      await expect.poll(() => site.server.stats().subscribers).toBe(1)
    })
  }
})

test('the policy is in force, and what it forbids is noticed', async ({ tab, troubles }) => {
  await tab.load()
  const allowed = await tab.page.evaluate(() => {
    try {
      const script = document.createElement('script')
      script.textContent = 'window.inline = true'
      document.head.append(script)
    } catch {
      // That is how trusted types refuse it.
    }
    return 'inline' in window
  })
  expect(allowed).toBe(false)
  await expect.poll(() => tab.page.evaluate(() => window.watched.troubles.length)).toBeGreaterThan(0)
  // These were meant.
  await tab.page.evaluate(() => window.watched.troubles.splice(0))
  await expect.poll(() => troubles.length).toBeGreaterThan(0)
  troubles.length = 0
})
