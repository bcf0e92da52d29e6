import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Message, ModeName, PushStream, PushStreamError } from '@pushstream/core'
import { sendMessage } from '@pushstream/core'
import { createDevServer, type DevServerOptions } from '@pushstream/devserver'
import { describe, expect, test } from 'vitest'
import type { NginxOptions } from '../../../../e2e/support/nginx.js'
import { missing, startModule } from './push-stream-support.js'
import { allModes, cleanup, record, startProxy, startServer } from './support.js'

// Configurations of other people's servers, as cases: what a server limits, renames or leaves out.

/** The module with more in its `http` block, in its `server` block, or with other lines. */
const module = (http: string, server = '', adjust: NginxOptions['adjust'] = (config) => config) =>
  startModule({
    adjust: (config) => adjust(config.replace('  server {\n', () => `  ${http}\n  server {\n    ${server}\n`)),
  })

describe.skipIf(missing)('the module', () => {
  test.each(allModes)(
    'case 24: a map with a regular expression chooses the origin, %s → messages come',
    async (mode) => {
      const { nginx, publish } = await module(
        'map $http_host $cors { default ""; "~^(127)\\." "https://$1.example.org"; }',
        'push_stream_allowed_origins $cors;',
      )
      const { stream, messages, until } = record({ url: nginx.url, modes: [mode] })
      stream.addChannel('a').connect()
      await until(() => stream.status.state === 'open')
      await publish('a', 'x')
      await until(() => messages.length > 0)
      expect(messages).toMatchObject([{ channel: 'a', text: 'x' }])
    },
  )
})

