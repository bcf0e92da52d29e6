import type { ScriptedRequest } from './request.js'

/**
 * Which requests are meant:
 * - `'GET /lp/*'`: method and path; `*` stands for anything, slashes included. A pattern with a `?` is compared with path
 *   and query, others with the path alone.
 * - `'/lp/*'`: any method.
 * - a RegExp: tested against `'GET /path?query'`.
 * - a function.
 */
export type RequestPattern = string | RegExp | ((request: ScriptedRequest) => boolean)

/** A pattern as a function. */
export function matcherOf(pattern: RequestPattern): (request: ScriptedRequest) => boolean {
  if (typeof pattern === 'function') return pattern
  if (pattern instanceof RegExp) return (request) => `${request.method} ${request.url}`.search(pattern) >= 0
  const [, method, path = ''] = /^(?:([A-Z]+) +)?(.*)$/.exec(pattern) ?? []
  if (!/^[/*]/.test(path)) throw new TypeError(`a pattern reads 'GET /path/*' or '/path/*', not '${pattern}'`)
  const source = path.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const expected = new RegExp(`^${source.join('.*')}$`, 's')
  const wholeUrl = path.includes('?')
  return (request) =>
    (method === undefined || method === request.method) && expected.test(wholeUrl ? request.url : request.path)
}
