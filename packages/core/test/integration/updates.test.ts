import { PushStream } from '@pushstream/core'
import { describe, expect, test, vi } from 'vitest'
import { cleanup, publishAtRate, startProxy, startServer } from './support.js'
import { recordUpdates, startRelay } from './updates-support.js'

const answer = (value: unknown) => JSON.stringify({ type: 'answer', value })
const epoch = 'Thu, 01 Jan 1970 00:00:00 GMT'
const second = 1700000000
const time = (offset = 0) => new Date((second + offset) * 1000).toUTCString()

/** Numbers sent, and what became of them: each once and in order. */
const numbersOf = (texts: readonly [string, string][]) => texts.map(([, text]) => (JSON.parse(text) as { n: number }).n)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('a Basic HTTP Push Relay', () => {
  test('everything that is stored, in the order of processors; the position of every request', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    relay.publish('main', answer(2), second)
    relay.publish('main', answer(3), second + 1)
    const { updates, until, gaps, errors } = recordUpdates()
    const got: string[] = []
    updates.registerProcessor('main', 'answer', (data) => got.push(`A1:${JSON.stringify(data)}`))
    updates.subscribe({ main: `${relay.url}/updates/main` })
    updates.registerProcessor('main', 'answer', (data) => got.push(`A2:${JSON.stringify(data)}`))
    await until(() => got.length === 6)
    expect(got).toEqual([1, 2, 3].flatMap((value) => ['A1', 'A2'].map((who) => `${who}:${answer(value)}`)))
    await until(() => relay.asked.length >= 4)
    expect(relay.asked[0]).toEqual(['/updates/main', epoch, '0'])
    expect(relay.asked).toContainEqual(['/updates/main', time(1), '0'])
    expect([gaps, errors]).toEqual([[], []])
  })

  test('a type nobody knows is dropped and the position moves on; nothing is replayed for who comes late', async () => {
    const relay = await startRelay()
    relay.publish('main', JSON.stringify({ type: 'unknown' }), second)
    const { updates, until, all } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1)
    const late = vi.fn()
    updates.registerProcessor('main', 'unknown', late)
    relay.publish('main', JSON.stringify({ type: 'unknown', n: 2 }), second + 5)
    await until(() => all.length === 2)
    expect(late.mock.calls.map(([data]) => data)).toEqual([{ type: 'unknown', n: 2 }])
  })

  test('a name subscribed again is left as it is, an empty address is ignored', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    relay.publish('other', answer(2), second)
    const { updates, until, all } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main`, empty: '', none: null })
    updates.subscribe({ main: `${relay.url}/updates/other` })
    await until(() => all.length === 1)
    expect(updates.names).toEqual(['main'])
    relay.publish('main', answer(3), second + 1)
    await until(() => all.length === 2)
    expect(all.map(([, text]) => text)).toEqual([answer(1), answer(3)])
    expect(relay.asked.every(([path]) => path === '/updates/main')).toBe(true)
  })

  test('status 500: again, with the same position', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const { updates, until, all, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1 && relay.waiting > 0)
    relay.failures.push(500, 500)
    relay.publish('main', answer(2), second + 1)
    // The poll that waits brings this one; those after it fail.
    await until(() => all.length === 2 && relay.failures.length === 0)
    relay.publish('main', answer(3), second + 2)
    await until(() => all.length === 3)
    expect(all.map(([, text]) => text)).toEqual([answer(1), answer(2), answer(3)])
    expect(errors.every(({ code, status }) => code === 'http' && status === 500)).toBe(true)
    expect(errors.length).toBeGreaterThan(0)
  })

  test('a processor that throws: the others are called, the channel goes on, the error is told', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const { updates, until, errors } = recordUpdates()
    const got: unknown[] = []
    const boom = new Error('boom')
    updates.registerProcessor('main', 'answer', () => {
      throw boom
    })
    updates.registerProcessor('main', 'answer', (data) => got.push((data as { value: number }).value))
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => got.length === 1)
    relay.publish('main', answer(2), second + 1)
    await until(() => got.length === 2)
    expect(got).toEqual([1, 2])
    expect(errors).toHaveLength(2)
    expect(errors[0]).toMatchObject({ code: 'listener', channel: 'main', cause: boom })
  })

  test('what is no JSON is told and not fetched again; null and an empty body are messages', async () => {
    const relay = await startRelay()
    const bodies = ['not JSON', 'null', '', '<p>', '{"type":"answer"', answer(1)]
    for (const body of bodies) relay.publish('main', body, second)
    const { updates, until, all, letters, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === bodies.length)
    expect(all.map(([, text]) => text)).toEqual(bodies)
    expect(letters.map(({ channel, raw, reason }) => [channel, raw, reason])).toEqual(
      ['not JSON', '', '<p>', '{"type":"answer"'].map((raw) => ['main', raw, 'it is no JSON']),
    )
    await until(() => relay.waiting > 0)
    const { length } = relay.asked
    // A loop would have begun by then.
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(relay.asked.length - length).toBeLessThan(3)
    expect(errors).toEqual([])
  })

  test.each(['cache-control', 'time'] as const)('where the Etag stands in %s', async (tells) => {
    const relay = await startRelay({ tells })
    for (const value of [1, 2, 3]) relay.publish('main', answer(value), second)
    relay.publish('main', answer(4), second + 1)
    const { updates, until, all, gaps, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 4)
    relay.publish('main', answer(5), second + 1)
    relay.publish('main', answer(6), second + 2)
    await until(() => all.length === 6)
    expect(all.map(([, text]) => text)).toEqual([1, 2, 3, 4, 5, 6].map(answer))
    expect(gaps).toEqual([])
    expect(errors.map(({ code, channel }) => [code, channel])).toEqual(tells === 'time' ? [['http', 'main']] : [])
    if (tells === 'time') expect(errors[0]!.message).toContain('Access-Control-Expose-Headers')
  })

  test('no position at all: nothing is handed on, and it is asked ever more seldom', async () => {
    const relay = await startRelay({ tells: 'nothing' })
    relay.publish('main', answer(1), second)
    const { updates, until, all, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => errors.length > 2)
    expect(errors[0]!.message).toContain('Last-Modified')
    expect(all).toEqual([])
    expect(relay.asked.length).toBeLessThan(12)
  })

  test('two names, one after the other, each with everything; then one of them ends, and begins anew', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const { updates, until, all } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1)
    updates.subscribe({ second: `${relay.url}/updates/main` })
    await until(() => all.length === 2)
    updates.unsubscribe('main')
    expect(updates.names).toEqual(['second'])
    relay.publish('main', answer(2), second + 1)
    await until(() => all.length === 3)
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 5)
    expect(all).toEqual([
      ['main', answer(1)],
      ['second', answer(1)],
      ['second', answer(2)],
      ['main', answer(1)],
      ['main', answer(2)],
    ])
    updates.unsubscribe()
    expect(updates.names).toEqual([])
    await until(() => relay.waiting === 0)
  })

  test('a name that is unauthorized is given up and can be subscribed anew; a missing one is waited for', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const refuse = relay.server.on('GET /updates/main', (exchange) => exchange.respond(401, {}, ''))
    let missing = 3
    const miss = relay.server.on('GET /updates/later', (exchange) => {
      if (--missing === 0) miss()
      exchange.respond(404, {}, '')
    })
    relay.publish('later', answer(2), second)
    const { updates, until, all, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main`, later: `${relay.url}/updates/later` })
    await until(() => errors.some(({ code }) => code === 'unauthorized') && all.length === 1)
    expect(updates.names).toEqual(['later'])
    expect(all).toEqual([['later', answer(2)]])
    refuse()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 2)
  })

  test.each([403, 404])('%i with retry: false → given up with an error, and can be subscribed anew', async (status) => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const refuse = relay.server.on('GET /updates/main', (exchange) => exchange.respond(status, {}, ''))
    const { updates, until, all, errors } = recordUpdates({ retry: false })
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => errors.length > 0)
    expect(errors[0]).toMatchObject({ channel: 'main', status })
    expect(updates.names).toEqual([])
    refuse()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1)
  })

  test.each([403, 404])('case 18: %i for a while → asked again with back-off, then its messages', async (status) => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    relay.failures.push(status, status, status)
    const { updates, until, all, errors } = recordUpdates()
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1)
    expect([updates.names, errors.map((error) => error.status)]).toEqual([['main'], [status, status, status]])
  })

  test('what looks like a frame of the push stream module is a message', async () => {
    const relay = await startRelay()
    const forged = (id: number, tag: number) =>
      `{"id":${id},"channel":"main","text":"{\\"type\\":\\"answer\\"}","tag":"${tag}","time":"${time()}","eventid":""}`
    for (let tag = 0; tag < 3; tag++) relay.publish('main', forged(7 + tag, tag), second)
    const { updates, until, all, gaps, messages } = recordUpdates()
    const fooled = vi.fn()
    updates.registerProcessor('main', 'answer', fooled)
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 3)
    expect(all.map(([, text]) => text)).toEqual([forged(7, 0), forged(8, 1), forged(9, 2)])
    expect(messages[0]!.data).toMatchObject({ id: 7, channel: 'main' })
    expect(fooled).not.toHaveBeenCalled()
    expect(gaps).toEqual([])
  })

  test('close leaves no request and no timer, and nothing is called any more', async () => {
    const relay = await startRelay()
    relay.publish('main', answer(1), second)
    const timers = new Set<unknown>()
    const { updates, until, all } = recordUpdates({
      environment: {
        setTimeout(callback, ms) {
          const timer = setTimeout(() => {
            timers.delete(timer)
            callback()
          }, ms)
          timers.add(timer)
          return timer
        },
        clearTimeout(timer) {
          timers.delete(timer)
          clearTimeout(timer as NodeJS.Timeout)
        },
      },
    })
    updates.subscribe({ main: `${relay.url}/updates/main` })
    await until(() => all.length === 1 && relay.waiting > 0)
    updates.close()
    updates.close()
    await until(() => relay.waiting === 0)
    expect(timers.size).toBe(0)
    relay.publish('main', answer(2), second + 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(all).toHaveLength(1)
    expect(() => updates.subscribe({ main: relay.url })).toThrow(/closed/)
  })

  test('200 messages while connections are cut: each once and in order', async () => {
    const relay = await startRelay()
    const proxy = await startProxy(relay.url)
    const { updates, until, all, gaps } = recordUpdates()
    updates.subscribe({ main: `${proxy.url}/updates/main` })
    const stop = proxy.cutEvery(300)
    await publishAtRate((channel, text) => relay.publish(channel, text), ['main'], 200, 100)
    stop()
    await until(() => all.length >= 200)
    expect(numbersOf(all)).toEqual(upTo(200))
    expect(gaps).toEqual([])
  })

  test('more is forgotten than was fetched: a gap, then what is left', async () => {
    const relay = await startRelay()
    const proxy = await startProxy(relay.url)
    const { updates, until, order } = recordUpdates()
    updates.subscribe({ main: `${proxy.url}/updates/main` })
    relay.publish('main', '1', second)
    await until(() => order.length === 1 && relay.waiting > 0)
    await proxy.refuse(true)
    proxy.cut()
    await until(() => relay.waiting === 0)
    for (const n of [2, 3, 4]) relay.publish('main', String(n), second + n)
    relay.forget('main', 3)
    await proxy.refuse(false)
    await until(() => order.length >= 3)
    expect(order).toHaveLength(3)
    expect(order[0]).toBe('1')
    expect(order[2]).toBe('4')
  })
})

