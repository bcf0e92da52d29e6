import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { createConnection, type Socket } from 'node:net'
import { type DeadLetter, PushStreamError, sendMessage } from '@pushstream/core'
import { describe, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { lacking } from '../../../../e2e/support/programs.js'
import { missingRedis, startRedis } from '../../../../e2e/support/redis.js'
import {
  account,
  complete,
  isGap,
  type Live,
  missing,
  numberOf,
  patient,
  perfect,
  publishNumbers,
  recordNchan,
  startNchan,
} from './nchan-support.js'
import { allModes, cleanup, type Recording } from './support.js'

vi.setConfig(patient)

const open = (recording: Recording) => recording.until(() => recording.stream.status.state === 'open')
/** Messages reach only who is there. */
const unstored = {
  adjust: (config: string) => config.replace('nchan_message_buffer_length 5000;', 'nchan_store_messages off;'),
}
/** A channel takes one subscriber. */
const single = {
  adjust: (config: string) =>
    config.replace(/(location ~ \^\/sub\/[^}]*?nchan_subscriber;)/, '$1\n      nchan_max_channel_subscribers 1;'),
}
const texts = ({ messages }: Recording) => messages.map(({ text }) => text)

async function publishAll(live: Live, channel: string, ...bodies: string[]) {
  for (const body of bodies) expect(await live.publish(channel, body)).toBe(true)
}

/** A connection that sends no request, as a browser opens them ahead of need. */
async function connectUnused(live: Live): Promise<Socket> {
  const unused = createConnection(live.nginx.port, '127.0.0.1')
  cleanup(() => void unused.destroy())
  await once(unused, 'connect')
  // The worker has it when it has what comes after it.
  expect(await live.publish('other', 'x')).toBe(true)
  return unused
}

/** Each answer names the worker that gives it. */
const withWorker = (config: string) => config.replace('server {', '$& add_header X-Worker $pid always;')

/** A kept connection, and the worker that has it. */
async function connect({ nginx }: Live): Promise<{ agent: Agent; worker: string }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanup(() => agent.destroy())
  const [response] = (await once(get(`${nginx.url}/pub/none`, { agent }), 'response')) as [IncomingMessage]
  await once(response.resume(), 'end')
  return { agent, worker: String(response.headers['x-worker']) }
}

/** A kept connection of the worker that was started as the first, the second, … */
async function connectTo(live: Live, place: number): Promise<Agent> {
  const wanted = String(live.nginx.workerPids[place])
  for (;;) {
    // Several at once: at rest the same worker takes each connection.
    const made = await Promise.all(Array.from({ length: 8 }, () => connect(live)))
    const found = made.find(({ worker }) => worker === wanted)
    if (found !== undefined) return found.agent
  }
}

/** A websocket on a kept connection that brings everything that is stored, and the texts that it brings. */
async function listen({ nginx }: Live, channel: string, agent: Agent) {
  const url = `${nginx.url.replace('http', 'ws')}/sub/${channel}?last_event_id=0:0`
  const socket = new WebSocket(url, 'ws+meta.nchan', { agent })
  cleanup(() => socket.terminate())
  const texts: string[] = []
  socket.on('message', (data) => void texts.push(String(data).split('\n\n')[1] as string))
  let worker = ''
  socket.on('upgrade', ({ headers }) => {
    worker = String(headers['x-worker'])
  })
  await once(socket, 'open')
  return { socket, texts, worker }
}

/** Waits until a websocket has brought these texts. */
const brings = ({ texts }: { texts: string[] }, ...expected: string[]) =>
  vi.waitFor(() => expect(texts).toEqual(expected), 15_000)

