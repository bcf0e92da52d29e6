import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nchanNames, refusedByNchan } from '../../../../e2e/support/channel-names.js'
import { PushStreamError } from '../../src/errors.js'
import { type IncomingMessage, messageOf } from '../../src/message.js'
import { everything, positionOf } from '../../src/position.js'
import { type NchanSettings, nchan } from '../../src/protocols/nchan.js'
import type { Classified, RequestKind, Subscription, Wanted } from '../../src/protocols/protocol.js'
import { PushStream } from '../../src/push-stream.js'
import { sendMessage } from '../../src/send-message.js'
import type { CloseReason } from '../../src/types.js'
import { brief, make, reading, through } from './support/nchan.js'
import { anyString, runs, wellFormed } from './support/runs.js'
import { kinds, wanted } from './support/wanted.js'

const stream = { 'Content-Type': 'text/event-stream; charset=utf-8' }
const lines = 'line1\nline2\r\nline3\rline4\n'
const utf8 = 'é€😀'
const at = (second: number, tag: number) => positionOf(second * 1000, tag + 1)
const ending = (status: number, explain: string): { over: CloseReason } => ({
  over: { kind: [408, 410].includes(status) ? 'end' : 'status', status, explain },
})

describe('an eventsource', () => {
  // Transcript 01a. A line feed after the carriage return is one line's end; a carriage return alone is one too, and
  // what follows it has no field name: that much of a text an eventsource loses.
  const stored =
    ': hi\n\nid: 1795211831:0\ndata: hello\n\nid: 1795211832:0\ndata: {"a":1}\n\n' +
    'event: greet\nid: 1795211832:1\ndata: line1\ndata: line2\r\ndata: line3\rline4\ndata: \n\n' +
    `id: 1795211832:2\ndata: ${utf8}\n\nid: 1795211832:3\ndata: \n\nid: 1795211832:4\ndata: \0\x01X\n\n`
  const expected = [
    ['1795211831:0', 'hello', undefined],
    ['1795211832:0', '{"a":1}', undefined],
    ['1795211832:1', 'line1\nline2\nline3\n', undefined, 'greet'],
    ['1795211832:2', utf8, undefined],
    ['1795211832:3', '', undefined],
    ['1795211832:4', '\0\x01X', undefined],
  ]

  test('the messages of the transcript, and nothing else', async () => {
    const { seen, messages, ended } = await through('eventsource', stream, stored)
    expect(seen.map(brief)).toEqual(expected)
    expect(ended).toEqual({ kind: 'end' })
    expect(messages.map(({ channel, mode, id, tag, dead }) => [channel, mode, id, tag, dead])).toEqual(
      [0, 0, 1, 2, 3, 4].map((tag) => ['a', 'eventsource', undefined, tag, undefined]),
    )
    expect(messages.map(({ position }) => position)).toEqual([
      at(1795211831, 0),
      ...[0, 1, 2, 3, 4].map((tag) => at(1795211832, tag)),
    ])
    const [first, second] = messages.map(messageOf)
    expect(first?.time).toEqual(new Date(1795211831_000))
    expect(second?.data).toEqual({ a: 1 })
  })

  test('the same, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1000), { maxLength: 12 }), async (cuts) => {
        const { seen } = await through('eventsource', stream, stored, { cuts })
        expect(seen.map(brief)).toEqual(expected)
      }),
      runs(60),
    )
  })

  test('pings: the default event without data, comments, events of any name', async () => {
    // Transcript 03a.
    const body =
      ': hi\n\n:hello there\n\n:c\nevent: beat\ndata: x\n\nevent: ping\n\nid: 1795212174:0\ndata: x\n\nevent: ping\ndata\n\n'
    const { seen } = await through('eventsource', stream, body)
    const ping = { ping: true }
    expect(seen.map(brief)).toEqual([ping, ping, ping, ping, ['1795212174:0', 'x', undefined], ping])
  })

  test('the default ping, cut anywhere → one ping', async () => {
    const text = ': hi\n\nevent: ping\n\n'
    for (let place = 0; place <= text.length; place++) {
      expect((await through('eventsource', stream, text, { cuts: [place] })).seen).toEqual([{ ping: true }])
    }
  })

  test.each([
    [':410: 410 Gone\n\n', ending(410, '410: 410 Gone')],
    [':408: 408 Request Timeout\n\n', ending(408, '408: 408 Request Timeout')],
    [':302: \n\n', ending(302, '302:')],
    [':403: 403 Forbidden\n\n', ending(403, '403: 403 Forbidden')],
    [':503: 503 Service Unavailable\n\n', ending(503, '503: 503 Service Unavailable')],
    // No endings.
    [':200: fine\n\n', { ping: true }],
    [':4100 things\n\n', { ping: true }],
    [': it was 410\n\n', { ping: true }],
  ])('%j', async (text, expected) => {
    const { seen } = await through('eventsource', stream, `: hi\n\n${text}`)
    expect(seen).toEqual([expected])
  })

  test('case 22: a binary body → dead letter, the messages around it are delivered', async () => {
    const { messages } = await through(
      'eventsource',
      stream,
      Buffer.from('id: 5:0\ndata: a\n\nid: 5:1\ndata: \0\x01\xff\xfe\n\nid: 5:2\ndata: b\n\n', 'latin1'),
    )
    const dead = 'binary data can only come by websocket'
    expect(messages.map(({ body, dead }) => [body, dead])).toEqual([
      ['a', undefined],
      ['\0\x01\ufffd\ufffd', dead],
      ['b', undefined],
    ])
  })

  test('ids of nobody are dead letters, and never a message', () => {
    const { seen, frame } = reading('eventsource')
    for (const id of ['x', '0:0', '-1:0', '5', '5:', '5:x', ':1', '5:-1', 'NaN:0', '1795211831:-', '1795211831:[-]']) {
      frame('text', { id })
    }
    expect(seen).toHaveLength(11)
    for (const one of seen) expect(one).toMatchObject({ dead: 'text', reason: expect.stringContaining('no id') })
  })
})

