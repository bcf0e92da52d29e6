import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textReader } from '../../src/protocols/text.js'
import { anyString, runs, wellFormed } from './support/runs.js'

const auto = textReader('auto')
const encoded = textReader('encoded')
const plain = textReader('plain')

describe('text', () => {
  test.each([
    // came, auto, encoded
    ['', '', ''],
    ['hello', 'hello', 'hello'],
    ['100%', '100%', '100%'],
    ['100% sure', '100% sure', '100% sure'],
    ['50%25 off', '50%25 off', '50% off'],
    ['50%25%20off', '50% off', '50% off'],
    ['a%20%22b%22%0A%C3%A9', 'a "b"\né', 'a "b"\né'],
    ['a%20%c3%a9', 'a%20%c3%a9', 'a é'],
    ['%C3', '%C3', '%C3'],
    ['%FF%FE', '%FF%FE', '%FF%FE'],
    ['%ED%A0%80', '%ED%A0%80', '%ED%A0%80'],
    ['%2', '%2', '%2'],
    ['%', '%', '%'],
    ['%%', '%%', '%%'],
    ['%00', '\0', '\0'],
    ['😀', '😀', '😀'],
    ['%F0%9F%98%80', '😀', '😀'],
    ['é%20', 'é%20', 'é '],
    ['%2520', '%20', '%20'],
    ["-_.!~*'()%2F", "-_.!~*'()/", "-_.!~*'()/"],
    ['{"a":"%20"}', '{"a":"%20"}', '{"a":" "}'],
    ['a%20b\n', 'a%20b\n', 'a b\n'],
    ['\ud800', '\ud800', '\ud800'],
  ])('%j', (came, asAuto, asEncoded) => {
    expect([auto(came), encoded(came), plain(came)]).toEqual([asAuto, asEncoded, came])
  })

  const text = wellFormed()

  test('what encodeURIComponent wrote is read back', () => {
    fc.assert(
      fc.property(text, (s) => {
        expect(encoded(encodeURIComponent(s))).toBe(s)
        expect(auto(encodeURIComponent(s))).toBe(s)
      }),
      runs(),
    )
  })

  test('it never throws, and plain text without a percent sign stays what it is', () => {
    fc.assert(
      fc.property(anyString(), fc.array(fc.constantFrom('%', 'C3', 'a9', '2', ' ', 'é')), (s, parts) => {
        for (const came of [s, parts.join('')]) {
          for (const read of [auto, encoded]) {
            const made = read(came)
            expect(typeof made).toBe('string')
            if (!came.includes('%')) expect(made).toBe(came)
          }
        }
      }),
      runs(),
    )
  })

  test('a long text with one percent sign is read in no time', () => {
    const started = performance.now()
    expect(auto(`${'a'.repeat(5_000_000)}%`)).toHaveLength(5_000_001)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})