const quoted = undefined
const raw = '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~","eventid":"~event-id~"}'
const django = '{"text":~text~,"id":~id~,"channel":"~channel~","time":"~time~","eventid":"~event-id~"}'
const bare = '~text~'
const headersOnly = { lastReceivedMessageTime: null, lastReceivedMessageTag: null, lastEventId: null }

describe.each([
  ['the usual template', quoted, {}],
  ['raw JSON in the template', raw, {}],
  ['a template without a tag, its text first', django, {}],
  ['bodies alone', bare, {}],
  ['positions by header, the usual template', quoted, headersOnly],
  ['positions by header, bodies alone', bare, headersOnly],
] as const)('a push stream server: %s', (_, messageTemplate, bound) => {
  const settings = { ...(messageTemplate === undefined ? {} : { messageTemplate }), ...bound }
  const encode = messageTemplate === quoted ? encodeURIComponent : (text: string) => text
  const told = messageTemplate === django ? { messageTemplate } : {}

  test('what is stored, then what comes, with types', async () => {
    const { server, url } = await startServer({ settings })
    const bodies = ['{"type":"answer","text":"x","id":3}', '{"a":"}{"}', '[1,2]', '{"type":"other"}']
    for (const body of bodies) server.publish('my channel', encode(body))
    const { updates, until, all, letters, gaps, errors } = recordUpdates(told)
    const got: unknown[] = []
    updates.registerProcessor('main', 'answer', (data) => got.push(data))
    updates.subscribe({ main: `${url}/lp/my%20channel` })
    await until(() => all.length === bodies.length)
    for (const body of ['{"type":"answer","n":1}', '"a text"', '17']) server.publish('my channel', encode(body))
    await until(() => all.length === bodies.length + 3)
    expect(got).toEqual([
      { type: 'answer', text: 'x', id: 3 },
      { type: 'answer', n: 1 },
    ])
    expect(all.every(([name]) => name === 'main')).toBe(true)
    expect([gaps, errors]).toEqual([[], []])
    expect(letters.filter(({ raw }) => raw !== 'a text')).toEqual([])
  })

  test('200 messages while connections are cut, the server reloads: each once and in order', async () => {
    const { server, url } = await startServer({ settings })
    const proxy = await startProxy(url)
    const { updates, until, all, gaps } = recordUpdates(told)
    updates.subscribe({ main: `${proxy.url}/lp/main` })
    const stop = proxy.cutEvery(300)
    await publishAtRate(
      (channel, text) => server.publish(channel, encode(text)),
      ['main', 'other'],
      400,
      150,
      (number) => {
        if (number === 200) server.reload()
      },
    )
    stop()
    await until(() => all.length >= 200)
    expect(numbersOf(all)).toEqual(upTo(400).filter((n) => n % 2 === 0))
    expect(gaps).toEqual([])
  })

  test('a restart loses what was stored: nothing is lost without a gap', async () => {
    const { server, url } = await startServer({ settings })
    const proxy = await startProxy(url)
    const { updates, until, order } = recordUpdates(told)
    updates.subscribe({ main: `${proxy.url}/lp/main` })
    server.publish('main', encode('{"n":1}'))
    await until(() => order.length === 1)
    await proxy.refuse(true)
    proxy.cut()
    server.publish('main', encode('{"n":2}'))
    // Times are whole seconds: no server restarts and publishes within the one of its last message.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    server.restart()
    server.publish('main', encode('{"n":3}'))
    await proxy.refuse(false)
    await until(() => order.length >= 3)
    expect(order[0]).toBe('{"n":1}')
    expect(order[1]).toMatch(/restart|overflow/)
    expect(order.slice(2)).toEqual(['{"n":3}'])
  })
})

