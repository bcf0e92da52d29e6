import { readFileSync } from 'node:fs'
import { type DjangoEventStreamSettings, djangoEventStream, type Options } from '@pushstream/core'
import { createScriptedServer } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { event, type ScriptedDjango, startDjango } from './eventstream-support.js'
import { cleanup, type Recording, record, startProxy } from './support.js'

const ways = [
  ['apart', {}],
  ['together', { together: true }],
] as const

const client = (url: string, settings: DjangoEventStreamSettings = {}, options: Options = {}): Recording =>
  record({ url, protocol: djangoEventStream(settings), reconnectOnTimeoutInterval: 50, ...options })

/** Opened, and every channel is listened to. */
const listening = (recording: Recording, django: ScriptedDjango, connections: number) =>
  recording.until(() => recording.stream.status.state === 'open' && django.listeners === connections)

const of = (recording: Recording, channel: string) =>
  recording.messages.filter((message) => message.channel === channel).map(({ id }) => id)
const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => i + from)

describe.each(ways)('a server that does as django-eventstream was seen to do, channels %s', (way, settings) => {
  const connections = (channels: number) => (way === 'apart' ? channels : 1)

  test('what comes, and what came while the network was away: each once, in order', async () => {
    const django = await startDjango()
    const proxy = await startProxy(django.url)
    const recording = client(proxy.url, settings)
    recording.stream.addChannel('a').addChannel('b/ę,:').connect()
    await listening(recording, django, connections(2))
    // From the very first moment nothing is lost, though nothing has come yet.
    proxy.cut()
    for (let n = 1; n <= 30; n++) django.publish(n % 3 === 0 ? 'b/ę,:' : 'a', `{"n":${n}}`, { type: 'answer' })
    await recording.until(() => recording.messages.length === 30)
    for (let n = 31; n <= 60; n++) {
      django.publish('a', `{"n":${n}}`)
      if (n % 10 === 0) proxy.cut()
    }
    await recording.until(() => recording.messages.length === 60)
    expect(of(recording, 'a')).toEqual(upTo(50))
    expect(of(recording, 'b/ę,:')).toEqual(upTo(10))
    expect(recording.gaps).toEqual([])
    expect(recording.messages.find(({ channel }) => channel === 'a')).toMatchObject({
      type: 'answer',
      data: { n: 1 },
      mode: 'eventsource',
    })
    await recording.until(() => recording.stream.status.state === 'open')
    expect(recording.stream.status).toMatchObject({ resume: 'position', gaps: 'exact' })
  })

  test('190 stored events over two channels are 190, cut wherever it may be', async () => {
    const django = await startDjango()
    const proxy = await startProxy(django.url)
    for (let n = 1; n <= 130; n++) django.publish('p', `p${n}`)
    for (let n = 1; n <= 60; n++) django.publish('q', `q${n}`)
    proxy.throttle(40_000)
    const stop = proxy.cutEvery(100)
    const recording = client(proxy.url, settings, { lastEventId: 'p:0,q:0' })
    recording.stream.addChannel('p').addChannel('q').connect()
    await recording.until(() => recording.messages.length >= 20)
    stop()
    proxy.throttle(Number.POSITIVE_INFINITY)
    await recording.until(() => recording.messages.length >= 190)
    django.publish('p', 'p131')
    await recording.until(() => recording.messages.length >= 191)
    expect(of(recording, 'p')).toEqual(upTo(131))
    expect(of(recording, 'q')).toEqual(upTo(60))
    expect(recording.messages.every(({ text, channel, id }) => text === `${channel}${id}`)).toBe(true)
    expect(recording.gaps).toEqual([])
  })

  test('what is not stored any more, or never was of this store, is a gap; other channels are replayed', async () => {
    const django = await startDjango()
    const recording = client(django.url, settings)
    for (let n = 1; n <= 3; n++) django.publish('a', `a${n}`)
    recording.stream.addChannel('a').addChannel('b').connect()
    await listening(recording, django, connections(2))
    django.publish('a', 'a4')
    django.publish('b', 'b1')
    await recording.until(() => recording.messages.length === 2)
    recording.stream.disconnect()
    for (let n = 5; n <= 9; n++) django.publish('a', `a${n}`)
    django.store.trim('a', 3)
    django.publish('b', 'b2')
    recording.stream.connect()
    await recording.until(() => recording.messages.length === 3 && recording.gaps.length === 1)
    django.publish('a', 'a10')
    await recording.until(() => recording.messages.length === 4)
    expect(recording.gaps).toEqual([{ channel: 'a', first: 5, last: 9, reason: 'overflow' }])
    expect(of(recording, 'a')).toEqual([4, 10])
    expect(of(recording, 'b')).toEqual([1, 2])
    recording.stream.disconnect()
    django.store.wipe()
    recording.stream.connect()
    await recording.until(() => recording.gaps.length === 3)
    expect(recording.gaps.slice(1).map(({ channel, first, last, reason }) => [channel, first, last, reason])).toEqual(
      expect.arrayContaining([
        ['a', 11, 'unknown', 'restart'],
        ['b', 3, 'unknown', 'restart'],
      ]),
    )
    await listening(recording, django, connections(2))
    django.publish('a', 'new')
    await recording.until(() => recording.messages.at(-1)?.text === 'new')
    expect(recording.messages.at(-1)?.id).toBe(1)
  })

  test('a channel that is forbidden, at once or later, is given up with what the server says; the others go on', async () => {
    const django = await startDjango()
    django.forbidden.add('secret')
    const recording = client(django.url, settings)
    recording.stream.addChannel('a').addChannel('secret').addChannel('b').connect()
    // Nothing but that: who is refused is not tried again, so nothing says it is.
    const refused = () => recording.errors
    await recording.until(() => refused().length > 0)
    await listening(recording, django, connections(2))
    expect(refused()[0]).toMatchObject({ code: 'forbidden', channel: 'secret', status: 403 })
    expect(refused()[0]?.message).toContain('Permission denied to channels: secret')
    django.publish('a', '1')
    django.publish('b', '1')
    await recording.until(() => recording.messages.length === 2)
    django.kick('b')
    await recording.until(() => refused().length > 1)
    expect(refused()[1]).toMatchObject({ code: 'forbidden', channel: 'b' })
    expect(recording.stream.channels).toEqual(['a'])
    // Allowed again, and asked for by hand: it goes on where it was.
    django.publish('b', '2')
    django.forbidden.delete('b')
    recording.stream.addChannel('b')
    await recording.until(() => of(recording, 'b').length === 2)
    django.publish('a', '2')
    await recording.until(() => of(recording, 'a').length === 2)
    expect(recording.gaps).toEqual([])
    expect(django.server.requests.some(({ url }) => url.includes('error'))).toBe(false)
  })

  test('a hole is asked about: what another process stored comes, what nobody has is a gap', async () => {
    const django = await startDjango()
    const recording = client(django.url, settings)
    recording.stream.addChannel('g').connect()
    await listening(recording, django, 1)
    django.publish('g', '1')
    django.publish('g', '2', { live: false })
    django.publish('g', '3')
    await recording.until(() => recording.messages.length === 3)
    expect(of(recording, 'g')).toEqual([1, 2, 3])
    expect(recording.gaps).toEqual([])
  })
})