/** A development server behind an application that answers what `refuses` says, and 0 for what it lets in. */
async function guarded(refuses: (url: URL) => number, options: DevServerOptions = {}) {
  const server = createDevServer(options)
  const open = new Set<{ destroy(): void }>()
  const statusOf = (path = '/') => refuses(new URL(path, 'http://h'))
  const site = createServer((request, response) => {
    const status = statusOf(request.url)
    if (status > 0) response.writeHead(status).end()
    else if (!server.handler(request, response)) response.writeHead(404).end()
  })
  site.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  site.on('upgrade', (request, socket, head) => {
    const status = statusOf(request.url)
    if (status > 0) socket.end(`HTTP/1.1 ${status} -\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else server.upgrade(request, socket, head)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  cleanup(async () => {
    cut()
    await Promise.all([server.close(), new Promise((resolve) => site.close(resolve))])
  })
  return { server, cut, url: `http://127.0.0.1:${(site.address() as { port: number }).port}` }
}

/** A ping: without it a stream shows nothing before its first message. */
const headerTemplate = '{"id":-1,"channel":"","text":"","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT","eventid":""}'

interface Place {
  readonly url: string
  publish(channel: string, text: string): unknown
}

/** How a server with such buffers for headers is started: the development server, and the module where it is there. */
const places: [string, (buffers: string) => Promise<Place>, string | undefined][] = [
  [
    'development server',
    async (largeClientHeaderBuffers) => {
      const { server, url } = await startServer({ settings: { largeClientHeaderBuffers } })
      return { url, publish: (channel, text) => server.publish(channel, text) }
    },
    undefined,
  ],
  [
    'module',
    async (buffers) => {
      const { nginx, publish } = await module('', `large_client_header_buffers ${buffers};`)
      return { url: nginx.url, publish }
    },
    missing,
  ],
]

/** Names of 25 characters. */
const many = (count: number) => Array.from({ length: count }, (_, i) => `${'x'.repeat(20)}${i}`.padEnd(25, '-'))

describe.each(places)('case 14: many channels, %s', (_, start, absent) => {
  test.skipIf(absent).each([...allModes.filter((mode) => mode !== 'stream'), undefined])(
    '320 of 25 characters, %s → open within 2 s, with no more requests than connections and two',
    async (mode) => {
      const { url, publish } = await start('4 8k')
      const proxy = await startProxy(url)
      const { stream, messages, errors, until } = record({ url: proxy.url, ...(mode && { modes: [mode] }) })
      const names = many(320)
      for (const name of names) stream.addChannel(name)
      stream.connect()
      await until(() => stream.status.state === 'open', 2000)
      expect(proxy.requests.length).toBeLessThanOrEqual(2 + 2)
      for (const name of [names[0], names[200], names[319]] as string[]) await publish(name, 'x')
      await until(() => messages.length === 3)
      expect(errors).toEqual([])
      expect(stream.channels).toEqual(names)
    },
  )

  test.skipIf(absent).each([...allModes.filter((mode) => mode !== 'stream'), undefined])(
    'the buffers are smaller than usual, %s → all are open in the end, and nothing is asked again and again',
    async (mode) => {
      const { url, publish } = await start('4 2k')
      const proxy = await startProxy(url)
      const { stream, messages, until } = record({
        url: proxy.url,
        ...(mode && { modes: [mode] }),
        reconnectOnTimeoutInterval: 20,
      })
      const names = many(160)
      for (const name of names) stream.addChannel(name)
      stream.connect()
      await until(() => stream.status.state === 'open', 10_000)
      expect(proxy.requests.length).toBeLessThanOrEqual(40)
      for (const name of [names[0], names[80], names[159]] as string[]) await publish(name, 'x')
      await until(() => messages.length === 3)
      expect(stream.channels).toEqual(names)
    },
  )
})

test.each(['websocket', 'eventsource'] as const)(
  'case 14: 10,000 channels, %s → all are open',
  async (mode) => {
    const { server, url } = await startServer()
    // So many handshakes take a busy machine a while.
    const { stream, messages, errors, until } = record({ url, modes: [mode], timeout: 30_000 })
    const names = many(10_000)
    for (const name of names) stream.addChannel(name)
    stream.connect()
    await until(() => stream.status.state === 'open', 30_000)
    // 29 characters each, of 6,000. A quiet websocket is checked by another one.
    const connections = Math.ceil(10_000 / Math.floor(6000 / 29))
    expect(server.stats().subscribers).toBeGreaterThanOrEqual(connections)
    expect(server.stats().subscribers).toBeLessThanOrEqual(2 * connections)
    for (const name of names) server.publish(name, 'x')
    await until(() => messages.length === 10_000, 30_000)
    expect(errors).toEqual([])
  },
  90_000,
)

const wildcards: typeof places = [
  [
    'development server',
    async () => {
      const settings = {
        authorizedChannelsOnly: true,
        wildcardChannelPrefix: 'broad_',
        wildcardChannelMaxQtd: 3,
        headerTemplate,
      }
      const { server, url } = await startServer({ settings })
      return { url, publish: (channel, text) => server.publish(channel, text) }
    },
    undefined,
  ],
  [
    'module',
    async () => {
      const { nginx, publish } = await module(
        `push_stream_wildcard_channel_prefix broad_; push_stream_header_template '${headerTemplate}';`,
        'push_stream_wildcard_channel_max_qtd 3;',
        (config) => config.replace('authorized_channels_only off', 'authorized_channels_only on'),
      )
      return { url: nginx.url, publish }
    },
    missing,
  ],
]

describe.each(wildcards)('case 13: wildcard channels are taken next to others alone, %s', (_, start, absent) => {
  const open = async (mode: ModeName, names: readonly string[]) => {
    const place = await start('')
    await place.publish('user-1', 'there')
    const recording = record({ url: place.url, modes: [mode], reconnectOnTimeoutInterval: 20 })
    for (const name of names) recording.stream.addChannel(name)
    recording.stream.connect()
    return { ...place, ...recording }
  }
  const refused = (errors: readonly PushStreamError[]) =>
    errors.flatMap(({ channel, status }) => (channel === undefined ? [] : [[channel, status]]))

  test
    .skipIf(absent)
    .each(
      allModes.flatMap((mode) => [
        [mode, ['user-1', 'broad_all', 'nosuch']] as const,
        [mode, ['nosuch', 'broad_all', 'user-1']] as const,
      ]),
    )('%s, one of %j does not exist → that alone is refused', async (mode, names) => {
    const { publish, stream, errors, messages, until } = await open(mode, names)
    await until(() => refused(errors).length > 0 && stream.status.state === 'open')
    await publish('broad_all', 'x')
    await publish('user-1', 'x')
    await until(() => messages.length === 2)
    expect(refused(errors)).toEqual([['nosuch', 403]])
    expect(stream.channels).toEqual(names.filter((name) => name !== 'nosuch'))
    expect(messages.map(({ channel }) => channel).sort()).toEqual(['broad_all', 'user-1'])
  })

  test.skipIf(absent).each(allModes)(
    '%s, more wildcard channels than one connection may have → all come',
    async (mode) => {
      const names = ['broad_a', 'broad_b', 'user-1', 'broad_c', 'broad_d', 'broad_e', 'broad_f', 'broad_g']
      const { publish, stream, errors, messages, until } = await open(mode, names)
      await until(() => stream.status.state === 'open')
      for (const name of names) await publish(name, 'x')
      await until(() => messages.length === names.length)
      expect(refused(errors)).toEqual([])
      expect(messages.map(({ channel }) => channel).sort()).toEqual([...names].sort())
    },
  )

  test.skipIf(absent).each(allModes)('%s, wildcard channels and no other → they are refused', async (mode) => {
    const { errors, until } = await open(mode, ['broad_a', 'broad_b'])
    await until(() => refused(errors).length === 2)
    expect(refused(errors).sort()).toEqual([
      ['broad_a', 403],
      ['broad_b', 403],
    ])
  })
})

describe('case 15: fifty texts by websocket in one tick', () => {
  const publishing: typeof places = [
    [
      'development server',
      async () => {
        const { server, url } = await startServer({ settings: { websocketAllowPublish: true } })
        return { url, publish: (channel, text) => server.publish(channel, text) }
      },
      undefined,
    ],
    [
      'module',
      async () => {
        const { nginx, publish } = await module('', 'push_stream_websocket_allow_publish on;')
        return { url: nginx.url, publish }
      },
      missing,
    ],
  ]

  for (const [place, start, absent] of publishing) {
    test.skipIf(absent)(`${place} → all are published, in order`, async () => {
      const { url } = await start('')
      const { stream, messages, until } = record({ url, modes: ['websocket'] })
      const reader = record({ url, modes: ['eventsource'] })
      for (const { stream: one } of [{ stream }, reader]) one.addChannel('a').connect()
      await until(() => stream.status.state === 'open' && reader.stream.status.state === 'open')
      const texts = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n, text: '100% "ä"' }))
      await Promise.all(texts.map((text) => sendMessage(stream, text)))
      await until(() => reader.messages.length === 50)
      expect(messages.map(({ text }) => text)).toEqual(texts)
      expect(reader.messages.map(({ text }) => text)).toEqual(texts)
    })
  }

  test('the server does not allow it → all are rejected, after one wait', async () => {
    const { url } = await startServer()
    const { stream, messages, until } = record({ url, modes: ['websocket'], timeout: 1000 })
    stream.addChannel('a').connect()
    await until(() => stream.status.state === 'open')
    const sent = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => sendMessage(stream, String(n))))
    expect(sent.map(({ status }) => status)).toEqual(Array(50).fill('rejected'))
    expect(sent[49]).toMatchObject({ reason: { code: 'send', message: expect.stringContaining('allow_publish') } })
    expect(messages).toEqual([])
  })

  test('channels of two connections → each gets the text once', async () => {
    const { url } = await startServer({ settings: { websocketAllowPublish: true } })
    const { stream, messages, until } = record({ url, modes: ['websocket'] })
    for (const name of many(320)) stream.addChannel(name)
    stream.connect()
    await until(() => stream.status.state === 'open')
    await sendMessage(stream, 'x')
    await until(() => messages.length === 320)
    expect(new Set(messages.map(({ channel }) => channel)).size).toBe(320)
  })
})

