import { messageTemplate as readTemplate } from '@pushstream/core'
import { createScriptedServer } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { refusedByPushStream } from '../../../../e2e/support/channel-names.js'
import { allModes, cleanup, record, startProxy, startServer } from './support.js'

const names = [
  'x.b5',
  'x%2Fy',
  '__proto__',
  'constructor',
  '😀 ümlaut',
  '..',
  '.',
  'a+b c',
  '#&=',
  '"quoted"',
  '%',
  'x'.repeat(150),
]

describe('names', () => {
  test.each(allModes)('%s: every name is itself, and nobody else', async (mode) => {
    for (const channelsByArgument of [false, true]) {
      const { server, url } = await startServer()
      const recording = record({ url, modes: [mode], channelsByArgument })
      for (const name of names) recording.stream.addChannel(name)
      recording.stream.connect()
      await recording.until(() => recording.stream.status.state === 'open')
      for (const name of names) server.publish(name, `for ${name}`)
      for (const other of ['x', 'y', 'x/y', 'a b c', '%25']) server.publish(other, 'not for us')
      server.publish('x.b5', 'last')
      await recording.until(() => recording.messages.length === names.length + 1)
      const came = recording.messages.map(({ channel, text }) => `${channel} ${text}`)
      // In order within a channel; channels come as they come.
      expect(came.sort()).toEqual([...names.map((name) => `${name} for ${name}`), 'x.b5 last'].sort())
      expect(recording.gaps).toEqual([])
      recording.stream.close()
    }
  })

  test('a name that the server can’t be asked for is refused at the call', async () => {
    const { url } = await startServer()
    const { stream } = record({ url })
    for (const [name] of refusedByPushStream) {
      expect(() => stream.addChannel(name as string)).toThrow(expect.objectContaining({ code: 'bad-channel' }))
    }
    expect(stream.channels).toEqual([])
  })

  test('a name of 3 KB is the server’s to refuse: one error, and the others go on', async () => {
    for (const mode of allModes) {
      const { server, url } = await startServer({ settings: { maxChannelIdLength: 200 } })
      const recording = record({ url, modes: [mode] })
      const long = 'x'.repeat(3000)
      recording.stream.addChannel(long).addChannel('ok').connect()
      await recording.until(() => recording.errors.length > 0 && recording.stream.status.state === 'open')
      expect(recording.errors.map(({ code, status, channel }) => [code, status, channel])).toEqual([
        ['bad-request', 400, long],
      ])
      server.publish('ok', 'x')
      await recording.until(() => recording.messages.length === 1)
      recording.stream.close()
    }
  })
})

