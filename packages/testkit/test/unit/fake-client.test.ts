import { messages, PushStream, PushStreamError, registerWithSchema, sendMessage } from '@pushstream/core'
import { createFakeClient } from '@pushstream/testkit/client'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { SimulatedModule } from '../../../core/test/support/simulated-module.js'

/** A client, and what a test does to it: by a server, or by hand. */
interface Side {
  readonly client: PushStream
  publish(channel: string, text: string): void
  /** The next message of a channel is lost for good. */
  lose(channel: string): void
  /** The server refuses a channel that was just added. */
  refuse(channel: string): void
  delete(channel: string, text: string): void
  /** Lets everything happen that is under way. */
  settle(ms?: number): Promise<void>
}

type Mode = 'websocket' | 'eventsource'

function real(mode: Mode): Side {
  const server = new SimulatedModule()
  return {
    client: new PushStream({ url: 'http://h', modes: [mode], environment: server.environment }),
    publish: (channel, text) => server.publish(channel, text),
    lose: (channel) => server.lose(channel),
    refuse: (channel) => server.refused.add(channel),
    delete: (channel, text) => server.delete(channel, text),
    // Less than the time after which the client says that it receives nothing.
    settle: (ms = 700) => server.advance(ms),
  }
}

function fed(mode: Mode): Side {
  const fake = createFakeClient({ mode })
  return {
    client: fake.client,
    publish: (channel, text) => fake.emit(channel, text),
    lose: (channel) => fake.gap(channel),
    refuse: (channel) => fake.refuse(channel),
    delete: (channel, text) => fake.delete(channel, text),
    settle: async () => {
      for (let n = 0; n < 10; n++) await Promise.resolve()
    },
  }
}

/** Writes down all that a client reports, but the times. */
function record({ client }: Side): unknown[] {
  const log: unknown[] = []
  client.on('status', ({ state, mode, attempt, error }) => log.push(['status', state, mode, attempt, error?.code]))
  client.on('open', ({ state }) => log.push(['open', state]))
  client.on('message', ({ time, tag, ...message }) => log.push(['message', message, time instanceof Date, typeof tag]))
  client.on('gap', (gap) => log.push(['gap', gap]))
  client.on('channeldeleted', (deleted) => log.push(['channeldeleted', deleted]))
  client.on('deadletter', (letter) => log.push(['deadletter', letter]))
  client.on('error', ({ code, channel, status, symptom }) => log.push(['error', code, channel, status, symptom]))
  return log
}

/** Only a server repeats messages. */
const statsOf = ({ stats: { duplicates, ...stats } }: PushStream) => stats

