import { expect, test } from 'vitest'
import { matcherOf, type RequestPattern } from '../../src/script/pattern.js'
import type { ScriptedRequest } from '../../src/script/request.js'

const request = (method: string, url: string) => ({ method, url, path: url.split('?')[0] }) as ScriptedRequest

test.each<[RequestPattern, string, string, boolean]>([
  ['GET /lp/*', 'GET', '/lp/a/b', true],
  ['GET /lp/*', 'GET', '/lp/a?time=1', true],
  ['GET /lp/*', 'POST', '/lp/a', false],
  ['GET /lp/*', 'GET', '/x/lp/a', false],
  ['/lp', 'DELETE', '/lp', true],
  ['/lp', 'GET', '/lp/', false],
  ['/a.b', 'GET', '/axb', false],
  ['/lp?tag=*', 'GET', '/lp?tag=5', true],
  ['/lp?tag=*', 'GET', '/lp', false],
  ['*', 'PUT', '/anything', true],
  [/^POST .*id=7/g, 'POST', '/pub?id=7', true],
  [/^POST .*id=7/g, 'GET', '/pub?id=7', false],
  [({ method }) => method === 'HEAD', 'HEAD', '/', true],
])('%s on %s %s: %s', (pattern, method, url, expected) => {
  const matches = matcherOf(pattern)
  expect(matches(request(method, url))).toBe(expected)
  expect(matches(request(method, url))).toBe(expected)
})

test('a pattern that could never match is refused', () => {
  expect(() => matcherOf('get /lp')).toThrow(/GET \/path/)
  expect(() => matcherOf('lp/*')).toThrow(TypeError)
})