describe('bodies', () => {
  const bodies = [
    '100%',
    '50%25 off',
    'he said "hi"',
    'a\nb',
    'tab\there',
    'back\\slash',
    '}{"id":9,"channel":"other","text":"',
    '{"type":"x","__proto__":{"polluted":true},"constructor":1}',
    '['.repeat(20_000),
    'x","channel":"other","y":"',
    'x","id":999,"y":"',
    '😀é€',
    '\u2028',
    '~text~ ~id~',
  ]

  // Within a stream that has no delimiters a body can look like another message, unless its publisher encodes it.
  test.each(['websocket', 'eventsource', 'longpolling'] as const)(
    '%s: each arrives as it was published, in its place',
    async (mode) => {
      const { server, url } = await startServer()
      const recording = record({ url, modes: [mode] })
      recording.stream.addChannel('a').addChannel('other').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      for (const [index, body] of bodies.entries()) {
        server.publish('a', body)
        await recording.until(() => recording.messages.length === index + 1)
      }
      expect(recording.messages.map(({ channel, id }) => [channel, id])).toEqual(
        bodies.map((_, index) => ['a', index + 1]),
      )
      // JSON's own escapes are read as JSON reads them: a backslash that makes a valid escape is one.
      expect(recording.messages.map(({ text }) => text)).toEqual(bodies)
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    },
  )

  test.each(allModes)('%s: 5 MB of text, and what follows it', async (mode) => {
    const { server, url } = await startServer()
    const recording = record({ url, modes: [mode] })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    const text = 'wörter } { '.repeat(500_000)
    server.publish('a', text)
    server.publish('a', 'after')
    await recording.until(() => recording.messages.length === 2)
    expect(recording.messages[0]?.text === text).toBe(true)
    expect(recording.messages[1]?.text).toBe('after')
  })

  test('raw templates: objects arrive as objects, what is no JSON as text, in every mode', async () => {
    const messageTemplate =
      '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~","eventid":"~event-id~"}'
    for (const mode of allModes) {
      const { server, url } = await startServer({ settings: { messageTemplate, pingMessageInterval: 500 } })
      const recording = record({ url, modes: [mode] })
      recording.stream.addChannel('a').addChannel('b').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      server.publish('a', '{"type":"answer","value":42}')
      server.publish('a', 'plain')
      server.publish('a', '{"half":')
      await recording.until(() => recording.messages.length === 3)
      expect(recording.messages.map(({ data, type }) => [data, type])).toEqual([
        [{ type: 'answer', value: 42 }, 'answer'],
        ['plain', undefined],
        ['{"half":', undefined],
      ])
      expect(recording.errors).toEqual([])
      recording.stream.close()
    }
  })

  test('templates without tag, time or event id work with what there is, and status says so', async () => {
    const cases = [
      ['{"id":~id~,"channel":"~channel~","text":"~text~"}', 'none', 'exact'],
      ['{"id":~id~,"channel":"~channel~","text":"~text~","time":"~time~"}', 'second', 'exact'],
      ['{"channel":"~channel~","text":"~text~","tag":"~tag~","time":"~time~"}', 'position', 'none'],
      ['{"text":"~text~"}', 'none', 'none'],
    ] as const
    for (const [messageTemplate, resume, gaps] of cases) {
      for (const mode of allModes) {
        const { server, url } = await startServer({ settings: { messageTemplate } })
        const proxy = await startProxy(url)
        const recording = record({ url: proxy.url, modes: [mode] })
        recording.stream.addChannel('a').connect()
        await recording.until(() => recording.stream.status.state === 'open')
        server.publish('a', 'one')
        await recording.until(() => recording.messages.length === 1)
        expect(recording.stream.status).toMatchObject({ resume, gaps })
        while (server.stats().subscribers === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        server.publish('a', 'two')
        await recording.until(() => recording.messages.length === 2)
        if (resume !== 'none') {
          proxy.cut()
          server.publish('a', 'three')
          await recording.until(() => recording.messages.length === 3)
        }
        expect(recording.messages.map(({ channel, text }) => [channel, text])).toEqual(
          ['one', 'two', 'three'].slice(0, resume === 'none' ? 2 : 3).map((text) => ['a', text]),
        )
        recording.stream.close()
      }
    }
  })

  test('with a template of neither number nor time nothing that was delivered comes again', async () => {
    for (const mode of allModes) {
      const { server, url } = await startServer({ settings: { messageTemplate: '{"text":"~text~"}' } })
      const proxy = await startProxy(url)
      const recording = record({ url: proxy.url, modes: [mode] })
      recording.stream.addChannel('a').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      for (let n = 0; n < 5; n++) server.publish('a', `${n}`)
      await recording.until(() => recording.messages.length === 5)
      for (let n = 5; n < 8; n++) {
        const requests = proxy.requests.length
        proxy.cut()
        await recording.until(() => proxy.requests.length > requests && recording.stream.status.state === 'open')
        await recording.until(() => server.stats().subscribers === 1)
        server.publish('a', `${n}`)
        await recording.until(() => recording.messages.at(-1)?.text === `${n}`)
      }
      expect(recording.messages.map(({ text }) => text)).toEqual(Array.from({ length: 8 }, (_, n) => `${n}`))
      recording.stream.close()
    }
  })

  test('with a template that names no channel every channel has a connection of its own', async () => {
    const messageTemplate = '{"text":~text~}'
    const names = ['global', 'project-7', 'user-42']
    for (const mode of allModes) {
      const { server, url } = await startServer({ settings: { messageTemplate } })
      server.publish('global', '"stored"')
      const recording = record({ url, modes: [mode], messageTemplate: readTemplate(messageTemplate) })
      for (const name of names) recording.stream.addChannel(name, { backtrack: 1 })
      recording.stream.connect()
      await recording.until(() => recording.stream.status.state === 'open' && recording.messages.length === 1)
      // Such a template promises nothing of what comes before the server has the connection.
      await recording.until(() => server.stats().subscribers === names.length)
      for (const name of names) server.publish(name, `{"to":"${name}"}`)
      await recording.until(() => recording.messages.length === 4)
      expect(recording.messages.map(({ channel, data }) => [channel, data])).toEqual(
        expect.arrayContaining([['global', 'stored'], ...names.map((name) => [name, { to: name }])]),
      )
      recording.stream.close()
    }
  })
})

describe('frames that are none', () => {
  test('become dead letters, and what follows arrives', async () => {
    const server = createScriptedServer()
    const { url } = await server.listen()
    cleanup(() => server.close())
    server.onUpgrade('/ws/*', async (socket) => {
      const frame = (id: number, text: string) =>
        `{"id":${id},"channel":"a","text":"${text}","tag":"${id}","time":"Fri, 20 Nov 2026 22:00:00 GMT","eventid":""}`
      // The first one shows that the server has a template.
      await socket.send(frame(1, 'first'))
      for (const frame of ['no json', '{"id":', '[]', 'null', '7', '{}', '{"id":1}']) await socket.send(frame)
      await socket.send(new Uint8Array([1, 2, 3]))
      await socket.send(frame(2, 'well'))
    })
    const recording = record({ url, modes: ['websocket'] })
    const dead: string[] = []
    recording.stream.on('deadletter', ({ raw }) => dead.push(raw))
    recording.stream.addChannel('a', { backtrack: 1 }).connect()
    await recording.until(() => recording.messages.length === 2)
    expect(dead).toEqual(['no json', '{"id":', '[]', 'null', '7', '{}', '{"id":1}', ''])
    expect(recording.messages[1]?.text).toBe('well')
  })

  test('in a long-poll answer the position still moves: never stuck, never fetched twice', async () => {
    const server = createScriptedServer()
    const { url } = await server.listen()
    cleanup(() => server.close())
    const asked: (string | null)[] = []
    server.on('GET /lp/*', (exchange) => {
      asked.push(exchange.request.query.get('tag'))
      const headers = { 'content-type': 'text/plain', 'Last-Modified': 'Fri, 20 Nov 2026 22:00:00 GMT' }
      const frame = (id: number) =>
        `{"id":${id},"channel":"a","text":"t${id}","tag":"${id}","time":"Fri, 20 Nov 2026 22:00:00 GMT","eventid":""}`
      if (asked.length === 1) exchange.respond(200, { ...headers, Etag: 'W/1' }, frame(1))
      else if (asked.length === 2)
        exchange.respond(200, { ...headers, Etag: 'W/2' }, '{"id":2,"channel":"a","text":"half')
      else if (asked.length === 3) exchange.respond(200, { ...headers, Etag: 'W/3' }, frame(3))
    })
    const recording = record({ url, modes: ['longpolling'] })
    const dead: unknown[] = []
    recording.stream.on('deadletter', ({ channel, reason }) => dead.push([channel, reason]))
    recording.stream.addChannel('a', { backtrack: 1 }).connect()
    await recording.until(() => asked.length === 4)
    expect(dead).toEqual([['a', 'half a frame']])
    expect(recording.messages.map(({ id }) => id)).toEqual([1, 3])
    expect(recording.gaps).toEqual([])
    expect(asked).toEqual([null, '1', '2', '3'])
  })
})