describe('case 19: a refused channel is added again', () => {
  test.each(['eventsource', 'stream', 'longpolling'] as const)(
    '%s, after 401 and with a new token → it goes on where it was',
    async (mode) => {
      let valid = 'first'
      const { server, cut, url } = await guarded(
        ({ searchParams }) => (searchParams.get('token') === valid ? 0 : 401),
        mode === 'stream' ? { settings: { headerTemplate } } : {},
      )
      let token = 'first'
      const { stream, messages, gaps, errors, until } = record({
        url,
        modes: [mode],
        params: () => ({ token }),
        reconnectOnTimeoutInterval: 20,
      })
      stream.addChannel('a').connect()
      await until(() => stream.status.state === 'open')
      server.publish('a', '1')
      await until(() => messages.length === 1)
      valid = 'second'
      cut()
      await until(() => errors.some(({ code }) => code === 'unauthorized'))
      for (const text of ['2', '3']) server.publish('a', text)
      token = 'second'
      stream.addChannel('a')
      await until(() => stream.status.state === 'open')
      server.publish('a', '4')
      await until(() => messages.at(-1)?.text === '4')
      expect(messages.map(({ text }) => text)).toEqual(['1', '2', '3', '4'])
      expect(gaps).toEqual([])
    },
  )

  test.each([
    ['it', (stream: PushStream) => stream.removeChannel('a')],
    ['every channel', (stream: PushStream) => stream.removeAllChannels()],
  ])('%s was removed meanwhile → it begins anew', async (_, remove) => {
    let refused = false
    const { server, cut, url } = await guarded(() => (refused ? 403 : 0))
    const { stream, messages, errors, until } = record({
      url,
      modes: ['eventsource'],
      reconnectOnTimeoutInterval: 20,
    })
    const begin = () => until(() => stream.status.state === 'open')
    stream.addChannel('a').connect()
    await begin()
    refused = true
    cut()
    await until(() => errors.some(({ code }) => code === 'forbidden'))
    server.publish('a', 'missed')
    refused = false
    remove(stream).addChannel('a')
    await begin()
    server.publish('a', 'new')
    await until(() => messages.length > 0)
    expect(messages.map(({ text }) => text)).toEqual(['new'])
  })
})

