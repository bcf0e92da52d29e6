import { createScriptedServer, type Exchange, type ScriptedServer, type ScriptedSocket } from '@pushstream/testkit'
import { describe, expect, test } from 'vitest'
import { cleanup, faults, record, startProxy, startServer } from './support.js'

// The ten traps of the module's protocol, one test each at least.

const second = Date.UTC(2026, 10, 20, 22, 0, 0)
const httpDate = (offset: number) => new Date(second + offset * 1000).toUTCString()

/** What the module's usual template makes of a message. `at`: seconds after the beginning, and the tag in that second. */
const frame = (channel: string, id: number, at: number, tag: number, text = `${channel}${id}`) =>
  `{"id":${id},"channel":"${channel}","text":"${text}","tag":"${tag}","time":"${httpDate(at)}","eventid":""}`
const control = (id: number, channel: string, text: string) =>
  `{"id":${id},"channel":"${channel}","text":"${text}","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT","eventid":""}`

async function scripted(): Promise<{ server: ScriptedServer; url: string }> {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  return { server, url }
}

/** Answers polls (the eventsource location with the polling header) with what is stored. */
const answerPolls = (server: ScriptedServer, frames: (exchange: Exchange) => readonly string[] = () => []) =>
  server.on('GET /ev/*', (exchange) => {
    const stored = frames(exchange)
    if (stored.length === 0) exchange.respond(304, {}, '')
    else
      exchange.respond(
        200,
        { 'content-type': 'text/plain', 'last-modified': httpDate(0) },
        `: \n${stored.map((data) => `data: ${data}\n\n`).join('')}`,
      )
  })

const position = (query: URLSearchParams) => [query.get('time'), query.get('tag')]

test('1: the position is time and tag, percent-encoded with %20', async () => {
  const { server, url } = await startServer()
  const proxy = await startProxy(url)
  for (const mode of ['websocket', 'eventsource', 'stream', 'longpolling'] as const) {
    const recording = record({ url: proxy.url, modes: [mode] })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    server.publish('a', 'x')
    await recording.until(() => recording.messages.length === 1)
    const before = proxy.requests.length
    proxy.cut()
    await recording.until(() => recording.stream.stats.reconnects === 1)
    const paths = proxy.requests.slice(before).map(({ path }) => path)
    expect(paths[0]).toMatch(/\?time=\w{3}%2C%20\d\d%20\w{3}%20\d{4}%20\d\d%3A\d\d%3A\d\d%20GMT&tag=\d+$/)
    recording.stream.close()
  }
})

test('2: pings and deletions, with their time of 1970, move no position', async () => {
  const { server, url } = await scripted()
  answerPolls(server)
  const asked: (string | null)[][] = []
  server.on('GET /sub/*', async (exchange) => {
    asked.push(position(exchange.request.query))
    exchange.respond(200, { 'content-type': 'text/plain' })
    if (asked.length === 1) {
      await exchange.write(frame('a', 1, 5, 3))
      await exchange.write(control(-1, '', ' '))
      await exchange.write(control(-2, 'a', 'Channel deleted'))
      exchange.end()
    }
  })
  const recording = record({ url, modes: ['stream'] })
  recording.stream.addChannel('a', { backtrack: 1 }).connect()
  await recording.until(() => asked.length === 2)
  expect(asked[1]).toEqual([httpDate(5), '0'])
  expect(recording.messages.map(({ id }) => id)).toEqual([1])
})

test('3: a message that comes twice is delivered once', async () => {
  const { server, url } = await startServer({ deliverNextTurn: true })
  const recording = record({ url, modes: ['websocket'] })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  for (let i = 0; i < 20; i++) {
    server.publish('a', String(i))
    // Joining at the very moment of a publish brings the message twice.
    server.reload()
    await recording.until(() => recording.messages.length === i + 1)
  }
  expect(faults(recording)).toEqual([])
  expect(recording.stream.stats.duplicates).toBeGreaterThan(0)
})

describe('4: ids that begin anew', () => {
  const play = async (after: readonly string[]) => {
    const { server, url } = await scripted()
    answerPolls(server)
    let connections = 0
    server.onUpgrade('/ws/*', async (socket) => {
      connections++
      if (connections === 1) {
        for (const id of [1, 2, 3]) await socket.send(frame('a', id, 0, id))
        socket.close()
      } else for (const text of after) await socket.send(text)
    })
    const recording = record({ url, modes: ['websocket'] })
    recording.stream.addChannel('a', { backtrack: 3 }).connect()
    await recording.until(() => recording.messages.length === 3 + after.length)
    return recording
  }

  test('after a restart: a lower id with a later time is new, and what was lost is a gap', async () => {
    const recording = await play([frame('a', 1, 60, 1, 'new'), frame('a', 2, 60, 2, 'new')])
    expect(recording.gaps).toEqual([{ channel: 'a', first: 4, last: 'unknown', reason: 'restart' }])
    expect(recording.messages.map(({ id, text }) => [id, text]).slice(3)).toEqual([
      [1, 'new'],
      [2, 'new'],
    ])
  })

  test('within the same second, the counter of the server having begun anew too', async () => {
    const recording = await play([frame('a', 1, 0, 9, 'new'), frame('a', 2, 0, 10, 'new')])
    expect(recording.messages.map(({ text }) => text)).toEqual(['a1', 'a2', 'a3', 'new', 'new'])
  })
})

