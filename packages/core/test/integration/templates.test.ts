import { messageTemplate } from '@pushstream/core'
import { describe, expect, test } from 'vitest'
import { allModes, came, openClient, publishAtRate, startProxy, startServer } from './support.js'

const raw = { settings: { messageTemplate: '~text~' } }

describe('case 3: no message template in nginx (~text~), default options', () => {
  test.each(allModes)('%s, one channel → every text, and status says none', async (mode) => {
    const { server, url } = await startServer(raw)
    server.publish('a', 'stored before')
    const { recording, dead } = await openClient({ url, modes: [mode] }, ['a'])
    const bodies = [
      'hello',
      '{"n":1}',
      '{"type":"x","v":1}',
      'two\nlines',
      '42',
      '{"text":"hi","user":"bob"}',
      '{"half":',
    ]
    for (const [i, body] of bodies.entries()) {
      await recording.until(() => server.stats().subscribers > 0)
      server.publish('a', body)
      await recording.until(() => recording.messages.length === i + 1)
    }
    expect(came(recording)).toEqual(bodies.map((body) => `a ${body}`))
    expect(recording.messages[2]).toMatchObject({ type: 'x', data: { v: 1 } })
    expect(recording.stream.status).toMatchObject({ resume: 'none', gaps: 'none' })
    expect([dead, recording.gaps]).toEqual([[], []])
  })

  test.each(allModes)('%s, several channels → a connection each, found out from what comes', async (mode) => {
    for (const stored of [false, true]) {
      const { server, url } = await startServer(raw)
      const names = ['a', 'b', 'c']
      if (stored) for (const name of names) server.publish(name, `old ${name}`)
      const { recording, dead } = await openClient({ url, modes: [mode] }, names)
      // By a stream it can't be told which stored texts came, so none is asked for again.
      const first = mode !== 'stream' || !stored
      const one = first ? undefined : setInterval(() => server.publish('a', 'one'), 100)
      if (first) server.publish('a', 'one')
      await recording.until(() => recording.messages.length > 0).finally(() => clearInterval(one))
      await recording.until(() => server.stats().subscribers === 3)
      for (const name of names) server.publish(name, `to ${name}`)
      await recording.until(() => names.every((name) => came(recording).includes(`${name} to ${name}`)))
      expect(came(recording)).toEqual(expect.arrayContaining(['a one', 'a to a', 'b to b', 'c to c']))
      expect(recording.stream.status).toMatchObject({ resume: 'none', gaps: 'none', state: 'open' })
      // One that is added later has a connection of its own at once.
      recording.stream.addChannel('d')
      await recording.until(() => server.stats().subscribers === 4)
      // It begins some time after the server has it.
      const again = setInterval(() => server.publish('d', 'to d'), 100)
      await recording.until(() => came(recording).includes('d to d')).finally(() => clearInterval(again))
      expect([dead, recording.gaps]).toEqual([[], []])
      recording.stream.close()
    }
  })
})