describe('a push stream server', () => {
  test('what cannot be a frame of it, with its Etag: messages of bodies alone', async () => {
    const { server, url } = await startServer({ settings: { messageTemplate: bare } })
    const old = new Date(0).toUTCString()
    const forged = [
      '{"id":1,"channel":"main","text":"x"}',
      `{"id":1,"channel":"main","text":"x","tag":"1","time":"${old}","eventid":""}`,
      '{"id":-2,"channel":"main","text":"Channel deleted","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT","eventid":""}',
      '{"text":"{\\"type\\":\\"answer\\"}"}',
    ]
    for (const body of forged) server.publish('main', body)
    const { updates, until, all, gaps } = recordUpdates()
    updates.subscribe({ main: `${url}/lp/main` })
    await until(() => all.length === forged.length)
    expect(all.map(([, text]) => text)).toEqual(forged)
    for (const body of forged) server.publish('main', body.replace('main', 'more'))
    await until(() => all.length === 2 * forged.length)
    expect(gaps).toEqual([])
  })

  test('told to be bodies alone, what could be a frame is a message all the same', async () => {
    const { server, url } = await startServer({ settings: { messageTemplate: bare } })
    const { updates, until, all } = recordUpdates({ messageTemplate: bare })
    updates.subscribe({ main: `${url}/lp/main` })
    const at = new Date().toUTCString()
    for (let tag = 1; tag < 4; tag++) {
      server.publish('main', `{"id":1,"channel":"main","text":"x","tag":"${tag}","time":"${at}","eventid":""}`)
    }
    await until(() => all.length === 3)
    expect(all.every(([, text]) => text.startsWith('{"id":1'))).toBe(true)
  })

  test('several channels by one address, in the order of time', async () => {
    const { server, url } = await startServer()
    for (let n = 0; n < 6; n++) server.publish(n % 2 ? 'b' : 'a', encodeURIComponent(JSON.stringify({ n })))
    const { updates, until, all, gaps } = recordUpdates()
    updates.subscribe({ main: `${url}/lp/a/b` })
    await until(() => all.length === 6)
    for (let n = 6; n < 12; n++) server.publish(n % 2 ? 'b' : 'a', encodeURIComponent(JSON.stringify({ n })))
    await until(() => all.length === 12)
    expect(numbersOf(all)).toEqual(upTo(12))
    expect(gaps).toEqual([])
  })

  test('four workers that deliver out of order and skip: nothing is lost without a gap', async () => {
    const { server, url } = await startServer({ workers: 4, seed: 3 })
    const { updates, until, all, gaps } = recordUpdates()
    updates.subscribe({ main: `${url}/lp/main` })
    await publishAtRate((channel, text) => server.publish(channel, encodeURIComponent(text)), ['main'], 300, 150)
    await until(() => all.at(-1)?.[1] === '{"n":299}')
    expect(gaps).toEqual([])
    expect(numbersOf(all)).toEqual(upTo(300))
  })

  test('a deleted channel: it is told, and what comes after it comes', async () => {
    const { server, url } = await startServer()
    const { updates, until, all, gaps } = recordUpdates()
    const deleted: string[] = []
    updates.on('channeldeleted', ({ channel }) => deleted.push(channel))
    server.publish('c', '1')
    updates.subscribe({ main: `${url}/lp/c` })
    await until(() => all.length === 1 && server.stats().subscribers === 1)
    server.deleteChannel('c')
    await until(() => deleted.length === 1)
    server.publish('c', '2')
    await until(() => all.length === 2)
    expect(deleted).toEqual(['main'])
    expect(gaps).toEqual([])
  })
})

