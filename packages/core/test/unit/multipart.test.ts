import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMultipart, headersOf, type Part } from '../../src/protocols/multipart.js'
import { anyString, runs } from './support/runs.js'

const read = (...pieces: readonly string[]) => {
  const parts: Part[] = []
  const feed = createMultipart((part) => parts.push(part))
  for (const piece of pieces) feed(piece)
  return parts.map(({ headers, body }) => [Object.fromEntries(headers), body])
}

const write = (boundary: string, parts: readonly (readonly [head: Record<string, string>, body: string])[]) =>
  `--${boundary}${parts
    .map(([head, body]) => {
      const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
      return `\r\n${lines.join('')}\r\n${body}\r\n--${boundary}`
    })
    .join('')}`

describe('headers', () => {
  test.each<[string, Record<string, string>]>([
    ['', {}],
    ['Etag: 1', { etag: '1' }],
    ['Etag: 1\r\nContent-Type:text/plain; a=b:c \nX:\n', { etag: '1', 'content-type': 'text/plain; a=b:c', x: '' }],
    ['no colon\r\n: no name\r\nid: 5:[1],-', { id: '5:[1],-' }],
    ['__proto__: 1', { ['__proto__']: '1' }],
  ])('%j', (text, headers) => {
    expect(Object.fromEntries(headersOf(text))).toEqual(headers)
  })
})

test('a part is there when the boundary behind it is, and not before', () => {
  const parts: unknown[] = []
  const feed = createMultipart(({ body }) => parts.push(body))
  feed('--b\r\nA: 1\r\n\r\none\r\n-')
  expect(parts).toEqual([])
  feed('-')
  feed('b')
  expect(parts).toEqual(['one'])
  feed('\r\n\r\ntwo\r\n--b--\r\n')
  expect(parts).toEqual(['one', 'two'])
})

test('line feeds before the first boundary, and an end without a part', () => {
  expect(read('\r\n--b\r\n\r\none\r\n--b')).toEqual([[{}, 'one']])
  expect(read('--b')).toEqual([])
  expect(read('--b--\r\n')).toEqual([])
  expect(read('--b', '--\r\n')).toEqual([])
})

test('what looks like a boundary, and is none', () => {
  const bodies = ['--b', '--b\r\n', 'x--b', '\r\n--', '\r\n-b', '\n--boundary', '\r\n\r\n', '\r\n--boundar\r\n']
  const text = write(
    'boundary',
    bodies.map((body) => [{ Etag: '1' }, body]),
  )
  expect(read(text).map(([, body]) => body)).toEqual(bodies)
})

const header = fc.constantFrom('1', 'text/plain; charset=utf-8', '[1],-', 'Fri, 20 Nov 2026 21:57:19 GMT')
const body = fc
  .array(fc.oneof(anyString(5), fc.constantFrom('\r\n', '--', '-', '\n', '--bound', '\r\n--', '\r', ': ')), {
    maxLength: 6,
  })
  .map((pieces) => pieces.join(''))
const part = fc.tuple(fc.dictionary(fc.constantFrom('etag', 'content-type', 'last-modified'), header), body)
const boundary = fc.constantFrom(
  'b',
  'boundary',
  'p94Irs.SH6qS9H3rBcuTtaif0zh1ippY',
  'd9VHGtGEX4RMiCvd//ASj7WvhVppAvlp',
)

test('wherever it is cut, the parts are the same', () => {
  fc.assert(
    fc.property(
      boundary,
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.nat(500), { maxLength: 20 }),
      fc.boolean(),
      (boundary, parts, places, ended) => {
        fc.pre(parts.every(([, body]) => !`\r\n${body}\r\n`.includes(`\r\n--${boundary}`)))
        const text = write(boundary, parts) + (ended ? '--\r\n' : '')
        const cuts = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length]
        const pieces = cuts.slice(1).map((end, index) => text.slice(cuts[index], end))
        expect(read(...pieces)).toEqual(parts.map(([head, body]) => [head, body]))
      },
    ),
    runs(500),
  )
})

test('one character at a time', () => {
  const text = write('b', [
    [{ etag: '0' }, ''],
    [{}, '\r\n'],
    [{ etag: '1' }, 'é🦊'],
  ])
  expect(read(...text)).toEqual([
    [{ etag: '0' }, ''],
    [{}, '\r\n'],
    [{ etag: '1' }, 'é🦊'],
  ])
})

test('garbage is no part, and never throws', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyString(), body, fc.constant('--b\r\n')), { maxLength: 8 }), (pieces) => {
      read(...pieces)
      // What begins with no boundary is not taken for one later on.
      expect(read('HTTP/1.1 200 OK\r\n', ...pieces)).toEqual([])
    }),
    runs(),
  )
})
