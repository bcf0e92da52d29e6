import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pushStreamNames, refusedByPushStream } from '../../../../e2e/support/channel-names.js'
import { PushStreamError } from '../../src/errors.js'
import { positionOf } from '../../src/position.js'
import type { Endpoint, RequestKind } from '../../src/protocols/protocol.js'
import { type PushStreamSettings, pushStream } from '../../src/protocols/push-stream.js'
import type { CloseReason } from '../../src/types.js'
import { runs, wellFormed } from './support/runs.js'
import { kinds, wanted } from './support/wanted.js'

const make = (settings: PushStreamSettings = {}, endpoint: Partial<Endpoint> = {}) =>
  pushStream(settings)({ base: 'http://h:8080/base', credentials: 'same-origin', sameOrigin: true, ...endpoint })
const position = positionOf(Date.UTC(2026, 10, 20, 22, 5, 8), 3)
const time = 'Fri, 20 Nov 2026 22:05:08 GMT'

/** The channels as the server's own code takes them apart: decoded, split, and the backtrack found by its expression. */
function serverReads(url: string, byArgument: boolean): { name: string; backtrack: number }[] {
  // A browser normalises the address before it sends it.
  const { pathname, search } = new URL(url)
  const text = byArgument
    ? decodeURIComponent(/[?&]channels=([^&]*)/.exec(search)![1]!)
    : decodeURIComponent(decodeURIComponent(pathname.slice('/base/ev/'.length)))
  const read: { name: string; backtrack: number }[] = []
  const expression = /(\.b([0-9]+))?(\/|$)/g
  for (let at = 0; at < text.length; ) {
    expression.lastIndex = at
    const found = expression.exec(text)!
    read.push({ name: text.slice(at, found.index), backtrack: Number(found[2] ?? 0) })
    at = found.index + found[0].length
  }
  return read
}

describe('channels', () => {
  test.each(pushStreamNames)('%j comes back from the address', (name) => {
    for (const byArgument of [false, true]) {
      const protocol = make({ channelsByArgument: byArgument })
      protocol.check(name)
      for (const backtrack of [0, 5]) {
        const { url } = protocol.exchange(
          'eventsource',
          wanted([{ name: 'first' }, { name, backtrack }, { name: 'last' }]),
        )
        expect(serverReads(url, byArgument)).toEqual([
          { name: 'first', backtrack: 0 },
          { name, backtrack },
          { name: 'last', backtrack: 0 },
        ])
      }
    }
  })

  test('any names and backtracks', () => {
    const name = wellFormed(6).map((s) => s.replace(/[/?\p{Cc}]/gu, '.b7') || 'x')
    const special = fc
      .array(fc.constantFrom('.b5', '.b', '%2F', '%', '.', '..', '+', '#', '0', 'b', ' '), {
        minLength: 1,
        maxLength: 5,
      })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.oneof(name, special), backtrack: fc.constantFrom(0, 0, 1, 99) }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.boolean(),
        (channels, byArgument) => {
          const protocol = make({ channelsByArgument: byArgument })
          for (const { name } of channels) protocol.check(name)
          const { url } = protocol.exchange('eventsource', wanted(channels, { position, params: { token: 'a/b&c' } }))
          expect(serverReads(url, byArgument)).toEqual(channels)
          expect(new URL(url).searchParams.get('token')).toBe('a/b&c')
        },
      ),
      runs(),
    )
  })

  test.each(refusedByPushStream)('%j is refused, and it is said why', (name, why) => {
    const check = () => make().check(name as string)
    expect(check).toThrow(PushStreamError)
    expect(check).toThrow(expect.objectContaining({ code: 'bad-channel', message: expect.stringContaining(why) }))
  })

  test('publishing: the same names, once decoded', () => {
    const url = new URL(make().publish(['x.b5', 'a+b &c', '🦊'], '').url)
    expect(url.pathname).toBe('/base/pub')
    expect(decodeURIComponent(/[?&]id=([^&]*)/.exec(url.search)![1]!)).toBe('x.b5.b0/a+b &c/🦊')
  })
})

