import type { ModeName } from '@pushstream/core'
import type { Seen } from './page/page.js'
import { missingCertificate } from './support/certificate.js'
import { missingNginx } from './support/nginx.js'
import { type ProxiedOptions, type ProxiedPlace, startProxied } from './support/proxied.js'
import { allModes, test as base, expect, faults, needs, note, publishAtRate, Tab } from './support/test.js'

// nginx as it stands in front of most push servers.

const test = base.extend<{ proxiedOptions: ProxiedOptions; proxied: ProxiedPlace }>({
  proxiedOptions: [{}, { option: true }],

  proxied: async ({ proxiedOptions }, use) => {
    const proxied = await startProxied('proxy', proxiedOptions)
    await use(proxied)
    await proxied.close()
  },

  place: async ({ proxied }, use) => {
    await use(proxied)
  },
})

needs(missingNginx('proxy'), missingCertificate())

const cutTwice = 'every mode: cut before nginx and behind it, and nginx reloaded, each message once and in order'
test(cutTwice, { tag: '@server' }, async ({ newTab, proxied }) => {
  const tabs: [ModeName, Tab][] = []
  for (const mode of allModes) tabs.push([mode, await (await newTab()).open({ options: { modes: [mode] }, channels })])
  const reloads: Promise<void>[] = []
  await publishAtRate(proxied.server, Object.keys(channels), 400, 100, (n) => {
    if (n % 100 === 20) proxied.proxy.cut()
    if (n % 100 === 50) proxied.behind.cut()
    if (n === 180) reloads.push(proxied.nginx.reload())
  })
  await Promise.all(reloads)
  for (const [mode, tab] of tabs) {
    const { all, gaps, messages } = await tab.received(400)
    expect(faults(all), mode).toEqual([])
    expect(gaps, mode).toEqual([])
    expect(messages, mode).toHaveLength(400)
  }
})

const channels = { a: 0, b: 0 }

const away = 'the server behind nginx is away (502): the state says so, and nothing is lost'
test(away, { tag: '@server' }, async ({ newTab, proxied }) => {
  const tabs: [ModeName, Tab][] = []
  const options = { reconnectOnTimeoutInterval: 200, reconnectOnChannelUnavailableInterval: 1000 }
  for (const mode of allModes) {
    tabs.push([mode, await (await newTab()).open({ options: { ...options, modes: [mode] }, channels: { a: 0 } })])
  }
  await proxied.behind.refuse(true)
  proxied.behind.cut()
  for (const [, tab] of tabs) {
    const { status } = await tab.until('two failures', ({ status }) => status.attempt >= 2)
    expect(status.state).not.toBe('open')
  }
  proxied.server.publish('a', 'meanwhile')
  await proxied.behind.refuse(false)
  for (const [mode, tab] of tabs) {
    const { messages } = await tab.received(1)
    expect(
      messages.map(({ text }) => text),
      mode,
    ).toEqual(['meanwhile'])
  }
})

test('long-polls share kept connections behind nginx', { tag: '@server' }, async ({ tab, proxied }) => {
  await tab.open({ options: { modes: ['longpolling'] }, channels: { a: 0 } })
  for (let n = 1; n <= 50; n++) {
    proxied.server.publish('a', `${n}`)
    await tab.received(n)
  }
  note('connections behind nginx', proxied.behind.stats.accepted)
  expect(proxied.behind.stats.requests).toBeGreaterThan(40)
  expect(proxied.behind.stats.accepted).toBeLessThan(10)
})

