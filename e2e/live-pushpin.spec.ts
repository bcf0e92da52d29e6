import { EventStream } from '@fanoutio/eventstream'
import { createFaultProxy, type FaultProxy, freePort } from '@pushstream/testkit'
import { GripDjango } from '../packages/core/test/support/grip-django.js'
import { account, type Sent } from './matrix/accounting.js'
import { eventsOf } from './support/account.js'
import { startApplication } from './support/express.js'
import { missingPushpin, type Pushpin, startPushpin } from './support/pushpin.js'
import { delivers190 } from './support/replay.js'
import { test as base, expect, needs } from './support/test.js'

// Pushpin holds the connections of pages; the application behind it answers once, and publishes to it.

needs(missingPushpin())

const impatient = { reconnectOnTimeoutInterval: 200 }
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => i + from)
const isOpen = ({ status }: { status: { state: string } }) => status.state === 'open'

const test = base.extend<{ django: GripDjango; pushpin: Pushpin; network: FaultProxy }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  django: async ({}, use) => {
    const django = await new GripDjango().start()
    await use(django)
    await django.close()
  },
  pushpin: async ({ django }, use) => {
    const pushpin = await startPushpin(django.url)
    django.control = pushpin.control
    await use(pushpin)
    await pushpin.close()
  },
  network: async ({ pushpin }, use) => {
    const network = createFaultProxy({ target: pushpin.url })
    await network.listen()
    await use(network)
    await network.close()
  },
})

for (const together of [false, true]) {
  const protocol = { name: 'django', together } as const
  const way = `channels ${together ? 'together' : 'apart'}`

  const once = `each message once, through cuts, items that got lost and a restart; ${way}`
  test(once, { tag: together ? [] : '@server' }, async ({ tab, django, pushpin, network }) => {
    await tab.load(undefined, 'elsewhere.html')
    await tab.start({ protocol, options: { url: network.url, ...impatient }, channels: { a: 0, b: 0 } })
    await tab.until('open', isOpen)
    for (const n of upTo(60)) {
      // Some never reach Pushpin.
      django.publish('a', `{"n":${n},"of":"50%"}`, { type: 'answer', live: n % 7 !== 0 })
      django.publish('b', `{"n":${n}}`, { live: n % 11 !== 0 })
      await django.sent
      if (n % 20 === 10) network.cut()
      if (n === 30) await pushpin.restart()
    }
    await tab.received(120)
    // On a connection that lasts Pushpin sees the hole by the next item, and asks the application.
    await tab.until('open', isOpen)
    for (const n of upTo(64, 61)) django.publish('a', `{"n":${n},"of":"50%"}`, { live: n === 61 || n === 64 })
    const { messages, gaps } = await tab.received(124)
    const of = (name: string) => messages.filter(({ channel }) => channel === name)
    expect(of('a').map(({ id }) => id)).toEqual(upTo(64))
    expect(of('b').map(({ id }) => id)).toEqual(upTo(60))
    expect(of('a').map(({ data }) => data)).toEqual(upTo(64).map((n) => ({ n, of: '50%' })))
    expect(messages.find(({ channel }) => channel === 'a')).toMatchObject({ type: 'answer', mode: 'eventsource' })
    expect(gaps).toEqual([])
    expect(django.server.requests.some(({ query }) => query.get('recover') === 'true')).toBe(true)
  })

  test(`190 stored events of two channels are 190; ${way}`, { tag: '@server' }, async ({ tab, django, network }) => {
    await delivers190(tab, django, { protocol, options: { url: network.url, ...impatient } })
  })

  test(`trimmed, and no longer allowed; ${way}`, { tag: '@server' }, async ({ tab, django, network }) => {
    for (const n of upTo(5)) django.publish('a', `a${n}`)
    django.store.trim('a', 2)
    await django.sent
    await tab.load(undefined, 'elsewhere.html')
    const options = { url: network.url, lastEventId: 'a:1,secret:0', ...impatient }
    await tab.start({ protocol, options, channels: { a: 0, secret: 0 } })
    const { gaps } = await tab.until('a gap', (now) => now.gaps.length === 1 && isOpen(now))
    expect(gaps).toEqual([{ channel: 'a', first: 2, last: 5, reason: 'overflow' }])
    django.publish('secret', 'allowed')
    await tab.received(1)
    django.kick('secret')
    await tab.until('a refusal', ({ errors }) => errors.some(({ code }) => code === 'forbidden'))
    await tab.until('open', isOpen)
    django.publish('a', 'a6')
    await tab.received(2)
  })
}

