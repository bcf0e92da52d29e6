// The samples of all Markdown: every one that is code is compiled, or at least read by its language.
//
// A sample that imports something has to be whole. One that does not continues the last sample of its page that does. A
// copy of a file that another test runs, or `npm run check:frameworks` builds, is left to them. Samples in JavaScript
// are checked by the same types, without what is strict. The clients of other projects are not installed, so samples of
// them are only parsed. samples-programs.test.ts has the other languages.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { entryPoints, errorsOfExamples } from '../support/examples.js'
import { completed, copies, pages, type Sample, samplesOf, scriptsOf } from '../support/samples.js'
import { compilerOptions, errorsOf, programOf, root, textOf } from '../support/type-check.js'

const timeout = 180_000
const samples = pages().flatMap((page) => samplesOf(page))
const isCopy = copies()
const program = programOf([...entryPoints().values()])

/** What it declares of a module holds for a whole program. */
const declaresModule = ({ code }: Sample) => /^declare module /m.test(code)

function errorsOfTypeScript(written: readonly Sample[]): string[] {
  const of = (language: RegExp) => written.filter((sample) => language.test(sample.language))
  const own = completed(of(/^tsx?$/)).filter((sample) => !isCopy(sample))
  const together = own.filter((sample) => !declaresModule(sample))
  return [together, ...own.filter(declaresModule).map((sample) => [sample])].flatMap((some) =>
    errorsOfExamples(
      some.map(({ name, language, code }) => ({ name, needsExample: false, examples: [{ language, code }] })),
      program,
    ),
  )
}

/** What the scripts of `dist` define in a page, and what only a service worker has. */
const globals = `
import type { nchan, PushEventSource as Source, PushStream as Client } from '@pushstream/core'
import type { PushStream as Classic } from '@pushstream/core/classic'
import type { installUpdates } from '${root}packages/core/src/updates/install.js'
type Updates = ReturnType<typeof installUpdates>
declare global {
  var PushStream: typeof Classic & { Client: typeof Client; nchan: typeof nchan; updates: Updates }
  var PushEventSource: typeof Source
  var $: { updates: Updates }
  function importScripts(...urls: string[]): void
  interface MessageEvent {
    waitUntil(done: Promise<unknown>): void
  }
}
`
const others = /^import .* from '(centrifuge|nchan|pusher-js|reconnecting-eventsource|socket\.io-client)'$/m

function errorsOfJavaScript(written: readonly Sample[]): string[] {
  const scripts = written.flatMap((sample) =>
    sample.language === 'html' ? { ...sample, code: scriptsOf(sample) } : sample.language === 'js' ? sample : [],
  )
  const files = new Map(completed(scripts).map((sample, n) => [`${root}sample-${n}.js`, sample]))
  const texts = [...files].map(([file, { code }]) => [file, `${code}\nexport {}\n`] as const)
  const made = programOf([], new Map([[`${root}globals.ts`, globals], ...texts]), undefined, {
    allowJs: true,
    checkJs: true,
    strict: false,
    noUnusedLocals: false,
  })
  const errors = errorsOf(made, `${root}globals.ts`).map((error) => `globals: ${textOf(error)}`)
  for (const [file, { name, code }] of files) {
    const found = others.test(code) ? made.getSyntacticDiagnostics(made.getSourceFile(file)) : errorsOf(made, file)
    errors.push(...found.map((error) => `${name}: ${textOf(error)}`))
  }
  return errors
}

