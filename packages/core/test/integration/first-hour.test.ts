import { createServer, type RequestListener } from 'node:http'
import { type ModeName, messageTemplate, nchan, type Options, PushStream, type PushStreamError } from '@pushstream/core'
import { createDevServer } from '@pushstream/devserver'
import { freePort } from '@pushstream/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CatchAll, startSite } from './site.js'
import { cleanup, environment, startServer } from './support.js'

// The mistakes of the first hour: the console names each, with the address and what to change. Nobody listens.

const lines: string[] = []
beforeEach(() => {
  lines.length = 0
  const warn = vi.spyOn(console, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)))
  cleanup(() => warn.mockRestore())
})

/** How long the console may take, in ms. */
const soon = 5000

interface Visit {
  readonly stream: PushStream
  readonly states: readonly string[]
}

function visit(options: Options, channels: readonly string[] = ['a']): Visit {
  const stream = new PushStream({ ...options, environment: { ...environment, ...options.environment } })
  cleanup(() => stream.close())
  const states: string[] = []
  stream.on('status', ({ state }) => states.push(state))
  for (const channel of channels) stream.addChannel(channel)
  stream.connect()
  return { stream, states }
}

const said = () => vi.waitFor(() => expect(lines).not.toEqual([]), { timeout: soon, interval: 20 })
const open = ({ stream }: Visit) =>
  vi.waitFor(() => expect(stream.status.state).toBe('open'), { timeout: soon, interval: 5 })

/** A server with one answer. Resolves to its address. */
async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanup(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${port}`
}

const html = (body: string, more: Record<string, string> = {}): CatchAll => ({
  status: 200,
  headers: { 'content-type': 'text/html', ...more },
  body,
})
/** What nginx adds to a file, and what `expires epoch` does. */
const file = { 'last-modified': 'Fri, 20 Nov 2026 21:58:40 GMT', etag: '"656f1c2a-1c"' }
const epoch = { expires: 'Thu, 01 Jan 1970 00:00:01 GMT' }

const foreign: Record<string, CatchAll> = {
  HTML: html('<!doctype html><p>Welcome</p>'),
  'HTML that begins with a comment': html('<!-- cached --><!DOCTYPE html><p>Welcome</p>'),
  'a file of HTML': html('<!doctype html><p>Welcome</p>', file),
  'HTML that no cache may keep': html('<!-- x --><html></html>', epoch),
  JSON: { status: 200, headers: { 'content-type': 'application/json' }, body: '{"error":"not found"}' },
  'JSON without a type': { status: 200, body: '{"error":"not found"}' },
  'an empty body': { status: 200 },
}

describe.each(Object.entries(foreign))('case 34: every path answers 200 with %s', (_, otherwise) => {
  test.each<ModeName>(['eventsource', 'stream', 'longpolling'])('%s → one warning, never open', async (mode) => {
    const url = await startSite('http://127.0.0.1:1', { locations: [], otherwise })
    const { states } = visit({ url, modes: [mode] })
    await said()
    expect(lines[0]).toContain(`${mode} invalid`)
    expect(lines[0]).toContain(url)
    expect(lines[0]).toContain('No push server answers like that')
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect([lines.length, states.includes('open')]).toEqual([1, false])
  })

  test('nchan by longpolling → one warning, never open', async () => {
    const url = await startSite('http://127.0.0.1:1', { locations: [], otherwise })
    const { states } = visit({ url, modes: ['longpolling'], protocol: nchan() })
    await said()
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(lines.join()).toContain('No push server answers like that')
    expect(states).not.toContain('open')
  })

  test('every mode → one warning that names the answer', async () => {
    const url = await startSite('http://127.0.0.1:1', { locations: [], otherwise })
    const { states } = visit({ url })
    await said()
    expect(lines[0]).toContain('No push server answers like that')
    expect(states).not.toContain('open')
  })
})

test('a redirect to a login page → the warning says so', async () => {
  const url = await answering(({ url: path }, response) => {
    if (path === '/login') response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>')
    else response.writeHead(302, { location: '/login' }).end()
  })
  visit({ url })
  await said()
  expect(lines).toEqual([expect.stringMatching(/redirected.*text\/html.*No push server/)])
})

test('case 31: no server there → the address, without secrets, and what to check', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const { stream } = visit({ url, modes: 'eventsource', params: { token: 'secret' } })
  await said()
  expect(lines).toEqual([expect.stringContaining(`eventsource refused at ${url}/ev/a.b1?token=…`)])
  expect(lines.join()).toContain('Is a server running there?')
  expect(stream.status.error).toMatchObject({
    code: 'unreachable',
    mode: 'eventsource',
    status: undefined,
    url: `${url}/ev/a.b1?token=…`,
    symptom: 'unreachable',
    cause: expect.any(TypeError),
  })
})

test('case 31: two locations with different answers → each error has the address and the status of its own', async () => {
  const url = await answering(({ url: path }, response) => {
    response.writeHead(path?.startsWith('/ev/') ? 502 : 404).end()
  })
  const { stream } = visit({ url, modes: 'eventsource|longpolling' })
  const errors: PushStreamError[] = []
  stream.on('error', (error) => errors.push(error))
  await vi.waitFor(() => expect(new Set(errors.map(({ mode }) => mode)).size).toBe(2))
  for (const { mode, status, url: at } of errors) {
    expect([mode, status, at?.replace(/\.b1$/, '')]).toEqual(
      mode === 'eventsource' ? ['eventsource', 502, `${url}/ev/a`] : ['longpolling', 404, `${url}/lp/a`],
    )
  }
  expect(lines).toEqual([])
})

test('a listener of errors → it gets all, and the console stays quiet', async () => {
  const { stream } = visit({ url: `http://127.0.0.1:${await freePort()}` })
  const errors: PushStreamError[] = []
  stream.on('error', (error) => errors.push(error))
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(5), soon)
  expect(lines).toEqual([])
})

