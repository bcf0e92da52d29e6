import type { ModeName } from '@pushstream/core'
import { account, type Sent } from './matrix/accounting.js'
import type { Recording, Start } from './page/page.js'
import { eventsOf } from './support/account.js'
import { missingCertificate } from './support/certificate.js'
import { withLive } from './support/live-test.js'
import { type NchanNode, type NchanOptions, type NchanPlace, startNchan, startNchanPlace } from './support/nchan.js'
import { missingNginx } from './support/nginx.js'
import { startPages } from './support/pages.js'
import { missingRedis, startRedis } from './support/redis.js'
import { allModes, test as base, expect, needs, note, publishAtRate, Tab } from './support/test.js'

// Nchan itself, in an nginx of each test's own.

const test = base.extend<{ nchanOptions: NchanOptions; live: NchanPlace }>({
  nchanOptions: [{}, { option: true }],
  live: ({ nchanOptions }, use, info) => withLive(startNchanPlace(nchanOptions), use, info),
  place: ({ live }, use) => use(live),
})

needs(missingNginx('nchan'))

const protocol = { name: 'nchan' } as const
/** Short waits between attempts, so that a test with an nginx that is away is short as well. */
const impatient = { reconnectOnTimeoutInterval: 200, reconnectOnChannelUnavailableInterval: 500 }
const texts = ({ messages }: Pick<Recording, 'messages'>) => messages.map(({ text }) => text)
const isOpen = ({ status }: Recording) => status.state === 'open'
const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]))

/** How a client of one mode is started. */
const by = (mode: ModeName, channels: readonly string[], more: Start['options'] = {}): Start => ({
  protocol,
  options: { modes: [mode], ...impatient, ...more },
  channels: named(channels),
})

/** Ten channels are more than the connections of HTTP/1.1: only long-polls can take turns. */
const sharing = (mode: ModeName) => ({ modes: [...new Set<ModeName>([mode, 'longpolling'])] })

async function publishAll({ publish }: NchanNode, channel: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) expect(await publish(channel, body)).toBe(true)
}

/** Publishes numbers to channels in turn, the first being `from`. */
async function publishNumbers(
  { publish }: NchanNode,
  channels: readonly string[],
  count: number,
  { perSecond = 100, from = 0, during = (_: number): void => {} } = {},
): Promise<Sent[]> {
  const sent: Sent[] = []
  const numbered = {
    async publish(channel: string, text: string) {
      const n = from + (JSON.parse(text) as { n: number }).n
      const began = Date.now()
      const taken = await publish(channel, JSON.stringify({ n })).catch(() => false)
      sent.push({ channel, n, from: began, taken: taken ? 'yes' : 'unknown' })
    },
  }
  await publishAtRate(numbered, channels, count, perSecond, during)
  return sent
}

/** Waits for the last number of every channel, and for what is wrong with what came. */
async function accountOf(tab: Tab, sent: readonly Sent[]): Promise<ReturnType<typeof account>> {
  const last = new Map(sent.filter(({ taken }) => taken === 'yes').map(({ channel, n }) => [channel, n]))
  const recording = await tab.until(
    'the last number of every channel',
    ({ messages }) =>
      [...last].every(([on, n]) =>
        messages.some(({ channel, data }) => channel === on && (data as { n: number }).n === n),
      ),
    // By long-polling, Nchan gives one message an answer: on a busy machine, hundreds take their time.
    30_000,
  )
  return account(sent, eventsOf(recording))
}

const perfect = { lostWithoutGap: 0, inGaps: 0, doubled: 0, outOfOrder: 0, gaps: 0, evidence: [] }
const restarted = (channel: string) => ({ channel, first: 'unknown', last: 'unknown', reason: 'restart' })
const byChannel = <T extends { channel: string }>(gaps: readonly T[]) =>
  [...gaps].sort((one, other) => (one.channel < other.channel ? -1 : 1))

/** Errors with what the recording leaves out. */
const lastRefusal = (tab: Tab) =>
  tab.page.evaluate(() => {
    const { code, channel, status } = window.refusals[0]!
    return { code, channel, status }
  })

declare global {
  interface Window {
    /** Errors of channels. */
    refusals: { code: string; channel: string | undefined; status: number | undefined }[]
    /** A message's bytes and type. */
    typed: unknown
  }
}