/** What happens, all that is reported of it in words, and how it is done. */
const behaviours: [what: string, words: string, act: (side: Side, log: unknown[]) => Promise<void> | void][] = [
  [
    'connected, then a channel → connecting, open; removed → closed',
    'connecting open closed',
    async ({ client, settle }) => {
      client.connect()
      await settle()
      client.addChannel('a')
      await settle()
      client.removeChannel('a')
      await settle()
    },
  ],
  [
    'a channel, then connected → open; disconnected → closed; connected again → open',
    'connecting open closed connecting open closed',
    async ({ client, settle }, log) => {
      client.addChannel('a').connect()
      await settle()
      client.disconnect()
      await settle()
      client.connect()
      await settle()
      log.push(statsOf(client))
    },
  ],
  [
    'a body → parsed, with the number, type and time of the message',
    'connecting open a1 a2 a3 a4 a5 a6 b1 closed',
    async ({ client, publish, settle }) => {
      client.addChannel('a').addChannel('b').connect()
      await settle()
      for (const text of ['{"type":"answer","value":[1,{"n":null}]}', '42', 'plain', '[1', '"quoted"', '']) {
        publish('a', text)
        await settle()
      }
      publish('b', '{"type":1}')
      await settle()
    },
  ],
  [
    'never added, removed, disconnected or closed → nothing arrives',
    'connecting open b1 closed',
    async ({ client, publish, settle }, log) => {
      client.addChannel('a').addChannel('b').connect()
      await settle()
      publish('c', 'never added')
      await settle()
      client.removeChannel('a')
      publish('a', 'removed')
      await settle()
      publish('b', 'arrives')
      await settle()
      client.close()
      publish('b', 'closed')
      await settle()
      log.push([client.channels, client.status.state, statsOf(client)])
    },
  ],
  [
    'added twice → once; channels in the order they were added',
    'connecting open b1 b a closed',
    async ({ client, publish, settle }, log) => {
      client.addChannel('b').addChannel('a').addChannel('b').connect()
      await settle()
      publish('b', 'once')
      await settle()
      log.push(client.channels, client.removeChannel('b').channels, client.removeAllChannels().channels)
      await settle()
    },
  ],
  [
    'another channel while open → stays open, both arrive',
    'connecting open a1 b1 closed',
    async ({ client, publish, settle }, log) => {
      client.addChannel('a').connect()
      await settle()
      client.addChannel('b')
      await settle()
      publish('a', '1')
      await settle()
      publish('b', '2')
      await settle()
      log.push(statsOf(client))
    },
  ],
  [
    'processors, then listeners, each in the order of registration',
    'connecting open any x a1 once heard any a2 closed',
    async ({ client, publish, settle }, log) => {
      client.registerProcessor('*', '*', (data) => log.push(['any', data]))
      const stop = client.registerProcessor('a', 'x', (data, { id }) => log.push(['x', data, id]))
      client.registerProcessor('a', 'y', (data) => log.push(['y', data]))
      client.once('message', ({ id }) => log.push(['once', id]))
      const heard = () => log.push(['heard'])
      client.on('message', heard).on('message', heard)
      client.addChannel('a').connect()
      await settle()
      publish('a', '{"type":"x"}')
      await settle()
      stop()
      client.off('message', heard)
      publish('a', '{"type":"x"}')
      await settle()
    },
  ],
  [
    'a listener and a processor that throw → errors, the others are called',
    'connecting open error a1 error thrown closed',
    async ({ client, publish, settle }, log) => {
      const thrown = vi.spyOn(console, 'error').mockImplementation(() => {})
      client.registerProcessor('a', '*', () => {
        throw new Error('processor')
      })
      client.on('message', () => {
        throw new Error('listener')
      })
      client.on('message', () => log.push('called'))
      client.addChannel('a').connect()
      await settle()
      publish('a', '1')
      await settle()
      log.push(['thrown', ...thrown.mock.calls.map(([error]) => String(error))])
      thrown.mockRestore()
    },
  ],
  [
    'a listener that closes the client → nothing more, and every call throws',
    'connecting open a1 closed',
    async ({ client, publish, settle }, log) => {
      client.on('message', () => client.close())
      client.on('message', () => log.push('after'))
      client.addChannel('a').connect()
      await settle()
      publish('a', '1')
      publish('a', '2')
      await settle()
      const calls = [
        () => client.addChannel('b'),
        () => client.connect(),
        () => client.on('gap', () => {}),
        () => client.registerProcessor('a', '*', () => {}),
        () => messages(client),
      ]
      for (const call of calls) log.push(codeOf(call))
      client.removeChannel('a').disconnect().close()
      log.push(client.status.state, client.channels)
    },
  ],
  [
    'a listener that removes the channel → what follows does not arrive',
    'connecting open a1 b1 closed',
    async ({ client, publish, settle }) => {
      client.on('message', ({ channel }) => client.removeChannel(channel))
      client.addChannel('a').addChannel('b').connect()
      await settle()
      publish('a', '1')
      publish('a', '2')
      publish('b', '3')
      await settle()
    },
  ],
  [
    'messages that are gone → a gap, then the next message',
    'connecting open a1 gap a3 closed',
    async ({ client, publish, lose, settle }, log) => {
      client.addChannel('a').connect()
      await settle()
      publish('a', '1')
      await settle()
      lose('a')
      publish('a', '3')
      await settle(3500)
      log.push(statsOf(client))
    },
  ],
  [
    'a channel that is refused → an error, gone; the others go on',
    'connecting open error a1 a closed',
    async ({ client, publish, refuse, settle }, log) => {
      client.addChannel('a').connect()
      await settle()
      client.addChannel('b')
      refuse('b')
      await settle(3500)
      publish('a', 'arrives')
      publish('b', 'refused')
      await settle()
      log.push(client.channels)
    },
  ],
  [
    'the only channel is refused → an error, closed; the status says why',
    'connecting error closed',
    async ({ client, refuse, settle }, log) => {
      client.addChannel('a').connect()
      refuse('a')
      await settle(3500)
      log.push(client.channels, client.status.error?.code)
    },
  ],
  [
    'a channel that is deleted → an event; its numbers begin anew',
    'connecting open a1 channeldeleted a1 closed',
    async ({ client, publish, settle, ...side }) => {
      client.addChannel('a').connect()
      await settle()
      publish('a', '1')
      await settle()
      side.delete('a', 'bye')
      await settle()
      publish('a', '2')
      await settle()
    },
  ],
  [
    'a name or an option that is wrong → thrown',
    '',
    ({ client }, log) => {
      for (const name of ['', 'a/b', 'a?']) log.push(codeOf(() => client.addChannel(name)))
      log.push(codeOf(() => client.addChannel('a', { backtrack: -1 })))
      log.push(codeOf(() => client.on('mesage' as 'message', () => {})))
      log.push(client.channels)
    },
  ],
  [
    'a schema, an iterator → work on it as on any client',
    'connecting open value a1 closed',
    async ({ client, publish, settle }, log) => {
      const Answer = z.object({ type: z.literal('answer'), value: z.number() })
      registerWithSchema(client, 'a', 'answer', Answer, ({ value }) => log.push(['value', value]))
      const iterator = messages(client, 'a')
      client.addChannel('a').connect()
      await settle()
      publish('a', '{"type":"answer","value":1}')
      await settle()
      log.push((await iterator.next()).value?.text)
      client.close()
      log.push(await iterator.next())
    },
  ],
]

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return (error as PushStreamError).code
  }
}

