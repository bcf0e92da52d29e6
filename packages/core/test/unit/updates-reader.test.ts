import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonTexts } from '../../src/updates/json-texts.js'
import { Reader, type ReaderSettings } from '../../src/updates/reader.js'
import { runs } from './support/runs.js'
import { chunks } from './support/wire.js'

const time = 'Fri, 20 Nov 2026 22:31:53 GMT'
const headers = (etag: string | undefined, more: Record<string, string> = {}) =>
  new Headers({ 'Last-Modified': time, ...(etag === undefined ? {} : { Etag: etag }), ...more })
const frame = (id: number, text: string, tag: number, at = time, channel = 'main') =>
  `{"id":${id},"channel":"${channel}","text":"${text}","tag":"${tag}","time":"${at}","eventid":""}`

function read(text: string, head: Headers, settings: ReaderSettings = {}) {
  const reader = new Reader('main', 'http://x/lp/main', settings)
  return { reader, reading: reader.read(text, head) }
}

describe('JSON texts without a delimiter', () => {
  test.each([
    ['{"a":1}', ['{"a":1}']],
    ['{"a":"}{"}{"b":[{}]}[1]"x"', ['{"a":"}{"}', '{"b":[{}]}', '[1]', '"x"']],
    ['{"a":"\\"}{"}{}', ['{"a":"\\"}{"}', '{}']],
    ['{}17{}true', ['{}', '17', '{}', 'true']],
    ['1 2', ['1 2']],
    ['2026-11-21 {"a":1}', ['2026-11-21 ', '{"a":1}']],
    ['{"a":1}oops{"b":2}', ['{"a":1}', 'oops', '{"b":2}']],
    ['not JSON', ['not JSON']],
    ['{"a":1}{"half', ['{"a":1}', '{"half']],
    ['', ['']],
    [' ', [' ']],
    ['{a}{b}', ['{a}{b}']],
  ])('%j', (text, expected) => expect(jsonTexts(text)).toEqual(expected))

  test('whatever objects, arrays and strings: they are found again', () => {
    const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), fc.string())
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (values) => {
        const texts = values.map((one) => JSON.stringify(one))
        expect(jsonTexts(texts.join(''))).toEqual(texts)
      }),
      runs(300),
    )
  })

  test('nothing is lost of any text, and a text made for it takes no time', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const squeezed = (some: string) => some.replace(/\s/g, '')
        expect(squeezed(jsonTexts(text).join(''))).toBe(squeezed(text))
      }),
      runs(300),
    )
    const before = performance.now()
    jsonTexts('[{'.repeat(50_000))
    expect(performance.now() - before).toBeLessThan(5000)
  })
})