/** Components of Vue are compiled with their templates. */
async function errorsOfVue(written: readonly Sample[]): Promise<string[]> {
  const components = written.filter((sample) => sample.language === 'vue' && !isCopy(sample))
  const folder = await mkdtemp(join(tmpdir(), 'pushstream-samples-'))
  try {
    const options = compilerOptions()
    const at = (path: string) => join(root, path)
    const paths = Object.entries({ ...options.paths, vue: ['node_modules/vue'], 'vue/*': ['node_modules/vue/*'] })
    const config = {
      extends: at('tsconfig.json'),
      compilerOptions: {
        types: [],
        allowJs: true,
        checkJs: true,
        paths: Object.fromEntries(paths.map(([name, to]) => [name, to.map(at)])),
      },
      include: ['*.vue'],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    for (const [n, { code }] of components.entries()) await writeFile(join(folder, `sample-${n}.vue`), code)
    const run = promisify(execFile)(process.execPath, [
      at('node_modules/vue-tsc/bin/vue-tsc.js'),
      '--noEmit',
      '-p',
      folder,
    ])
    const output = await run.then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    )
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^.*sample-(\d+)\.vue/, (_, n) => components[Number(n)]?.name ?? n))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const page = (language: string, ...codes: string[]) =>
  samplesOf('a.md', codes.map((code) => `A:\n\n\`\`\`${language}\n${code}\n\`\`\`\n`).join('\n'))

describe('the samples of all pages', { timeout }, () => {
  test('TypeScript → compiles', () => {
    expect(errorsOfTypeScript(samples)).toEqual([])
  })

  test('JavaScript, alone or in HTML → names and types are right', () => {
    expect(errorsOfJavaScript(samples)).toEqual([])
  })

  test('components of Svelte → copies of what check:frameworks builds', () => {
    const own = samples.filter((sample) => sample.language === 'svelte' && !isCopy(sample))
    expect(own.map(({ name }) => name)).toEqual([])
  })

  test('every language → a test reads it, or it is no code', () => {
    const here = ['ts', 'tsx', 'js', 'html', 'vue', 'svelte']
    const programs = ['nginx', 'php', 'python', 'ruby', 'sh']
    const known = [...here, ...programs, 'http', 'text']
    expect(samples.filter(({ language }) => !known.includes(language)).map(({ name }) => name)).toEqual([])
  })
})

describe('components of Vue', { timeout }, () => {
  // One compilation, as it takes long.
  test('those of the pages and a broken one → errors of the broken one alone, with their lines', async () => {
    const broken = `<script setup lang="ts">
import { usePushChannel } from '@pushstream/vue'

const { data } = usePushChannel('a', { back: 1 })
</script>

<template>{{ data }}{{ dta }}</template>`
    expect(await errorsOfVue([...samples, ...page('vue', broken)])).toEqual([
      expect.stringMatching(/^a\.md:4\(4,.*'back' does not exist/),
      expect.stringMatching(/^a\.md:4\(7,.*'dta' does not exist/),
    ])
  })
})

describe('the checks', { timeout }, () => {
  const client = "import { PushStream } from '@pushstream/core'\n\nconst stream = new PushStream()"

  test.each([
    ['a name that the client lacks', 'ts', [`${client}\nstream.connct()`], 'a.md:4: Property'],
    ['no import', 'ts', ['new PushStream()'], "a.md:4: Cannot find name 'PushStream'."],
    ['a name of no earlier sample', 'ts', [client, 'stram.connect()'], "a.md:12: Cannot find name 'stram'."],
    [
      'a wrong option, in a sample that declares a module',
      'ts',
      [
        `${client}\nnew PushStream({ pong: 1 })\ndeclare module '@pushstream/core' {\n  interface Register { client: 1 }\n}`,
      ],
      'a.md:4: Object literal',
    ],
  ])('TypeScript with %s → an error that names the line', (_, language, codes, error) => {
    expect(errorsOfTypeScript(page(language, ...codes))).toEqual([expect.stringContaining(error)])
  })

  test('TypeScript without an import → continues the sample before it', () => {
    expect(
      errorsOfTypeScript(page('ts', client, 'stream.connect()\nconst client = stream', 'const stream = 1')),
    ).toEqual([])
  })

  test.each([
    ['in a script of HTML', 'html', '<script>\n  new PushStream.Client().conect()\n</script>', 'a.md:4: Property'],
    ['alone', 'js', `${client}\nstream.conect()`, 'a.md:4: Property'],
    [
      'of another client',
      'js',
      "import Pusher from 'pusher-js'\n\nnew Pusher(",
      'a.md:4: Argument expression expected.',
    ],
  ])('JavaScript with a fault, %s → an error that names the line', (_, language, code, error) => {
    expect(errorsOfJavaScript(page(language, code))).toContainEqual(expect.stringContaining(error))
  })
})
