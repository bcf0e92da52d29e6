import type { ModeName } from '@pushstream/core'
import type { Start } from './page/page.js'
import { ask, type LivePlace, startLive } from './support/live.js'
import { withLive } from './support/live-test.js'
import { missingNginx, type NginxOptions } from './support/nginx.js'
import { keepsRawBodies, keepsTexts, rawTemplate, survivesPageReloads, survivesTheServer } from './support/suites.js'
import { allModes, test as base, expect, faults, needs, note, publishAtRate, type Tab } from './support/test.js'

// The module itself, in an nginx of each test's own.

const test = base.extend<{ nginxOptions: NginxOptions; live: LivePlace }>({
  nginxOptions: [{}, { option: true }],
  live: ({ nginxOptions }, use, info) => withLive(startLive('push-stream', nginxOptions), use, info),
  place: ({ live }, use) => use(live),
})

needs(missingNginx('push-stream'))

const number = ({ data }: { data: unknown }) => (data as { n: number }).n

/** What came of what was published, as figures beside the result. */
async function tell(mode: string, tab: Tab, published: number): Promise<void> {
  const { messages, gaps, stats } = await tab.recording()
  const came = new Set(messages.map(number))
  note(
    mode,
    `published ${published}, received ${messages.length}, lost ${published - came.size}, doubled ${messages.length - came.size}, ` +
      `gaps ${gaps.length}, reconnects ${stats.reconnects}, dropped as known ${stats.duplicates}`,
  )
}

/** Four pages at a time, each with a mode of its own. */
async function openAll(
  newTab: () => Promise<Tab>,
  start: Start,
  modes: readonly ModeName[] = allModes,
): Promise<(readonly [ModeName, Tab])[]> {
  const tabs: [ModeName, Tab][] = []
  for (const mode of modes) {
    const tab = await newTab()
    tabs.push([mode, await tab.open({ ...start, options: { ...start.options, modes: [mode] } })])
  }
  return tabs
}

test.describe('as the development server', () => {
  const one = test as unknown as typeof base
  keepsTexts(one)
  survivesTheServer(one)
  survivesPageReloads(one)

  test.describe('with bodies as raw JSON', () => {
    test.use({ nginxOptions: { values: { template: rawTemplate } } })
    keepsRawBodies(one)
  })
})

for (const workers of [1, 4]) {
  test.describe(workers === 1 ? 'a single worker' : `${workers} workers`, () => {
    test.use({ nginxOptions: { workers, values: { listen: workers > 1 ? 'reuseport' : '' } } })

    test('every mode: cut every 300 ms and reloaded twice, each message once and in order', async ({
      newTab,
      live,
      browserName,
    }) => {
      test.setTimeout(90_000)
      // Of four tabs that are busy, Firefox lets an event stream wait for many seconds: there each has its turn alone.
      const turns = browserName === 'firefox' ? allModes.map((mode) => [mode]) : [allModes]
      const count = 600 / Math.min(turns.length, 2)
      for (const [turn, modes] of turns.entries()) {
        const channels = [`a${turn}`, `b${turn}`]
        const tabs = await openAll(newTab, { channels: Object.fromEntries(channels.map((name) => [name, 0])) }, modes)
        const stop = live.proxy.cutEvery(300)
        const reloads: Promise<void>[] = []
        await publishAtRate(live.push, channels, count, 120, (n) => {
          if (n === count / 3 || n === (2 * count) / 3) reloads.push(live.nginx.reload())
        })
        stop()
        await Promise.all(reloads)
        for (const [mode, tab] of tabs) {
          const { all, gaps, messages, deadletters } = await tab.received(count)
          await tell(mode, tab, count)
          expect(faults(all), mode).toEqual([])
          expect(gaps, mode).toEqual([])
          expect(deadletters, mode).toEqual([])
          expect(messages, mode).toHaveLength(count)
          expect(new Set(messages.map(number)).size, mode).toBe(count)
          await tab.page.close()
        }
      }
    })

    test('every mode: stopped and started: a gap a channel, then all that is published after', async ({
      newTab,
      live,
    }) => {
      const tabs = await openAll(newTab, { channels: { a: 0, b: 0 }, options: impatient })
      await publishAtRate(live.push, ['a', 'b'], 60, 120)
      for (const [, tab] of tabs) await tab.received(60)
      await nextSecond()
      await live.nginx.restart()
      await publishAtRate(
        {
          publish: (channel, text) =>
            live.push.publish(
              channel,
              text.replace(/\d+/, (n) => String(Number(n) + 60)),
            ),
        },
        ['a', 'b'],
        60,
        120,
      )
      for (const [mode, tab] of tabs) {
        const { all, gaps } = await tab.received(120)
        await tell(mode, tab, 120)
        expect(faults(all), mode).toEqual([])
        expect(byChannel(gaps), mode).toEqual(['a', 'b'].map((channel) => ({ channel, first: 31, ...restarted })))
        expect(all, mode).toHaveLength(122)
      }
    })
  })
}

test('every mode: after SIGQUIT nginx waits for clients that hear nothing: they notice and leave', async ({
  newTab,
  live,
}) => {
  const options = { ...impatient, pingtimeout: 1000, timeout: 1000 }
  const tabs = await openAll(newTab, { channels: { a: 0 }, options })
  for (let n = 0; n < 10; n++) await live.push.publish('a', 'before')
  for (const [, tab] of tabs) await tab.received(10)
  const began = Date.now()
  await live.nginx.quit()
  note('nginx was gone after, ms', Date.now() - began)
  await nextSecond()
  await live.nginx.start()
  for (let n = 0; n < 10; n++) await live.push.publish('a', 'after')
  for (const [mode, tab] of tabs) {
    const { all, gaps } = await tab.received(20)
    expect(faults(all), mode).toEqual([])
    expect(gaps, mode).toEqual([{ channel: 'a', first: 11, ...restarted }])
  }
})

