import {
  createFakeFetch,
  createManualClock,
  type FakeFetch,
  type ManualClock,
  manualEnvironment,
} from '@pushstream/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { settingsOf } from '../../src/options.js'
import { nchan } from '../../src/protocols/nchan.js'
import { Pool } from '../../src/session/pool.js'
import { eventsource } from '../../src/transports/http.js'

let clock: ManualClock
let server: FakeFetch
let log: string[]
let pool: Pool

function begin(separator?: string): void {
  clock = createManualClock(1_795_211_831_000)
  server = createFakeFetch({ greeting: ': hi\n\n' })
  log = []
  const options = {
    url: 'http://h',
    modes: [eventsource],
    protocol: nchan(separator === undefined ? {} : { separator }),
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  }
  let told: string | undefined
  pool = new Pool(settingsOf(options, {}), {
    changed() {
      const { state } = pool.status
      if (state !== told) log.push(state)
      told = state
    },
    opened: () => log.push('opened'),
    refused: ({ channel, status }) => log.push(`refused ${channel} ${status}`),
    deleted: (channel) => log.push(`deleted ${channel}`),
    deadletter: (raw) => log.push(`dead ${raw}`),
    failed: ({ code }) => log.push(code),
    deliver: ({ channel, text }) => log.push(`${channel} ${text}`),
    gap: (channel) => log.push(`gap ${channel}`),
  })
}

const settle = (ms = 10) => clock.advance(ms)
const channelOf = ({ path }: { path: string }) => decodeURIComponent(path.slice('/sub/'.length))
const open = () => server.open
const of = (channel: string) => open().find((request) => channelOf(request) === channel)!
async function add(...names: string[]): Promise<void> {
  for (const name of names) pool.add(name, 0, undefined)
  pool.change()
  await settle()
}
async function accepted(...names: string[]): Promise<void> {
  await add(...names)
  for (const name of names) of(name).accept()
  await settle()
}
const message = (id: string, text: string) => `id: ${id}\ndata: ${text}\n\n`

beforeEach(() => begin())