/** Starts a client, and notes its errors of channels with their statuses. */
async function startNoting(tab: Tab, start: Start): Promise<void> {
  await tab.page.evaluate((how) => {
    window.refusals = []
    window.e2e.start(how)
    window.e2e.client!.stream.on('error', ({ code, channel, status }) => {
      if (channel !== undefined) window.refusals.push({ code, channel, status })
    })
  }, start)
}

test('the default modes: what is stored, then what comes', async ({ tab, live }) => {
  await publishAll(live, 'a', 'stored 1', 'stored 2')
  await tab.load()
  await tab.start({ protocol, channels: { a: 10 } })
  await tab.received(2)
  await publishAll(live, 'a', 'live')
  const recording = await tab.received(3)
  expect(texts(recording)).toEqual(['stored 1', 'stored 2', 'live'])
  // On a busy machine a websocket may use up its head start.
  expect(['websocket', 'eventsource']).toContain(recording.messages.at(-1)?.mode)
  expect(recording.gaps).toEqual([])
})

for (const mode of allModes) {
  const hostile = `${mode}: JSON, several lines, UTF-8, an empty message, and names that need encoding`
  test(hostile, { tag: '@server' }, async ({ tab, live }) => {
    const channel = 'a/b c?é'
    const bodies = ['{"type":"greeting","n":2}', 'line 1\nline 2\n', 'Grüße, 漢字 👋🏽', '', '</script>"\\']
    await publishAll(live, channel, 'stored')
    await tab.load()
    await tab.start({ ...by(mode, []), channels: { [channel]: 1 } })
    await tab.received(1)
    await publishAll(live, channel, ...bodies)
    const recording = await tab.received(1 + bodies.length)
    const { messages, status, gaps, deadletters } = recording
    expect(texts(recording)).toEqual(['stored', ...bodies])
    expect(messages[1]).toMatchObject({ channel, type: 'greeting', data: { type: 'greeting', n: 2 }, mode })
    expect(messages[0]?.eventId).toMatch(/^\d{10}:0$/)
    expect(status).toMatchObject({ state: 'open', mode, resume: 'second', gaps: 'possible' })
    expect(gaps).toEqual([])
    expect(deadletters).toEqual([])
  })

  test(`${mode}: cut every 300 ms while 200 messages are published, each once and in order`, async ({ tab, live }) => {
    await tab.open(by(mode, ['a', 'b']))
    const stop = live.proxy.cutEvery(300)
    const sent = await publishNumbers(live, ['a', 'b'], 200, { perSecond: 150 })
    stop()
    expect(await accountOf(tab, sent)).toEqual({ ...perfect, sent: 200, received: 200 })
  })

  const wiped = `${mode}: a reload, which wipes the store: a gap a channel, then all that is published after`
  test(wiped, { tag: '@server' }, async ({ tab, live }) => {
    await tab.open(by(mode, ['a', 'b']))
    const before = await publishNumbers(live, ['a', 'b'], 20)
    await accountOf(tab, before)
    await live.nginx.reload()
    const after = await publishNumbers(live, ['a', 'b'], 80, { from: 20 })
    const result = await accountOf(tab, [...before, ...after])
    expect(result).toEqual({ ...perfect, sent: 100, received: 100, gaps: 2 })
    expect(byChannel((await tab.recording()).gaps)).toEqual(['a', 'b'].map(restarted))
  })

  // How browsers do that, silence.spec.ts shows.
  const halfOpen = `${mode}: a half-open link is found, and what was sent into it is fetched`
  test(halfOpen, { tag: '@server' }, async ({ tab, live }) => {
    await tab.open(by(mode, ['a'], { pingtimeout: 1000, timeout: 1000 }))
    await publishAll(live, 'a', '1')
    await tab.received(1)
    const began = Date.now()
    live.proxy.blackhole(true)
    await publishAll(live, 'a', '2', '3')
    await tab.until('the silence', ({ errors }) => errors.length > 0)
    note('noticed after, ms', Date.now() - began)
    live.proxy.blackhole(false)
    const recording = await tab.received(3)
    expect(texts(recording)).toEqual(['1', '2', '3'])
    expect(recording.gaps).toEqual([])
  })

  const refused = `${mode}: a channel that is refused says so, the other goes on`
  test(refused, { tag: '@server' }, async ({ tab, live }) => {
    await publishAll(live, 'good', 'stored')
    await tab.load()
    await startNoting(tab, {
      ...by(mode, []),
      protocol: { name: 'nchan', url: '/auth/{channel}' },
      channels: { 'forbidden-1': 0, good: 1 },
    })
    await tab.until('the refusal', ({ errors }) => errors.some(({ code }) => code === 'forbidden'))
    // A page can't see the status of a websocket that is refused.
    const status = mode === 'websocket' ? undefined : 403
    expect(await lastRefusal(tab)).toEqual({ code: 'forbidden', channel: 'forbidden-1', status })
    await tab.until('open', isOpen)
    await publishAll(live, 'good', 'live')
    expect(texts(await tab.received(2))).toEqual(['stored', 'live'])
    expect(await tab.page.evaluate(() => window.e2e.client!.stream.channels)).toEqual(['good'])
  })

  test(`${mode}: offline, then online: nothing of what was published meanwhile is lost`, async ({
    tab,
    live,
    context,
    browserName,
  }) => {
    test.skip(browserName === 'firefox', 'offline.spec.ts shows it for Firefox')
    await tab.open(by(mode, ['a', 'b']))
    // Of a channel that never had a message nobody could say whether some are missing.
    await publishAll(live, 'a', 'before')
    await publishAll(live, 'b', 'before')
    await tab.received(2)
    await context.setOffline(true)
    // A browser that plays offline may keep what is open: a real network would not.
    await live.proxy.refuse(true)
    live.proxy.cut()
    await tab.until('not open', (recording) => !isOpen(recording))
    for (let n = 0; n < 10; n++) await publishAll(live, n % 2 ? 'a' : 'b', `meanwhile ${n}`)
    await live.proxy.refuse(false)
    const began = Date.now()
    await context.setOffline(false)
    const { gaps } = await tab.received(12)
    note('all there after online, ms', Date.now() - began)
    expect(Date.now() - began).toBeLessThan(5000)
    expect(gaps).toEqual([])
    await tab.until('open', isOpen)
    await publishAll(live, 'b', 'after')
    const { messages } = await tab.received(13)
    const on = (name: string) => texts({ messages: messages.filter(({ channel }) => channel === name) })
    expect(on('a')).toEqual(['before', ...[1, 3, 5, 7, 9].map((n) => `meanwhile ${n}`)])
    expect(on('b')).toEqual(['before', ...[0, 2, 4, 6, 8].map((n) => `meanwhile ${n}`), 'after'])
  })
}