test.describe('silent for longer than nginx waits', { tag: '@server' }, () => {
  test.use({ proxiedOptions: { server: { settings: { pingMessageInterval: null } } } })
  test('every mode: the client comes back each time, and loses nothing', async ({ newTab, proxied }) => {
    const tabs: [ModeName, Tab][] = []
    for (const mode of allModes) {
      const options = { modes: [mode], url: `${proxied.url}/impatient`, reconnectOnTimeoutInterval: 200 }
      tabs.push([mode, await (await newTab()).open({ options, channels: { a: 0 } })])
    }
    for (let n = 1; n <= 3; n++) {
      proxied.server.publish('a', `${n}`)
      for (const [mode, tab] of tabs) {
        const before = (await tab.received(n)).states.length
        // A long-poll that is ended is none of the connection's states: the next one is what can be waited for.
        const polls = () => proxied.proxy.requests.filter(({ path }) => path.startsWith('/impatient/lp/')).length
        const asked = polls()
        if (mode === 'longpolling') await expect.poll(polls, { intervals: [50] }).toBeGreaterThan(asked)
        else await tab.until('the end of a connection', ({ states }) => states.length > before)
      }
    }
    proxied.server.publish('a', '4')
    for (const [mode, tab] of tabs) {
      const { messages, all, gaps, errors, status } = await tab.received(4)
      note(mode, `${status.state}, ${errors.map(({ code }) => code).join(' ')}`)
      expect(
        messages.map(({ text }) => text),
        mode,
      ).toEqual(['1', '2', '3', '4'])
      expect(faults(all), mode).toEqual([])
      expect(gaps, mode).toEqual([])
    }
  })
})

for (const modes of [undefined, ['eventsource', 'longpolling'], ['stream', 'longpolling']] as const) {
  test(`buffered, ${modes?.join(' and ') ?? 'the default modes'}: the first message comes soon, by long-polling`, async ({
    tab,
    proxied,
  }) => {
    await tab.load()
    const publishing = setInterval(() => proxied.server.publish('a', 'x'), 100)
    try {
      await tab.start({ options: { ...(modes && { modes }), url: `${proxied.url}/buffered` }, channels: { a: 0 } })
      const { firstAfter } = await tab.received(1)
      note('first message after, ms', Math.round(firstAfter as number))
      // Two seconds is what is promised; the rest is for machines that are busy.
      expect(firstAfter).toBeLessThan(4000)
      await tab.until('open', ({ status }) => status.state === 'open')
    } finally {
      clearInterval(publishing)
    }
    const { id } = proxied.server.publish('a', 'the last')
    const { messages, all } = await tab.until('the last message', ({ messages }) => messages.at(-1)?.id === id)
    expect(messages.at(-1)?.mode).toBe('longpolling')
    // It began with whatever came first.
    expect(faults(all, { a: messages[0]?.id as number })).toEqual([])
  })
}

test('every mode passes compression at once', async ({ newTab, proxied }) => {
  for (const mode of allModes) {
    const tab = await newTab()
    await tab.open({ options: { modes: [mode], url: `${proxied.url}/compressed` }, channels: { [mode]: 0 } })
    for (let n = 1; n <= 3; n++) {
      proxied.server.publish(mode, `${n}`)
      const { messages, status } = await tab.received(n)
      expect(messages.at(-1)?.text).toBe(`${n}`)
      expect(status.mode).toBe(mode)
    }
    await tab.page.close()
  }
})

const byCookie = 'by cookie: the own channel is allowed, of another’s the client is told, and the others go on'
test(byCookie, { tag: '@server' }, async ({ newTab, proxied }) => {
  for (const mode of allModes) {
    const tab = await newTab()
    await tab.load()
    await tab.page.context().addCookies([{ name: 'user', value: '42', url: proxied.url }])
    const options = { modes: [mode], url: `${proxied.url}/private` }
    await tab.start({ options, channels: { global: 0, 'user-42': 0, 'user-7': 0 } })
    const { errors } = await tab.until('the refusal', ({ errors }) => errors.some(({ code }) => code === 'forbidden'))
    // A page can't see why a websocket is refused: first that is all the client can say.
    const blind = mode === 'websocket' ? 'unreachable' : undefined
    expect(
      errors.filter(({ code }) => code !== blind),
      mode,
    ).toEqual([{ code: 'forbidden', message: expect.stringContaining('user-7') }])
    await tab.until('open', ({ status }) => status.state === 'open')
    expect(await tab.page.evaluate(() => window.e2e.client!.stream.channels), mode).toEqual(['global', 'user-42'])
    for (const channel of ['user-7', 'user-42', 'global']) proxied.server.publish(channel, `${mode} to ${channel}`)
    // A page that begins on a busy machine may be given what was for the one before it, too.
    const own = (messages: readonly Seen[]) => messages.map(({ text }) => text).filter((text) => text.startsWith(mode))
    const { messages } = await tab.until('the messages', ({ messages }) => own(messages).length === 2)
    expect(own(messages).sort(), mode).toEqual([`${mode} to global`, `${mode} to user-42`])
    expect(messages.map(({ channel }) => channel)).not.toContain('user-7')
    await tab.page.close()
  }
})

