import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { expect, test } from 'vitest'
import type { PushStreamError } from '../../src/errors.js'
import { PushStream } from '../../src/push-stream.js'
import { polled, render, templates } from './support/wire.js'

// A location whose expression knows the names of channels, or an application that authorises them, may not know what
// `.b1` behind a name means.

/** A client of an eventsource location that has one answer for names with a number of messages behind them. */
async function visit(refuses: (path: string) => boolean, status: number) {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({
    greeting: ': \n',
    answer(request) {
      if (refuses(request.path)) request.respond(status)
      else if (request.headers['x-nginx-pushstream-mode'] === undefined) request.accept()
      else request.respond(304)
    },
  })
  const stream = new PushStream({
    url: 'http://h',
    modes: ['eventsource'],
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  const texts: string[] = []
  const errors: string[] = []
  stream.on('message', ({ text }) => texts.push(text))
  stream.on('error', ({ code }) => errors.push(code))
  stream.addChannel('a').connect()
  await clock.advance(200)
  return { clock, server, stream, texts, errors }
}

const suffixed = (path: string) => /\.b\d+$/.test(path)

test.each([400, 401, 403, 404])(
  'a name with .b1 is answered %i → the name alone is asked for, without an error',
  async (status) => {
    const { clock, server, stream, texts, errors } = await visit(suffixed, status)
    expect(server.requests.map(({ path }) => path)).toEqual(['/ev/a.b1', '/ev/a'])
    expect([stream.status.state, errors]).toEqual(['open', []])
    server.open[0]!.send(`data: ${render(templates.quoted, 1, 'x', 'a')}\n\n`)
    await clock.advance(10)
    expect(texts).toEqual(['x'])
    stream.close()
  },
)

test('every name is refused → one request with .b1, one without, one error', async () => {
  const { clock, server, stream, errors } = await visit(() => true, 403)
  await clock.advance(60_000)
  expect(server.requests.map(({ path }) => path)).toEqual(['/ev/a.b1', '/ev/a'])
  expect([stream.channels, errors]).toEqual([[], ['forbidden']])
  stream.close()
})

/** A client by long-polling, and the texts that come. */
function polling(clock: ManualClock, { fetch }: FakeFetch) {
  const stream = new PushStream({
    url: 'http://h',
    modes: ['longpolling'],
    environment: manualEnvironment(clock, { fetch }),
  })
  const texts: string[] = []
  stream.on('message', ({ text }) => texts.push(text))
  return { stream, texts }
}

test('long-polls, and names without .b1 are refused late → what came since it was open comes, and nothing old', async () => {
  const clock = createManualClock(1_795_211_831_000)
  const openAt = clock.now() + 600
  let between = 1
  const server = createFakeFetch({
    answer(request) {
      const bad = request.path.includes('bad')
      // The second refusal is later than the time after which a long-poll counts as accepted.
      const refuse = () => request.open && request.respond(403)
      const since = Date.parse(new URL(request.url).searchParams.get('time') ?? '')
      if (request.method === 'OPTIONS') request.respond(200)
      else if (bad) clock.setTimeout(refuse, suffixed(request.path) ? 10 : 800)
      else if (suffixed(request.path)) request.respond(200, polled, render(templates.quoted, 1, 'old', 'good'))
      else if (since <= openAt && between-- > 0)
        request.respond(200, polled, render(templates.quoted, 2, 'between', 'good'))
    },
  })
  const { stream, texts } = polling(clock, server)
  let opened = 0
  stream.on('open', () => {
    opened ||= clock.now()
  })
  const errors: PushStreamError[] = []
  stream.on('error', (error) => errors.push(error))
  stream.addChannel('good').addChannel('bad').connect()
  await clock.advance(10_000)
  expect(errors.filter(({ code }) => code !== 'setup').map(({ code }) => code)).toEqual(['forbidden'])
  expect(opened).toBeLessThanOrEqual(openAt)
  expect([stream.channels, stream.status.state, texts]).toEqual([['good'], 'open', ['between']])
  stream.close()
})

test('a long-poll that counts as accepted is refused → one error, although the name alone is asked for first', async () => {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({
    answer(request) {
      const refuse = () => request.open && request.respond(403)
      if (request.method === 'OPTIONS') request.respond(200)
      else clock.setTimeout(refuse, suffixed(request.path) ? 800 : 10)
    },
  })
  const { stream } = polling(clock, server)
  const errors: PushStreamError[] = []
  stream.on('error', (error) => errors.push(error))
  stream.addChannel('a').connect()
  await clock.advance(5000)
  expect(errors.map(({ code, channel }) => [code, channel])).toEqual([['forbidden', 'a']])
  stream.close()
})

test('a long-poll for a name alone is answered with a message → no name is asked for with .b1 any more', async () => {
  const clock = createManualClock(1_795_211_831_000)
  let messages = 1
  const server = createFakeFetch({
    answer(request) {
      if (suffixed(request.path) || request.path.includes('bad')) request.respond(403)
      else if (request.method === 'GET' && messages-- > 0)
        request.respond(200, polled, render(templates.quoted, 1, 'new', 'a'))
    },
  })
  const { stream, texts } = polling(clock, server)
  stream.on('error', () => {})
  stream.addChannel('a').connect()
  await clock.advance(1000)
  stream.addChannel('bad')
  await clock.advance(10_000)
  expect([texts, stream.channels]).toEqual([['new'], ['a']])
  expect(server.requests.map(({ path }) => path).filter(suffixed)).toEqual(['/lp/a.b1'])
  stream.close()
})
