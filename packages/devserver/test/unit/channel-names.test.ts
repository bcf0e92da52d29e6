import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { argument, decodePath, parseChannels, toBytes, unescapeUri } from '../../src/channel-names.js'

describe('parseChannels', () => {
  it.each([
    ['a', [['a', 0]]],
    ['a/', [['a', 0]]],
    [
      'a/b.b5',
      [
        ['a', 0],
        ['b', 5],
      ],
    ],
    ['x.b5.b0', [['x.b5', 0]]],
    [
      'x.b5.b7/y',
      [
        ['x.b5', 7],
        ['y', 0],
      ],
    ],
    ['x.b', [['x.b', 0]]],
    ['x.b5y', [['x.b5y', 0]]],
    [
      '/a',
      [
        ['', 0],
        ['a', 0],
      ],
    ],
    [
      'a//b',
      [
        ['a', 0],
        ['', 0],
        ['b', 0],
      ],
    ],
    ['.b3', [['', 3]]],
    ['', []],
  ] as Array<[string, Array<[string, number]>]>)('%j', (path, expected) => {
    expect(parseChannels(path).map(({ id, backtrack }) => [id, backtrack])).toEqual(expected)
  })

  it('gives back any names that hold no slash, with the backtracks put behind them', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.nat(999)), { minLength: 1 }), (channels) => {
        const path = channels.map(([id, backtrack]) => `${id}.b${backtrack}`).join('/')
        expect(parseChannels(path).map(({ id, backtrack }) => [id, backtrack])).toEqual(channels)
      }),
    )
  })
})

describe('unescapeUri', () => {
  it.each([
    ['a%2Fb', 'a/b'],
    ['a%252Fb', 'a%2Fb'],
    ['a+b', 'a+b'],
    ['%', ''],
    ['%zz', 'zz'],
    ['%4z', ''],
    ['a%41?b', 'aA?'],
    ['a?b', 'a?b'],
    ['a%3Fb', 'a?'],
  ])('%j is %j', (value, expected) => expect(unescapeUri(value)).toBe(expected))

  it('undoes percent-encoding of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = toBytes(text)
        if (bytes.includes('?')) return
        expect(
          unescapeUri(bytes.replace(/[^a-z]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)),
        ).toBe(bytes)
      }),
    )
  })
})

describe('decodePath', () => {
  it('decodes once and merges slashes', () => expect(decodePath('/ws//a%2F%2Fb%252F')).toBe('/ws/a/b%2F'))
  it.each(['/a%', '/a%4', '/a%zz', '/a%00'])('%j is a bad request', (path) => expect(decodePath(path)).toBeNull())
})

describe('argument', () => {
  it('is the first of its name, whatever its case, and not decoded', () => {
    expect(argument('x=1&TAG=%32&tag=3', 'tag')).toBe('%32')
    expect(argument('tagged=1&tag', 'tag')).toBeUndefined()
  })
})