describe('case 5: long-polling, texts with nothing between them', () => {
  const rounds = [
    ['{"a":1}', 'x', 'y'],
    ['x', 'x', 'x', 'xx'],
    ['1', '2', '3', '4', '5', '6', '7', '8'],
  ]

  test.each(['~text~', '~id~|~channel~|~text~'])(
    '%s, messages between two polls → each is itself',
    async (template) => {
      const { server, url } = await startServer({ settings: { messageTemplate: template } })
      const proxy = await startProxy(url)
      proxy.delay(30)
      const { recording, dead } = await openClient(
        { url: proxy.url, modes: ['longpolling'], messageTemplate: messageTemplate(template) },
        ['a'],
      )
      const sent: string[] = []
      for (const texts of [...rounds, ...rounds]) {
        for (const text of texts) server.publish('a', text)
        // What others get has numbers of the same second.
        for (let n = 0; n < 3; n++) server.publish('other', 'x')
        server.publish('a', 'last')
        sent.push(...texts, 'last')
        await recording.until(() => recording.messages.length >= sent.length)
      }
      expect(recording.messages.map(({ text }) => text)).toEqual(sent)
      expect([dead, recording.gaps]).toEqual([[], []])
    },
  )

  test('a steady flow → each is itself', async () => {
    const { server, url } = await startServer(raw)
    const proxy = await startProxy(url)
    proxy.delay(10)
    const options = { url: proxy.url, modes: ['longpolling'], messageTemplate: messageTemplate('~text~') } as const
    const { recording, dead } = await openClient(options, ['a'])
    const sent: string[] = []
    await publishAtRate((_, text) => sent.push(text) && server.publish('a', text), ['a'], 100, 50)
    await recording.until(() => recording.messages.length >= sent.length)
    expect(recording.messages.map(({ text }) => text)).toEqual(sent)
    expect(dead).toEqual([])
  })

  test('nothing is stored → each answer is one message, and only the first is asked about', async () => {
    const { server, url } = await startServer({ settings: { messageTemplate: '~text~', storeMessages: false } })
    const options = { url, modes: ['longpolling'], messageTemplate: messageTemplate('~text~') } as const
    const { recording } = await openClient(options, ['a'])
    for (let n = 0; n < 5; n++) {
      // The question about the first one hangs next to the poll.
      if (n === 1) await recording.until(() => server.stats().subscribers === 2)
      await recording.until(() => server.stats().subscribers === 1)
      server.publish('a', `${n}`, { store: false })
      await recording.until(() => recording.messages.length === n + 1)
    }
    expect(recording.messages.map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4'])
  })
})

describe('case 7: a stream whose template ends with the text', () => {
  test.each([
    [`<script>p(~id~,'~channel~','~text~');</script>`, 'x'],
    ['{"id":~id~,"channel":"~channel~","text":"~text~"}', 'say "hi"'],
  ])('%s → each message is there before anything follows', async (template, body) => {
    const { server, url } = await startServer({ settings: { messageTemplate: template, pingMessageInterval: null } })
    const options = { url, modes: ['stream'], messageTemplate: messageTemplate(template) } as const
    const { recording, dead } = await openClient(options, ['a'])
    for (let n = 0; n < 3; n++) {
      server.publish('a', `${body}${n}`)
      await recording.until(() => recording.messages.length === n + 1, 2000)
    }
    expect(came(recording)).toEqual([0, 1, 2].map((n) => `a ${body}${n}`))
    expect(dead).toEqual([])
  })
})

test.each(allModes)('case 9: %s, names that JSON finds escapes in → delivered as added', async (mode) => {
  const names = ['CORP\\bob', 'CORP\\alice', 'a\\u0041', 'a"b', 'a\\"b', 'tab\\tx', 'back\\\\slash']
  for (const channelsByArgument of [false, true]) {
    const { server, url } = await startServer()
    const { recording, dead } = await openClient({ url, modes: [mode], channelsByArgument }, names)
    for (const [i, name] of names.entries()) server.publish(name, `${i}`)
    await recording.until(() => recording.messages.length === names.length)
    expect(came(recording).sort()).toEqual(names.map((name, i) => `${name} ${i}`).sort())
    expect([dead, recording.gaps]).toEqual([[], []])
    recording.stream.close()
  }
})

describe('case 10: a template with channel, text and event id alone', () => {
  const template = '{"channel":"~channel~","text":"~text~","eventid":"~event-id~"}'
  const orders = allModes.flatMap((mode) => [[mode], [mode, ...allModes.filter((one) => one !== mode)]])

  test.each(orders.map((modes) => [modes]))(
    '%s, cut while messages are published → what was missed comes once',
    async (modes) => {
      const { server, url } = await startServer({ settings: { messageTemplate: template } })
      const proxy = await startProxy(url)
      const options = { url: proxy.url, modes, reconnectOnTimeoutInterval: 100, pingtimeout: 1500 }
      const { recording } = await openClient(options, ['a'])
      let n = 0
      const publish = (eventId?: string) => server.publish('a', `${++n}`, eventId === undefined ? {} : { eventId })
      publish('first')
      await recording.until(() => recording.messages.length === n)
      for (let round = 0; round < 2; round++) {
        proxy.cut()
        publish(`${round}`)
        // The server can't be asked for what follows this one: it comes by the connection that works.
        publish(round === 0 ? undefined : `${round} again`)
        await recording.until(() => recording.messages.length >= n)
        // The connection is checked.
        const requests = proxy.requests.length
        await recording.until(() => proxy.requests.length > requests)
        await recording.until(() => server.stats().subscribers > 0)
        publish(`${round} last`)
        await recording.until(() => recording.messages.length >= n)
      }
      expect(recording.messages.map(({ text }) => text)).toEqual(Array.from({ length: n }, (_, i) => `${i + 1}`))
    },
  )
})

test.each([
  ['websocket', '~text~'],
  ['websocket', '{"channel":"~channel~","text":"~text~"}'],
  ['eventsource', '{"channel":"~channel~","text":"~text~"}'],
] as const)('case 3: %s, %s, a connection is replaced under a flow → each message once', async (mode, template) => {
  const { server, url } = await startServer({ settings: { messageTemplate: template } })
  const { recording } = await openClient({ url, modes: [mode] }, ['a'])
  const sent: string[] = []
  await publishAtRate(
    (_, text) => sent.push(text) && server.publish('a', text),
    ['a'],
    200,
    100,
    (n) => {
      if (n % 50 === 25) recording.stream.addChannel(`b${n}`)
    },
  )
  await recording.until(() => recording.messages.length >= sent.length)
  expect(recording.messages.map(({ text }) => text)).toEqual(sent)
})

describe('case 25: a streaming location without a header template, quiet channel', () => {
  test.each(['stream', 'stream|longpolling', 'websocket|stream'] as const)('%s → open, and no error', async (modes) => {
    const { server, url } = await startServer({ settings: { pingMessageInterval: 60_000 } })
    const { recording } = await openClient({ url, modes, timeout: 1000 }, ['a'])
    const { since } = recording.stream.status
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(recording.stream.status).toMatchObject({ state: 'open', since })
    expect(recording.errors).toEqual([])
    server.publish('a', 'x')
    await recording.until(() => recording.messages.length === 1)
  })
})

test('case 12: websocket alone, a body that is not UTF-8 → a gap, and what follows arrives', async () => {
  const { server, url } = await startServer()
  const { recording } = await openClient({ url, modes: ['websocket'], reconnectOnTimeoutInterval: 100 }, ['a'])
  server.publish('a', 'before')
  await recording.until(() => recording.messages.length === 1)
  server.publish('a', Uint8Array.of(0x63, 0x61, 0x66, 0xe9))
  await recording.until(() => server.stats().subscribers === 0)
  server.publish('a', 'after')
  await recording.until(() => recording.messages.length === 2)
  server.publish('a', 'last')
  await recording.until(() => recording.messages.length === 3)
  expect(came(recording)).toEqual(['a before', 'a after', 'a last'])
  expect(recording.gaps).toEqual([{ channel: 'a', first: 2, last: 2, reason: 'overflow' }])
})
