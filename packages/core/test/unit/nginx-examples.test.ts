import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const whole = ['docs', 'e2e/nginx', 'examples']
const files = ['.', ...whole, 'packages/core', 'packages/publisher', 'packages/devserver'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: whole.includes(folder), encoding: 'utf8' })
    .filter((file) => /\.(md|conf)$/.test(file) && !file.includes('node_modules/'))
    .map((file) => join(folder, file)),
)
const examples = files.filter((file) => readFileSync(join(root, file), 'utf8').includes('location ~'))

// A regular expression of a `map`, an `if` or a `rewrite` takes $1 away from the location.
test.each(examples)('case 24: %s → its locations name what they capture', (file) => {
  const directives = readFileSync(join(root, file), 'utf8').match(/^.*(?:channels_path|channel_id) .*\$\d.*$/gm)
  expect(directives).toBeNull()
})

test('case 24: the examples are those of the README, the guides and the tests', () => {
  for (const file of ['README.md', 'docs/nchan.md', 'e2e/nginx/push-stream.conf', 'examples/plain/nginx.conf'])
    expect(examples).toContain(file)
})