describe('what an answer is', () => {
  test('the transcripts of the module are frames, whose bodies may hold what ends one', () => {
    const body = (name: string) => Buffer.concat(chunks(name)).toString()
    const batch = read(body('12-longpoll-batch'), headers('W/6')).reading
    expect(batch.kind).toBe('frames')
    if (batch.kind !== 'frames') return
    expect(batch.parts.map((part) => 'message' in part && [part.message.id, part.message.text])).toEqual([
      [2, '}{"1'],
      [3, '}{"2'],
      [4, '}{"3'],
    ])
    // Not with an Etag of somebody else, or another time.
    expect(read(body('12-longpoll-batch'), headers('6')).reading.kind).toBe('relay')
    expect(read(body('12-longpoll-batch'), headers('W/"6"')).reading.kind).toBe('relay')
    const later = headers('W/6', { 'Last-Modified': 'Fri, 20 Nov 2026 22:31:54 GMT' })
    expect(read(body('12-longpoll-batch'), later).reading.kind).toBe('bodies')
  })

  test.each([
    ['an Etag of the module, all as it says', frame(1, 'x', 5), 'W/5', 'frames'],
    ['frames of bodies that break the JSON', frame(1, 'say "x"', 4) + frame(2, 'a "b"', 5), 'W/5', 'frames'],
    ['raw JSON at the end', `{"id":1,"channel":"main","time":"${time}","text":{"type":"a"}}`, 'W/5', 'frames'],
    ['another tag', frame(1, 'x', 4), 'W/5', 'bodies'],
    ['another time', frame(1, 'x', 5, 'Fri, 20 Nov 2026 22:31:52 GMT'), 'W/5', 'bodies'],
    ['no time', '{"id":1,"channel":"main","text":"x"}', 'W/5', 'bodies'],
    ['no number', `{"channel":"main","text":"x","tag":"5","time":"${time}"}`, 'W/5', 'bodies'],
    ['no channel', `{"id":1,"text":"x","tag":"5","time":"${time}"}`, 'W/5', 'bodies'],
    ['a control message with a place', '{"id":-2,"channel":"main","text":"x"}', 'W/5', 'bodies'],
    ['a frame and something else', `${frame(1, 'x', 5)}{"a":1}`, 'W/5', 'bodies'],
    ['something else and a frame', `{"a":1}${frame(1, 'x', 5)}`, 'W/5', 'bodies'],
    ['a text and a frame', `hello ${frame(1, 'x', 5)}`, 'W/5', 'bodies'],
    ['a frame and an array', `${frame(1, 'x', 5)}[1]`, 'W/5', 'bodies'],
    ['a frame, a text and something else', `${frame(1, 'x', 5)}"x"{"a":"1"}`, 'W/5', 'bodies'],
    ["a relay's Etag", frame(1, 'x', 5), '5', 'relay'],
    ['an Etag in Cache-Control', frame(1, 'x', 5), 'cache', 'relay'],
    ['no Etag to be read, a frame of that time', frame(1, 'x', 5), undefined, 'frames'],
    [
      'no Etag to be read, a frame of another time',
      frame(1, 'x', 5, 'Fri, 20 Nov 2026 22:31:52 GMT'),
      undefined,
      'relay',
    ],
    ['no Etag to be read, several texts', '{"a":1}{"b":2}', undefined, 'bodies'],
    ['no Etag to be read, one text', '{"text":"x","id":1}', undefined, 'relay'],
  ])('%s', (_, text, etag, kind) => {
    const head = etag === 'cache' ? headers(undefined, { 'Cache-Control': 'no-cache, etag=5' }) : headers(etag)
    expect(read(text, head).reading.kind).toBe(kind)
  })

  test('the first answer decides', () => {
    const bodies = read('{"a":1}', headers('W/4')).reader
    expect(bodies.read(frame(1, 'x', 5), headers('W/5'))).toEqual({ kind: 'bodies', bodies: [frame(1, 'x', 5)] })
    const frames = read(frame(1, 'x', 5), headers('W/5')).reader
    expect(frames.read('{"a":1}', headers('W/6'))).toMatchObject({ kind: 'frames', parts: [{ dead: '{"a":1}' }] })
    const relay = read('{"a":1}', headers('4')).reader
    expect(relay.read(frame(1, 'x', 5), headers('W/5')).kind).toBe('relay')
  })

  test("the module's own messages decide nothing", () => {
    const { reader, reading } = read(
      '{"id":-2,"channel":"main","text":"Channel deleted","tag":"0","time":"Thu, 01 Jan 1970 00:00:00 GMT","eventid":""}',
      headers('W/0'),
    )
    expect(reading).toEqual({ kind: 'frames', parts: [{ deleted: 'Channel deleted' }], several: false })
    expect(reader.read('{"a":1}', headers('W/1')).kind).toBe('bodies')
    expect(reader.read('Channel deleted', headers('W/0'))).toEqual({ kind: 'bodies', bodies: [] })
  })

  test('what is told beats what is seen', () => {
    expect(read(frame(1, 'x', 5), headers('W/5'), { messageTemplate: '~text~' }).reading.kind).toBe('bodies')
    expect(read(frame(1, 'x', 5), headers('W/5'), { server: 'relay' }).reading.kind).toBe('relay')
    const lines = read('1|main|x', headers('W/5'), { messageTemplate: '~id~|~channel~|~text~' }).reading
    expect(lines).toMatchObject({ kind: 'frames', parts: [{ message: { id: 1, text: 'x' } }] })
  })
})
