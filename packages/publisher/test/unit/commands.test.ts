import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

// `npx pushstream-publish` in an empty folder runs whatever is registered under that name.

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const manifests = readdirSync(join(root, 'packages')).map(
  (folder) =>
    JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')) as {
      name: string
      bin?: Record<string, string>
    },
)
const commands = manifests.filter(({ bin }) => bin !== undefined)
const { tracked }: { tracked(...patterns: string[]): string[] } = await import(
  new URL('../../../../scripts/workspace.mjs', import.meta.url).href
)
const pages = tracked('*.md')
/** Programs that `npm ci` installs in this repository. */
const own = ['vite', 'rolldown', 'vitest', 'playwright']

describe('case 42: the documented command', () => {
  test('every package with a command has one alone → npx runs it by the name of the package', () => {
    expect(commands.map(({ name }) => name)).toEqual([
      '@pushstream/devserver',
      '@pushstream/doctor',
      '@pushstream/publisher',
    ])
    for (const { bin } of commands) expect(Object.keys(bin ?? {})).toHaveLength(1)
  })

  test.each(pages)('%s → npx names a package of this repository', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const named = [...text.matchAll(/\bnpx (?:-\S+ )*([@\w][^\s`]*)/g)].map(([, name]) => name as string)
    const known = [...own, ...commands.map(({ name }) => name)]
    expect(named.filter((name) => !known.includes(name))).toEqual([])
  })
})
