import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ErrorCode } from '../../src/index.js'

const page = readFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), 'utf8')
const [, client = ''] = /^## Codes of the client$([^]*?)^## /m.exec(page) ?? []

/** All of them: the types don't compile with one missing, or one too many. */
const codes = Object.keys({
  'bad-option': 0,
  'bad-channel': 0,
  closed: 0,
  forbidden: 0,
  unauthorized: 0,
  'bad-request': 0,
  unreachable: 0,
  http: 0,
  silent: 0,
  listener: 0,
  setup: 0,
  send: 0,
} satisfies Record<ErrorCode, 0>)

test('docs/reference/errors.md → a heading for each code of the client, in the order of the type', () => {
  expect([...client.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)).toEqual(codes)
})

test.each(codes)('%s → when it comes, what it comes from, and what to do', (code) => {
  const section = client.split(`\n### ${code}\n`)[1]?.split('\n### ')[0] ?? ''
  const [cause, mend, ...more] = section.trim().split('\n\n')
  expect(cause).toMatch(/^\*\*[A-Z][^*]+\*\*/)
  expect(mend).toMatch(/^[A-Z][^]+\.$/)
  expect(more).toEqual([])
})
