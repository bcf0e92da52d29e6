import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHttpTime, parseHttpTime } from '../../src/http-time.js'

describe('parseHttpTime', () => {
  it('reads what formatHttpTime writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (time) => parseHttpTime(formatHttpTime(time)) === time),
    )
  })

  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', 784111777],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 784111777],
    ['Sun Nov  6 08:49:37 1994', 784111777],
    ['Fri,+20+Nov+2026+22:00:56+GMT', -1],
    ['2026-11-20T22:00:56Z', -1],
    ['1795212056', -1],
    ['Fri, 31 Feb 2026 22:00:56 GMT', -1],
    ['Fri, 20 Nov 2026 25:00:56 GMT', -1],
    ['', -1],
  ])('%j is %d', (text, expected) => expect(parseHttpTime(text)).toBe(expected))
})