describe('a connection for each channel', () => {
  test('each asks for its own, and what comes is of that', async () => {
    await accepted('a', 'b/c')
    expect(open().map(({ url }) => url)).toEqual(['http://h/sub/a', 'http://h/sub/b%2Fc'])
    of('b/c').send(message('1795211831:0', 'x'))
    of('a').send(message('1795211831:0', 'y'))
    await settle()
    expect(log.slice(-2)).toEqual(['b/c x', 'a y'])
    expect(pool.channels).toEqual(['a', 'b/c'])
  })

  test('the client is open when all of them are, and says so once', async () => {
    await add('a', 'b')
    of('a').accept()
    await settle()
    expect([pool.status.state, pool.status.mode, log]).toEqual(['connecting', undefined, ['connecting']])
    of('b').accept()
    await settle()
    expect([pool.status.state, pool.status.mode, pool.status.attempt]).toEqual(['open', 'eventsource', 0])
    expect(log.filter((one) => one === 'opened')).toHaveLength(1)
  })

  test('one that brings nothing but pings may be deaf: it is replaced, and what it missed is there, once', async () => {
    await accepted('a')
    const deaf = of('a')
    deaf.send(message('1795211831:0', 'a1'))
    for (let seconds = 0; seconds < 90 && server.requests.length === 1; seconds += 2) {
      await settle(2000)
      deaf.send('event: ping\n\n')
      await settle(0)
    }
    const successor = server.requests.at(-1)!
    expect([successor === deaf, successor.url]).toEqual([false, 'http://h/sub/a?last_event_id=1795211830:32767'])
    successor.accept()
    successor.send(message('1795211831:0', 'a1') + message('1795211850:0', 'a2'))
    await settle()
    expect(open()).toEqual([successor])
    expect(log).toEqual(['connecting', 'open', 'opened', 'a a1', 'a a2'])
  })

  test('one that brings messages is left alone', async () => {
    await accepted('a')
    const first = of('a')
    for (let seconds = 0; seconds < 200; seconds += 10) {
      first.send(message(`${1_795_211_831 + seconds}:0`, `${seconds}`))
      await settle(10_000)
    }
    expect(server.requests).toEqual([first])
  })

  test('one that is lost does not touch the others, and goes on from where it was', async () => {
    await accepted('a', 'b')
    for (const name of ['a', 'b']) of(name).send(message('1795211831:0', `${name}1`))
    await settle()
    const b = of('b')
    of('a').end()
    await settle(1000)
    expect(of('b')).toBe(b)
    expect(pool.status.state).toBe('connecting')
    expect(of('a').url).toBe('http://h/sub/a?last_event_id=0:0')
    log.length = 0
    of('a').accept()
    of('a').send(message('1795211831:0', 'a1') + message('1795211840:0', 'a2'))
    await settle()
    expect(log).toContain('a a2')
    expect(log).toContain('opened')
    expect(log.filter((one) => one.startsWith('gap'))).toEqual([])
    expect([pool.duplicates, pool.reconnects, pool.status.state]).toEqual([1, 1, 'open'])
  })

  test('after the time limit of the server, from the whole second', async () => {
    await accepted('a')
    of('a').send(message('1795211831:4', 'a1'))
    of('a').send(':408: 408 Request Timeout\n\n')
    await settle(1000)
    expect(of('a').url).toBe('http://h/sub/a?last_event_id=1795211830:32767')
  })

  test('one that is refused is given up, the others go on', async () => {
    await accepted('a')
    await add('b')
    of('b').respond(403)
    await settle(1000)
    // Another one is asked, to see whether it is really this channel.
    for (const request of open().filter((request) => channelOf(request) === 'b')) request.respond(403)
    await settle(5000)
    expect(log).toContain('refused b 403')
    expect([pool.channels, pool.status.state, open().map(channelOf)]).toEqual([['a'], 'open', ['a']])
  })

  test('one that is taken away is closed at once, and counted on', async () => {
    await accepted('a', 'b')
    of('a').send(message('1795211831:0', 'x') + message('1795211831:0', 'x'))
    await settle()
    expect(pool.duplicates).toBe(1)
    const { send } = of('a')
    expect([pool.remove('a'), pool.remove('a'), pool.remove('c')]).toEqual([true, false, false])
    pool.change()
    await settle()
    expect([open().map(channelOf), pool.channels, pool.duplicates]).toEqual([['b'], ['b'], 1])
    expect(() => send(message('1795211831:1', 'late'))).toThrow()
    expect(pool.status.state).toBe('open')
  })

  test('twice is once', () => {
    expect([pool.add('a', 0, undefined), pool.add('a', 0, undefined)]).toEqual([true, false])
  })

  test('without channels it is closed, and nothing is left behind', async () => {
    await accepted('a', 'b')
    pool.remove('a')
    pool.remove('b')
    pool.change()
    await settle()
    expect([pool.status.state, open(), clock.pending]).toEqual(['closed', [], 0])
  })

  test('disconnecting ends all of them, connecting begins them again', async () => {
    await accepted('a', 'b')
    pool.disconnect()
    await settle()
    expect([pool.status.state, open(), clock.pending]).toEqual(['closed', [], 0])
    pool.connect()
    await settle()
    expect(open().map(channelOf)).toEqual(['a', 'b'])
  })

  test('the worst says how the client is', async () => {
    await accepted('a', 'b')
    of('b').end()
    await settle(1200)
    of('b').respond(503)
    await settle()
    const { state, attempt, retryAt, error } = pool.status
    // The end of one that had brought nothing counts as well.
    expect([state, attempt, error?.code, error?.status]).toEqual(['waiting', 2, 'http', 503])
    expect(retryAt).toBeGreaterThan(clock.now())
  })
})

describe('one connection for all', () => {
  beforeEach(() => begin(','))

  test('with all names in it, and a successor for others', async () => {
    await add('a', 'b')
    expect(open().map(({ url }) => url)).toEqual(['http://h/sub/a%2Cb'])
    open()[0]?.accept()
    open()[0]?.send(message('1795211831:[0],-', 'w') + message('1795211831:0,[0]', 'x'))
    await settle()
    expect([log.slice(-2), pool.status.state]).toEqual([['a w', 'b x'], 'open'])
    await add('c')
    expect(open().map(({ url }) => url)).toEqual([
      'http://h/sub/a%2Cb',
      expect.stringMatching(/^http:\/\/h\/sub\/a%2Cb%2Cc\?last_event_id=179521183[01]:\[-\],-,-$/),
    ])
    open()[1]?.accept()
    await settle()
    expect(open().map(channelOf)).toEqual(['a,b,c'])
    pool.remove('a')
    pool.remove('b')
    pool.remove('c')
    pool.change()
    await settle()
    expect([pool.status.state, open(), clock.pending]).toEqual(['closed', [], 0])
  })
})
