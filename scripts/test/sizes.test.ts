import { expect, test } from 'vitest'

interface Size {
  what: string
  size: number
  limit?: number
  unit: string
}
interface Sizes {
  sizesTable(sizes: readonly Size[]): string[]
  markdownOf(
    results: ReadonlyMap<string, { outcome: string; ms: number; note: string }>,
    sizes: readonly Size[],
  ): string
}

const { sizesTable, markdownOf }: Sizes = await import(new URL('../sizes.mjs', import.meta.url).href)

const sizes: readonly Size[] = [
  { what: 'the client', size: 28_560, limit: 28_600, unit: 'gzipped' },
  { what: '@pushstream/new', size: 900, unit: 'packed' },
]

test('sizes → a line each, with how much of the limit is used', () => {
  expect(sizesTable(sizes)).toEqual([
    'what              bytes  at most    used',
    'the client       28,560   28,600  99.9 %  gzipped',
    '@pushstream/new     900                   packed',
  ])
})

test('a run → the steps and the sizes in Markdown', () => {
  const results = new Map([
    ['lint', { outcome: 'passed', ms: 1234, note: '' }],
    ['unit', { outcome: 'failed', ms: 56_700, note: 'exit code 1' }],
  ])
  expect(markdownOf(results, sizes.slice(0, 1))).toBe(`| step | outcome | time |  |
| --- | --- | --: | --- |
| lint | passed | 1.2 s |  |
| unit | failed | 56.7 s | exit code 1 |

| what | bytes | at most | used |  |
| --- | --: | --: | --: | --- |
| the client | 28,560 | 28,600 | 99.9 % | gzipped |
`)
})

test('no step measures a size → only the steps', () => {
  expect(markdownOf(new Map([['lint', { outcome: 'passed', ms: 0, note: '' }]]), [])).not.toContain('bytes')
})