test('more channels than one connection takes', async () => {
  const django = await startDjango()
  const recording = client(django.url, { together: true })
  const names = Array.from({ length: 23 }, (_, i) => `c${i}`)
  for (const name of names) recording.stream.addChannel(name)
  recording.stream.connect()
  await listening(recording, django, 3)
  for (const name of names) django.publish(name, name)
  await recording.until(() => recording.messages.length === 23)
  expect(recording.messages.every(({ channel, text }) => channel === text)).toBe(true)
  const before = django.server.requests.length
  recording.stream.removeChannel('c0')
  recording.stream.addChannel('more')
  await recording.until(() => django.server.requests.length > before && recording.stream.status.state === 'open')
  await listening(recording, django, 3)
  django.publish('more', 'x')
  django.publish('c22', 'x')
  await recording.until(() => recording.messages.length === 25)
  // The connections that nothing changed for are the same.
  expect(django.server.requests.length).toBe(before + 1)
  expect(recording.gaps).toEqual([])
})

test('the position as a header; a seed that the page was given', async () => {
  const django = await startDjango()
  for (let n = 1; n <= 5; n++) django.publish('a', `a${n}`)
  const recording = client(django.url, { position: 'headers' }, { lastEventId: 'a:3' })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.messages.length === 2)
  expect(of(recording, 'a')).toEqual([4, 5])
  const [request] = django.server.requests
  expect(request?.headers).toMatchObject({ 'last-event-id': 'a:3', accept: 'text/event-stream' })
  expect(request?.url).toBe('/events/?channel=a')
})

