import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSseParser, type ServerSentEvent } from '../../src/transports/sse.js'
import { runs } from './support/runs.js'

type Parsed = [type: string, data: string, id: string]

function parsed(pieces: readonly string[], id = '') {
  const events: Parsed[] = []
  const retries: number[] = []
  let last = id
  const feed = createSseParser({
    event({ event = 'message', data, id: now }) {
      last = now ?? last
      if (data !== undefined) events.push([event, data, last])
    },
    retry: (ms) => void retries.push(ms),
  })
  const comments = pieces.map((piece) => feed(piece))
  return { events, id: last, retries, comments }
}

describe('the parser, by the standard', () => {
  const message = (data: string, id = ''): Parsed => ['message', data, id]
  test.each<[string, string, Parsed[]]>([
    [
      'fields',
      'data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n',
      [message('msg\nmsg'), message(''), message('end')],
    ],
    ['one space is taken away', 'data:  two\n\ndata:\ttab\n\n', [message(' two'), message('\ttab')]],
    [
      'empty data is an event, none is not',
      'data\n\ndata\ndata\n\ndata:test\n\nevent: x\n\n',
      [message(''), message('\n'), message('test')],
    ],
    ['what the stream leaves unfinished is none', 'retry:1000\ndata:test1\n\nid:test\ndata:test2', [message('test1')]],
    [
      'an empty type is message, and a type is for one event',
      'event: \ndata:a\n\nevent:test\ndata:x\n\ndata:x\n\n',
      [message('a'), ['test', 'x', ''], message('x')],
    ],
    [
      'comments',
      `data:1\n:\0\n:\r\ndata:2\n:${'x'.repeat(5000)}\rdata:3\n:data:fail\r:x\ndata:4\n\n`,
      [message('1\n2\n3\n4')],
    ],
    [
      'ids stay, are taken back by an empty one, and refused with a NUL',
      'id: 1\ndata:a\n\ndata:b\n\nid: 2\0\ndata:c\n\nid\ndata:d\n\n',
      [message('a', '1'), message('b', '1'), message('c', '1'), message('d')],
    ],
    ['an id of a block without data counts', 'id: 7\n\ndata: x\n\n', [message('x', '7')]],
    ['NUL in data stays', 'data:\0\n\n', [message('\0')]],
    ['a BOM in its middle is no beginning', 'data:1\n\n\ufeffdata:2\n\ndata:3\n\n', [message('1'), message('3')]],
    ['leading spaces make another field', ' data:x\n\ndata:y\n\n', [message('y')]],
  ])('%s', (_, text, events) => {
    expect(parsed([text]).events).toEqual(events)
    expect(parsed([...text]).events).toEqual(events)
  })

  test('retry takes digits alone', () => {
    expect(parsed(['retry:3000\nretry:-1\nretry:1e3\nretry: 10\nretry\nretry:1000x\n\n']).retries).toEqual([3000, 10])
  })

  test('a piece of comments alone is told from one with a field', () => {
    expect(parsed([':\n\n', ': x', '\n', '\n', ': c\nid: 1\n', 'data: x:', ':\n\n', '']).comments).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
      false,
    ])
  })

  test('every end of line, wherever it is cut, as eventsource-parser reads it', () => {
    const token = fc.constantFrom(
      'data',
      'event',
      'id',
      'retry',
      ':',
      ' ',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'x',
      '7',
      '\0',
      'é',
    )
    fc.assert(
      fc.property(fc.array(fc.array(token).map((parts) => parts.join(''))), (pieces) => {
        const whole = parsed([pieces.join('')])
        expect({ ...parsed(pieces), comments: [] }).toEqual({ ...whole, comments: [] })
        const expected: [string, string][] = []
        const other = createParser({ onEvent: ({ event, data }) => expected.push([event ?? 'message', data]) })
        other.feed(`${pieces.join('')}`)
        // It waits for what follows a carriage return.
        other.feed(pieces.join('').endsWith('\r') ? '\n' : '')
        expect(whole.events.map(([type, data]) => [type, data])).toEqual(expected)
      }),
      runs(500),
    )
  })
})

describe('what a transport learns of it', () => {
  type Seen = ServerSentEvent | string
  const seenIn = (...pieces: string[]): Seen[] => {
    const seen: Seen[] = []
    const feed = createSseParser({ event: (event) => seen.push(event), comment: (text) => seen.push(text) })
    for (const piece of pieces) feed(piece)
    return seen
  }
  const event = (data: string | undefined, id?: string, type?: string) => ({ data, event: type, id })

  test('an id belongs to the block that sets it, not to the next one', () => {
    expect(seenIn('id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n')).toEqual([
      event('a', '1'),
      event('b'),
      event('c', ''),
    ])
  })

  test('a block without data → reported without data, wherever it is cut', () => {
    for (const text of ['id: 1\n\n', 'event: ping\n\n', 'retry: 5\n\n', 'unknown\n\n']) {
      const whole = seenIn(text)
      expect(whole).toMatchObject([{ data: undefined }])
      for (let at = 0; at <= text.length; at++) expect(seenIn(text.slice(0, at), text.slice(at))).toEqual(whole)
    }
  })

  test('comments → their text in its place, without one space; empty lines → nothing', () => {
    expect(seenIn('\n\n:\n: -1\n:  b\ndata: a\n: c\n\n\n\n')).toEqual(['', '-1', ' b', 'c', event('a')])
  })

  test('characters that look like a BOM read as Latin-1 → text like any other', () => {
    expect(seenIn('\u00ef\u00bb\u00bfdata: a\n\n')).toEqual([event(undefined)])
  })

  test('a line in many pieces → read once it is complete', () => {
    const piece = 'x'.repeat(1000)
    expect(seenIn('data: ', ...Array<string>(1000).fill(piece), '\n', '\n')).toEqual([event(piece.repeat(1000))])
  })
})
