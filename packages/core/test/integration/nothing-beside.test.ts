import type { ModeName } from '@pushstream/core'
import { djangoEventStream } from '@pushstream/core'
import type { FaultProxy } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { ClassicPushStream } from '../../src/classic/client.js'
import { faults } from '../support/numbered.js'
import { startDjango } from './eventstream-support.js'
import { missing, recordNchan, startNchan } from './nchan-support.js'
import { type CatchAll, startSite } from './site.js'
import { allModes, cleanup, environment, type Recording, record, startProxy, startServer } from './support.js'

// Guarantee 9: the client sends requests only to locations of the modes that the application listed.

const locationOf: Record<ModeName, string> = {
  websocket: '/ws/',
  eventsource: '/ev/',
  stream: '/sub/',
  longpolling: '/lp/',
}

/** What sites answer where they have nothing to say. */
const catchAlls: Record<string, CatchAll> = {
  404: { status: 404 },
  403: { status: 403 },
  400: { status: 400 },
  401: { status: 401, headers: { 'www-authenticate': 'Basic realm="site"' } },
  '302 to a login page': { status: 302, headers: { location: '/login' } },
  '200 and HTML': { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><p>Welcome</p>' },
}

/** The requests that went elsewhere, or are no request of these modes; once each. */
const beside = (proxy: FaultProxy, locations: readonly string[], modes: readonly ModeName[]) => {
  const foreign = proxy.requests.filter(
    ({ path, upgrade }) =>
      !locations.some((location) => path.startsWith(location)) ||
      (upgrade ? !modes.includes('websocket') : modes.every((mode) => mode === 'websocket')),
  )
  return [...new Set(foreign.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`))]
}

/** Publishes until a message comes: that the connection works again. */
async function heard(recording: Recording, publish: () => unknown): Promise<void> {
  const before = recording.messages.length
  publish()
  const again = setInterval(publish, 100)
  try {
    await recording.until(() => recording.messages.length > before)
  } finally {
    clearInterval(again)
  }
}

/** Without it a stream shows nothing before its first message: a ping as the module writes it. */
const headerTemplate = '{"id":-1,"channel":"","text":"","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT","eventid":""}'

/** Everything that makes a client ask: the beginning, changes, a cut, a hole, a refusal, silence, a reload. */
async function journey(modes: readonly ModeName[], otherwise: CatchAll) {
  const { server, url } = await startServer({
    settings: {
      authorizedChannelsOnly: true,
      pingMessageInterval: null,
      ...(modes[0] === 'stream' && { headerTemplate }),
    },
  })
  const locations = modes.map((mode) => locationOf[mode])
  const proxy = await startProxy(await startSite(url, { locations, otherwise }))
  for (const channel of ['a', 'b', 'c']) server.publish(channel, 'before')
  const recording = record({ url: proxy.url, modes, pingtimeout: 1000, reconnectOnTimeoutInterval: 50 })
  const { stream } = recording
  const open = () => recording.until(() => stream.status.state === 'open', 5000)
  const step = async (channel: string) => {
    await heard(recording, () => server.publish(channel, 'x'))
    await open()
  }

  stream.addChannel('a').addChannel('b').connect()
  await open()
  await step('a')
  stream.addChannel('c')
  await step('c')
  stream.removeChannel('b')
  await step('a')
  proxy.cut()
  await step('a')

  await proxy.refuse(true)
  proxy.cut()
  for (let n = 0; n < 2; n++) server.publish('a', 'never stored', { store: false })
  await proxy.refuse(false)
  await step('a')
  await recording.until(() => recording.gaps.length > 0)

  stream.addChannel('nosuch')
  await recording.until(() => recording.errors.some(({ channel }) => channel === 'nosuch'))
  await step('a')

  const asked = proxy.requests.length
  await recording.until(() => proxy.requests.length > asked)
  await step('a')
  server.reload()
  await step('a')
  return {
    beside: beside(proxy, locations, modes),
    channels: stream.channels,
    mode: stream.status.mode,
    refused: recording.errors
      .filter(({ channel }) => channel !== undefined)
      .map(({ code, channel }) => [code, channel]),
    gaps: recording.gaps.map(({ channel, reason }) => [channel, reason]),
    // The first message of a is from before.
    faults: faults(
      recording.all.filter(({ channel }) => channel === 'a'),
      { a: 2 },
    ),
  }
}

describe.each(Object.keys(catchAlls))('every other location answers %s', (answer) => {
  test.each(allModes)('%s: the same comes, and nothing is asked beside it', async (mode) => {
    expect(await journey([mode], catchAlls[answer] as CatchAll)).toEqual({
      beside: [],
      channels: ['a', 'c'],
      mode,
      refused: [['forbidden', 'nosuch']],
      gaps: [['a', 'overflow']],
      faults: [],
    })
  })
})

test.each(Object.keys(catchAlls))(
  'the drop-in by websocket, every other location answers %s: a message comes, and nothing is asked beside it',
  async (answer) => {
    const { server, url } = await startServer()
    const otherwise = catchAlls[answer] as CatchAll
    const proxy = await startProxy(await startSite(url, { locations: ['/ws/'], otherwise }))
    const stream = new ClassicPushStream({ host: '127.0.0.1', port: proxy.port, modes: 'websocket', environment })
    cleanup(() => stream.disconnect())
    const came = new Promise((resolve) => {
      stream.onmessage = resolve
    })
    const opened = new Promise((resolve) => {
      stream.onstatuschange = (state) => state === ClassicPushStream.OPEN && resolve(state)
    })
    stream.addChannel('a')
    stream.connect()
    await opened
    server.publish('a', 'x')
    expect(await came).toBe('x')
    expect(beside(proxy, ['/ws/'], ['websocket'])).toEqual([])
  },
  5000,
)

test('websocket and long-polling: only their locations are asked', async () => {
  // On a busy machine a websocket may use up its head start, so either may be the one in use.
  const { mode, ...told } = await journey(['websocket', 'longpolling'], { status: 403 })
  expect(['websocket', 'longpolling']).toContain(mode)
  expect(told).toMatchObject({ beside: [], channels: ['a', 'c'], faults: [] })
})

test.skipIf(missing).each(['websocket', 'eventsource', 'longpolling'] as const)(
  'Nchan, %s: only its location is asked, through changes, a cut and a reload',
  async (mode) => {
    const live = await startNchan()
    const recording = recordNchan(live, [mode], {}, { pingtimeout: 1000, reconnectOnTimeoutInterval: 50 })
    const step = (channel: string) => heard(recording, () => live.publish(channel, 'x'))
    recording.stream.addChannel('a').addChannel('b').connect()
    await step('a')
    recording.stream.addChannel('c')
    await step('c')
    recording.stream.removeChannel('b')
    live.proxy.cut()
    await step('a')
    await live.nginx.reload()
    await step('a')
    expect(beside(live.proxy, ['/sub/'], [mode])).toEqual([])
  },
)

test('django-eventstream: only its location is asked, through changes, a cut and a refusal', async () => {
  const django = await startDjango()
  const proxy = await startProxy(django.url)
  const recording = record({ url: proxy.url, protocol: djangoEventStream(), reconnectOnTimeoutInterval: 50 })
  const step = (channel: string) => heard(recording, () => django.publish(channel, '"x"'))
  recording.stream.addChannel('a').addChannel('b').connect()
  await step('a')
  django.forbidden.add('secret')
  recording.stream.addChannel('secret')
  await recording.until(() => recording.errors.some(({ channel }) => channel === 'secret'))
  recording.stream.removeChannel('b')
  proxy.cut()
  await step('a')
  expect(beside(proxy, ['/events/'], ['eventsource'])).toEqual([])
})
