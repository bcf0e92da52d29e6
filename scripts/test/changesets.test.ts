import { describe, expect, test } from 'vitest'

type Bump = 'major' | 'minor' | 'patch'
interface Changeset {
  bumps: Record<string, Bump>
  summary: string
}
interface Changesets {
  readChangeset(text: string, file: string): Changeset
  dated(changelog: string, release: { version: string; date: string; changes: readonly Changeset[] }): string
}

const { readChangeset, dated }: Changesets = await import(new URL('../release/changesets.mjs', import.meta.url).href)

describe('readChangeset', () => {
  test('packages and a text → both', () => {
    const text = '---\n"@pushstream/core": minor\n\'@pushstream/vue\': patch\n---\n\nMore.\n\nAnd more.\n'
    expect(readChangeset(text, 'a.md')).toEqual({
      bumps: { '@pushstream/core': 'minor', '@pushstream/vue': 'patch' },
      summary: 'More.\n\nAnd more.',
    })
  })

  test.each([
    ['Only text.', ".changeset/a.md does not begin with the packages between two lines '---'"],
    ['---\n"@pushstream/core": huge\n---\nMore.', `.changeset/a.md has the line '"@pushstream/core": huge'`],
    ['---\n"@pushstream/core": minor\n---\n\n', '.changeset/a.md does not say what changes'],
  ])('%j → an error that names the file', (text, message) => {
    expect(() => readChangeset(text, 'a.md')).toThrow(message)
  })
})

describe('the changelog of a release', () => {
  const head = '# Changelog\n\nThe form.\n'
  const older = '## [0.1.0] - 2026-12-01\n\n### Added\n\n- The first.\n'
  const core = (bump: Bump, summary: string): Changeset => ({ bumps: { '@pushstream/core': bump }, summary })
  const release = (changelog: string, ...changes: readonly Changeset[]) =>
    dated(changelog, { version: '0.2.0', date: '2027-01-02', changes })

  test('what was written by hand → the section of the version', () => {
    expect(release(`${head}\n## [Unreleased]\n\n### Added\n\n- More.\n\n${older}`)).toBe(
      `${head}\n## [0.2.0] - 2027-01-02\n\n### Added\n\n- More.\n\n${older}`,
    )
  })

  test('nothing older → ends after the section', () => {
    expect(release(`${head}\n## [Unreleased]\n\n- More.\n`)).toBe(`${head}\n## [0.2.0] - 2027-01-02\n\n- More.\n`)
  })

  test('changesets → by the highest change, each once with its packages, before what was written by hand', () => {
    const both: Changeset = { bumps: { '@pushstream/core': 'patch', '@pushstream/vue': 'minor' }, summary: 'B.\nC.' }
    const changes = [core('patch', 'A.'), both, core('major', 'D.')]
    expect(release(`${head}\n## [Unreleased]\n\n- By hand.\n\n${older}`, ...changes)).toBe(`${head}
## [0.2.0] - 2027-01-02

### Breaking changes

- \`@pushstream/core\`:
  D.

### Added and changed

- \`@pushstream/core\`, \`@pushstream/vue\`:
  B.
  C.

### Fixed

- \`@pushstream/core\`:
  A.

- By hand.

${older}`)
  })

  test('no changeset, nothing by hand → an error with the command', () => {
    expect(() => release(`${head}\n${older}`)).toThrow('npm run changeset')
  })
})