test('binary messages by websocket, event types by eventsource', async ({ tab, newTab, live }) => {
  await tab.open(by('websocket', ['bytes']))
  await tab.page.evaluate(() => {
    window.e2e.client!.stream.once('message', ({ data, contentType }) => {
      window.typed = { bytes: data instanceof Uint8Array && [...data], contentType }
    })
  })
  const bytes = [0, 10, 10, 255, 254]
  const publishing = live.publish('bytes', Uint8Array.from(bytes), { 'Content-Type': 'application/octet-stream' })
  expect(await publishing).toBe(true)
  await tab.received(1)
  expect(await tab.page.evaluate(() => window.typed)).toEqual({ bytes, contentType: 'application/octet-stream' })

  const other = await (await newTab()).open(by('eventsource', ['typed']))
  await live.publish('typed', 'hello', { 'X-EventSource-Event': 'greet' })
  expect((await other.received(1)).messages).toMatchObject([{ type: 'greet', text: 'hello' }])
})

test('native EventSource: cut and reloaded', async ({ tab, live }) => {
  await tab.open({ protocol, transports: ['nativeEventSource'], options: impatient, channels: named(['a', 'b']) })
  const stop = live.proxy.cutEvery(300)
  const before = await publishNumbers(live, ['a', 'b'], 200, { perSecond: 150 })
  stop()
  expect(await accountOf(tab, before)).toEqual({ ...perfect, sent: 200, received: 200 })
  await tab.until('open', isOpen)
  await live.nginx.reload()
  const after = await publishNumbers(live, ['a', 'b'], 40, { from: 200 })
  const result = await accountOf(tab, [...before, ...after])
  expect(result).toEqual({ ...perfect, sent: 240, received: 240, gaps: 2 })
})