describe('5: ids out of order', () => {
  test('are put back in order', async () => {
    const { server, url } = await scripted()
    answerPolls(server)
    server.onUpgrade('/ws/*', async (socket) => {
      for (const id of [1, 3, 4, 2, 6, 5]) await socket.send(frame('a', id, 0, id))
    })
    const recording = record({ url, modes: ['websocket'] })
    recording.stream.addChannel('a', { backtrack: 1 }).connect()
    await recording.until(() => recording.messages.length === 6)
    expect(recording.messages.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6])
    expect(recording.gaps).toEqual([])
  })

  test('are not waited for without end: the server is asked, and what it has not is a gap', async () => {
    const { server, url } = await scripted()
    answerPolls(server, ({ request }) =>
      request.query.get('time') === httpDate(0) ? [frame('a', 1, 0, 1), frame('a', 3, 0, 3), frame('a', 5, 0, 5)] : [],
    )
    server.onUpgrade('/ws/*', async (socket) => {
      for (const id of [1, 5]) await socket.send(frame('a', id, 0, id))
    })
    const recording = record({ url, modes: ['websocket', 'eventsource'] })
    recording.stream.addChannel('a', { backtrack: 1 }).connect()
    await recording.until(() => recording.messages.length === 3)
    expect(recording.all.map((event) => ('reason' in event ? [event.first, event.last] : event.id))).toEqual([
      1,
      [2, 2],
      3,
      [4, 4],
      5,
    ])
  })
})

test('6: cut in the middle of a backlog that comes channel by channel, the other channel loses nothing', async () => {
  const { server, url } = await scripted()
  answerPolls(server)
  const asked: (string | null)[][] = []
  server.onUpgrade('/ws/*', async (socket: ScriptedSocket) => {
    asked.push(position(socket.request.query))
    if (asked.length === 1) {
      await socket.send(frame('a', 1, 0, 1))
      await socket.send(frame('b', 1, 0, 2))
      socket.close()
    } else if (asked.length === 2) {
      // The backlog: all of a, up to much later, and nothing of b before the cut.
      for (const id of [2, 3, 4]) await socket.send(frame('a', id, id * 10, 1))
      socket.close()
    } else {
      for (const id of [2, 3, 4]) await socket.send(frame('a', id, id * 10, 1))
      for (const id of [2, 3]) await socket.send(frame('b', id, id * 10 + 1, 1))
    }
  })
  const recording = record({ url, modes: ['websocket'] })
  recording.stream.addChannel('a', { backtrack: 1 }).addChannel('b', { backtrack: 1 }).connect()
  await recording.until(() => recording.messages.length === 7)
  // Not from the newest seen (40 s), but from where b is known.
  expect(asked[2]).toEqual([httpDate(0), '0'])
  expect(faults(recording)).toEqual([])
})

test('7: a hole in a long-poll chain is polled for again from the last contiguous position', async () => {
  const { server, url } = await scripted()
  answerPolls(server)
  const asked: (string | null)[][] = []
  server.on('GET /lp/*', (exchange) => {
    asked.push(position(exchange.request.query))
    const answer = (frames: readonly string[], at: number, tag: number) =>
      exchange.respond(
        200,
        { 'content-type': 'text/plain', 'Last-Modified': httpDate(at), Etag: `W/${tag}` },
        frames.join(''),
      )
    if (asked.length === 1) answer([frame('a', 1, 0, 1)], 0, 1)
    // Another worker's message overtakes number 2; the headers are those of the overtaker.
    else if (asked.length === 2) answer([frame('a', 3, 9, 2)], 9, 2)
    else if (asked.length === 3) answer([frame('a', 1, 0, 1), frame('a', 2, 9, 1), frame('a', 3, 9, 2)], 9, 2)
  })
  const recording = record({ url, modes: ['longpolling'] })
  recording.stream.addChannel('a', { backtrack: 1 }).connect()
  await recording.until(() => recording.messages.length === 3 && asked.length === 4)
  expect(asked.slice(1)).toEqual([
    [httpDate(0), '1'],
    [httpDate(0), '0'],
    [httpDate(9), '2'],
  ])
  expect(faults(recording)).toEqual([])
})