/** Adds ten channels, each when the change for the one before it is done. */
async function addOneByOne(
  stream: PushStream,
  proxy: Awaited<ReturnType<typeof startProxy>>,
  until: (condition: () => boolean) => Promise<void>,
): Promise<void> {
  for (let n = 0; n < 10; n++) {
    const before = proxy.requests.length
    stream.addChannel(`more-${n}`)
    await until(() => proxy.requests.length > before)
    await until(() => stream.status.state === 'open')
  }
}

describe.each(places)('case 26: a quiet channel beside one with 100 stored messages, %s', (_, start, absent) => {
  test.skipIf(absent).each(allModes.filter((mode) => mode !== 'stream'))(
    '%s: ten channels are added one by one → each change costs a second of overlap at most',
    async (mode) => {
      const { url, publish } = await start('4 8k')
      for (let n = 0; n < 100; n++) await publish('busy', String(n))
      await pause(2100)
      await publish('busy', 'newest')
      const proxy = await startProxy(url)
      const { stream, messages, until } = record({ url: proxy.url, modes: [mode] })
      stream.addChannel('quiet').addChannel('busy').connect()
      await until(() => stream.status.state === 'open')
      await publish('busy', 'live')
      await until(() => messages.length === 1)
      await addOneByOne(stream, proxy, until)
      await publish('quiet', 'last')
      await until(() => messages.length === 2)
      expect(messages.map(({ text }) => text)).toEqual(['live', 'last'])
      expect(stream.stats.duplicates).toBeLessThanOrEqual(2 * proxy.requests.length)
      expect(proxy.requests.filter(({ path }) => path.includes('1970'))).toEqual([])
    },
  )
})

describe.each(places)(
  'case 26: both channels are empty, then one gets 100 messages at once, %s',
  (_, start, absent) => {
    test.skipIf(absent).each(allModes.filter((mode) => mode !== 'stream'))(
      '%s: ten channels are added one by one → the messages do not come again with each',
      async (mode) => {
        const { url, publish } = await start('4 8k')
        const proxy = await startProxy(url)
        const { stream, messages, until } = record({ url: proxy.url, modes: [mode] })
        stream.addChannel('quiet').addChannel('busy').connect()
        await until(() => stream.status.state === 'open')
        for (let n = 0; n < 100; n++) await publish('busy', String(n))
        // A change repeats the second before the newest message.
        await pause(2100)
        await publish('busy', 'newest')
        await until(() => messages.length === 101)
        const { duplicates } = stream.stats
        await addOneByOne(stream, proxy, until)
        await publish('quiet', 'last')
        await until(() => messages.length === 102)
        expect(stream.stats.duplicates - duplicates).toBeLessThanOrEqual(150)
      },
    )
  },
)