test('without a cookie: unauthorized', { tag: '@server' }, async ({ tab, proxied }) => {
  for (const mode of allModes) {
    await tab.load()
    await tab.start({ options: { modes: [mode], url: `${proxied.url}/private` }, channels: { global: 0 } })
    const { errors } = await tab.until('the refusal', ({ errors }) => errors.length > 0)
    // Until the page is asked, the next attempt may have been refused as well.
    expect(new Set(errors.map(({ code }) => code)), mode).toEqual(
      new Set([mode === 'websocket' ? 'unreachable' : 'unauthorized']),
    )
  }
})

test('behind a prefix', { tag: '@server' }, async ({ newTab, proxied }) => {
  for (const mode of allModes) {
    // A channel each: a page that begins on a busy machine may be given what is a few seconds old.
    const channel = `kanal ü 50% ${mode}`
    const tab = await newTab()
    await tab.open({ options: { modes: [mode], url: `${proxied.url}/app/push` }, channels: { [channel]: 0 } })
    const { id } = proxied.server.publish(channel, 'x')
    const { messages } = await tab.received(1)
    expect(messages, mode).toMatchObject([{ channel, id }])
    await tab.page.close()
  }
})

test.describe('by TLS', () => {
  test.use({ ignoreHTTPSErrors: true })

  test('every mode', async ({ context, proxied }) => {
    for (const mode of allModes) {
      const tab = new Tab(await context.newPage(), proxied.tlsUrl)
      await tab.open({ options: { modes: [mode] }, channels: { a: 0 } })
      const { id } = proxied.server.publish('a', 'x')
      await tab.until('the message', ({ messages }) => messages.at(-1)?.id === id)
      await tab.page.close()
    }
  })

  test('HTTP/2: ten tabs by eventsource, all receive', async ({ context, proxied }) => {
    const tabs: Tab[] = []
    for (let n = 0; n < 10; n++) {
      const tab = new Tab(await context.newPage(), proxied.tlsUrl)
      tabs.push(await tab.open({ options: { modes: ['eventsource'] }, channels: { a: 0 } }))
    }
    const entries = await tabs[0]?.page.evaluate(() =>
      performance.getEntriesByType('navigation').map((entry) => (entry as PerformanceNavigationTiming).nextHopProtocol),
    )
    expect(entries).toEqual(['h2'])
    proxied.server.publish('a', 'for all')
    for (const tab of tabs) {
      const { messages } = await tab.received(1)
      expect(messages.map(({ text }) => text)).toEqual(['for all'])
    }
    expect(proxied.server.stats().subscribers).toBe(10)
  })
})

test('a page of one nginx, the push server of another, with cookies', async ({ newTab, proxied }) => {
  const other = await startProxied('proxy', { values: { origin: proxied.url } })
  try {
    for (const mode of allModes) {
      const tab = await newTab()
      await tab.load(undefined, 'elsewhere.html')
      const options = { modes: [mode], url: `${other.url}/shared`, credentials: 'include' } as const
      await tab.start({ options, channels: { [mode]: 0 } })
      await tab.until('open', ({ status }) => status.state === 'open')
      await publishAtRate(other.server, [mode], 40, 80, (n) => {
        if (n === 20) other.proxy.cut()
      })
      const { all, gaps } = await tab.received(40)
      expect(faults(all), mode).toEqual([])
      expect(gaps, mode).toEqual([])
      await tab.page.close()
    }
    const refused = await newTab()
    await refused.load(undefined, 'elsewhere.html')
    // A location without these headers.
    await refused.start({ options: { modes: ['eventsource'], url: other.url }, channels: { a: 0 } })
    const { status } = await refused.until('failures', ({ status }) => status.attempt >= 2)
    expect(status.state).not.toBe('open')
  } finally {
    await other.close()
  }
})
