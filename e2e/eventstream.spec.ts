import { EventStream } from '@fanoutio/eventstream'
import { createFaultProxy } from '@pushstream/testkit'
import { ScriptedDjango } from '../packages/core/test/support/scripted-django.js'
import { startApplication } from './support/express.js'
import { delivers190 } from './support/replay.js'
import { test as base, expect } from './support/test.js'

// A server of events on another origin than the page: one that does as django-eventstream was seen to do, and the one for Node.

const test = base.extend<{ django: ScriptedDjango & { proxied: string; cut(): void } }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  django: async ({}, use) => {
    const django = await new ScriptedDjango().start()
    const proxy = createFaultProxy({ target: django.url })
    await proxy.listen()
    await use(Object.assign(django, { proxied: proxy.url, cut: () => void proxy.cut() }))
    await proxy.close()
    await django.close()
  },
})

const impatient = { reconnectOnTimeoutInterval: 200 }
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

for (const together of [false, true]) {
  const protocol = { name: 'django', together } as const

  test(`each message once, through cuts; channels ${together ? 'together' : 'apart'}`, async ({ tab, django }) => {
    await tab.load(undefined, 'elsewhere.html')
    await tab.start({ protocol, options: { url: django.proxied, ...impatient }, channels: { a: 0, 'żó,:/': 0 } })
    await tab.until('open', ({ status }) => status.state === 'open' && django.listeners === (together ? 1 : 2))
    // Lost before anything came.
    django.cut()
    for (let n = 1; n <= 60; n++) {
      django.publish(n % 2 === 0 ? 'a' : 'żó,:/', `{"n":${n}}`, { type: 'answer' })
      if (n % 20 === 0) django.cut()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const { messages, gaps } = await tab.received(60)
    for (const name of ['a', 'żó,:/']) {
      expect(messages.filter(({ channel }) => channel === name).map(({ id }) => id)).toEqual(upTo(30))
    }
    expect(gaps).toEqual([])
    expect(messages[0]).toMatchObject({ type: 'answer', mode: 'eventsource' })
    // Nothing that would need a preflight.
    expect(django.server.requests.every(({ method, headers }) => method === 'GET' && !headers['last-event-id'])).toBe(
      true,
    )
  })

  test(`190 stored events of two channels are 190; channels ${together ? 'together' : 'apart'}`, async ({
    tab,
    django,
  }) => {
    await delivers190(tab, django, { protocol, options: { url: django.url, ...impatient } })
  })
}

test('a channel that is trimmed, and one that is forbidden', async ({ tab, django }) => {
  for (let n = 1; n <= 5; n++) django.publish('a', `a${n}`)
  django.store.trim('a', 2)
  django.forbidden.add('secret')
  await tab.load(undefined, 'elsewhere.html')
  const options = { url: django.url, lastEventId: 'a:1', ...impatient }
  await tab.start({ protocol: { name: 'django', together: true }, options, channels: { a: 0, secret: 0 } })
  const { gaps } = await tab.until('a gap and a refusal', (now) => {
    return now.gaps.length === 1 && now.errors.some(({ code }) => code === 'forbidden')
  })
  expect(gaps).toEqual([{ channel: 'a', first: 2, last: 5, reason: 'overflow' }])
  await tab.until('open', ({ status }) => status.state === 'open' && django.listeners === 1)
  django.publish('a', 'a6')
  await tab.received(1)
})

test('PushEventSource, by its script, goes on where the browser’s own would have given up', async ({
  page,
  place,
  troubles,
  django,
}) => {
  void troubles
  await page.goto(`${place.url}/event-source.html`)
  await page.evaluate((url) => {
    const { PushEventSource } = window as unknown as {
      PushEventSource: typeof import('@pushstream/core').PushEventSource
    }
    const source = new PushEventSource(url, { lastEventIdParameter: 'lastEventId', backoffBase: 100 })
    const seen: string[] = []
    source.addEventListener('answer', ({ data, origin }) => seen.push(`${data} ${origin === new URL(url).origin}`))
    source.addEventListener('stream-open', () => seen.push('open'))
    Object.assign(window, { seen, source })
  }, `${django.proxied}/events/?channel=a`)
  const seen = () => page.evaluate(() => (window as unknown as { seen: string[] }).seen)
  await expect.poll(seen).toEqual(['open'])
  django.publish('a', '1', { type: 'answer' })
  await expect.poll(seen).toEqual(['open', '1 true'])
  for (let i = 0; i < 3; i++) django.server.once('GET /events/', (exchange) => exchange.respond(502, {}, ''))
  django.cut()
  django.publish('a', '2', { type: 'answer' })
  await expect.poll(seen).toEqual(['open', '1 true', 'open', '2 true'])
  const state = await page.evaluate(() => {
    const { source } = window as unknown as { source: EventSource }
    const before = source.readyState
    source.close()
    return [before, source.readyState, source instanceof EventTarget]
  })
  expect(state).toEqual([1, 2, true])
})

test('@fanoutio/eventstream on Express', async ({ tab }) => {
  const events = new EventStream({})
  const application = await startApplication(events)
  try {
    await tab.load(undefined, 'elsewhere.html')
    const { url } = application
    const protocol = { name: 'django', probe: false } as const
    await tab.start({ protocol, options: { url, ...impatient }, channels: { a: 0, b: 0 } })
    await tab.until('open', ({ status }) => status.state === 'open')
    for (const n of upTo(20)) await events.publishEvent(n % 2 === 0 ? 'a' : 'b', { event: 'tick', data: { n } })
    const { messages } = await tab.received(20)
    const of = (name: string) =>
      messages.filter(({ channel }) => channel === name).map(({ data }) => (data as { n: number }).n)
    expect(of('a')).toEqual(upTo(20).filter((n) => n % 2 === 0))
    expect(of('b')).toEqual(upTo(20).filter((n) => n % 2 === 1))
  } finally {
    await application.close()
  }
})