const renaming: typeof places = [
  [
    'development server',
    async () => {
      const mode = { websocket: '/ws/', eventsource: '/ev/', streaming: '/sub/', 'long-polling': '/lp/' } as const
      const { server, url } = await startServer({
        settings: { headerTemplate },
        locations: Object.entries(mode).map(([name, path]) => ({
          path,
          mode: name as keyof typeof mode,
          settings: { channelsPath: 'project1_$1' },
        })),
      })
      return { url, publish: (channel, text) => server.publish(channel, text) }
    },
    undefined,
  ],
  [
    'module',
    async () => {
      const { nginx, publish } = await module(`push_stream_header_template '${headerTemplate}';`, undefined, (config) =>
        config.replaceAll('channels_path $channels', 'channels_path "project1_$channels"'),
      )
      return { url: nginx.url, publish }
    },
    missing,
  ],
]

describe.each(renaming)('case 16: push_stream_channels_path puts project1_ before names, %s', (_, start, absent) => {
  const texts = (messages: readonly Message[], name: string) =>
    messages.filter(({ channel }) => channel === name).map(({ text }) => text)

  test.skipIf(absent).each(allModes)('%s, one channel → its messages come under the name asked for', async (mode) => {
    const { url, publish } = await start('')
    await publish('project1_a', 'stored')
    const { stream, messages, gaps, until } = record({ url, modes: [mode] })
    stream.addChannel('a', { backtrack: 1 }).connect()
    await until(() => stream.status.state === 'open')
    await publish('project1_a', 'live')
    await until(() => messages.length === 2)
    expect([texts(messages, 'a'), gaps]).toEqual([['stored', 'live'], []])
  })

  test.skipIf(absent).each(allModes.flatMap((mode) => [[mode, 'stored'] as const, [mode, 'live'] as const]))(
    '%s, several channels, the first message is %s → each comes under its name, none is lost',
    async (mode, first) => {
      const { url, publish } = await start('')
      if (first === 'stored') for (const name of ['a', 'b', 'c']) await publish(`project1_${name}`, 'before')
      for (let n = 0; n < 5; n++) await publish('b', 'of another channel')
      const { stream, messages, gaps, until } = record({ url, modes: [mode] })
      const deadletters: unknown[] = []
      stream.on('deadletter', (one) => deadletters.push(one))
      stream.addChannel('a').addChannel('b').addChannel('c').connect()
      await until(() => stream.status.state === 'open')
      await publish('project1_a', '1')
      await until(() => texts(messages, 'a').length === 1 && stream.status.state === 'open')
      for (const name of ['a', 'b', 'c']) await publish(`project1_${name}`, '2')
      await until(() => messages.length === 4)
      stream.addChannel('d')
      // Nothing shows when a channel that was added later is open.
      while (texts(messages, 'd').length === 0) {
        await publish('project1_d', '3')
        await pause(100)
      }
      expect(['a', 'b', 'c'].map((name) => texts(messages, name))).toEqual([['1', '2'], ['2'], ['2']])
      expect([gaps, deadletters]).toEqual([[], []])
    },
  )
})

describe('case 32: websockets alone have a location, and the application refuses one of two channels', () => {
  const otherwise = [404, 403, 401, 400, 302, 500, 502]

  test.each(otherwise)('every other location answers %d → the other channel goes on', async (status) => {
    const { server, url } = await guarded(({ pathname }) =>
      pathname.startsWith('/ws/') ? (pathname.includes('secret') ? 403 : 0) : pathname === '/login' ? 404 : status,
    )
    const { stream, messages, errors, until } = record({ url, reconnectOnTimeoutInterval: 20 })
    stream.addChannel('secret').addChannel('open').connect()
    await until(() => !stream.channels.includes('secret') && stream.status.state === 'open', 10_000)
    server.publish('open', 'x')
    await until(() => messages.length > 0)
    expect(messages).toMatchObject([{ channel: 'open', text: 'x', mode: 'websocket' }])
    expect(errors.filter(({ channel }) => channel !== undefined)).toMatchObject([
      { channel: 'secret', code: status === 401 ? 'unauthorized' : status === 400 ? 'bad-request' : 'forbidden' },
    ])
  })

  test('the server is away → no channel is given up', async () => {
    let away = true
    const { server, cut, url } = await guarded(() => (away ? 502 : 0))
    const { stream, messages, until } = record({ url, reconnectOnTimeoutInterval: 20 })
    stream.addChannel('a').addChannel('b').connect()
    await until(() => stream.status.attempt > 4)
    away = false
    cut()
    await until(() => stream.status.state === 'open')
    for (const name of ['a', 'b']) server.publish(name, 'x')
    await until(() => messages.length === 2)
    expect(stream.channels).toEqual(['a', 'b'])
  })
})
