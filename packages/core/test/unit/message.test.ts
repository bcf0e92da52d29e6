import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { IncomingMessage, type Message, messageOf } from '../../src/message.js'
import { positionOf } from '../../src/position.js'

const at = Date.UTC(2026, 10, 20, 22, 0, 0)
const message = (body: unknown, eventType?: string, position = positionOf(at, 7)) =>
  messageOf(new IncomingMessage(1, 'a', body, position, 7, 'e1', eventType, 'websocket', false))

describe('message', () => {
  test.each<[unknown, string, unknown, string | undefined]>([
    // body, text, data, type
    ['hello', 'hello', 'hello', undefined],
    ['', '', '', undefined],
    ['{"type":"x","a":1}', '{"type":"x","a":1}', { type: 'x', a: 1 }, 'x'],
    ['  [1, 2]', '  [1, 2]', [1, 2], undefined],
    ['"a"', '"a"', 'a', undefined],
    ['-1.5e3', '-1.5e3', -1500, undefined],
    ['42', '42', 42, undefined],
    ['007', '007', '007', undefined],
    ['true', 'true', true, undefined],
    ['null', 'null', null, undefined],
    ['truely', 'truely', 'truely', undefined],
    ['{broken', '{broken', '{broken', undefined],
    ['{"type":7}', '{"type":7}', { type: 7 }, undefined],
    ['{"type":""}', '{"type":""}', { type: '' }, ''],
    ['[{"type":"x"}]', '[{"type":"x"}]', [{ type: 'x' }], undefined],
    [{ type: 'x' }, '{"type":"x"}', { type: 'x' }, 'x'],
    [[1], '[1]', [1], undefined],
    [null, 'null', null, undefined],
    [0, '0', 0, undefined],
    [false, 'false', false, undefined],
    [undefined, '', undefined, undefined],
    [Object.create({ type: 'x' }), '{}', {}, undefined],
  ])('%j', (body, text, data, type) => {
    const made = message(body)
    expect([made.text, made.data, made.type]).toEqual([text, data, type])
  })

  const fields = {
    channel: 'a',
    id: 1,
    text: '{"a":[1]}',
    data: { a: [1] },
    type: 'published',
    eventId: 'e1',
    contentType: undefined,
    time: new Date(at),
    tag: 7,
    mode: 'websocket',
    replayed: false,
  }
  test.each<[string, (made: Message) => unknown]>([
    ['as it is', (made) => made],
    ['spread', (made) => ({ ...made })],
    ['cloned, as by postMessage', (made) => structuredClone(made)],
  ])('%s → an object with the documented fields and no others', (_, take) => {
    const taken = take(message('{"a":[1]}', 'published'))
    expect(taken).toStrictEqual(fields)
    expect(Object.keys(taken as object)).toEqual(Object.keys(fields))
  })

  test('logged and as JSON → text and data are there', () => {
    const made = message('{"a":[1]}', 'published')
    expect(inspect(made)).toBe(inspect(fields))
    expect(JSON.parse(JSON.stringify(made))).toEqual(JSON.parse(JSON.stringify(fields)))
  })

  test('the body of a raw template → data is what it came as', () => {
    const raw = { a: 1 }
    expect(message(raw).data).toBe(raw)
  })

  test.each([
    ['{"type":"own"}', 'published', 'own'],
    ['{"type":1}', 'published', 'published'],
    ['text', 'published', 'published'],
    ['{"__proto__":{"type":"x"}}', undefined, undefined],
  ])('the type of %s published as %s', (body, eventType, type) => {
    expect(message(body, eventType).type).toBe(type)
  })

  test('a body cannot reach the prototype of anything', () => {
    const { data } = message('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test('time, to the second', () => {
    expect(message('x').time).toEqual(new Date(at))
    expect(message('x', undefined, Number.NaN).time).toBeUndefined()
  })
})