test('a channel beside it that is not stored, and keeps no positions', async () => {
  const django = await startDjango()
  django.store.unreliable.add('typing')
  const recording = client(django.url)
  recording.stream.addChannel('a').addChannel('typing').connect()
  await recording.until(() => django.server.requests.length >= 3)
  await listening(recording, django, 2)
  django.publish('typing', 'ann')
  django.publish('typing', 'ann')
  django.publish('a', '1')
  await recording.until(() => recording.messages.length === 3)
  expect(of(recording, 'typing')).toEqual([undefined, undefined])
  // Who does not answer where it stands is not asked again.
  expect(django.server.requests.filter(({ url }) => url.includes('2147483647')).length).toBeLessThanOrEqual(2)
})

test('a channel on which nothing happens keeps its connection', async () => {
  const django = await startDjango()
  const recording = client(django.url, {}, { pingtimeout: 60 })
  recording.stream.addChannel('a').connect()
  await listening(recording, django, 1)
  const until = Date.now() + 600
  await recording.until(() => Date.now() > until)
  expect(django.server.requests.length).toBe(1)
})

test('empty answers, and answers that end at once, are tried again ever later', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  let body = ''
  server.on('GET /events/', (exchange) => exchange.respond(200, { 'content-type': 'text/event-stream' }, body))
  const recording = client(url, { probe: false }, { reconnectOnTimeoutInterval: 100, environment: { random: () => 1 } })
  recording.stream.addChannel('a').connect()
  const started = Date.now()
  await recording.until(() => server.requests.length === 4)
  // 100, 200 and 400 ms.
  expect(Date.now() - started).toBeGreaterThanOrEqual(650)
  expect(recording.errors.at(-1)?.message).toContain('the answer was empty')
  body = 'event: stream-open\ndata:\n\n'
  await recording.until(() => server.requests.length === 7)
  // Opening alone is no success.
  const [fifth, sixth, seventh] = server.requests.slice(4).map(({ at }) => at) as [number, number, number]
  expect(sixth - fifth).toBeGreaterThan(700)
  expect(seventh - sixth).toBeGreaterThan(1400)
})

test('the bytes of a replay of 190 as they were recorded, wherever they are cut', async () => {
  const path = new URL('../fixtures/django-eventstream/09-paging.txt', import.meta.url)
  const ids = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^[pq]:/.test(line))
  let previous = new Map([
    ['p', '0'],
    ['q', '0'],
  ])
  const events = ids.map((id) => {
    const now = new Map(id.split(',').map((part) => part.split(':') as [string, string]))
    const [name, n] = [...now].find(([name, n]) => previous.get(name) !== n) as [string, string]
    previous = now
    return event('message', id, `${name}${n}`)
  })
  const opening = 'event: stream-open\ndata:\n\n'
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  let cuts = 0
  server.on('GET /events/', async (exchange) => {
    exchange.respond(200, { 'content-type': 'text/event-stream' })
    const body = opening + events.join('')
    // Whatever was asked for, it is all sent again, and cut ever later.
    if (cuts++ < 5) {
      await exchange.write(body.slice(0, Math.floor((body.length * cuts) / 6)))
      exchange.cut({ how: 'fin' })
    } else await exchange.write(body)
  })
  const recording = client(url, { together: true }, { lastEventId: 'p:0,q:0' })
  recording.stream.addChannel('p').addChannel('q').connect()
  await recording.until(() => recording.messages.length >= 190 && cuts === 6)
  expect(recording.messages.length).toBe(190)
  expect(of(recording, 'p')).toEqual(upTo(130))
  expect(of(recording, 'q')).toEqual(upTo(60))
  expect(recording.messages.every(({ text, channel, id }) => text === `${channel}${id}`)).toBe(true)
})