test('no location of that name → the warning names the option', async () => {
  visit({ url: await startSite('http://127.0.0.1:1', { locations: [], otherwise: { status: 404 } }) })
  await said()
  expect(lines).toEqual([
    expect.stringMatching(/longpolling status 404 at http.*\/lp\/a.*set urlPrefix…, or 'protocol'/),
  ])
})

test('a websocket that is refused, where eventsource works → not a word', async () => {
  const { url } = await startServer()
  const site = await startSite(url, { locations: ['/ev/'], otherwise: { status: 404 } })
  const visited = visit({ url: site })
  await open(visited)
  await new Promise((resolve) => setTimeout(resolve, soon))
  expect([lines, visited.stream.status.mode]).toEqual([[], 'eventsource'])
})

describe('case 38: another protocol', () => {
  test.each<[ModeName, RequestListener]>([
    [
      'eventsource',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write(': hi\n\n')
      },
    ],
    [
      'longpolling',
      (_, response) => {
        response.writeHead(200, { ...file, etag: '2', vary: 'If-None-Match, If-Modified-Since' }).end('text')
      },
    ],
  ])('%s of Nchan, spoken to as the module → set protocol', async (mode, listener) => {
    visit({ url: await answering(listener), modes: [mode] })
    await said()
    expect(lines).toEqual([expect.stringContaining('set protocol: nchan()')])
  })

  test.each<[ModeName, string]>([
    ['eventsource', '/ev/{channel}'],
    ['longpolling', '/lp/{channel}'],
  ])('%s of the module, spoken to as Nchan → leave it out', async (mode, location) => {
    const { server, url } = await startServer()
    const { stream } = visit({ url, modes: [mode], protocol: nchan({ url: location }) })
    const texts: string[] = []
    stream.on('message', ({ text }) => texts.push(text))
    const publishing = setInterval(() => server.publish('a', 'x'), 200)
    cleanup(() => clearInterval(publishing))
    await said()
    expect(lines).toEqual([expect.stringContaining(`leave out 'protocol'`)])
    expect(texts).toEqual([])
  })
})

test('a refused channel → the channel, the reason and the directive', async () => {
  const { server, url } = await startServer({ settings: { authorizedChannelsOnly: true } })
  server.publish('there', 'x')
  const { stream } = visit({ url }, ['there', 'nosuch'])
  await said()
  expect(lines).toEqual([expect.stringMatching(/'nosuch'.*403.*at (ws|http).*push_stream_authorized_channels_only/)])
  expect(stream.channels).toEqual(['there'])
})

test.each<ModeName>(['eventsource', 'stream'])(
  '%s: an answer that ends at once → one warning with its address',
  async (mode) => {
    const url = await answering((_, response) => {
      response.writeHead(200, { 'content-type': mode === 'stream' ? 'text/plain' : 'text/event-stream' }).end()
    })
    visit({ url, modes: [mode] })
    await said()
    expect(lines).toEqual([expect.stringContaining(url)])
  },
)

test('a proxy that passes the headers on and keeps the body → proxy_buffering', async () => {
  const url = await answering((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  })
  const { states } = visit({ url, modes: 'eventsource' })
  await said()
  expect(lines).toEqual([expect.stringMatching(/eventsource opened.*at http.*proxy_buffering off/)])
  expect(states).not.toContain('open')
})