test('7: an empty answer to a new channel → what will be stored from the beginning is new', async () => {
  const { server, url } = await scripted()
  const asked: (string | null)[][] = []
  server.on('GET /lp/*', (exchange) => {
    asked.push(position(exchange.request.query))
    if (asked.length <= 2) exchange.respond(304, { 'Last-Modified': httpDate(asked.length), Etag: 'W/0' }, '')
  })
  const recording = record({ url, modes: ['longpolling'] })
  recording.stream.addChannel('a').connect()
  await recording.until(() => asked.length === 3)
  // The server's clock, in the headers, is no position of a message.
  expect(asked).toEqual([
    [null, null],
    ['Thu, 01 Jan 1970 00:00:00 GMT', '0'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', '0'],
  ])
})

test('8: the backtrack is gone once a position exists, and goes on a new channel only', async () => {
  const { server, url } = await startServer()
  for (const channel of ['a', 'b']) for (let i = 1; i <= 3; i++) server.publish(channel, String(i))
  const proxy = await startProxy(url)
  const recording = record({ url: proxy.url, modes: ['websocket'] })
  const before = proxy.requests.length
  recording.stream.addChannel('a', { backtrack: 1 }).connect()
  await recording.until(() => recording.stream.status.state === 'open' && recording.messages.length === 1)
  recording.stream.addChannel('b', { backtrack: 2 })
  const sockets = () =>
    proxy.requests
      .slice(before)
      .filter(({ upgrade }) => upgrade)
      .map(({ path }) => path.split('?')[0])
  await recording.until(() => recording.messages.length === 3 && sockets().length === 2)
  proxy.cut()
  await recording.until(() => recording.stream.stats.reconnects === 1 && sockets().length === 3)
  expect(sockets()).toEqual(['/ws/a.b1', '/ws/b.b2/a', '/ws/a/b'])
  expect(recording.messages.map(({ channel, id }) => [channel, id])).toEqual([
    ['a', 3],
    ['b', 2],
    ['b', 3],
  ])
})

test('9: after a deletion the client comes back for the channel, while the others stay', async () => {
  const { server, url } = await startServer()
  const proxy = await startProxy(url)
  const recording = record({ url: proxy.url, modes: ['websocket'] })
  recording.stream.addChannel('a').addChannel('b').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  server.publish('a', '1')
  await recording.until(() => recording.messages.length === 1)
  const before = proxy.requests.filter(({ upgrade }) => upgrade).length
  server.deleteChannel('a')
  await recording.until(() => proxy.requests.filter(({ upgrade }) => upgrade).length > before)
  server.publish('a', 'again')
  await recording.until(() => recording.messages.length === 2)
  expect(recording.messages[1]).toMatchObject({ channel: 'a', id: 1, text: 'again' })
  expect(recording.gaps).toEqual([])
})

test('10: open is not accepted: a websocket that is refused after 101 was never open', async () => {
  const { server, url } = await scripted()
  server.onUpgrade('/ws/*', async (socket) => {
    socket.accept()
    socket.close(1008, '{"http_status": 403, "explain":"Subscriber could not create channels."}')
  })
  const recording = record({ url, modes: ['websocket'] })
  const states: string[] = []
  recording.stream.on('status', ({ state }) => states.push(state))
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.errors.some(({ code }) => code === 'forbidden'))
  expect(states).not.toContain('open')
})

test('10: silence is not life: a mode that opens and never brings anything loses its turn', async () => {
  const { server: real, url: target } = await startServer()
  const { server, url } = await scripted()
  // The websocket is let in and stays silent for ever; all else reaches the real server.
  server.onUpgrade('/ws/*', (socket) => socket.accept())
  server.on('GET /ev/*', async (exchange) => {
    const polling = exchange.request.headers['x-nginx-pushstream-mode'] as string | undefined
    const response = await fetch(`${target}${exchange.request.url}`, {
      headers: polling === undefined ? {} : { 'X-Nginx-PushStream-Mode': polling },
    })
    const { headers } = response
    const kept = ['content-type', 'last-modified', 'expires']
    exchange.respond(response.status, Object.fromEntries([...headers].filter(([name]) => kept.includes(name))))
    if (response.body === null) return exchange.end()
    for await (const chunk of response.body) if (!(await exchange.write(chunk))) return
    exchange.end()
  })
  const recording = record({ url, modes: ['websocket', 'eventsource'], pingtimeout: 300 })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.stream.status.mode === 'websocket')
  const publishing = setInterval(() => real.publish('a', 'x'), 500)
  await recording.until(() => recording.stream.status.mode === 'eventsource').finally(() => clearInterval(publishing))
  const count = recording.messages.length
  real.publish('a', 'last')
  await recording.until(() => recording.messages.length > count)
  expect(faults(recording)).toEqual([])
})