describe('another origin that does not expose the Etag', () => {
  const hidden: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    const headers = new Headers(response.headers)
    headers.delete('Etag')
    return new Response(response.status === 304 ? null : response.body, { status: response.status, headers })
  }

  test('frames tell it: each once and in order, while connections are cut', async () => {
    const { server, url } = await startServer()
    const proxy = await startProxy(url)
    const publish = (channel: string, text: string) => server.publish(channel, encodeURIComponent(text))
    for (let n = 0; n < 5; n++) publish('main', `{"n":${-5 + n}}`)
    const { updates, until, all, gaps, errors } = recordUpdates({ environment: { fetch: hidden } })
    updates.subscribe({ main: `${proxy.url}/lp/main` })
    await until(() => all.length === 5)
    const stop = proxy.cutEvery(300)
    await publishAtRate(publish, ['main', 'other'], 200, 100)
    stop()
    await until(() => all.length >= 105)
    expect(numbersOf(all).slice(5)).toEqual(upTo(200).filter((n) => n % 2 === 0))
    expect(gaps).toEqual([])
    expect(errors.filter(({ message }) => message.includes('Etag'))).toEqual([])
  })

  test('several bodies alone have no place: an error says what to do, and nothing comes twice', async () => {
    const { server, url } = await startServer({ settings: { messageTemplate: bare } })
    for (let n = 0; n < 5; n++) server.publish('main', `{"n":${n}}`)
    const { updates, until, all, errors } = recordUpdates({ environment: { fetch: hidden } })
    updates.subscribe({ main: `${url}/lp/main` })
    await until(() => errors.some(({ message }) => message.includes('several messages whose place is not told')))
    expect(all).toEqual([])
  })
})

test('a client of the page: its channels go to the same processors, and it stays open', async () => {
  const { server, url } = await startServer()
  const relay = await startRelay()
  const client = new PushStream({ url, modes: ['eventsource'] })
  cleanup(() => client.close())
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  cleanup(() => warn.mockRestore())
  const { updates, until, all, letters } = recordUpdates({ client })
  client.addChannel('user-42').connect()
  await until(() => client.status.state === 'open')
  const got: unknown[] = []
  updates.registerProcessor('user-42', 'answer', (data, { channel }) => got.push([channel, data]))
  updates.registerProcessor('main', 'answer', (data, { channel }) => got.push([channel, data]))
  server.publish('user-42', encodeURIComponent(answer(1)))
  server.publish('user-42', 'plain%20text')
  await until(() => all.length === 2)
  updates.subscribe({ main: `${relay.url}/updates/main` })
  relay.publish('main', answer(2), second)
  await until(() => got.length === 2)
  expect(got).toEqual([
    ['user-42', { type: 'answer', value: 1 }],
    ['main', { type: 'answer', value: 2 }],
  ])
  updates.close()
  expect(client.status.state).toBe('open')
  expect(letters).toEqual([])
  expect(warn).not.toHaveBeenCalled()
})