test.each<ModeName>(['eventsource', 'websocket'])(
  '%s: a server that never answers → what is waited for',
  async (mode) => {
    const url = await answering(() => {})
    visit({ url, modes: [mode], timeout: 60_000 })
    await said()
    expect(lines).toEqual([expect.stringMatching(/No answer yet from (http|ws).*use websocket or HTTP\/2/)])
  },
)

describe('what a server does not keep', () => {
  test.each<[string, ModeName]>([
    ['stores nothing', 'eventsource'],
    ['stores nothing', 'websocket'],
    ['stores nothing', 'longpolling'],
  ])('%s, %s → the directive', async (_, mode) => {
    const { server, url } = await startServer()
    const visited = visit({ url, modes: [mode] })
    await open(visited)
    server.publish('a', 'x', { store: false })
    await said()
    expect(lines).toEqual([expect.stringContaining('push_stream_store_messages on')])
  })

  test('a template without id, time and tag → what it lacks', async () => {
    const messageTemplate = '{"channel":"~channel~","text":"~text~"}'
    const { server, url } = await startServer({ settings: { messageTemplate } })
    const visited = visit({ url })
    await open(visited)
    server.publish('a', 'x')
    await said()
    expect(lines).toEqual([expect.stringContaining('~id~, ~time~ and ~tag~')])
  })

  test('all is stored, and messages come → not a word', async () => {
    const { server, url } = await startServer()
    for (const mode of ['eventsource', 'websocket', 'longpolling', 'stream'] as const) {
      const visited = visit({ url, modes: [mode] }, [mode])
      await open(visited)
      server.publish(mode, 'x')
    }
    await new Promise((resolve) => setTimeout(resolve, 7000))
    expect(lines).toEqual([])
  })
})

test('case 4: a frame that cannot be read, and nobody listens → one warning', async () => {
  const messageTemplate = '[~id~|~channel~|~text~]'
  const { server, url } = await startServer({ settings: { messageTemplate } })
  const visited = visit({ url })
  await open(visited)
  for (let n = 0; n < 3; n++) server.publish('a', '{"broken')
  await said()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const unread = lines.filter((line) => line.includes('push_stream_message_template'))
  expect(unread).toHaveLength(1)
})

test('case 35: a listener throws → the console has it, error listeners too, and the stream goes on', async () => {
  const { server, url } = await startServer()
  const thrown: unknown[] = []
  const console_ = vi.spyOn(console, 'error').mockImplementation((cause) => void thrown.push(cause))
  cleanup(() => console_.mockRestore())
  const visited = visit({ url })
  const texts: string[] = []
  const boom = new Error('boom')
  visited.stream.on('message', () => {
    throw boom
  })
  visited.stream.on('message', ({ text }) => texts.push(text))
  await open(visited)
  server.publish('a', '1')
  await vi.waitFor(() => expect(texts).toEqual(['1']))
  const errors: PushStreamError[] = []
  visited.stream.on('error', (error) => errors.push(error))
  server.publish('a', '2')
  await vi.waitFor(() => expect(texts).toEqual(['1', '2']))
  expect(thrown).toEqual([boom, boom])
  expect(errors).toEqual([expect.objectContaining({ code: 'listener', cause: boom })])
  expect(lines).toEqual([])
})

test.each<[string, (stream: PushStream) => void]>([
  ['connect without a channel', (stream) => stream.connect()],
  ['a channel, and no connect', (stream) => stream.addChannel('a')],
])('case 36: %s → one warning', async (_, act) => {
  const { url } = await startServer()
  const stream = new PushStream({ url, environment })
  cleanup(() => stream.close())
  act(stream)
  await said()
  expect(lines).toEqual([expect.stringContaining('Call addChannel and connect')])
})

test('case 27: an event, an option or a mode that there is not → refused with what was meant', () => {
  const stream = new PushStream({ url: 'http://127.0.0.1' })
  const any = stream as unknown as Record<string, (...values: unknown[]) => void>
  expect(() => any.on?.('mesage', () => {})).toThrow(`Unknown event 'mesage'. Did you mean 'message'?`)
  expect(() => any.once?.('Error', () => {})).toThrow(`Did you mean 'error'?`)
  expect(() => any.addChannel?.('a', { backtrak: 4 })).toThrow(`Did you mean 'backtrack'?`)
  // @ts-expect-error there is no such mode
  expect(() => new PushStream({ url: 'http://127.0.0.1', modes: 'websockt' })).toThrow(`Did you mean 'websocket'?`)
})

test('Node without WebSocket, and websocket alone → says where to get it', () => {
  const stream = new PushStream({ url: 'http://127.0.0.1', modes: 'websocket', environment: { WebSocket: undefined } })
  cleanup(() => stream.close())
  expect(() => stream.addChannel('a').connect()).toThrow(`'environment'`)
})

