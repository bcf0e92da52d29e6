import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Report } from '@pushstream/core/diagnose'
import { createDevServer, type DevServerOptions } from '@pushstream/devserver'
import { freePort } from '@pushstream/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { run } from '../../src/run.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  while (ends.length > 0) await ends.pop()?.()
})

async function startServer(options: DevServerOptions = {}) {
  const { settings, ...rest } = options
  const server = createDevServer({ ...rest, settings: { pingMessageInterval: 200, ...settings } })
  const port = await freePort()
  await server.listen(port)
  ends.push(() => server.close())
  return { server, url: `http://127.0.0.1:${port}` }
}

async function doctor(...args: string[]) {
  let out = ''
  let err = ''
  const code = await run(args, {
    stdout: (text) => {
      out += text
    },
    stderr: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

const quick = ['--wait', '600']

test('a good server, without a publisher → 0, a table that says what it could not see, and nothing is published', async () => {
  const { server, url } = await startServer()
  const { code, out, err } = await doctor(url, '--channel', 'news', ...quick)
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('✓ modes')
  expect(out).toMatch(/\? publishing +cannot tell: needs a publisher/)
  expect(out).toMatch(/\? stored messages +cannot tell: nothing is stored in this channel/)
  expect(out).toContain('No faults were found.')
  expect(server.store.find('news')?.messages ?? []).toEqual([])
})

test('a message is stored → the template and the position are looked at without a publisher', async () => {
  const { server, url } = await startServer()
  server.publish('news', 'x', { eventId: 'e1' })
  server.publish('news', 'y', { eventId: 'e2' })
  const { code, out } = await doctor(url, '-c', 'news', ...quick)
  expect(code).toBe(0)
  expect(out).toMatch(/✓ template +messages have all fields/)
  expect(out).toMatch(
    /✓ resume by time and tag +websocket by argument, eventsource by argument, longpolling by argument/,
  )
  expect(out).toMatch(/✓ resume by event id/)
  expect(out).toMatch(/✓ several channels/)
  expect(server.store.find('news')?.messages).toHaveLength(2)
})

test('a publisher → four texts in the named channel, and everything is looked at', async () => {
  const { server, url } = await startServer()
  const { code, out } = await doctor(url, '-c', 'a b', '--publish', `${url}/pub?id={channel}`, '--limits', ...quick)
  expect(out).not.toContain('cannot tell')
  expect(code).toBe(0)
  expect(server.store.find('a b')?.messages).toHaveLength(4)
})

test('a fault → 1, the directive for both servers, and where the page has more', async () => {
  const { url } = await startServer({ settings: { storeMessages: false } })
  const { code, out } = await doctor(url, '--publish', `${url}/pub`, ...quick)
  expect(code).toBe(1)
  expect(out).toContain('✗ stored messages')
  expect(out).toContain('push stream module:  push_stream_store_messages on;')
  expect(out).toContain('Nchan:               nchan_store_messages on;')
  expect(out).toContain('docs/troubleshooting.md#unstored')
})

test('--json → the report', async () => {
  const { url } = await startServer({ settings: { lastReceivedMessageTag: 'other' } })
  const { code, out } = await doctor(url, '--publish', `${url}/pub`, '--json', ...quick)
  const report = JSON.parse(out) as Report
  expect(code).toBe(1)
  expect(report.ok).toBe(false)
  expect(report.findings).toEqual([
    {
      fault: 'tag',
      modes: ['websocket', 'eventsource', 'longpolling'],
      detail: expect.any(String),
      pushStream: 'push_stream_last_received_message_tag "$arg_tag";',
      docs: 'docs/troubleshooting.md#tag',
    },
  ])
})

test('--ignore → no fault', async () => {
  const { url } = await startServer({ settings: { lastEventId: 'other' } })
  const args = [url, '--publish', `${url}/pub`, ...quick]
  expect(await doctor(...args)).toMatchObject({ code: 1 })
  expect(await doctor(...args, '--ignore', 'eventid')).toMatchObject({ code: 0 })
})

test.each([
  ['by default, the locations of the default modes', [], ['/ws', '/ev', '/lp']],
  ['those that were named, and no others', ['--modes', 'eventsource', '--eventsource', '/events'], ['/events']],
])('every request goes to %s', async (_, args, places) => {
  const asked = new Set<string>()
  const http = createServer((request, response) => {
    asked.add((request.url as string).replace(/\/news.*/, ''))
    response.writeHead(404).end()
  })
  http.on('upgrade', (request, socket) => {
    asked.add((request.url as string).replace(/\/news.*/, ''))
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n')
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  ends.push(() => new Promise((resolve) => http.close(resolve)))
  const { code, out } = await doctor(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, '-c', 'news', ...args)
  expect(code).toBe(1)
  expect(out).toContain('No location')
  expect(asked).toEqual(new Set(places))
})

test('eventsource alone over HTTP/1.1 → six connections for all tabs', async () => {
  const { url } = await startServer({ locations: [{ path: '/events/', mode: 'eventsource' }] })
  const { code, out } = await doctor(url, '--modes', 'eventsource', '--eventsource', '/events', ...quick)
  expect([code, out.includes('Six connections for all tabs')]).toEqual([1, true])
})

test('no server → 1, and the address that nobody answers at', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const { code, out } = await doctor(url, ...quick)
  expect(code).toBe(1)
  expect(out).toContain('No server answers (websocket, eventsource, longpolling)')
  expect(out).toContain('ECONNREFUSED')
  expect(out).toContain('cannot tell: no mode works')
})

test('a server whose answer has characters that a terminal obeys → they are shown', async () => {
  const { url } = await startServer({ settings: { messageTemplate: '[~id~|\u001b[2J~channel~|~text~' } })
  const { out } = await doctor(url, '--publish', `${url}/pub`, ...quick)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
  expect(out).not.toMatch(/\u001b/)
})

describe('what was not understood → 2, and what was meant', () => {
  test.each([
    [[], 'Which server? Give its address.'],
    [['example.org'], "<url> is an address that begins with http: or https:, not 'example.org'."],
    [['http://a', 'http://b'], "One address, not also 'http://b'."],
    [['http://a', '--chanel', 'x'], "Unknown option '--chanel'. Did you mean '--channel'?"],
    [['http://a', '--modes', 'websockt'], "not 'websockt'. Did you mean 'websocket'?"],
    [['http://a', '--server', 'nchn'], "not 'nchn'. Did you mean 'nchan'?"],
    [['http://a', '--ignore', 'event-id'], "Did you mean 'eventid'?"],
    [['http://a', '--location', '/sub'], '--location is for --server nchan.'],
    [['http://a', '--server', 'nchan', '--template', 'x'], '--template is for the push stream module.'],
    [['http://a', '--server', 'nchan', '--location', '/sub'], '{channel}'],
    [['http://a', '--wait', 'long'], "--wait is a number of milliseconds, not 'long'."],
    [['http://a', '--publish', '/pub'], '--publish is an address'],
    [['http://a', '-H', 'secret'], "--header wants 'Name: value'"],
    [['http://a', '-c', 'a/b'], "can't contain '/'"],
  ])('%j', async (args, message) => {
    const { code, out, err } = await doctor(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err).toContain('Try --help.')
  })
})

test('--help and --version', async () => {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }
  expect(await doctor('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  const { code, out } = await doctor('--help')
  expect(code).toBe(0)
  expect(out).toMatch(/^Usage: pushstream-doctor <url>/)
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
})