describe('a websocket', () => {
  test('the frames of the transcript', () => {
    // Transcript 01b.
    const { seen, messages, frame } = reading('websocket')
    frame('id: 1795211833:0\n\nhello')
    frame('id: 1795211833:1\ncontent-type: application/json\n\n{"a":1}')
    frame(`id: 1795211833:2\ncontent-type: text/plain; charset=utf-8\n\n${lines}`)
    frame(`id: 1795211833:3\ncontent-type: text/plain; charset=utf-8\n\n${utf8}`)
    frame('id: 1795211833:4\n\n')
    const head = 'id: 1795211833:5\ncontent-type: application/octet-stream\n\n'
    frame('', { binary: Buffer.from(`${head}\0\x01\xff\xfe`, 'latin1') })
    expect(seen.slice(0, 5).map(brief)).toEqual([
      ['1795211833:0', 'hello', undefined],
      ['1795211833:1', '{"a":1}', 'application/json'],
      ['1795211833:2', lines, 'text/plain; charset=utf-8'],
      ['1795211833:3', utf8, 'text/plain; charset=utf-8'],
      ['1795211833:4', '', undefined],
    ])
    const binary = messages[5]
    expect([binary?.eventId, binary?.contentType]).toEqual(['1795211833:5', 'application/octet-stream'])
    expect(binary?.body).toBeInstanceOf(Uint8Array)
    expect([...(binary as { body: Uint8Array }).body]).toEqual([0, 1, 255, 254])
    expect(messageOf(binary as IncomingMessage).data).toBe(binary?.body)
    expect(messages.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5].map((tag) => at(1795211833, tag)))
  })

  test('empty lines in a body are the body', () => {
    const { seen, frame } = reading('websocket')
    frame('id: 1795211833:0\n\n\n\nid: 1:1\n\nx')
    const binary = Buffer.from('id: 1795211833:1\n\n\n\n\n')
    frame('', { binary })
    expect(seen.map(brief)).toEqual([
      ['1795211833:0', '\n\nid: 1:1\n\nx', undefined],
      ['1795211833:1', Buffer.from('\n\n\n'), undefined],
    ])
  })

  test('any bytes after the meta data are the body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const { messages, frame } = reading('websocket')
        frame('', { binary: Buffer.concat([Buffer.from('id: 7:1\n\n'), bytes]) })
        expect([...(messages[0] as { body: Uint8Array }).body]).toEqual([...bytes])
      }),
      runs(),
    )
  })

  test('frames without meta data are dead letters; the answer to `ping` is a sign of life', () => {
    // Transcript 01c.
    const { seen, frame } = reading('websocket')
    for (const text of ['hello', '{"a":1}', lines, '', 'id: 5:0', 'pong']) frame(text)
    frame('', { binary: new Uint8Array([0, 1, 255, 254]) })
    frame('', { binary: new Uint8Array() })
    expect(seen.map((one) => ('dead' in one ? 'dead' : one))).toEqual([
      ...['dead', 'dead', 'dead', 'dead', 'dead'],
      { ping: true },
      ...['dead', 'dead'],
    ])
    expect(seen[0]).toEqual({ dead: 'hello', reason: expect.stringContaining('ws+meta.nchan') })
  })

  test('a message that reads `pong` is a message', () => {
    const { seen, frame } = reading('websocket')
    frame('id: 5:0\n\npong')
    expect(seen.map(brief)).toEqual([['5:0', 'pong', undefined]])
  })
})

