import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { PublisherErrorCode } from '../../src/index.js'

const page = readFileSync(new URL('../../../../docs/reference/errors.md', import.meta.url), 'utf8')

/** All of them: the types don't compile with one missing, or one too many. */
const codes = Object.keys({
  'bad-option': 0,
  'bad-channel': 0,
  'bad-data': 0,
  unsupported: 0,
  unreachable: 0,
  timeout: 0,
  aborted: 0,
  busy: 0,
  forbidden: 0,
  'not-found': 0,
  'not-allowed': 0,
  'too-large': 0,
  refused: 0,
  server: 0,
  unexpected: 0,
} satisfies Record<PublisherErrorCode, 0>)

test('docs/reference/errors.md → a row for each code of the publisher, in the order of the type', () => {
  const [, rows = ''] = page.split('## Codes of the publisher')
  expect([...rows.matchAll(/^\| `([\w-]+)` \| .+ \| .+ \|$/gm)].map(([, code]) => code)).toEqual(codes)
})
