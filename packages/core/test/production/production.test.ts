// What differs in the production build, whose modules this project resolves to. The unit tests that run on them as well
// (vite.config.ts) show that the rest is the same.
import { readFileSync } from 'node:fs'
import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { PushStreamError } from '../../src/errors.js'
import { djangoEventStream } from '../../src/protocols/django-eventstream.js'
import { nchan } from '../../src/protocols/nchan.js'
import { PushStream } from '../../src/push-stream.js'
import { polled, render, templates } from '../unit/support/wire.js'

const headings = readFileSync(new URL('../../../../docs/troubleshooting.md', import.meta.url), 'utf8').match(
  /^## .*$/gm,
)

const lines: string[] = []
beforeEach(() => {
  lines.length = 0
  const warn = vi.spyOn(console, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)))
  return () => warn.mockRestore()
})

/** A client by eventsource on a page of the server, which answers each request. */
function visit(answer: (request: FakeRequest) => void) {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({ answer, greeting: ': \n\n' })
  const location = { protocol: 'http:', hostname: 'h', port: '' }
  const environment = manualEnvironment(clock, { fetch: server.fetch, location })
  const stream = new PushStream({ modes: ['eventsource'], environment })
  const delivered: unknown[] = []
  stream.on('message', ({ id }) => delivered.push(id))
  stream.on('gap', ({ first, last }) => delivered.push([first, last]))
  stream.addChannel('a').connect()
  return { clock, stream, delivered }
}

const isPoll = ({ headers }: FakeRequest) => headers['x-nginx-pushstream-mode'] === 'polling'
const page = (request: FakeRequest) => request.respond(200, { 'Content-Type': 'text/html' }, '<!doctype html>')
const refuse = (request: FakeRequest) => request.respond(403, { 'X-Nginx-PushStream-Explain': 'Forbidden' })

describe('a mistake of the first hour', () => {
  describe.each<[string, (request: FakeRequest) => void, Partial<PushStreamError>, string]>([
    ['no location', (request) => request.respond(404), { code: 'http', status: 404 }, 'missing'],
    ['no server', (request) => request.cut(), { code: 'unreachable', status: undefined }, 'unreachable'],
    ['a page of HTML', page, { code: 'http', status: 200 }, 'foreign'],
    ['no answer', () => undefined, { code: 'unreachable', status: undefined }, 'slow'],
    ['a refused channel', refuse, { code: 'forbidden', status: 403, channel: 'a' }, 'forbidden'],
  ])('%s', (_, answer, error, symptom) => {
    const url = expect.stringMatching(/^http:\/\/h\/ev\/a/)

    test('a listener → the same fields as in development', async () => {
      const { clock, stream } = visit(answer)
      const errors: PushStreamError[] = []
      stream.on('error', (one) => errors.push(one))
      await clock.advance(5000)
      expect(errors[0]).toMatchObject({ ...error, symptom, url, mode: 'eventsource' })
      stream.close()
    })

    test('no listener → one line of code, status, address and page', async () => {
      const { clock, stream } = visit(answer)
      await clock.advance(5000)
      stream.close()
      expect(lines).toHaveLength(1)
      const status = error.status && error.status !== 200 ? `.* status ${error.status}` : ''
      const address = ' http://h/ev/a[^ ]*'
      const named = ` docs/troubleshooting.md#${symptom}`
      expect(lines[0]).toMatch(new RegExp(`^pushstream: ${error.code}${status}.*${address}${named}$`))
      expect(lines[0]!.length).toBeLessThan(120)
      expect(headings).toContain(`## ${symptom}`)
    })
  })

  test('a client that was never connected → one line that names the page', async () => {
    const clock = createManualClock(0)
    const stream = new PushStream({ url: 'http://h', environment: manualEnvironment(clock) })
    stream.addChannel('a')
    await clock.advance(5000)
    stream.close()
    expect(lines).toEqual(['pushstream: setup idle docs/troubleshooting.md#idle'])
  })

  test('frames that the template does not describe → one line that quotes the first', async () => {
    const { clock, stream } = visit((request) => {
      if (isPoll(request)) return request.respond(304)
      request.accept()
      request.send(`data: ${render(templates.quoted, 1, 'x')}\n\n`)
      request.send('data: <oops>\n\n')
    })
    await clock.advance(500)
    stream.close()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^pushstream: setup .*<oops> docs\/troubleshooting.md#unreadable$/)
  })
})