describe('a multipart stream', () => {
  // Transcript 01f, with 410 at its end (08a).
  const boundary = '--p94Irs.SH6qS9H3rBcuTtaif0zh1ippY'
  const part = (time: string, tag: number, type: string, body: string) =>
    `\r\nLast-Modified: Fri, 20 Nov 2026 21:57:${time} GMT\r\nEtag: ${tag}\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}\r\n${body}\r\n${boundary}`
  const headers = { 'Content-Type': `multipart/mixed; boundary=${boundary.slice(2)}` }
  const plain = 'text/plain; charset=utf-8'
  const body = [
    boundary,
    part('19', 0, '', 'hello'),
    part('19', 1, 'application/json', '{"a":1}'),
    part('20', 0, plain, lines),
    part('20', 1, plain, utf8),
    part('20', 2, '', ''),
    part('20', 3, '', '\r\n\r\n--p94Irs'),
    '--\r\n',
  ].join('')
  const expected = [
    ['1795211839:0', 'hello', undefined],
    ['1795211839:1', '{"a":1}', 'application/json'],
    ['1795211840:0', lines, plain],
    ['1795211840:1', utf8, plain],
    ['1795211840:2', '', undefined],
    ['1795211840:3', '\r\n\r\n--p94Irs', undefined],
  ]

  test('the messages of the transcript, cut at every byte', async () => {
    for (let place = 0; place <= Buffer.from(body).length; place++) {
      const { seen } = await through('stream', headers, body, { cuts: [place] })
      expect(seen.map(brief)).toEqual(expected)
    }
  })

  test('a message is there as soon as the boundary behind it is', () => {
    const { seen, frame } = reading('stream')
    frame(boundary)
    expect(seen).toEqual([])
    frame(part('19', 0, '', 'hello'))
    expect(seen.map(brief)).toEqual([expected[0]])
  })

  test('binary data can be no text: a dead message that keeps its place', async () => {
    const bytes = Buffer.concat([
      Buffer.from(
        `${boundary}\r\nLast-Modified: Fri, 20 Nov 2026 21:57:20 GMT\r\nEtag: 3\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      Buffer.from([0, 1, 255, 254]),
      Buffer.from(`\r\n${boundary}`),
    ])
    const { messages } = await through('stream', headers, bytes)
    expect(messages.map(({ eventId, dead }) => [eventId, dead])).toEqual([
      ['1795211840:3', expect.stringContaining('websocket')],
    ])
  })

  test('parts without a place are dead letters', () => {
    const { seen, frame } = reading('stream')
    frame(`--b\r\nContent-Type: x\r\n\r\nno place\r\n--b\r\n\r\nnothing\r\n--b\r\nEtag: 0\r\n\r\nno time\r\n--b`)
    expect(seen.map((one) => ('dead' in one ? one.dead : one))).toEqual(['no place', 'nothing', 'no time'])
  })
})

describe('a long-poll', () => {
  const head = (time: string, etag: string, more: Record<string, string> = {}) => ({
    'Last-Modified': `Fri, 20 Nov 2026 ${time} GMT`,
    Etag: etag,
    Vary: 'If-None-Match, If-Modified-Since',
    ...more,
  })

  test.each<[string, Record<string, string>, string, unknown[]]>([
    // Transcript 01d.
    [
      'a text',
      head('21:57:16', '1', { 'Content-Type': 'text/plain; charset=utf-8' }),
      utf8,
      ['1795211836:1', utf8, 'text/plain; charset=utf-8'],
    ],
    ['an empty message', head('21:57:16', '2'), '', ['1795211836:2', '', undefined]],
    ['many lines', head('21:58:30', '2'), lines, ['1795211910:2', lines, undefined]],
    ['a quoted Etag', head('21:57:16', '"3"'), 'x', ['1795211836:3', 'x', undefined]],
    ['a byte order mark of the message', head('21:57:16', '3'), '\ufeffx', ['1795211836:3', '\ufeffx', undefined]],
    ['a weak Etag', head('21:57:16', 'W/"3"'), 'x', ['1795211836:3', 'x', undefined]],
    [
      'a page as a message',
      head('21:57:16', '3', { 'Content-Type': 'text/html' }),
      '<html>',
      ['1795211836:3', '<html>', 'text/html'],
    ],
  ])('%s', async (_, headers, body, expected) => {
    const { seen } = await through('longpolling', headers, body)
    expect(seen.map(brief)).toEqual([expected])
  })

  test.each([
    ['no-cache, etag=7', '7'],
    ['etag=7', '7'],
    ['etag=7, no-cache', '7'],
    ['no-cache etag=7', '7'],
  ])('the Etag of older relays, in Cache-Control: %s', async (control, tag) => {
    const headers = { 'Last-Modified': 'Fri, 20 Nov 2026 21:57:16 GMT', 'Cache-Control': control }
    const { seen } = await through('longpolling', headers, 'x')
    expect(seen.map(brief)).toEqual([[`1795211836:${tag}`, 'x', undefined]])
    expect(make().positionOf({ status: 200, headers: new Headers(headers) })).toBe(at(1795211836, Number(tag)))
  })

  test.each<[string, Record<string, string>]>([
    ['neither', {}],
    ['no Etag', { 'Last-Modified': 'Fri, 20 Nov 2026 21:57:16 GMT' }],
    [
      'another word that ends in etag=',
      { 'Last-Modified': 'Fri, 20 Nov 2026 21:57:16 GMT', 'Cache-Control': 'notetag=7' },
    ],
    ['no Last-Modified', { Etag: '1' }],
    ['no date', { Etag: '1', 'Last-Modified': 'now' }],
  ])('no place to be read: %s', async (_, headers) => {
    const protocol = make()
    expect(protocol.positionOf({ status: 200, headers: new Headers(headers) })).toBeUndefined()
    const { seen } = await through('longpolling', headers, 'x')
    expect(seen).toEqual([{ dead: 'x', reason: expect.stringContaining('no id') }])
  })

  test('a 304 is no message', async () => {
    const { seen } = await through('longpolling', head('22:03:16', '0'), '', { status: 304 })
    expect(seen).toEqual([])
  })

  /** An answer with many messages, as in transcript 01h. */
  const many = (...bodies: string[]) => {
    const boundary = '--NAHYSTM31crTUKr.JZRTnJc4nvpAKExj'
    return `${boundary}${bodies.map((body) => `\r\nContent-Type: text/x-${body}\r\n\r\n${body}\r\n${boundary}`).join('')}--\r\n`
  }
  const multipart = (etag: string) =>
    head('21:58:35', etag, { 'Content-Type': 'multipart/mixed; boundary=NAHYSTM31crTUKr.JZRTnJc4nvpAKExj' })

  test('many messages: their places are counted back from the last, as far as its second goes', async () => {
    const { messages } = await through('longpolling', multipart('2'), many('a', 'b', 'c', 'single', 'a', 'b', 'c'))
    const text = messages.map(({ body }) => body).join(' ')
    expect(text).toBe('a b c single a b c')
    expect(messages.map(({ eventId }) => eventId)).toEqual([
      ...[undefined, undefined, undefined, undefined],
      ...['1795211915:0', '1795211915:1', '1795211915:2'],
    ])
    expect(messages.map(({ position }) => position)).toEqual([
      ...[Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      ...[0, 1, 2].map((tag) => at(1795211915, tag)),
    ])
    expect(messages.map(({ contentType }) => contentType)).toEqual(
      [...'abc'].map((x) => `text/x-${x}`).concat('text/x-single', ...[...'abc'].map((x) => `text/x-${x}`)),
    )
    expect(messageOf(messages[0] as IncomingMessage).time).toBeUndefined()
  })

  test('any number of parts, any counter', async () => {
    const answers = fc.record({ count: fc.integer({ min: 1, max: 12 }), tag: fc.nat(15), place: fc.nat(2000) })
    await fc.assert(
      fc.asyncProperty(answers, async ({ count, tag, place }) => {
        const bodies = Array.from({ length: count }, (_, i) => `m${i}`)
        const { messages } = await through('longpolling', multipart(String(tag)), many(...bodies), { cuts: [place] })
        expect(messages.map(({ body }) => body)).toEqual(bodies)
        messages.forEach((message, index) => {
          const own = tag - (count - 1 - index)
          expect(message.position).toBe(own < 0 ? Number.NaN : at(1795211915, own))
          expect(message.eventId).toBe(own < 0 ? undefined : `1795211915:${own}`)
        })
      }),
      runs(60),
    )
  })

  // They wait for ever for one that has a place, and are fetched again and again.
  test('many messages without any place are dead letters, as one is', async () => {
    const headers = { 'Content-Type': 'multipart/mixed; boundary=NAHYSTM31crTUKr.JZRTnJc4nvpAKExj' }
    const { seen } = await through('longpolling', headers, many('a', 'b'))
    expect(seen).toEqual(['a', 'b'].map((dead) => ({ dead, reason: expect.stringContaining('no id') })))
  })

  test('a message within such an answer may be empty, and without a type', async () => {
    const body = '--b\r\n\r\n\r\n--b\r\nContent-Type: t\r\n\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n'
    const { seen } = await through('longpolling', multipart('2'), body)
    expect(seen.map(brief)).toEqual([
      ['1795211915:0', '', undefined],
      ['1795211915:1', '', 't'],
      ['1795211915:2', 'x', undefined],
    ])
  })
})

describe('several channels by one connection', () => {
  const settings = { separator: ',' }
  const three = { settings, channels: ['A', 'B', 'C'] }

  test.each([
    // Transcript 02d.
    ['1795211991:[0],-,-', 'A', 0],
    ['1795211991:1,[0],-', 'B', 0],
    ['1795211991:2,1,[1]', 'C', 1],
    ['1795211992:-,[0],-', 'B', 0],
    ['1795211993:-,-,[0]', 'C', 0],
    ['1795211993:[0],-,1', 'A', 0],
    ['1795211993:[17],2,-', 'A', 17],
  ])('%s is of %s', (id, channel, tag) => {
    for (const [kind, text, meta] of [
      ['eventsource', 'x', { id }],
      ['websocket', `id: ${id}\n\nx`, {}],
    ] as const) {
      const { messages, frame } = reading(kind, three)
      frame(text, meta)
      expect(messages.map((one) => [one.channel, one.tag, one.position, one.eventId])).toEqual([
        [channel, tag, at(Number(id.slice(0, 10)), tag), id],
      ])
    }
  })

  test('multipart and long-poll tell it by the Etag', async () => {
    // Transcript 02e.
    const time = 'Last-Modified: Fri, 20 Nov 2026 21:59:51 GMT'
    const { messages, frame } = reading('stream', { settings, channels: ['A', 'B'] })
    frame(`--d9\r\n${time}\r\nEtag: [0],-\r\n\r\nA1\r\n--d9\r\n${time}\r\nEtag: 0,[0]\r\n\r\nB3\r\n--d9`)
    expect(messages.map(({ channel, body, eventId }) => [channel, body, eventId])).toEqual([
      ['A', 'A1', '1795211991:[0],-'],
      ['B', 'B3', '1795211991:0,[0]'],
    ])
    const poll = await through(
      'longpolling',
      { 'Last-Modified': 'Fri, 20 Nov 2026 21:59:51 GMT', Etag: '0,[0]' },
      'B3',
      { settings, channels: ['A', 'B'] },
    )
    expect(poll.messages.map(({ channel, tag }) => [channel, tag])).toEqual([['B', 0]])
  })

  test.each(['[0],-', '0,[1]', '4'])(
    'a long-poll for fewer channels, as one was removed (%s) → ends, no message',
    (etag) => {
      const { seen, frame } = reading('longpolling', three)
      frame('x', { headers: new Headers({ 'Last-Modified': 'Fri, 20 Nov 2026 21:59:51 GMT', Etag: etag }) })
      expect(seen).toEqual([{ over: { kind: 'end', status: 408 } }])
    },
  )

  test('one channel alone has plain ids', () => {
    const { messages, frame } = reading('eventsource', { settings, channels: ['A'] })
    frame('x', { id: '1795211991:4' })
    expect(messages.map(({ channel, tag }) => [channel, tag])).toEqual([['A', 4]])
  })

  test.each(['1795211991:0,1,2', '1795211991:-,-,-', '1795211991:0,1,2,[3]', '1795211991:[x],-,-'])(
    '%s is of nobody',
    (id) => {
      const { seen, frame } = reading('eventsource', three)
      frame('x', { id })
      expect(seen).toEqual([{ dead: 'x', reason: expect.stringContaining('no id') }])
    },
  )
})

test('what was published before the connection is marked as replayed', () => {
  const { messages, frame } = reading('eventsource', { liveFrom: positionOf(1795211832_000, 0) })
  frame('x', { id: '1795211831:9' })
  frame('x', { id: '1795211832:0' })
  expect(messages.map(({ replayed }) => replayed)).toEqual([true, false])
})

test('garbage never throws, and is nothing or a dead letter or what it looks like', () => {
  const piece = fc.oneof(
    anyString(),
    fc.constantFrom('id: ', 'id: 5:1\n\n', ':', '[', ']', '-', ',', '--b\r\n', '\r\n', '\r\n\r\n', 'Etag: 1', '410: '),
  )
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  const headers = fc
    .dictionary(
      fc.constantFrom('Etag', 'Last-Modified', 'Content-Type', 'Cache-Control'),
      fc.constantFrom(
        '',
        '1',
        '[1],-',
        '"',
        'Fri, 20 Nov 2026 21:59:51 GMT',
        'multipart/mixed; boundary=b',
        'etag=',
        'etag=9',
      ),
    )
    .map((entries) => new Headers(entries))
  const meta = fc.record(
    { id: text, event: text, headers, binary: fc.uint8Array({ maxLength: 20 }) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.constantFrom<NchanSettings>({}, { separator: ',' }),
      fc.constantFrom(['a'], ['a', 'b'], []),
      fc.array(fc.tuple(text, meta), { maxLength: 5 }),
      (kind, settings, channels, frames) => {
        const { messages, frame, pulse } = reading(kind, { settings, channels })
        for (const [text, meta] of frames) {
          frame(text, meta)
          pulse(text)
        }
        for (const { channel, position } of messages) {
          expect(channels).toContain(channel)
          expect(position > 0 || Number.isNaN(position)).toBe(true)
        }
      },
    ),
    runs(500),
  )
})

describe('addresses', () => {
  test.each<[NchanSettings, RequestKind, string]>([
    [{}, 'websocket', 'ws://h:8080/base/sub/a'],
    [{}, 'eventsource', 'http://h:8080/base/sub/a'],
    [{}, 'stream', 'http://h:8080/base/sub/a'],
    [{}, 'longpolling', 'http://h:8080/base/sub/a'],
    [{}, 'poll', 'http://h:8080/base/sub/a'],
    [{ url: 'events/{channel}/x' }, 'eventsource', 'http://h:8080/base/events/a/x'],
    [{ url: '//events/{channel}' }, 'eventsource', 'http://h:8080/base/events/a'],
    [{ url: '/sub?id={channel}' }, 'eventsource', 'http://h:8080/base/sub?id=a'],
    [{ url: '/{channel}?id={channel}' }, 'eventsource', 'http://h:8080/base/a?id=a'],
    [{ url: 'https://other.example/sub/{channel}' }, 'websocket', 'wss://other.example/sub/a'],
    [{ url: ([name], mode) => `/${mode}/x${name}` }, 'websocket', 'ws://h:8080/base/websocket/xa'],
    [{ url: ([name], mode) => `/${mode}/x${name}` }, 'poll', 'http://h:8080/base/longpolling/xa'],
  ])('%j, %s', (settings, kind, url) => {
    expect(make(settings).exchange(kind, wanted()).url).toBe(url)
  })

  test('TLS', () => {
    expect(make({}, { base: 'https://h' }).exchange('websocket', wanted()).url).toBe('wss://h/sub/a')
  })

  test('several channels: all names in one address, in their order', () => {
    const both = wanted([{ name: 'b,c' }, { name: 'a' }])
    expect(make({ separator: ';' }).exchange('eventsource', both).url).toBe('http://h:8080/base/sub/b%2Cc%3Ba')
    const seen: unknown[] = []
    const url = (names: readonly string[], mode: string) => {
      seen.push([...names, mode])
      return '/x'
    }
    make({ separator: ',', url }).exchange('poll', both)
    expect(seen).toEqual([['b,c', 'a', 'longpolling']])
  })

  test('query arguments, of the address, of the application and the position', () => {
    const over = { params: { 'a b': 'c&d=é', t: '1' }, position: at(1795211836, 3) }
    const { url } = make({ url: '/sub?id={channel}' }).exchange('eventsource', wanted([{ name: 'x&y' }], over))
    expect(url).toBe('http://h:8080/base/sub?id=x%26y&a%20b=c%26d%3D%C3%A9&t=1&last_event_id=1795211836:3')
  })

  /** The path as nginx takes it apart: decoded once, and then slashes merged and steps taken, decoded ones too. */
  function nginxReads(url: string): string | undefined {
    const { pathname } = new URL(url)
    const text = decodeURIComponent(pathname)
    const steps: string[] = []
    for (const [index, step] of text.split('/').entries()) {
      if (index > 0 && index < text.split('/').length - 1 && step === '') continue
      if (step === '..') steps.pop()
      else if (step !== '.') steps.push(step)
    }
    return /^\/base\/(?:sub|pub)\/([^]+)$/.exec(steps.join('/'))?.[1]
  }

  test.each(nchanNames)('%j comes back from the address', (name) => {
    const protocol = make()
    protocol.check(name)
    for (const kind of kinds) expect(nginxReads(protocol.exchange(kind, wanted([{ name }])).url)).toBe(name)
    expect(nginxReads(protocol.publish([name], '').url)).toBe(name)
    const { url } = make({ url: '/sub?id={channel}' }).exchange('eventsource', wanted([{ name }]))
    expect(new URL(url).searchParams.get('id')).toBe(name)
  })

  test('any name comes back, or is refused', () => {
    const name = fc.oneof(
      wellFormed(6),
      fc
        .array(fc.constantFrom('/', '.', '..', '%', '+', '#', '?', 'a', '\\'), { maxLength: 6 })
        .map((all) => all.join('')),
    )
    fc.assert(
      fc.property(name, (name) => {
        const protocol = make()
        try {
          protocol.check(name)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-channel', channel: name })
          return
        }
        const { url } = protocol.exchange('eventsource', wanted([{ name }], { params: { token: 'a/b&c' } }))
        expect(nginxReads(url)).toBe(name)
        expect(new URL(url).searchParams.get('token')).toBe('a/b&c')
      }),
      runs(500),
    )
  })

  test.each(refusedByNchan)('%j is refused, and it is said why', (name, why) => {
    const check = () => make().check(name as string)
    expect(check).toThrow(PushStreamError)
    expect(check).toThrow(expect.objectContaining({ code: 'bad-channel', message: expect.stringContaining(why) }))
  })

  test('a name with the separator is refused; without a separator none is', () => {
    expect(() => make({ separator: '::' }).check('a::b')).toThrow("separator '::'")
    expect(() => make({ separator: '::' }).check('a:b')).not.toThrow()
    expect(() => make().check('a,b')).not.toThrow()
  })

  test('publishing', () => {
    expect(make().publish(['a/b'], 'text')).toEqual({
      url: 'http://h:8080/base/pub/a%2Fb',
      body: 'text',
      frame: undefined,
    })
    expect(make({ publisher: '/p?id={channel}' }).publish(['a&b'], '').url).toBe('http://h:8080/base/p?id=a%26b')
    expect(make({ separator: ',' }).publish(['a', 'b'], '').url).toBe('http://h:8080/base/pub/a%2Cb')
  })
})

describe('the position', () => {
  const asked = (
    settings: NchanSettings,
    kind: RequestKind,
    over: Partial<Subscription>,
    channels?: readonly Wanted[],
  ) => {
    const { url, headers } = make(settings).exchange(kind, wanted(channels, over))
    return [/[?&]last_event_id=([^&]*)/.exec(url)?.[1], headers['If-Modified-Since'], headers['If-None-Match']]
  }

  test.each<[string, Partial<Subscription>, string | undefined]>([
    ['of nothing', {}, undefined],
    ['of a message', { position: at(1795211836, 0) }, '1795211836:0'],
    ['of another', { position: at(1795211836, 32767) }, '1795211836:32767'],
    ['of a whole second', { position: positionOf(1795211836_000, 0) }, '1795211835:32767'],
    ['of everything', { position: everything }, '0:0'],
    ['that the application gave', { eventId: '1795211836:3' }, '1795211836:3'],
    ['known, although the application gave one', { position: everything, eventId: '1795211836:3' }, '0:0'],
  ])('%s', (_, over, id) => {
    for (const kind of kinds) expect(asked({}, kind, over)).toEqual([id, undefined, undefined])
    const [second = '', tag] = id?.split(':') ?? []
    const time = id && new Date(Number(second) * 1000).toUTCString()
    for (const kind of kinds.filter((kind) => kind !== 'websocket')) {
      expect(asked({ position: 'headers' }, kind, over)).toEqual([undefined, time, tag])
    }
    // It has no headers.
    expect(asked({ position: 'headers' }, 'websocket', over)).toEqual([undefined, undefined, undefined])
  })

  test('the pair as the older module knows it', () => {
    const { headers } = make({ position: 'headers' }).exchange(
      'longpolling',
      wanted([{ name: 'a' }], { position: at(1795218474, 1) }),
    )
    expect(headers).toEqual({ 'If-Modified-Since': 'Fri, 20 Nov 2026 23:47:54 GMT', 'If-None-Match': '1' })
  })

  test('a new channel is asked for as the location wants; with a backtrack for everything', () => {
    expect(asked({}, 'eventsource', {}, [{ name: 'a', backtrack: 0 }])[0]).toBeUndefined()
    expect(asked({}, 'eventsource', {}, [{ name: 'a', backtrack: 5 }])[0]).toBe('0:0')
    // The application's own id goes before it, what is known before both.
    expect(asked({}, 'eventsource', { eventId: '5:1' }, [{ name: 'a', backtrack: 5 }])[0]).toBe('5:1')
    expect(asked({}, 'eventsource', { position: at(7, 1) }, [{ name: 'a', backtrack: 5 }])[0]).toBe('7:1')
  })

  test('what a message tells is what is asked for, as it is and short', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(32767), (second, tag) => {
        const { messages, frame } = reading('eventsource')
        const id = `${second}:${tag}`
        frame('x', { id })
        const [message] = messages
        expect(message?.eventId).toBe(id)
        const [exact = ''] = asked({}, 'websocket', { position: message?.position })
        expect(exact).toBe(id)
        expect(exact).toMatch(/^[\d:]+$/)
        expect(exact.length).toBeLessThan(128)
      }),
      runs(),
    )
  })

  test('an id of the application stays one argument', () => {
    const { url } = make().exchange('eventsource', wanted([{ name: 'a' }], { eventId: '5:1&x=é #' }))
    expect(url).toBe('http://h:8080/base/sub/a?last_event_id=5:1%26x%3D%C3%A9%20%23')
  })

  describe('of several channels', () => {
    const both = [{ name: 'a' }, { name: 'b' }]
    const settings = { separator: ',' }

    test('a whole second, and everything', () => {
      expect(asked(settings, 'eventsource', { position: positionOf(7000, 0) }, both)[0]).toBe('7:[-],-')
      expect(asked(settings, 'eventsource', { position: positionOf(7000, 0) }, both.slice(1))[0]).toBe('7:[-]')
      expect(asked(settings, 'eventsource', { position: everything }, both)[0]).toBeUndefined()
      expect(asked(settings, 'eventsource', {}, both)[0]).toBeUndefined()
      expect(asked(settings, 'eventsource', {}, [{ name: 'a', backtrack: 5 }, { name: 'b' }])[0]).toBeUndefined()
    })

    test("after an answer, that answer's own id, unencoded", () => {
      const protocol = make(settings)
      const headers = new Headers({ 'Last-Modified': 'Fri, 20 Nov 2026 21:59:51 GMT', Etag: '2,[1]' })
      const inlet = { message() {}, ping() {}, deleted() {}, dead() {}, over() {} }
      protocol.decoder({ kind: 'longpolling', liveFrom: 0, channels: ['a', 'b'] }, inlet).frame('x', { headers })
      const position = protocol.positionOf({ status: 200, headers })
      expect(position).toBe(at(1795211991, 1))
      const idOf = (position: number | undefined, channels: Wanted[] = both) =>
        /last_event_id=(.*)/.exec(protocol.exchange('longpolling', wanted(channels, { position })).url)?.[1]
      expect(idOf(position)).toBe('1795211991:2,[1]')
      // A connection that begins has something known first.
      expect(idOf(positionOf(1795211991_000, 0))).toBe('1795211991:[-],-')
      expect(idOf(positionOf(1795211990_000, 0))).toBe('1795211990:[-],-')
      // The counters are those of the channels that were asked for.
      expect(idOf(position, [{ name: 'b' }, { name: 'c' }])).toBe('1795211991:[-],-')
      expect(idOf(position, [{ name: 'b' }])).toBe('1795211991:[-]')
    })
  })
})

describe('a request', () => {
  test.each<[RequestKind, Record<string, string>]>([
    ['websocket', {}],
    ['eventsource', { Accept: 'text/event-stream' }],
    ['stream', { Accept: 'multipart/mixed' }],
    ['longpolling', {}],
    ['poll', {}],
  ])('%s has no header that needs a preflight', (kind, headers) => {
    for (const over of [{}, { position: at(7, 1) }, { position: everything }, { eventId: '5:1' }]) {
      for (const sameOrigin of [true, false]) {
        expect(make({}, { sameOrigin }).exchange(kind, wanted([{ name: 'a' }], over)).headers).toEqual(headers)
      }
    }
  })

  test('a websocket offers one subprotocol, and nothing else does', () => {
    for (const kind of kinds) {
      const { subprotocols } = make().exchange(kind, wanted())
      expect(subprotocols).toEqual(kind === 'websocket' ? ['ws+meta.nchan'] : undefined)
    }
  })

  test('the answer of a long-poll is one message', () => {
    expect(kinds.map((kind) => make().exchange(kind, wanted()).framing)).toEqual([
      ...[undefined, undefined, undefined],
      ...['message', 'message'],
    ])
  })

  test('headers of the application stay, but how and from where is ours', () => {
    const headers = { Authorization: 'Bearer x', Accept: 'application/json' }
    const over = { headers, position: at(1795218474, 1) }
    expect(make({ position: 'headers' }).exchange('eventsource', wanted([{ name: 'a' }], over)).headers).toEqual({
      Authorization: 'Bearer x',
      Accept: 'text/event-stream',
      'If-Modified-Since': 'Fri, 20 Nov 2026 23:47:54 GMT',
      'If-None-Match': '1',
    })
    expect(headers.Accept).toBe('application/json')
  })

  test('credentials are passed on', () => {
    expect(make({}, { credentials: 'include' }).exchange('poll', wanted()).credentials).toBe('include')
  })
})

test.each<[object, string]>([
  [{ url: '/sub/' }, "'url'"],
  [{ url: '' }, "'url'"],
  [{ url: 7 }, "'url'"],
  [{ url: null }, "'url'"],
  [{ position: 'header' }, "'position'"],
  [{ position: '' }, "'position'"],
])('%j is refused', (settings, what) => {
  expect(() => nchan(settings as NchanSettings)).toThrow(
    expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(what) }),
  )
})

test('what it promises', () => {
  const { capabilities, guarantees, order } = make()
  expect(guarantees).toEqual({ resume: 'second', gaps: 'possible' })
  expect(capabilities).toMatchObject({ channelsPerConnection: 1, oneShot: {}, lastMessage: false })
  expect(order.echo).toBeTypeOf('function')
  const together = make({ separator: ',' })
  const channels = together.capabilities.channelsPerConnection
  expect([channels, together.order.echo]).toEqual([Number.POSITIVE_INFINITY, undefined])
})

describe('endings', () => {
  const { classify } = make()

  // What each of them is on the wire: traps 1, 7 and 8, transcripts 03c, 04a, 04c to 04f, 08a to 08d, 11a.
  test.each<[string, CloseReason, Classified['action'], boolean]>([
    ['a stream ends after a reload', { kind: 'end' }, 'reconnect', true],
    ['a websocket is closed with 1001', { kind: 'end', explain: '410 Gone' }, 'reconnect', true],
    ['a websocket is closed without a reason', { kind: 'end', explain: '' }, 'reconnect', true],
    ['an eventsource says 410', { kind: 'end', status: 410, explain: '410: 410 Gone' }, 'reconnect', true],
    ['a long-poll is answered with 410', { kind: 'status', status: 410 }, 'reconnect', true],
    ['a websocket is closed with 1000', { kind: 'end', explain: '408 Request Timeout' }, 'reconnect', false],
    ['the same, as 1.3.6 writes it', { kind: 'end', explain: '408 408 Request Timeout' }, 'reconnect', false],
    ['an eventsource says 408', { kind: 'end', status: 408, explain: '408: 408 Request Timeout' }, 'reconnect', false],
    ['a long-poll is answered with 408', { kind: 'status', status: 408 }, 'reconnect', false],
    ['nobody listens', { kind: 'refused' }, 'backoff', true],
    ['a websocket is refused, and the browser does not say why', { kind: 'refused', status: 1006 }, 'backoff', true],
    ['the network breaks', { kind: 'lost' }, 'backoff', false],
    ['a websocket breaks', { kind: 'lost', status: 1006 }, 'backoff', false],
    ['a websocket is closed for what the client sent', { kind: 'close', status: 1008 }, 'backoff', false],
    ['a page instead of a stream', { kind: 'invalid' }, 'unsupported', false],
    ['an authorising upstream redirects', { kind: 'status', status: 302, explain: '302:' }, 'rejected', false],
    ['an id that the server can not read', { kind: 'status', status: 400 }, 'rejected', false],
    ['credentials are missing', { kind: 'status', status: 401 }, 'rejected', false],
    ['no such channel, too many subscribers, too many channels', { kind: 'status', status: 403 }, 'rejected', false],
    ['no such location', { kind: 'status', status: 404 }, 'rejected', false],
    ['not this method', { kind: 'status', status: 405 }, 'unsupported', false],
    ['not this Accept', { kind: 'status', status: 406 }, 'unsupported', false],
    ['a conflict with another subscriber', { kind: 'status', status: 409 }, 'backoff', false],
    ['too long an address', { kind: 'status', status: 414 }, 'rejected', false],
    ['too early', { kind: 'status', status: 425 }, 'backoff', false],
    ['an upgrade is wanted', { kind: 'status', status: 426 }, 'unsupported', false],
    ['too many requests', { kind: 'status', status: 429 }, 'backoff', false],
    ['an upstream fails', { kind: 'status', status: 500 }, 'backoff', true],
    ['not implemented', { kind: 'status', status: 501 }, 'unsupported', true],
    ['a bad gateway', { kind: 'status', status: 502 }, 'backoff', true],
    ['Redis is down', { kind: 'status', status: 503 }, 'backoff', true],
    ['a gateway gives up', { kind: 'status', status: 504 }, 'backoff', true],
  ])('%s', (_, ending, meaning, gone) => {
    const { action, historyLost } = classify(ending)
    expect([action, historyLost]).toEqual([meaning, gone])
  })

  test('any ending has a meaning, and a successful status is no rejection', () => {
    const kinds = fc.constantFrom<CloseReason['kind']>('end', 'refused', 'lost', 'status', 'close', 'invalid')
    const any = fc.record(
      { kind: kinds, status: fc.integer({ min: 100, max: 5000 }), explain: anyString() },
      { requiredKeys: ['kind'] },
    )
    fc.assert(
      fc.property(any, (ending) => {
        expect(['reconnect', 'backoff', 'unsupported', 'rejected']).toContain(classify(ending).action)
        expect(classify(ending).historyLost).toBeTypeOf('boolean')
        if (ending.status === undefined || ending.status < 300) expect(classify(ending).action).not.toBe('rejected')
        // Only a status can be a rejection: what a browser hides is not the end of a channel.
        if (ending.kind !== 'status') expect(classify(ending).action).not.toBe('rejected')
      }),
      runs(),
    )
  })

  test('the code of a websocket is no status', () => {
    expect(classify({ kind: 'end', explain: '410 Gone' })).toMatchObject({ status: undefined, explain: '410 Gone' })
    expect(classify({ kind: 'close', status: 1008 })).toMatchObject({ status: undefined, explain: undefined })
    expect(classify({ kind: 'status', status: 403, explain: 'x' })).toMatchObject({ status: 403, explain: 'x' })
  })
})

test('a text is published to each channel by itself, or to all at once where a separator is told', async () => {
  for (const [separator, expected] of [
    [undefined, ['http://h/pub/a', 'http://h/pub/b']],
    [',', ['http://h/pub/a%2Cb']],
  ] as const) {
    const urls: string[] = []
    const fetch = async (url: string) => {
      urls.push(url)
      return new Response('')
    }
    const stream = new PushStream({
      url: 'http://h',
      protocol: nchan(separator === undefined ? {} : { separator }),
      environment: { fetch: fetch as unknown as typeof globalThis.fetch },
    })
    stream.addChannel('a').addChannel('b')
    await sendMessage(stream, 'x')
    expect(urls).toEqual(expected)
    stream.close()
  }
})
