import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Guide } from './guide.js'

const folder = fileURLToPath(new URL('../../docs/start', import.meta.url))
const guides = readdirSync(folder).map((file) => file.replace(/\.md$/, ''))

/** What start.spec.ts and the tests of the doctor run. */
const run =
  /^(sudo mkdir |sudo cp node_modules|curl -d |npx (vite|rolldown|@pushstream\/doctor) |django-admin |python manage\.py )/
/** What they do otherwise: they have the programs and packages, and start nginx by themselves. */
const otherwise = /^(sudo apt install |npm install |python3 -m venv |pip install |sudo nginx -t)/
/** Needs the network. It was run by hand. */
const build = /^(git clone |cp -rL |cd nginx$|\.\/configure |make |sudo cp objs\/)/

test.each(guides)('docs/start/%s.md → a test knows each of its commands', async (name) => {
  const guide = await Guide.open(`start/${name}`, { changes: () => [] })
  try {
    const known = [run, otherwise, ...(name === 'push-stream' ? [build] : [])]
    expect(guide.commands.filter((line) => !known.some((pattern) => pattern.test(line)))).toEqual([])
  } finally {
    await guide.close()
  }
})

test('the guides → those that start.spec.ts follows, and the choice between them', () => {
  expect(guides.sort()).toEqual(['django-eventstream', 'index', 'nchan', 'no-server', 'push-stream'])
})