describe('values that come at run time → the same codes as in development', () => {
  const client = (options: object = {}) => new PushStream({ url: 'http://h', ...options })

  test.each<[string, () => unknown, string]>([
    ['url is malformed', () => client({ url: 'http://[' }), 'bad-option'],
    ['url has another scheme', () => client({ url: 'ftp://h' }), 'bad-option'],
    ['url has a query', () => client({ url: 'http://h?x' }), 'bad-option'],
    ['one of several urls is malformed', () => client({ url: ['http://h', 'http://['] }), 'bad-option'],
    ['url is missing, without a page', () => client({ url: undefined }).connect(), 'bad-option'],
    ['no urls, without a page', () => client({ url: [] }).connect(), 'bad-option'],
    ['a date that is none', () => client({ messagesPublishedAfter: new Date(Number.NaN) }), 'bad-option'],
    [
      'a last event id of another server',
      () => client({ protocol: djangoEventStream(), lastEventId: 'x' }),
      'bad-option',
    ],
    ['backtrack is no number', () => client().addChannel('a', { backtrack: Number.NaN }), 'bad-option'],
    ['an empty channel name', () => client().addChannel(''), 'bad-channel'],
    ['a slash in a channel name', () => client().addChannel('a/b'), 'bad-channel'],
    ['a closed client', () => [client()].map((one) => [one.close(), one.connect()]), 'closed'],
    ['no mode that this runtime has', () => client({ modes: 'no such' }).addChannel('a').connect(), 'bad-option'],
  ])('%s', (_, act, code) => {
    expect(act).toThrow(expect.objectContaining({ name: 'PushStreamError', code }))
  })
})

describe('what a developer sees at once → not checked', () => {
  test.each<[string, () => unknown]>([
    ['an unknown option', () => new PushStream({ nope: 1 } as object)],
    ['a classic option', () => new PushStream({ host: 'h' } as object)],
    ['an option of the wrong type', () => new PushStream({ autoReconnect: 'yes' } as object)],
    ['an unknown event', () => new PushStream().on('nope' as 'message', () => {})],
    ['a classic callback', () => Object.assign(new PushStream(), { onmessage: () => {} })],
    ['an option of another server', () => new PushStream({ protocol: nchan(), urlPrefixStream: '/s' })],
    ['a setting of nchan', () => nchan({ position: 'nope' as 'query' })],
    ['a setting of djangoEventStream', () => djangoEventStream({ missingIds: 'nope' as 'ask' })],
  ])('%s', (_, act) => {
    expect(act).not.toThrow()
  })
})

test('a connection that is lost → resumed at the last position; a hole that stays → one gap', async () => {
  const asked: string[] = []
  const second = new Date(1_795_211_831_000).toUTCString()
  const frame = (id: number) => `data: ${render(templates.quoted, id, String(id), 'a', { time: second })}\n\n`
  const answers = [
    [3, 4],
    [4, 5, 8],
  ]
  let open: FakeRequest | undefined
  const { clock, stream, delivered } = visit((request) => {
    if (isPoll(request)) return request.respond(200, polled, frame(8))
    asked.push(`${request.path} ${request.query.get('time')}`)
    open = request
    request.accept()
    for (const id of answers.shift() ?? []) request.send(frame(id))
  })
  await clock.advance(500)
  open?.cut()
  await clock.advance(10_000)
  stream.close()
  expect(delivered).toEqual([4, 5, [6, 7], 8])
  expect(asked.slice(0, 2)).toEqual(['/ev/a.b1 null', `/ev/a ${second}`])
})
