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