describe('addresses', () => {
  test.each([
    ['websocket', 'ws://h:8080/base/ws/a'],
    ['eventsource', 'http://h:8080/base/ev/a'],
    ['stream', 'http://h:8080/base/sub/a'],
    ['longpolling', 'http://h:8080/base/lp/a'],
    ['poll', 'http://h:8080/base/ev/a'],
  ] as const)('%s', (kind, url) => {
    expect(make().exchange(kind, wanted([{ name: 'a' }])).url).toBe(url)
  })

  test.each(['/events/ws', 'events/ws/', '//events/ws//'])('prefix %s', (urlPrefixWebsocket) => {
    const { url } = make({ urlPrefixWebsocket }, { base: 'https://h' }).exchange('websocket', wanted([{ name: 'a' }]))
    expect(url).toBe('wss://h/events/ws/a')
  })

  test.each([
    ['/bitrix/subws/', 'wss://h/bitrix/subws/?channels=a'],
    ['bitrix/subws', 'wss://h/bitrix/subws?channels=a'],
    ['/', 'wss://h/?channels=a'],
    ['/subws?site=s1', 'wss://h/subws?site=s1&channels=a'],
  ])('case 2: channels by argument, prefix %s → the address has it as it is written', (urlPrefixWebsocket, address) => {
    const protocol = make({ urlPrefixWebsocket, channelsByArgument: true }, { base: 'https://h' })
    expect(protocol.exchange('websocket', wanted([{ name: 'a' }])).url).toBe(address)
  })

  test.each([
    ['/pub/', 'https://h/pub/?id=a'],
    ['/pub', 'https://h/pub?id=a'],
    ['/bitrix/pub/?site=s1', 'https://h/bitrix/pub/?site=s1&id=a'],
  ])('case 2: publisher at %s → the address has it as it is written', (urlPrefixPublisher, address) => {
    expect(make({ urlPrefixPublisher }, { base: 'https://h' }).publish(['a'], '').url).toBe(address)
  })

  test('by argument, under any name', () => {
    const { url } = make({ channelsByArgument: true, channelsArgument: 'c' }).exchange(
      'eventsource',
      wanted([{ name: 'a' }, { name: 'b', backtrack: 2 }], { params: { t: '1' } }),
    )
    expect(url).toBe('http://h:8080/base/ev?c=a%2Fb.b2&t=1')
  })
})

describe('position', () => {
  const query = `time=${encodeURIComponent(time)}&tag=3`
  const head = { 'If-Modified-Since': time, 'If-None-Match': 'W/3' }

  test.each<[string, RequestKind, PushStreamSettings, boolean, string, Record<string, string>]>([
    ['both to the own origin', 'longpolling', {}, true, query, head],
    ['no header to another origin', 'longpolling', {}, false, query, {}],
    ['a websocket has no headers', 'websocket', {}, true, query, {}],
    ['only the query', 'longpolling', { messagesControlByArgument: true }, true, query, {}],
    ['only headers', 'longpolling', { messagesControlByArgument: false }, true, '', head],
    ['only headers, also to another origin', 'longpolling', { messagesControlByArgument: false }, false, '', head],
    [
      'under other names',
      'longpolling',
      { messagesControlByArgument: true, timeArgument: 'since', tagArgument: 'n' },
      true,
      `since=${encodeURIComponent(time)}&n=3`,
      {},
    ],
  ])('%s', (_, kind, settings, sameOrigin, search, headers) => {
    const made = make(settings, { sameOrigin }).exchange(kind, wanted([{ name: 'a' }], { position, eventId: 'e' }))
    expect(new URL(made.url).search.slice(1)).toBe(search)
    expect(made.url).not.toContain('+')
    expect(made.headers).toEqual(headers)
  })

  test.each(kinds)('If-None-Match is never alone: %s', (kind) => {
    for (const over of [{}, { position }, { eventId: 'e' }, { position: 0 }, { position, eventId: 'e' }]) {
      for (const messagesControlByArgument of [undefined, true, false]) {
        const settings = messagesControlByArgument === undefined ? {} : { messagesControlByArgument }
        const { headers } = make(settings).exchange(kind, wanted([{ name: 'a' }], over))
        expect('If-None-Match' in headers).toBe('If-Modified-Since' in headers)
      }
    }
  })

  test('an event id where there is no position', () => {
    const made = make().exchange('eventsource', wanted([{ name: 'a' }], { eventId: 'é +1' }))
    expect(new URL(made.url).search).toBe('?eventid=%C3%A9%20%2B1')
    expect(made.headers).toEqual({ 'Last-Event-ID': '\xc3\xa9 +1' })
  })

  test('what the application adds stays, and never becomes a position', () => {
    const made = make().exchange(
      'poll',
      wanted([{ name: 'a' }], { position, params: { time: 'mine', x: '1' }, headers: { Authorization: 'Bearer x' } }),
    )
    expect(new URL(made.url).searchParams.get('time')).toBe(time)
    expect(made.headers).toEqual({ ...head, Authorization: 'Bearer x', 'X-Nginx-PushStream-Mode': 'polling' })
    expect(made.framing).toBe('eventsource')
  })

  test.each<[string | null, string | null, number | undefined]>([
    [time, 'W/3', position],
    [time, '"3"', position],
    [time, null, position - 3],
    [null, 'W/3', undefined],
    ['yesterday', 'W/3', undefined],
  ])('from the headers of an answer: %s, %s', (lastModified, etag, expected) => {
    const headers = new Headers()
    if (lastModified !== null) headers.set('Last-Modified', lastModified)
    if (etag !== null) headers.set('Etag', etag)
    expect(make().positionOf({ status: 200, headers })).toBe(expected)
  })
})

