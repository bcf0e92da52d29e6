import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const packages = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, packages), 'utf8')
const files = ['react', 'vue'].flatMap((name) =>
  readdirSync(new URL(`${name}/test/guide/`, packages))
    .filter((file) => file.startsWith('UserAnswer'))
    .map((file) => [name, file]),
)

test.each(files)('the guide of %s → prints %s as it is run', (name, file) => {
  expect(read(`${name}/README.md`)).toContain(`\n${read(`${name}/test/guide/${file}`)}\`\`\`\n`)
})

test('both guides → a component and its test', () => {
  expect(files).toHaveLength(4)
})

const frameworks = read('../docs/frameworks.md')
const applications = '../scripts/frameworks/'
const examples = [...frameworks.matchAll(/^```\w+\n(?:\/\/|<!--) (\S+)(?: -->)?\n(.*?)^```$/gms)].map(
  ({ 1: file = '', 2: code = '', index }) => {
    const section = frameworks.slice(0, index).split('\n## ').at(-1)?.split('\n')[0] ?? ''
    return [section, file, code] as const
  },
)

test.each(examples)('the guide to %s → prints %s as npm run check:frameworks builds it', (section, file, code) => {
  const folder = section.toLowerCase().replace('.js', '')
  expect(code).toBe(read(`${applications}${folder}/${file}`))
})

/** The application of each row, and the packages whose versions it names. */
const checked: readonly (readonly [string, ...string[]])[] = [
  ['vite-react', 'vite', 'react'],
  ['vite-vue', 'vite', 'vue'],
  ['svelte', 'vite', 'svelte'],
  ['solid', 'vite', 'solid-js'],
  ['webpack', 'webpack'],
  ['next', 'next'],
  ['nuxt', 'nuxt'],
  ['sveltekit', '@sveltejs/kit'],
  ['angular', '@angular/core'],
  ['jest', 'jest'],
]

test('the guide to frameworks → names the versions that npm run check:frameworks installs', () => {
  const rows = frameworks.split('\n').filter((line) => /^\| [^|]+ \| [\d., ]+ \|/.test(line))
  // The first row is Node's.
  const printed = rows.slice(1).map((row) => row.split('|').slice(2, 4))
  const installed = checked.map(([folder, ...names]) => {
    const { dependencies, variants = {} } = JSON.parse(read(`${applications}${folder}/package.json`))
    const older = Object.values<{ dependencies?: Record<string, string> }>(variants)
    return {
      main: names.map((name) => dependencies[name]).join(', '),
      also: older.flatMap(({ dependencies = {} }) => names.flatMap((name) => dependencies[name] ?? [])).join(', '),
    }
  })
  expect(printed.map(([main = '', also = '']) => ({ main: main.trim(), also: also.trim().split(', and')[0] }))).toEqual(
    installed,
  )
})

test('the guide to Svelte → the application has the file of the one for SvelteKit, as it says', () => {
  const file = (path: string) => read(`${applications}${path}/push-stream.ts`)
  expect(file('svelte/src')).toBe(file('sveltekit/src/lib'))
})

test('the guide to frameworks → fourteen examples', () => {
  expect(examples).toHaveLength(14)
})
