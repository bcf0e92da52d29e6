import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { denied } from '../packages/core/test/support/scripted-django.js'
import { serve } from './support/pages.js'
import { test as base, expect, Tab } from './support/test.js'

// What django-eventstream, daphne and Pushpin were seen to send, byte for byte with its chunks, to the browsers' own fetch.

/** The answer that a transcript has, under a title if it has several. */
function answerOf(name: string, title = ''): Buffer {
  const path = `../packages/core/test/fixtures/django-eventstream/${name}.txt`
  const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
  const part = text.split(/^(?======)/m).find((one) => one.split('\n', 1)[0]?.includes(title)) ?? ''
  const [, head = '', body = ''] = /^(HTTP\/1\.1 200[^]*?\r\n\r\n)([^]*)/m.exec(part) ?? []
  let rest = Buffer.from(body.replace('<2048 spaces>', ' '.repeat(2048)))
  const parts = [Buffer.from(head)]
  for (;;) {
    const [line, size = ''] = /^([0-9a-f]+)\r\n/.exec(rest.toString('latin1', 0, 10)) ?? []
    if (line === undefined) break
    const end = line.length + Number.parseInt(size, 16) + 2
    if (rest.toString('latin1', end - 2, end) !== '\r\n') throw new Error(`${name}: no chunk of ${size} bytes`)
    parts.push(rest.subarray(0, end))
    rest = rest.subarray(end)
  }
  if (parts.length === 1) throw new Error(`${name} has no answer '${title}' with its chunks`)
  return Buffer.concat(parts)
}

const opening = `:${' '.repeat(2048)}\n\nevent: stream-open\ndata:\n\n`
const nothing = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n${opening.length.toString(16)}\r\n${opening}\r\n`,
)

async function write(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  socket.setNoDelay(true)
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.subarray(at, at + size))
    await new Promise((resolve) => setImmediate(resolve))
  }
  // Node knows nothing of what was written past it: a second request on this connection would wait for ever.
  if (bytes.toString('latin1').endsWith('\r\n0\r\n\r\n')) socket.end()
}

interface Replay {
  readonly url: string
  /** What requests asked for, in order. */
  readonly asked: readonly string[]
  /** Who asks for this channel again is refused. */
  forbidden: string | undefined
  /** What the first request is answered with, in pieces of so many bytes. All others get an opening. */
  answer(bytes: Buffer, size: number): void
}

const test = base.extend<{ replay: Replay }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
  replay: async ({}, use) => {
    const asked: string[] = []
    let first: readonly [Buffer, number] | undefined
    const server = createServer((request, response) => {
      if (!request.url?.startsWith('/events/')) return void serve(request, response)
      asked.push(decodeURIComponent(request.url))
      if (first === undefined && replay.forbidden !== undefined) {
        if (request.url.includes(`channel=${replay.forbidden}`)) {
          response.setHeader('Content-Type', 'text/event-stream')
          return response.end(denied([replay.forbidden]))
        }
      }
      const [bytes, size] = first ?? [nothing, nothing.length]
      first = undefined
      void write(request.socket, bytes, size)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const replay: Replay = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      asked,
      forbidden: undefined,
      answer(bytes, size) {
        first = [bytes, size]
      },
    }
    await use(replay)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  },
})

const uni = '{"uni": "\\u017c\\u00f3\\u0142\\u0107"}'
const lines = 'x\ny\nz'
const restart = { channel: 'a', first: 100, last: 'unknown', reason: 'restart' }

const transcripts = [
  {
    name: '01-open-live',
    seed: 'a:0,b:0',
    told: ['a 1 {"text": "hello"}', 'b 1 {"n": 1}', 'a 2 line1\nline2', 'a 3 ', `a 4 ${uni}`, `b 2 ${lines}`],
  },
  {
    name: '02-resume-header',
    seed: 'a:1,b:0',
    told: ['a 2 line1\nline2', 'a 3 ', `a 4 ${uni}`, 'b 1 {"n": 1}', `b 2 ${lines}`],
  },
  { name: '04-reset', title: 'unknown future id a:99', seed: 'a:99,b:1', told: [`b 2 ${lines}`], gaps: [restart] },
  { name: '16-daphne', seed: 'a:0,b:0', told: ['a 1 {"x": 1}'] },
  { name: '24-grip-live', seed: 'a:0,b:0', told: ['b 1 {"m": "50%"}', 'a 1 {"n": 1}', 'a 2 l1\nl2'] },
]

for (const { name, title, seed, told, gaps = [] } of transcripts) {
  for (const size of [1 << 20, 7]) {
    test(`${name}${size === 7 ? ', in pieces of 7 bytes' : ''}`, async ({ page, replay }) => {
      replay.answer(answerOf(name, title), size)
      const tab = await new Tab(page, replay.url).load()
      const protocol = { name: 'django', together: true } as const
      await tab.start({ protocol, options: { lastEventId: seed }, channels: { a: 0, b: 0 } })
      const seen = await tab.until('everything', (now) => {
        return now.messages.length === told.length && now.gaps.length === gaps.length
      })
      expect(seen.messages.map(({ channel, id, text }) => `${channel} ${id} ${text}`)).toEqual(told)
      expect(seen.gaps).toEqual(gaps)
      expect(seen.status.state).toBe('open')
      expect(replay.asked).toEqual([`/events/?channel=a&channel=b&lastEventId=${seed}`])
    })
  }
}

test('11-kick: the one that is not allowed any more is told; the other goes on where it was', async ({
  page,
  replay,
}) => {
  replay.answer(answerOf('11-kick'), 7)
  replay.forbidden = 'k'
  const tab = await new Tab(page, replay.url).load()
  const protocol = { name: 'django', together: true } as const
  await tab.start({ protocol, options: { lastEventId: 'k:0,z:0' }, channels: { k: 0, z: 0 } })
  await tab.received(1)
  await tab.until('the refusal', ({ errors }) => errors.length > 0)
  await tab.until('open', ({ status }) => status.state === 'open')
  const { errors } = await tab.recording()
  expect(errors.map(({ code }) => code)).toEqual(['forbidden'])
  // The two were asked for one by one, side by side.
  const other = replay.asked.filter((path) => !path.includes('channel=k'))
  expect(other.at(-1)).toBe('/events/?channel=z&lastEventId=z:0')
})