/** A log in words. */
const wordsOf = (log: readonly unknown[]) =>
  log.flatMap((entry) => {
    const [kind, what] = Array.isArray(entry) ? entry : []
    if (kind === 'status') return [what]
    if (kind === 'message') return [`${what.channel}${what.id}`]
    return typeof kind === 'string' && kind !== 'open' ? [kind] : []
  })

describe.each(['websocket', 'eventsource'] as const)('%s: the fake does what the real client does', (mode) => {
  test.each(behaviours)('%s', async (_, words, act) => {
    const logs: unknown[][] = []
    for (const side of [real(mode), fed(mode)]) {
      const log = record(side)
      await act(side, log)
      side.client.close()
      logs.push(log)
    }
    expect(logs[1]).toEqual(logs[0])
    expect(wordsOf(logs[0] as unknown[]).join(' ')).toBe(words)
  })
})

type Shop = {
  'user-42': { answer: { type: 'answer'; value: number } }
  news: { item: { title: string } }
}

describe('what only a test can do', () => {
  const log = (fake: ReturnType<typeof createFakeClient>) => record({ client: fake.client } as Side)

  test('emit in the same tick as addChannel and connect → delivered at once, after the client is open', () => {
    const fake = createFakeClient()
    const all = log(fake)
    fake.client.connect().addChannel('a')
    expect(fake.emit('a', { type: 'answer', value: 1 })).toBe(true)
    expect(wordsOf(all)).toEqual(['connecting', 'open', 'a1'])
    expect(fake.client.status).toMatchObject({ state: 'open', mode: 'websocket', resume: 'position', gaps: 'exact' })
  })

  test('emit without a subscription or a connection → false, and nothing is delivered', () => {
    const fake = createFakeClient()
    const all = log(fake)
    expect(fake.emit('a', 1)).toBe(false)
    fake.client.addChannel('a')
    expect(fake.emit('a', 1)).toBe(false)
    fake.client.connect()
    expect(fake.emit('b', 1)).toBe(false)
    expect(fake.emit('a', 1)).toBe(true)
    fake.client.disconnect()
    expect(fake.emit('a', 1)).toBe(false)
    expect([fake.gap('a'), fake.delete('a'), fake.deadletter('x')]).toEqual([false, false, false])
    expect(wordsOf(all)).toEqual(['connecting', 'open', 'a1', 'closed'])
  })

  test('fields of a message → as given; what the data is made of does not matter, as it goes through JSON', () => {
    const fake = createFakeClient({ mode: 'longpolling' })
    const seen: unknown[] = []
    fake.client.on('message', (message) => seen.push(message))
    fake.client.addChannel('a').connect()
    const data = { at: new Date(0), nothing: undefined }
    const time = new Date('2026-01-02T03:04:05.678Z')
    fake.emit('a', data, { id: 7, type: 'item', eventId: 'e1', time, replayed: true })
    fake.emit('a', { type: 'own' }, { type: 'item', time })
    fake.emit('a', undefined)
    expect(seen).toMatchObject([
      {
        channel: 'a',
        id: 7,
        text: '{"at":"1970-01-01T00:00:00.000Z"}',
        data: { at: '1970-01-01T00:00:00.000Z' },
        type: 'item',
        eventId: 'e1',
        time: new Date('2026-01-02T03:04:05Z'),
        tag: 1,
        mode: 'longpolling',
        replayed: true,
      },
      { id: 8, type: 'own', tag: 2, replayed: false },
      { id: 9, text: '', data: '' },
    ])
  })

  test('a known number → dropped as a duplicate; one that skips some → a gap first', () => {
    const fake = createFakeClient()
    const all = log(fake)
    fake.client.addChannel('a').connect()
    fake.emit('a', 1, { id: 5 })
    expect(fake.emit('a', 1, { id: 5 })).toBe(false)
    fake.emit('a', 1, { id: 8 })
    expect(wordsOf(all).slice(2)).toEqual(['a5', 'gap', 'a8'])
    expect(all).toContainEqual(['gap', { channel: 'a', first: 6, last: 7, reason: 'overflow' }])
    expect(fake.client.stats).toEqual({ received: 2, duplicates: 1, gaps: 1, reconnects: 0 })
  })

  test('gap → the numbers that are given, or the next one; a restart begins anew', () => {
    const fake = createFakeClient()
    const all = log(fake)
    const gaps: unknown[] = []
    fake.client.on('gap', ({ first, last, reason }) => gaps.push([first, last, reason]))
    fake.client.addChannel('a').connect()
    fake.emit('a', 1)
    fake.gap('a', { last: 4 })
    fake.emit('a', 5)
    fake.gap('a', { reason: 'restart' })
    fake.emit('a', 1)
    fake.gap('a', { first: 'unknown', last: 'unknown' })
    expect(wordsOf(all).slice(2)).toEqual(['a1', 'gap', 'a5', 'gap', 'a1', 'gap'])
    expect(gaps).toEqual([
      [2, 4, 'overflow'],
      [6, 'unknown', 'restart'],
      ['unknown', 'unknown', 'overflow'],
    ])
  })

  test.each([
    [undefined, 'forbidden', 403],
    [401, 'unauthorized', 401],
    [400, 'bad-request', 400],
  ] as const)('refuse with status %s → %s, and the channel is gone; added again, it works', (status, code, shown) => {
    const fake = createFakeClient()
    const errors: PushStreamError[] = []
    fake.client.on('error', (error) => errors.push(error))
    fake.client.addChannel('a').addChannel('b').connect()
    expect(fake.refuse('a', { ...(status && { status }), explain: 'no' })).toBe(true)
    expect(fake.refuse('a')).toBe(false)
    expect(errors).toMatchObject([{ code, status: shown, channel: 'a', message: expect.stringContaining('(no)') }])
    expect(errors[0]).toBeInstanceOf(PushStreamError)
    expect(fake.channels).toEqual(['b'])
    expect(fake.emit('a', 1)).toBe(false)
    fake.client.addChannel('a')
    expect(fake.emit('a', 1)).toBe(true)
  })

  test('what was added and sent → for assertions; a sent text comes back', async () => {
    const fake = createFakeClient()
    const all = log(fake)
    fake.client.addChannel('a', { backtrack: 5 }).addChannel('b').connect()
    fake.client.addChannel('a').removeChannel('b')
    expect(fake.added).toEqual([
      { channel: 'a', backtrack: 5 },
      { channel: 'b', backtrack: 0 },
    ])
    expect(fake.channels).toEqual(['a'])
    await Promise.resolve()
    await sendMessage(fake.client, 'hello')
    expect(fake.sent).toEqual([{ channels: ['a'], text: 'hello' }])
    fake.status({ state: 'open', mode: 'eventsource' })
    await sendMessage(fake.client, 'again')
    expect(fake.sent).toHaveLength(2)
    expect(wordsOf(all)).toEqual(['connecting', 'open', 'a1', 'open', 'a2'])
  })

  test('status → stays as set, with nothing delivered, until it is open again', async () => {
    const fake = createFakeClient()
    const all = log(fake)
    const error = new PushStreamError('unreachable', 'No answer.')
    fake.client.addChannel('a').connect()
    await Promise.resolve()
    fake.status({ state: 'waiting', attempt: 3, retryAt: 9, error })
    expect(fake.client.status).toMatchObject({ state: 'waiting', mode: undefined, attempt: 3, retryAt: 9, error })
    fake.client.connect()
    await Promise.resolve()
    expect(fake.emit('a', 1)).toBe(false)
    fake.status('open')
    expect(fake.emit('a', 1)).toBe(true)
    expect(wordsOf(all)).toEqual(['connecting', 'open', 'error', 'waiting', 'connecting', 'open', 'a1'])
    expect(fake.client.stats.reconnects).toBe(1)
  })

  test('status before connect → closed until then, and as set after it', () => {
    const fake = createFakeClient()
    fake.status('connecting')
    fake.client.addChannel('a')
    expect(fake.client.status.state).toBe('closed')
    fake.client.connect()
    expect(fake.client.status.state).toBe('connecting')
    expect(fake.emit('a', 1)).toBe(false)
  })

  test('a frame that cannot be read → a deadletter', () => {
    const fake = createFakeClient()
    const all = log(fake)
    fake.client.addChannel('a').connect()
    fake.deadletter('<html>', 'not for us')
    expect(all).toContainEqual(['deadletter', expect.objectContaining({ raw: '<html>', reason: 'not for us' })])
  })

  test('connected, used and closed → no timer, no request, no socket', async () => {
    vi.useFakeTimers()
    const used = vi.fn(() => {
      throw new Error('used')
    })
    for (const name of ['fetch', 'WebSocket', 'EventSource']) vi.stubGlobal(name, used)
    try {
      const fake = createFakeClient()
      fake.client.addChannel('a').connect()
      fake.emit('a', 1)
      await sendMessage(fake.client, 'x')
      fake.client.on('error', () => {})
      fake.refuse('a')
      expect(vi.getTimerCount()).toBe(0)
      fake.client.close()
      expect(fake.emit('a', 1)).toBe(false)
      expect(vi.getTimerCount()).toBe(0)
      expect(used).not.toHaveBeenCalled()
    } finally {
      vi.unstubAllGlobals()
      vi.useRealTimers()
    }
  })

  test('a PushStream, for whatever asks', () => {
    expect(createFakeClient().client).toBeInstanceOf(PushStream)
  })
})

// Compiled, never run: what a type forbids must not compile.
function typed(): void {
  const fake = createFakeClient<Shop>()
  const client: PushStream<Shop> = fake.client
  fake.emit('user-42', { type: 'answer', value: 1 })
  fake.emit('news', { title: 'x' }, { type: 'item' })
  fake.emit('news', '{"title":"x"}')
  // @ts-expect-error not what the channel brings
  fake.emit('news', { titel: 'x' })
  // @ts-expect-error no such type on this channel
  fake.emit('news', { title: 'x' }, { type: 'answer' })
  void client
}
void typed