/** Short waits between attempts, so that a test with an nginx that is away is short as well. */
const impatient = { reconnectOnTimeoutInterval: 200, reconnectOnChannelUnavailableInterval: 500 }
const restarted = { last: 'unknown', reason: 'restart' }
const byChannel = <T extends { channel: string }>(gaps: readonly T[]) =>
  [...gaps].sort((one, other) => (one.channel < other.channel ? -1 : 1))

/** The module's times are whole seconds: a server that restarts does so in another than that of its last message. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  await expect.poll(() => Math.floor(Date.now() / 1000), { intervals: [50] }).toBeGreaterThan(now)
}

test.describe('channels that have to exist', () => {
  test.use({ nginxOptions: { values: { authorized: 'on' } } })
  test("every mode: one that doesn't is refused, the other goes on", async ({ tab, live }) => {
    for (const mode of allModes) {
      const good = `good-${mode}`
      await live.push.publish(good, 'stored')
      await tab.load()
      await tab.start({ options: { modes: [mode] }, channels: { [good]: 1, 'not there': 0 } })
      const { errors } = await tab.until('the refusal', ({ errors }) => errors.length > 0)
      expect(errors, mode).toEqual([{ code: 'forbidden', message: expect.stringContaining('not there') }])
      await tab.until('open', ({ status }) => status.state === 'open')
      await live.push.publish(good, 'live')
      const { messages } = await tab.received(2)
      expect(
        messages.map(({ text }) => text),
        mode,
      ).toEqual(['stored', 'live'])
      expect(await tab.page.evaluate(() => window.e2e.client!.stream.channels), mode).toEqual([good])
    }
  })
})

const others: readonly [
  what: string,
  template: string,
  modes: readonly ModeName[],
  messageTemplate: string | undefined,
  guarantees: { resume: string; gaps: string },
][] = [
  [
    'without a tag',
    '{"id":~id~,"channel":"~channel~","text":"~text~","time":"~time~"}',
    allModes,
    undefined,
    { resume: 'second', gaps: 'exact' },
  ],
  [
    'without an id',
    '{"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~"}',
    allModes,
    undefined,
    { resume: 'position', gaps: 'none' },
  ],
  ['with nothing but the text', '{"text":"~text~"}', allModes, '{"text":"~text~"}', { resume: 'none', gaps: 'none' }],
  // Nothing in a stream of texts says where one ends, nor in an answer with several.
  ['of the text alone', '~text~', ['websocket', 'eventsource'], '~text~', { resume: 'none', gaps: 'none' }],
]

for (const [what, template, modes, messageTemplate, promises] of others) {
  test.describe(`a template ${what}`, () => {
    test.use({ nginxOptions: { values: { template } } })
    test('what can be had comes, once, and status says what that is', async ({ tab, live }) => {
      for (const mode of modes) {
        const channel = `for-${mode}`
        await tab.open({
          options: { modes: [mode], ...(messageTemplate && { messageTemplate }) },
          channels: { [channel]: 0 },
        })
        for (let n = 1; n <= 5; n++) await live.push.publish(channel, `before ${n}`)
        await tab.received(5)
        const requests = live.proxy.requests.length
        live.proxy.cut()
        await tab.until('open again', ({ status }) => status.state === 'open' && live.proxy.requests.length > requests)
        await expect.poll(() => subscribers(live, channel), { intervals: [50] }).toBe(1)
        await live.push.publish(channel, 'say "hi"')
        const { messages, status, deadletters, gaps } = await tab.received(6)
        expect(status, mode).toMatchObject(promises)
        const texts = [1, 2, 3, 4, 5].map((n) => `before ${n}`).concat('say "hi"')
        expect(
          messages.map(({ text }) => text),
          mode,
        ).toEqual(texts)
        expect(messages.every((message) => message.channel === channel)).toBe(true)
        expect(deadletters, mode).toEqual([])
        expect(gaps, mode).toEqual([])
      }
    })
  })
}

async function subscribers({ nginx }: LivePlace, channel: string): Promise<number> {
  const { text } = await ask('GET', `${nginx.url}/channels-stats?id=${encodeURIComponent(channel)}`)
  return (JSON.parse(text) as { subscribers: number }).subscribers
}

for (const mode of allModes) {
  test(`${mode}: a channel is added and one removed while messages are published`, async ({ tab, live }) => {
    for (let n = 0; n < 5; n++) await live.push.publish('late', `old ${n}`)
    await tab.open({ options: { modes: [mode] }, channels: { a: 0, b: 0 } })
    await publishAtRate(live.push, ['a', 'b'], 200, 120, (n) => {
      if (n === 60) void tab.page.evaluate(() => window.e2e.client!.stream.addChannel('late', { backtrack: 2 }))
      if (n === 120) void tab.page.evaluate(() => window.e2e.client!.stream.removeChannel('b'))
    })
    await tab.until('the channel that was added', ({ messages }) => messages.some(({ channel }) => channel === 'late'))
    await live.push.publish('late', 'new')
    const { all, gaps, messages } = await tab.until(
      'all of a and of late',
      ({ messages }) =>
        messages.filter(({ channel }) => channel === 'a').length === 100 &&
        messages.filter(({ channel }) => channel === 'late').length === 3,
    )
    expect(faults(all, { late: 4 })).toEqual([])
    expect(gaps).toEqual([])
    expect(messages.filter(({ channel }) => channel === 'late').map(({ text }) => text)).toEqual([
      'old 3',
      'old 4',
      'new',
    ])
    expect(await subscribers(live, 'b')).toBe(0)
  })
}