// The best of several: a busy machine makes any of them late, and none early.
describe('case 40: how soon a working subscription to an idle channel is open', () => {
  test.each<ModeName>(['websocket', 'eventsource', 'longpolling', 'stream'])('%s → within 250 ms', async (mode) => {
    const { url } = await startServer({ settings: { pingMessageInterval: null } })
    const took: number[] = []
    for (let n = 0; n < 6; n++) {
      const began = performance.now()
      const { stream } = visit({ url, modes: [mode] }, [`idle-${n}`])
      await new Promise<void>((resolve) => stream.on('open', () => resolve()))
      took.push(performance.now() - began)
    }
    expect(Math.min(...took)).toBeLessThan(250)
  })
})

describe('case 41: the server is down for 1.5 s', () => {
  test.each<ModeName>(['websocket', 'eventsource', 'longpolling'])(
    '%s → back within 1 s of its return',
    async (mode) => {
      const { server, url, port } = await startServer()
      const visited = visit({ url, modes: [mode] })
      await open(visited)
      server.publish('a', 'x')
      await vi.waitFor(() => expect(visited.stream.stats.received).toBe(1))
      await server.close()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      const again = createDevServer()
      cleanup(() => again.close())
      await again.listen(port)
      await vi.waitFor(() => expect(visited.stream.status.state).toBe('open'), { timeout: 1300, interval: 10 })
    },
  )
})

describe('case 33: lastEventId', () => {
  const modes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const
  const servers = { reads: createDevServer(), ignores: createDevServer({ settings: { lastEventId: 'another' } }) }
  const urls = { reads: '', ignores: '' }
  const publish = (server: keyof typeof servers, mode: ModeName, n: number) =>
    servers[server].publish(mode, `${n}`, { eventId: `ev${n}` })
  beforeAll(async () => {
    for (const name of ['reads', 'ignores'] as const) {
      const port = await freePort()
      await servers[name].listen(port)
      urls[name] = `http://127.0.0.1:${port}`
      for (const mode of modes) for (const n of [1, 2, 3]) publish(name, mode, n)
    }
    // What was published in the last two seconds might be new for a page that comes now.
    await new Promise((resolve) => setTimeout(resolve, 3000))
  })
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.close()
  })

  async function resume(mode: ModeName, lastEventId: string, server: keyof typeof servers) {
    const texts: string[] = []
    const visited = visit({ url: urls[server], modes: [mode], lastEventId }, [mode])
    visited.stream.on('message', ({ text }) => texts.push(text))
    await open(visited)
    return { texts, ...visited }
  }

  test.each(modes)('%s: the server reads it → what follows comes, and the console is silent', async (mode) => {
    const { texts } = await resume(mode, 'ev2', 'reads')
    await vi.waitFor(() => expect(texts).toEqual(['3']), { timeout: soon })
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect([texts, lines]).toEqual([['3'], []])
  })

  test.each(modes)('%s: nothing follows it → the console is silent, and the next message comes', async (mode) => {
    const { texts } = await resume(mode, 'ev3', 'reads')
    await new Promise((resolve) => setTimeout(resolve, 2500))
    publish('reads', mode, 4)
    await vi.waitFor(() => expect(texts).toEqual(['4']), { timeout: soon })
    expect(lines).toEqual([])
  })

  test('a channel is added before the check → one warning all the same', async () => {
    const { stream } = await resume('websocket', 'ev2', 'ignores')
    stream.addChannel('another')
    await said()
    expect(lines[0]).toContain('sends none after lastEventId')
  })

  test('a connection for each channel, and the id is one of the other’s → the console is silent', async () => {
    const template = '{"id":~id~,"text":"~text~","tag":"~tag~","time":"~time~","eventid":"~event-id~"}'
    const { server, url } = await startServer({ settings: { messageTemplate: template } })
    server.publish('a', 'x', { eventId: 'ev1' })
    server.publish('b', 'x', { eventId: 'ev2' })
    // What was published in the last two seconds might be new for a page that comes now.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    const visited = visit(
      { url, modes: ['websocket'], lastEventId: 'ev2', messageTemplate: messageTemplate(template) },
      ['a', 'b'],
    )
    await open(visited)
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(lines).toEqual([])
  })

  test.each(modes)('%s: the server does not read it → one warning names the directive', async (mode) => {
    const { stream, texts } = await resume(mode, 'ev2', 'ignores')
    await said()
    expect(lines[0]).toContain('sends none after lastEventId')
    expect(lines[0]).toContain('push_stream_last_event_id')
    publish('ignores', mode, 4)
    await vi.waitFor(() => expect(texts).toEqual(['4']), { timeout: soon })
    expect([lines.length, stream.stats.gaps]).toEqual([1, 0])
  })
})
