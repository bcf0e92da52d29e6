import { describe, expect, test } from 'vitest'
import { Received } from '../../src/message.js'
import { positionOf } from '../../src/position.js'

const at = Date.UTC(2026, 10, 20, 22, 0, 0)
const message = (body: unknown, eventType?: string, position = positionOf(at, 7)) =>
  new Received(1, 'a', body, position, 7, 'e1', eventType, 'websocket', false)

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

  test('the body is parsed once, and only when it is asked for', () => {
    const made = message('{"a":{}}')
    expect(made.data).toBe(made.data)
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