test.each([
  ['żółw-1', '\xc5\xbc\xc3\xb3\xc5\x82w-1'],
  // Latin-1 as well: a server compares bytes.
  ['é', '\xc3\xa9'],
  ['🐢', '\xf0\x9f\x90\xa2'],
  ['e1', 'e1'],
])('case 11: event id %j → the header has its UTF-8 bytes, the query its characters', (eventId, bytes) => {
  const subscription = { ...wanted(), position: undefined, eventId }
  const { url, headers } = make().exchange('eventsource', subscription)
  expect(headers).toEqual({ 'Last-Event-ID': bytes })
  expect(() => new Headers(headers)).not.toThrow()
  expect(new URL(url).searchParams.get('eventid')).toBe(eventId)
})

describe('endings', () => {
  const close = (status: number, explain: string): CloseReason => ({ kind: 'close', status, explain })
  const refused = (status: number, explain: string) => close(1008, `{"http_status": ${status}, "explain":"${explain}"}`)

  test.each<[CloseReason, string, number | undefined, string | undefined]>([
    [{ kind: 'end' }, 'reconnect', undefined, undefined],
    [{ kind: 'refused' }, 'backoff', undefined, undefined],
    [{ kind: 'refused', status: 1006 }, 'backoff', undefined, undefined],
    [{ kind: 'lost' }, 'backoff', undefined, undefined],
    [{ kind: 'lost', status: 1006 }, 'backoff', undefined, undefined],
    [{ kind: 'invalid', explain: 'an HTML page' }, 'unsupported', undefined, 'an HTML page'],
    [{ kind: 'status', status: 400 }, 'rejected', 400, undefined],
    [{ kind: 'status', status: 401 }, 'rejected', 401, undefined],
    [{ kind: 'status', status: 403, explain: 'Channel is forbidden' }, 'rejected', 403, 'Channel is forbidden'],
    [
      { kind: 'status', status: 403, explain: 'Subscribers limit reached.' },
      'backoff',
      403,
      'Subscribers limit reached.',
    ],
    [{ kind: 'status', status: 404 }, 'unsupported', 404, undefined],
    [{ kind: 'status', status: 404, explain: 'limit exceeded' }, 'backoff', 404, 'limit exceeded'],
    [{ kind: 'status', status: 405 }, 'unsupported', 405, undefined],
    [{ kind: 'status', status: 408 }, 'backoff', 408, undefined],
    [{ kind: 'status', status: 414 }, 'rejected', 414, undefined],
    [{ kind: 'status', status: 426 }, 'unsupported', 426, undefined],
    [{ kind: 'status', status: 429 }, 'backoff', 429, undefined],
    [{ kind: 'status', status: 500 }, 'backoff', 500, undefined],
    [{ kind: 'status', status: 501 }, 'unsupported', 501, undefined],
    [{ kind: 'status', status: 502 }, 'backoff', 502, undefined],
    [{ kind: 'status', status: 302 }, 'backoff', 302, undefined],
    [refused(403, 'Channel "x" not allowed'), 'rejected', 403, 'Channel "x" not allowed'],
    [refused(403, 'Number of channels were exceeded.'), 'backoff', 403, 'Number of channels were exceeded.'],
    [close(1008, 'policy'), 'backoff', undefined, 'policy'],
    [close(1008, ''), 'backoff', undefined, ''],
    [close(1011, '{"http_status": 403, "explain":"x"}'), 'backoff', undefined, '{"http_status": 403, "explain":"x"}'],
    [close(4000, 'mine'), 'backoff', undefined, 'mine'],
  ])('%j: %s', (ending, action, status, explain) => {
    const protocol = make()
    expect(protocol.classify(ending)).toEqual({ action, status, explain })
  })
})