test('holes that mean nothing to the client are filled by Pushpin', { tag: '@server' }, async ({
  tab,
  django,
  network,
}) => {
  await tab.load(undefined, 'elsewhere.html')
  const protocol = { name: 'django', missingIds: 'ignore' } as const
  await tab.start({ protocol, options: { url: network.url, ...impatient }, channels: { a: 0 } })
  await tab.until('open', isOpen)
  for (const n of upTo(12)) django.publish('a', `${n}`, { live: n % 4 === 0 })
  const { messages, gaps, stats } = await tab.received(12)
  expect(messages.map(({ id }) => id)).toEqual(upTo(12))
  expect([gaps, stats.reconnects]).toEqual([[], 0])
})

const encoded =
  'a name that is percent-encoded, of which Pushpin can send nothing that is stored: live, and a gap for the rest'
test(encoded, { tag: '@server' }, async ({ tab, django, network }) => {
  const name = 'é@'
  const sent: Sent[] = []
  const publish = (live: boolean) => {
    sent.push({ channel: name, n: sent.length + 1, from: 0, taken: 'yes' })
    django.publish(name, JSON.stringify({ n: sent.length }), { live })
  }
  // A second after a subscription Pushpin asks the application for what it missed. What is published in this moment is
  // stored by then, and ends the connection: it comes or is in a gap, and the next one is tried.
  const untilOneComes = async () => {
    for (let came = false; !came; ) {
      expect(sent.length).toBeLessThan(30)
      const { all } = await tab.recording()
      publish(true)
      const now = await tab.until('a message or a gap', (next) => next.all.length > all.length && isOpen(next))
      came = now.messages.at(-1)?.id === sent.length
    }
  }
  await tab.load(undefined, 'elsewhere.html')
  await tab.start({
    protocol: { name: 'django' },
    options: { url: network.url, ...impatient },
    channels: { [name]: 0, b: 0 },
  })
  await tab.until('open', isOpen)
  for (let times = 1; times <= 3; times++) await untilOneComes()
  const { all } = await tab.recording()
  publish(false)
  django.publish('b', '{"n":1}', { live: false })
  network.cut()
  await tab.until('a gap, and the other channel', (now) => {
    const after = now.all.slice(all.length)
    return after.some((one) => 'reason' in one) && after.some(({ channel }) => channel === 'b') && isOpen(now)
  })
  await untilOneComes()
  const recording = await tab.recording()
  const result = account([...sent, { channel: 'b', n: 1, from: 0, taken: 'yes' }], eventsOf(recording))
  expect(result).toMatchObject({ lostWithoutGap: 0, doubled: 0, outOfOrder: 0, evidence: [] })
  // Of this channel alone, and of a number where one was known.
  for (const gap of recording.gaps) expect(gap).toMatchObject({ channel: name, last: 'unknown', reason: 'overflow' })
  expect(recording.gaps.some(({ first }) => typeof first === 'number')).toBe(true)
})

const restarts = '@fanoutio/eventstream on Express: the application restarts, and pages keep their connections'
test(restarts, { tag: '@server' }, async ({ tab }) => {
  const port = await freePort()
  const pushpin = await startPushpin(`http://127.0.0.1:${port}`)
  let asked = 0
  const start = async () => {
    const events = new EventStream({ grip: `${pushpin.control}/?iss=pushpin&key=of-a-test` })
    const started = await startApplication(events, port)
    started.server.on('request', () => asked++)
    return { events, ...started }
  }
  let application = await start()
  try {
    await tab.load(undefined, 'elsewhere.html')
    const protocol = { name: 'django', probe: false } as const
    await tab.start({ protocol, options: { url: pushpin.url, ...impatient }, channels: { a: 0, b: 0 } })
    await tab.until('open', isOpen)
    const publish = async (from: number, to: number) => {
      for (const n of upTo(to, from))
        await application.events.publishEvent(n % 2 === 0 ? 'a' : 'b', { event: 'tick', data: { n } })
    }
    await publish(1, 10)
    await tab.received(10)
    const before = asked
    await application.close()
    application = await start()
    await publish(11, 20)
    const { messages, gaps, stats } = await tab.received(20)
    const of = (name: string) =>
      messages.filter(({ channel }) => channel === name).map(({ data }) => (data as { n: number }).n)
    expect(of('a')).toEqual(upTo(20).filter((n) => n % 2 === 0))
    expect(of('b')).toEqual(upTo(20).filter((n) => n % 2 === 1))
    expect([asked, gaps, stats.reconnects]).toEqual([before, [], 0])
    // With Pushpin the connections end, and they are made anew.
    await pushpin.restart()
    await tab.until('a reconnect', ({ stats }) => stats.reconnects > 0)
    await tab.until('open', isOpen)
    await publish(21, 22)
    await tab.received(22)
  } finally {
    await pushpin.close()
    await application.close()
  }
})
