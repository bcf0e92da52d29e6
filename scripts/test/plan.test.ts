import { describe, expect, test } from 'vitest'

interface Packed {
  name: string
  version: string
  path: string
}
interface Plan {
  tagOf(version: string): string
  obstacles(release: {
    version: string
    changesets: number
    changelogs: Record<string, string | undefined>
    confirmed?: string | undefined
  }): string[]
  describe(packed: object): string
  publish(
    all: readonly Packed[],
    registry: {
      has(name: string, version: string): boolean
      send(path: string, tag: string): void
      log(text: string): void
    },
  ): string[]
}

const plan: Plan = await import(new URL('../release/plan.mjs', import.meta.url).href)

test.each([
  ['0.1.0', 'latest'],
  ['1.20.3', 'latest'],
  ['1.0.0-beta.1', 'beta'],
  ['1.0.0-rc.0', 'rc'],
])('version %s → tag %s', (version, tag) => {
  expect(plan.tagOf(version)).toBe(tag)
})

describe('what keeps a version from being published', () => {
  const changelogs = { 'CHANGELOG.md': '# C\n\n## [0.2.0] - 2027-01-02\n', 'packages/core/CHANGELOG.md': '## 0.2.0\n' }
  const ready = { version: '0.2.0', changesets: 0, changelogs, confirmed: '0.2.0' }

  test('dated, in every changelog, confirmed → nothing', () => {
    expect(plan.obstacles(ready)).toEqual([])
  })

  test.each([
    ['no confirmation', { confirmed: undefined }, 'it was not confirmed: npm run release -- --confirm 0.2.0'],
    ['another version confirmed', { confirmed: '0.1.0' }, 'it was not confirmed: npm run release -- --confirm 0.2.0'],
    ['changesets', { changesets: 2 }, '2 changesets wait: npm run release:version'],
    [
      'a changelog that names only an older version',
      { changelogs: { 'CHANGELOG.md': '## [0x2.0]\n\n## [0.2.0-beta.1]\n\n## [0.1.0]\n' } },
      'CHANGELOG.md has no section of 0.2.0: npm run release:version',
    ],
    [
      'no changelog',
      { changelogs: { 'packages/vue/CHANGELOG.md': undefined } },
      'packages/vue/CHANGELOG.md has no section of 0.2.0: npm run release:version',
    ],
  ])('%s → that, with the command', (_, changed, obstacle) => {
    expect(plan.obstacles({ ...ready, ...changed })).toEqual([obstacle])
  })
})

test('a packed package → its tarball, then each file with its size', () => {
  const files = [
    { path: 'dist/index.js', size: 12_345 },
    { path: 'package.json', size: 900 },
  ]
  const packed = { name: '@pushstream/core', version: '0.1.0', filename: 'core.tgz', size: 4000, unpackedSize: 13_245 }
  expect(
    plan.describe({ ...packed, files }),
  ).toBe(`@pushstream/core 0.1.0, tag latest: core.tgz, 4,000 bytes packed, 13,245 unpacked, 2 files
  12,345  dist/index.js
     900  package.json`)
})

describe('publish', () => {
  const all = ['core', 'react', 'vue'].map((name) => ({ name, version: '1.0.0-beta.1', path: `${name}.tgz` }))

  test('an interrupted release → goes on with what the registry lacks, in order, with the tag', () => {
    const sent: string[][] = []
    const send = (...args: [string, string]) => void sent.push(args)
    expect(plan.publish(all, { has: (name) => name === 'core', send, log() {} })).toEqual(['react', 'vue'])
    expect(sent).toEqual([
      ['react.tgz', 'beta'],
      ['vue.tgz', 'beta'],
    ])
  })

  test('one fails → the others after it, which may need it, are not published', () => {
    const sent: string[] = []
    const send = (path: string) => {
      if (path === 'react.tgz') throw new Error('refused')
      sent.push(path)
    }
    expect(() => plan.publish(all, { has: () => false, send, log() {} })).toThrow('refused')
    expect(sent).toEqual(['core.tgz'])
  })
})