const ten = Array.from({ length: 10 }, (_, n) => `channel-${n}`)

/** Ten channels get all that is published to them, and the page can still ask for something else. */
async function tenChannels(tab: Tab, live: NchanPlace, start: Start): Promise<void> {
  await tab.load()
  await tab.start(start)
  await tab.until('open', isOpen)
  const ask = () =>
    tab.page.evaluate(async () => {
      const began = performance.now()
      const { status } = await fetch('/other.html', { cache: 'no-store', signal: AbortSignal.timeout(5000) })
      return { status, took: performance.now() - began }
    })
  let slowest = 0
  const answered = async () => {
    const { status, took } = await ask()
    expect(status).toBe(200)
    slowest = Math.max(slowest, took)
  }
  await answered()
  const publishing = publishNumbers(live, ten, 100, { perSecond: 60 })
  await answered()
  const sent = await publishing
  await answered()
  const last = performance.now()
  expect(await accountOf(tab, sent)).toEqual({ ...perfect, sent: 100, received: 100 })
  note('the rest came after, ms', Math.round(performance.now() - last))
  await answered()
  note("the slowest of the page's own requests, ms", Math.round(slowest))
  // A poll that hangs gives way after half a second; the rest is for machines that are busy.
  expect(slowest).toBeLessThan(2000)
  const { status } = await tab.recording()
  note('mode', String(status.mode))
}

// For a client short of connections a multipart stream is what an event stream is.
const withChannels = ['websocket', 'eventsource', 'longpolling'] as const

for (const mode of withChannels) {
  test(`ten channels over HTTP/1.1, ${mode}: all get theirs, and the page has connections left`, async ({
    tab,
    live,
  }) => {
    await tenChannels(tab, live, by(mode, ten, sharing(mode)))
    // Browsers make six connections to a host; websockets are counted on their own.
    expect((await tab.recording()).status.mode).toBe(mode === 'websocket' ? mode : 'longpolling')
  })
}

test.describe('TLS', () => {
  needs(missingCertificate())
  test.use({ ignoreHTTPSErrors: true, nchanOptions: { tls: true } })

  for (const mode of withChannels) {
    test(`ten channels over HTTP/2, ${mode}: all get theirs, and the page has connections left`, async ({
      page,
      live,
    }) => {
      const tab = new Tab(page, live.tlsUrl as string)
      await tenChannels(tab, live, by(mode, ten))
      const protocols = await page.evaluate(() =>
        performance
          .getEntriesByType('navigation')
          .map((entry) => (entry as PerformanceNavigationTiming).nextHopProtocol),
      )
      expect(protocols).toEqual(['h2'])
      // Nothing has to be shared.
      expect((await tab.recording()).status.mode).toBe(mode)
    })
  }
})

test('eight tabs by websocket, nginx is killed and started: each has one gap, then what follows', async ({
  newTab,
  live,
}) => {
  test.setTimeout(90_000)
  const tabs: Tab[] = []
  // All pages first: Firefox counts handshakes among its six connections.
  for (let n = 0; n < 8; n++) tabs.push(await (await newTab()).load())
  for (const tab of tabs) await tab.start(by('websocket', ['a']))
  for (const tab of tabs) await tab.until('open', isOpen)
  const before = await publishNumbers(live, ['a'], 10)
  for (const tab of tabs) await accountOf(tab, before)
  await live.nginx.kill()
  // A client that finds nobody there comes back as to an empty store. One that comes at once, to an nginx that is there
  // again, can't know of it: it brings a position, which a worker of Nchan 1.3.6 may crash of.
  // Firefox has one handshake to a host at a time, and lets those that follow a failure wait.
  for (const tab of tabs) await tab.until('a failure', ({ status }) => status.attempt >= 1, 30_000)
  await live.nginx.start()
  const after = await publishNumbers(live, ['a'], 30, { from: 10 })
  for (const tab of tabs) {
    const result = await accountOf(tab, [...before, ...after])
    expect(result).toEqual({ ...perfect, sent: 40, received: 40, gaps: 1 })
    expect((await tab.recording()).gaps).toEqual([restarted('a')])
  }
})

