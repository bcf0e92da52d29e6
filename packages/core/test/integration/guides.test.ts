// The samples of the guides that are whole: each imports what it uses, and compiles by itself.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { entryPoints, errorsOfExamples } from '../support/examples.js'
import { programOf, root } from '../support/type-check.js'

const timeout = 180_000
const folders = ['docs/guides', 'docs/migrate', 'docs/reference', 'docs/start']
const pages = folders.flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`),
)
const samples = pages.flatMap((page) =>
  [...readFileSync(`${root}${page}`, 'utf8').matchAll(/^```(tsx?)(?: .*)?\n([^]*?)\n```$/gm)].map(
    ([, language, code = ''], n) => ({
      name: `${page}, sample ${n + 1}`,
      needsExample: false,
      examples: [{ language, code }],
    }),
  ),
)

test('the samples of docs/guides, docs/migrate, docs/reference and docs/start → compile by themselves', {
  timeout,
}, () => {
  expect(samples.length).toBeGreaterThan(8)
  expect(errorsOfExamples(samples, programOf([...entryPoints().values()]))).toEqual([])
})