describe.skipIf(missing !== undefined)('live Nchan', () => {
  describe.each(allModes)('%s', (mode) => {
    test('what is stored, then what comes, with ids and types', async () => {
      const live = await startNchan()
      await publishAll(live, 'a/b c?é', 'one', '{"type":"greeting","n":2}')
      const recording = recordNchan(live, [mode])
      recording.stream.addChannel('a/b c?é').connect()
      await recording.until(() => recording.messages.length === 2)
      await publishAll(live, 'a/b c?é', '', 'line 1\nline 2\n', 'é🦊')
      await recording.until(() => recording.messages.length === 5)
      expect(texts(recording)).toEqual(['one', '{"type":"greeting","n":2}', '', 'line 1\nline 2\n', 'é🦊'])
      const [first, second] = recording.messages
      expect(first).toMatchObject({ channel: 'a/b c?é', id: undefined, mode })
      expect(first!.eventId).toMatch(/^\d{10}:0$/)
      expect(second).toMatchObject({ type: 'greeting', data: { type: 'greeting', n: 2 } })
      expect(recording.stream.status).toMatchObject({ mode, resume: 'second', gaps: 'possible' })
    })

    test('a deleted channel: the messages after it come, after a gap', async () => {
      // With two workers the server may leave one of them deaf after a websocket: see the test of that fault below.
      const live = await startNchan({ workers: mode === 'websocket' ? 1 : 2 })
      const recording = recordNchan(live, [mode])
      recording.stream.addChannel('a').connect()
      await open(recording)
      await publishAll(live, 'a', '1', '2')
      await recording.until(() => recording.messages.length === 2)
      await live.delete('a')
      await recording.until(() => recording.stream.stats.reconnects > 0)
      await publishAll(live, 'a', '3')
      await recording.until(() => recording.messages.length === 3)
      expect(recording.all.map((event) => (isGap(event) ? event.reason : event.text))).toEqual([
        '1',
        '2',
        'restart',
        '3',
      ])
      expect(recording.gaps[0]).toEqual({ channel: 'a', first: 'unknown', last: 'unknown', reason: 'restart' })
    })

    test('more than is stored while away: a gap, then what is left', async () => {
      const live = await startNchan({}, 'nchan', '/smallpub/{channel}')
      const recording = recordNchan(live, [mode], { url: '/small/{channel}' })
      recording.stream.addChannel('a').connect()
      await open(recording)
      await publishAll(live, 'a', '1', '2')
      await recording.until(() => recording.messages.length === 2)
      recording.stream.disconnect()
      await publishAll(live, 'a', ...Array.from({ length: 20 }, (_, i) => String(i + 3)))
      recording.stream.connect()
      await recording.until(() => texts(recording).at(-1) === '22')
      const expected = ['1', '2', 'overflow', ...Array.from({ length: 10 }, (_, i) => String(i + 13))]
      expect(recording.all.map((event) => (isGap(event) ? event.reason : event.text))).toEqual(expected)
    })

    test('a channel that is refused stops with what the server says; the others go on', async () => {
      const live = await startNchan()
      await publishAll(live, 'good', 'there')
      const recording = recordNchan(live, [mode], { url: '/auth/{channel}' })
      recording.stream.addChannel('forbidden-1').addChannel('good').connect()
      await recording.until(() => recording.messages.length === 1 && recording.stream.channels.length === 1)
      // A page can't see why a websocket is refused. That the others are taken shows what it means.
      const refused = recording.errors.filter(({ code }) => code !== 'unreachable')
      expect(refused).toHaveLength(1)
      expect(refused[0]).toBeInstanceOf(PushStreamError)
      const status = mode === 'websocket' ? undefined : 403
      expect(refused[0]).toMatchObject({ code: 'forbidden', channel: 'forbidden-1', status })
      // Told once: a refused channel is not tried again.
      expect(recording.errors.length).toBeLessThanOrEqual(mode === 'websocket' ? 5 : 1)
      await publishAll(live, 'good', 'more')
      await recording.until(() => recording.messages.length === 2)
      expect(recording.stream.status.state).toBe('open')
    })

    test('a channel without a message before a loss: what comes meanwhile is there', async () => {
      const live = await startNchan({ workers: 2 })
      const recording = recordNchan(live, [mode], { url: '/newest/{channel}' })
      recording.stream.addChannel('a').connect()
      await open(recording)
      await live.proxy.refuse(true)
      live.proxy.cut()
      await recording.until(() => recording.stream.status.state !== 'open')
      await publishAll(live, 'a', '1', '2')
      await live.proxy.refuse(false)
      await recording.until(() => recording.messages.length === 2)
      expect(texts(recording)).toEqual(['1', '2'])
    })

    test('a reload, and another connection keeps the old worker, which brings no more: found out after pingtimeout', async () => {
      const live = await startNchan({ adjust: (text) => text.replace(/client_header_timeout .*;/, '') })
      const recording = recordNchan(live, [mode], {}, { pingtimeout: 2500 })
      recording.stream.addChannel('a').connect()
      await open(recording)
      const before = await publishNumbers(live, ['a'], 10, 200)
      await recording.until(() => recording.messages.length === 10)
      const unused = await connectUnused(live)
      await live.nginx.reload()
      const after = await publishNumbers(live, ['a'], 40, 10, undefined, 10)
      await complete(recording, after)
      expect(account(recording, [...before, ...after])).toEqual({ ...perfect, gaps: 1 })
      expect(unused.destroyed).toBe(false)
    })

    test('a reload, and another connection that sends no request → the old worker goes after client_header_timeout', async () => {
      const live = await startNchan()
      const recording = recordNchan(live, [mode])
      recording.stream.addChannel('a').connect()
      await open(recording)
      const before = await publishNumbers(live, ['a'], 10, 200)
      await recording.until(() => recording.messages.length === 10)
      await connectUnused(live)
      await live.nginx.reload()
      const after = await publishNumbers(live, ['a'], 10, 200, undefined, 10)
      await complete(recording, after)
      expect(account(recording, [...before, ...after])).toEqual({ ...perfect, gaps: 1 })
    })

    test('a half-open link is found, and what was sent into it is fetched', async () => {
      const live = await startNchan()
      const recording = recordNchan(live, [mode], {}, { pingtimeout: 1000, timeout: 2000 })
      recording.stream.addChannel('a').connect()
      await open(recording)
      await publishAll(live, 'a', '1')
      await recording.until(() => recording.messages.length === 1)
      live.proxy.blackhole(true)
      await publishAll(live, 'a', '2', '3')
      await recording.until(() => recording.errors.length > 0)
      live.proxy.blackhole(false)
      await recording.until(() => recording.messages.length === 3)
      expect(texts(recording)).toEqual(['1', '2', '3'])
      expect(recording.gaps).toEqual([])
    })
  })

  test.each([0, 1])(
    'a websocket on worker %i has a channel that another worker owns, and it is deleted → the worker is deaf for it',
    async (index) => {
      const live = await startNchan({ workers: 2, adjust: withWorker })
      const on = async (place: number, channel: string) => listen(live, channel, await connectTo(live, place))
      const deaf: string[] = []
      for (const channel of ['a', 'b', 'd', 'e']) {
        const deleted = await on(index, channel)
        await publishAll(live, channel, '1')
        await brings(deleted, '1')
        const closed = once(deleted.socket, 'close')
        // It is still there when its worker is told that the owner is done with it.
        deleted.socket.pause()
        await live.delete(channel)
        deleted.socket.resume()
        await closed
        const again = await on(index, channel)
        const elsewhere = await on(1 - index, channel)
        await publishAll(live, channel, '2')
        await brings(elsewhere, '2')
        // A later subscriber does not get what is stored, either. Other channels are not affected.
        const later = await on(index, channel)
        const fresh = await on(index, `${channel}-new`)
        await publishAll(live, `${channel}-new`, '1')
        await brings(fresh, '1')
        expect(new Set([deleted, again, later, fresh].map(({ worker }) => worker)).size).toBe(1)
        await brings(later, ...again.texts)
        if (again.texts.length === 0) deaf.push(channel)
      }
      // The hash of its name says which worker owns a channel.
      expect(deaf).toEqual(index === 0 ? ['d', 'e'] : ['a', 'b'])
    },
  )

  test('from mode to mode nothing is lost or doubled', async () => {
    const live = await startNchan({ workers: 2 })
    const recording = recordNchan(live, ['websocket'])
    recording.stream.addChannel('a').connect()
    await open(recording)
    const stop = live.proxy.cutEvery(300)
    const recordings = [
      recording,
      ...(
        [
          ['eventsource', 'longpolling'],
          ['stream', 'websocket'],
        ] as const
      ).map((modes) => recordNchan(live, modes)),
    ]
    for (const { stream } of recordings.slice(1)) stream.addChannel('a').connect()
    const taken = await publishNumbers(live, ['a'], 400, 200)
    stop()
    for (const one of recordings) {
      await complete(one, taken)
      expect(account(one, taken)).toEqual(perfect)
    }
  })

  test('binary messages by websocket', async () => {
    const live = await startNchan()
    const recording = recordNchan(live, ['websocket'])
    recording.stream.addChannel('a').connect()
    await open(recording)
    const bytes = new Uint8Array([0, 10, 10, 255, 254])
    await live.publish('a', bytes, { 'Content-Type': 'application/octet-stream' })
    await recording.until(() => recording.messages.length === 1)
    expect(recording.messages[0]!.data).toEqual(bytes)
    expect(recording.messages[0]!.contentType).toBe('application/octet-stream')
  })

  test.each(['eventsource', 'stream', 'longpolling'] as const)(
    'case 22: binary bodies of any type, or none, by %s → dead letters, the texts around them are delivered',
    async (mode) => {
      const live = await startNchan()
      const recording = recordNchan(live, [mode])
      const letters: DeadLetter[] = []
      recording.stream.on('deadletter', (letter) => letters.push(letter))
      recording.stream.addChannel('a').connect()
      await open(recording)
      const bytes = new Uint8Array([0, 1, 255, 254])
      await live.publish('a', 'before', { 'Content-Type': 'text/plain' })
      await live.publish('a', bytes, { 'Content-Type': 'application/octet-stream' })
      await live.publish('a', bytes, { 'Content-Type': 'image/png' })
      await live.publish('a', bytes)
      await live.publish('a', 'after', { 'Content-Type': 'text/plain' })
      await recording.until(() => recording.messages.length === 2)
      expect(recording.messages.map(({ text }) => text)).toEqual(['before', 'after'])
      expect(letters.map(({ reason }) => reason)).toEqual(Array(3).fill('binary data can only come by websocket'))
      expect(recording.gaps).toEqual([])
    },
  )

  // What comes between two polls reaches nobody, so the messages leave time for a poll on a busy machine.
  test.each(['/sub/{channel}', '/lpm/{channel}'])(
    'case 17: nothing is stored, by long-polling of %s → all 12 messages, no gap, no other connection',
    async (url) => {
      const live = await startNchan(unstored)
      const recording = recordNchan(live, ['longpolling'], { url })
      recording.stream.addChannel('a').connect()
      await open(recording)
      const expected = Array.from({ length: 12 }, (_, n) => String(n))
      for (const text of expected) {
        await live.publish('a', text)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      await recording.until(() => recording.messages.length === 12)
      expect([texts(recording), recording.gaps, recording.errors]).toEqual([expected, [], []])
      expect(recording.stream.stats.reconnects).toBe(0)
    },
  )

  test('case 17: nothing is stored, two messages, then silence → both come within seconds', async () => {
    const live = await startNchan(unstored)
    const recording = recordNchan(live, ['longpolling'])
    recording.stream.addChannel('a').connect()
    await open(recording)
    await live.publish('a', 'one')
    await recording.until(() => recording.messages.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await live.publish('a', 'two')
    await recording.until(() => recording.messages.length === 2)
    expect([texts(recording), recording.gaps]).toEqual([['one', 'two'], []])
  })

  test('case 18: one subscriber allowed, by long-polling → messages, repeated checks, no refusal', async () => {
    const live = await startNchan(single)
    const recording = recordNchan(live, ['longpolling'], {}, { pingtimeout: 600 })
    recording.stream.addChannel('a').connect()
    await open(recording)
    for (let n = 0; n < 12; n++) {
      await live.publish('a', String(n))
      await recording.until(() => recording.messages.length === n + 1)
      // Time for what follows a message, and now and then for the check of a silent connection.
      await new Promise((resolve) => setTimeout(resolve, n % 4 === 3 ? 1500 : 150))
    }
    expect(texts(recording)).toEqual(Array.from({ length: 12 }, (_, n) => String(n)))
    expect([recording.gaps, recording.errors, recording.stream.channels]).toEqual([[], [], ['a']])
  })

  test('event types of an eventsource', async () => {
    const live = await startNchan()
    const recording = recordNchan(live, ['eventsource'])
    recording.stream.addChannel('a').connect()
    await open(recording)
    await live.publish('a', 'hello', { 'X-EventSource-Event': 'greet' })
    await recording.until(() => recording.messages.length === 1)
    expect(recording.messages[0]).toMatchObject({ type: 'greet', text: 'hello' })
  })

  test('a long-poll answer with many messages, also while cut and across reloads', async () => {
    const live = await startNchan({ workers: 2 })
    const recording = recordNchan(live, ['longpolling'], { url: '/lpm/{channel}' })
    recording.stream.addChannel('a').connect()
    await publishAll(live, 'b', '1', '2', '3', '4', '5')
    const stored = recordNchan(live, ['longpolling'], { url: '/lpm/{channel}' })
    stored.stream.addChannel('b').connect()
    await stored.until(() => stored.messages.length === 5)
    expect(texts(stored)).toEqual(['1', '2', '3', '4', '5'])
    const stop = live.proxy.cutEvery(300)
    const taken = await publishNumbers(live, ['a'], 800, 400, (n) => n === 500 && void live.nginx.reload())
    stop()
    await complete(recording, taken)
    expect(account(recording, taken)).toEqual({ ...perfect, gaps: 1 })
  })

  test('several channels by one connection', async () => {
    const live = await startNchan()
    const settings = { url: '/multi/{channel}', separator: ',' }
    const recordings = allModes.map((mode) => recordNchan(live, [mode], settings))
    for (const { stream } of recordings) stream.addChannel('a').addChannel('b').addChannel('c').connect()
    await Promise.all(recordings.map(open))
    // A channel without a message has a gap when a connection is refused: the server may have begun anew.
    const first = await publishNumbers(live, ['a', 'b', 'c'], 3, 200)
    for (const recording of recordings) await recording.until(() => recording.messages.length === 3)
    const stop = live.proxy.cutEvery(500)
    const taken = [...first, ...(await publishNumbers(live, ['a', 'b', 'c'], 600, 200, undefined, 3))]
    stop()
    for (const recording of recordings) {
      await complete(recording, taken)
      expect(account(recording, taken)).toEqual(perfect)
    }
  })

  test('publishing by the client', async () => {
    const live = await startNchan()
    const recording = recordNchan(live, ['websocket'])
    recording.stream.addChannel('a').connect()
    await open(recording)
    await sendMessage(recording.stream, '100 % é')
    await recording.until(() => recording.messages.length === 1)
    expect(texts(recording)).toEqual(['100 % é'])
  })

  test('the older push module: positions in headers, names in the query, polls that end with 408', async () => {
    // One worker: with two, a channel whose subscriber was timed out can be deaf on one of them.
    const live = await startNchan({}, 'push-module', '/publish?id={channel}')
    const relay = { url: '/activity?id={channel}', position: 'headers' } as const
    let timeouts = 0
    const counting: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (response.status === 408) timeouts++
      return response
    }
    const recording = recordNchan(live, ['longpolling'], relay, { environment: { fetch: counting } })
    recording.stream.addChannel('a').connect()
    await open(recording)
    const first = await publishNumbers(live, ['a'], 100, 200)
    await complete(recording, first)
    await recording.until(() => timeouts > 1)
    const stop = live.proxy.cutEvery(300)
    const second = await publishNumbers(live, ['b', 'a'], 400, 200)
    stop()
    const again = second.filter(({ channel }) => channel === 'a')
    await complete(recording, again)
    expect(recording.messages.map(numberOf)).toEqual([...first, ...again].map(({ n }) => n))
    expect(recording.gaps).toEqual([])
    expect(recording.stream.status.state).toBe('open')
  })

  test('the older push module: a channel that is not there is refused', async () => {
    const live = await startNchan({}, 'push-module', '/publish?id={channel}')
    await publishAll(live, 'there', 'one')
    const recording = recordNchan(live, ['longpolling'], { url: '/authorized?id={channel}', position: 'headers' })
    recording.stream.addChannel('there').addChannel('not-there').connect()
    await recording.until(() => recording.messages.length === 1 && recording.stream.channels.length === 1)
    expect(recording.errors.at(-1)).toMatchObject({ code: 'forbidden', channel: 'not-there', status: 403 })
  })
})

describe.skipIf(lacking(missing, missingRedis()) !== undefined)('two nodes that share Redis', () => {
  async function nodes() {
    const redis = await startRedis()
    cleanup(() => redis.close())
    const values = { redis: redis.url }
    return { redis, a: await startNchan({ values }, 'nchan-redis'), b: await startNchan({ values }, 'nchan-redis') }
  }

  test.each(allModes)('%s: published on A, subscribed on B; B is killed', async (mode) => {
    const { a, b } = await nodes()
    const recording = recordNchan(b, [mode], {}, { url: [b.proxy.url, a.proxy.url] })
    recording.stream.addChannel('a').addChannel('b').connect()
    await open(recording)
    const taken = await publishNumbers(a, ['a', 'b'], 600, 200, (n) => {
      if (n !== 300) return
      expect(a.proxy.requests).toEqual([])
      return b.nginx.kill()
    })
    await complete(recording, taken)
    expect(account(recording, taken), JSON.stringify(recording.gaps)).toEqual(perfect)
    expect(recording.stream.status.mode).toBe(mode)
  })

  test('a reload of a node loses nothing, and no gap is claimed', async () => {
    const { a } = await nodes()
    const recordings = allModes.map((mode) => recordNchan(a, [mode]))
    for (const { stream } of recordings) stream.addChannel('a').connect()
    await Promise.all(recordings.map(open))
    const taken = await publishNumbers(a, ['a'], 600, 200, (n) => n % 200 === 100 && void a.nginx.reload())
    for (const recording of recordings) {
      await complete(recording, taken)
      expect(account(recording, taken)).toEqual(perfect)
    }
  })
})