for (const policy of [{ status: 403 }, { status: 404 }, 'hang', 'swallow'] as const) {
  const what = typeof policy === 'string' ? policy : policy.status
  // What browsers make of such upgrades, fallback.spec.ts shows.
  const blocked = `upgrades end with ${what}: the first message comes soon, by eventsource`
  test(blocked, { tag: '@server' }, async ({ tab, live }) => {
    await tab.load()
    live.proxy.upgrades(policy)
    await publishAll(live, 'a', 'stored')
    await tab.start({ protocol, channels: { a: 1 } })
    const { firstAfter } = await tab.received(1)
    note('first message after, ms', Math.round(firstAfter as number))
    // Two seconds is what is promised; the rest is for machines that are busy.
    expect(firstAfter).toBeLessThan(4000)
    await tab.until('open', isOpen)
    await publishAll(live, 'a', 'live')
    const recording = await tab.received(2)
    expect(texts(recording)).toEqual(['stored', 'live'])
    expect(recording.messages.at(-1)?.mode).toBe('eventsource')
    expect(recording.errors.filter(({ code }) => code === 'forbidden')).toEqual([])
  })
}

const existing = 'existing channels only: one that is not there is refused, the other goes on'
test(existing, { tag: '@server' }, async ({ newTab, live }) => {
  await publishAll(live, 'there', 'stored')
  for (const modes of [undefined, ...allModes.map((mode) => [mode])]) {
    const tab = await (await newTab()).load()
    const how = modes?.join() ?? 'the default modes'
    await startNoting(tab, {
      protocol: { name: 'nchan', url: '/existing/{channel}' },
      options: { ...impatient, ...(modes && { modes }) },
      channels: { [`missing ${how}`]: 0, there: 1 },
    })
    await tab.until('the refusal', ({ errors }) => errors.some(({ code }) => code === 'forbidden'))
    // A page can't see the status of a websocket that is refused.
    const status = how === 'websocket' ? undefined : 403
    expect(await lastRefusal(tab)).toEqual({ code: 'forbidden', channel: `missing ${how}`, status })
    const { messages } = await tab.received(1)
    expect(messages[0]?.text).toBe('stored')
    await tab.until('open', isOpen)
    await tab.page.close()
  }
})

for (const mode of allModes) {
  test(`${mode}, a page of another origin: nothing needs a preflight, and cookies go with it`, async ({
    page,
    context,
    live,
  }) => {
    const tab = await new Tab(page, live.elsewhere).load(undefined, 'elsewhere.html')
    await context.addCookies([{ name: 'user', value: '42', url: live.url }])
    await tab.start(by(mode, ['a', 'b'], { url: live.url, credentials: 'include' }))
    await tab.until('open', isOpen)
    const sent = await publishNumbers(live, ['a', 'b'], 60, {
      during(n) {
        if (n === 30) live.proxy.cut()
      },
    })
    expect(await accountOf(tab, sent)).toEqual({ ...perfect, sent: 60, received: 60 })
    const { requests } = live.proxy
    // Where nothing else shows that a long-poll that hangs is well, the client asks by OPTIONS, which has a preflight.
    const others = requests.filter(({ method }) => method !== 'GET')
    if (mode !== 'longpolling') expect(others).toEqual([])
    const preflights = others.filter(({ headers }) => headers['access-control-request-method'] !== undefined)
    expect(preflights.filter(({ headers }) => headers['access-control-request-method'] !== 'OPTIONS')).toEqual([])
    expect(preflights.filter(({ headers }) => headers['access-control-request-headers'] !== undefined)).toEqual([])
    const gets = requests.filter(({ method }) => method === 'GET')
    expect(gets.filter(({ headers }) => !headers.cookie?.includes('user=42'))).toEqual([])
    expect(requests.some(({ path }) => /[?&]last_event_id=\d{10}:\d+/.test(path))).toBe(true)
    const inHeaders = ['last-event-id', 'if-modified-since', 'if-none-match']
    expect(requests.filter(({ headers }) => inHeaders.some((name) => name in headers))).toEqual([])
  })
}

