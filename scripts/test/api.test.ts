import { describe, expect, test } from 'vitest'

interface Api {
  reportName(folder: string, entry: string): string
  differences(committed: Record<string, string>, built: Record<string, string>): string[]
}

const { reportName, differences }: Api = await import(new URL('../release/api.mjs', import.meta.url).href)

test.each([
  ['core', '.', 'core.api.md'],
  ['core', './share', 'core.share.api.md'],
  ['core', './a/b', 'core.a.b.api.md'],
])('the entry %s %s → %s', (folder, entry, name) => {
  expect(reportName(folder, entry)).toBe(name)
})

describe('differences', () => {
  const report = 'interface A {\n  a(): void\n}\n\ninterface B {\n}\n'

  test('the same → none', () => {
    expect(differences({ 'core.api.md': report }, { 'core.api.md': report })).toEqual([])
  })

  test('an entry that is new, and one that is gone → a line each', () => {
    expect(differences({ 'old.api.md': report }, { 'new.api.md': report })).toEqual([
      'etc/new.api.md is missing',
      'etc/old.api.md is of an entry that does not exist',
    ])
  })

  test('an export that changed → the lines that only one of them has', () => {
    const built = report
      .replace('a(): void', 'a(): string')
      .replace('interface B {\n}', 'interface B {\n}\n\ninterface C {\n}')
    expect(differences({ 'core.api.md': report }, { 'core.api.md': built })).toEqual([
      [
        'etc/core.api.md is not what the package exports:',
        '  -   a(): void',
        '  +   a(): string',
        '  + interface C {',
        '  + }',
      ].join('\n'),
    ])
  })

  test('only another order → says so', () => {
    expect(differences({ 'a.md': 'a\nb' }, { 'a.md': 'b\na' })).toEqual([
      'etc/a.md is not what the package exports:\n  the order of its lines',
    ])
  })

  test('many lines → the first twenty, and how many more', () => {
    const lines = Array.from({ length: 25 }, (_, n) => `line ${n}`).join('\n')
    expect(differences({ 'a.md': '' }, { 'a.md': lines })[0]).toMatch(/\+ line 19\n {2}… 5 more$/)
  })
})
