import { readFileSync } from 'node:fs'
import { root } from './type-check.js'

/** A block of code in a page. */
export interface Sample {
  /** The page and the line where the code begins, such as `README.md:50`. */
  readonly name: string
  readonly page: string
  /** As the page names it, empty if it does not. */
  readonly language: string
  readonly code: string
}

const { tracked }: { tracked(...patterns: string[]): string[] } = await import(
  new URL('../../../../scripts/workspace.mjs', import.meta.url).href
)

/** Made of what other tests check: the reports of the API, and the options of each nginx configuration. */
const generated = /^(etc|e2e\/nginx\/wild)\//

/** All Markdown that people wrote. */
export const pages = (): string[] => tracked('*.md').filter((page) => !generated.test(page))

/** The samples of a page, in their order. */
export function samplesOf(page: string, text = readFileSync(root + page, 'utf8')): Sample[] {
  const block = /^( *)```(\w*).*\n([^]*?)^ *```$/gm
  return [...text.matchAll(block)].map(({ 1: indent, 2: language = '', 3: code = '', index }) => ({
    name: `${page}:${text.slice(0, index).split('\n').length + 1}`,
    page,
    language,
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }))
}

/** The files that samples are copies of, and that are built or run: samples have a line with the file's name before. */
export function copies(): (sample: Sample) => boolean {
  const files = tracked('scripts/frameworks', 'packages/*/test/guide/*').filter((file) =>
    /\.(tsx?|vue|svelte)$/.test(file),
  )
  const texts = new Set(files.map((file) => readFileSync(root + file, 'utf8')))
  return ({ code }) => texts.has(code) || texts.has(code.replace(/^.*\n/, ''))
}

/** The scripts that stand in the HTML of a page. */
export const scriptsOf = ({ code }: Sample): string =>
  [...code.matchAll(/<script(?: type="module")?>([^]*?)<\/script>/g)].map(([, script]) => script).join('\n')

const imports = /^import /m

/**
 * The samples as they are compiled. One that imports something is whole. One that does not continues the last sample of
 * its page that does, in a block, so that it may declare the same names again.
 */
export const completed = (samples: readonly Sample[]): Sample[] =>
  samples.map((sample, at) => {
    const begun = samples.slice(0, at).findLast(({ page, code }) => page === sample.page && imports.test(code))
    if (begun === undefined || imports.test(sample.code)) return sample
    return { ...sample, code: `${begun.code}{\n${sample.code}}\n` }
  })