test.describe('compressed', () => {
  test.use({
    nchanOptions: {
      adjust: (config) => config.replace(/nchan_publisher;/, '$&\n      nchan_deflate_message_for_websocket on;'),
    },
  })

  test('websocket with permessage-deflate: messages come, and are smaller on the wire', async ({ tab, live }) => {
    await tab.open(by('websocket', ['a']))
    const offered = live.proxy.requests.filter(({ upgrade }) => upgrade).map(({ headers }) => headers)
    expect(offered[0]?.['sec-websocket-extensions']).toContain('permessage-deflate')
    const before = live.proxy.stats.bytesFromServer
    await publishAll(live, 'a', '{"n":1}', 'x'.repeat(200_000), 'Grüße 👋🏽', '')
    const recording = await tab.received(4)
    note('bytes for 200000', live.proxy.stats.bytesFromServer - before)
    expect(live.proxy.stats.bytesFromServer - before).toBeLessThan(20_000)
    expect(texts(recording)).toEqual(['{"n":1}', 'xxxxxxxx…200000…xxxxxxxx', 'Grüße 👋🏽', ''])
    const bytes = Uint8Array.from([0, 10, 10, 255])
    await live.publish('a', bytes, { 'Content-Type': 'application/octet-stream' })
    await tab.received(5)
    live.proxy.cut()
    await publishAll(live, 'a', 'after a cut')
    const { messages, gaps, deadletters } = await tab.received(6)
    expect(messages.at(-1)?.text).toBe('after a cut')
    expect(gaps).toEqual([])
    expect(deadletters).toEqual([])
  })
})

test.describe('two nodes that share Redis', { tag: '@server' }, () => {
  needs(missingNginx('nchan-redis'), missingRedis())

  for (const mode of allModes) {
    test(`${mode}: published on A, the page listens on B; B is killed: nothing is lost, the mode stays`, async ({
      page,
    }) => {
      const ends: (() => Promise<unknown>)[] = []
      try {
        const redis = await startRedis()
        ends.push(() => redis.close())
        const node = async () => {
          const started = await startNchan('nchan-redis', { values: { redis: redis.url } })
          ends.push(() => started.close())
          return started
        }
        const [a, b] = [await node(), await node()]
        const pages = await startPages()
        ends.push(() => pages.close())
        const tab = await new Tab(page, pages.url).load(undefined, 'elsewhere.html')
        await tab.start(by(mode, ['a', 'b'], { url: [b.proxy.url, a.proxy.url] }))
        await tab.until('open', isOpen)
        let killed: Promise<void> | undefined
        const sent = await publishNumbers(a, ['a', 'b'], 200, {
          perSecond: 150,
          during(n) {
            if (n === 80) killed = b.nginx.kill()
          },
        })
        await killed
        expect(await accountOf(tab, sent)).toEqual({ ...perfect, sent: 200, received: 200 })
        expect((await tab.until('open', isOpen)).status.mode).toBe(mode)
        expect(a.nginx.crashes).toEqual([])
      } finally {
        while (ends.length > 0) await ends.pop()?.()
      }
    })
  }
})

test.describe('close()', () => {
  // So that a connection that is open belongs to something that is under way.
  test.use({
    nchanOptions: { adjust: (config) => config.replace(/ {2}server \{\n/, '$&    keepalive_timeout 0;\n') },
  })

  test('every mode: leaves no connection and no timer', async ({ page, live }) => {
    const tab = await new Tab(page, live.elsewhere).load(undefined, 'elsewhere.html')
    const timers = () => page.evaluate(() => window.watched.timers())
    const before = await timers()
    for (const mode of allModes) {
      await tab.start(by(mode, ten, { ...sharing(mode), url: live.url, timeout: 2000 }))
      await tab.until('open', isOpen)
      await publishAll(live, 'channel-3', mode)
      await tab.until('the message', ({ messages }) => messages.some(({ text }) => text === mode))
      // Between two polls there is none.
      await expect.poll(() => live.proxy.connections, { intervals: [20], message: mode }).toBeGreaterThan(0)
      await page.evaluate(() => window.e2e.client!.stream.close())
      await expect.poll(() => live.proxy.connections, { intervals: [50], message: mode }).toBe(0)
      for (const channel of ten) {
        await expect.poll(() => live.subscribers(channel), { intervals: [50], message: mode }).toBe(0)
      }
      await expect.poll(timers, { intervals: [50], message: mode }).toBe(before)
    }
  })
})
