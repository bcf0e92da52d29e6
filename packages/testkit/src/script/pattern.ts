import type { ScriptedRequest } from './request.js'

/**
 * Selects requests:
 * - `'GET /lp/*'`: method and path. `*` is anything, including slashes. A pattern with a `?` is compared with the path
 *   and the query, others only with the path.
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
  if (!/^[/*]/.test(path)) throw new TypeError(`A pattern must be like 'GET /path/*' or '/path/*', not '${pattern}'.`)
  const source = path.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  const expected = new RegExp(`^${source.join('.*')}$`, 's')
  const wholeUrl = path.includes('?')
  return (request) =>
    (method === undefined || method === request.method) && expected.test(wholeUrl ? request.url : request.path)
}
