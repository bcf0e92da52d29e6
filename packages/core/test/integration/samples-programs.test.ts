// The samples of all Markdown in languages that other programs read: nginx tests configurations, and each language
// parses its own. samples.test.ts has TypeScript and JavaScript. What these samples do is shown elsewhere:
//
// | samples | run by |
// | --- | --- |
// | docs/publishing.md | packages/publisher/test/integration/docs.test.ts |
// | docs/start | e2e/start.spec.ts and e2e/support/guide.test.ts |
// | docs/guides/security.md, monitoring.md | packages/publisher/test/integration/guides.test.ts |
// | docs/guides/scaling.md | scaling.test.ts |
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { translate } from '../../../../e2e/support/directives.js'
import { pushStreamModule } from '../../../../e2e/support/nginx.js'
import { lacking, missingProgram, type ProgramName, program } from '../../../../e2e/support/programs.js'
import { pages, samplesOf } from '../support/samples.js'
import { root } from '../support/type-check.js'

const { temporaryPaths }: { temporaryPaths(folder: string): string } = await import(
  new URL('../../../../scripts/servers.mjs', import.meta.url).href
)

const samples = pages().flatMap((page) => samplesOf(page))
const named = (...languages: string[]) =>
  samples.filter(({ language }) => languages.includes(language)).map((sample) => [sample.name, sample] as const)
const missing = (...names: ProgramName[]) => lacking(...names.map(missingProgram)) !== undefined

/** What a program says against a text that it reads, empty if nothing. */
function said(path: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(path, args, (error, stdout, stderr) => resolve(error ? `${stdout}${stderr}` : ''))
    // It may end before it has read everything, or anything.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

const readers = {
  sh: { path: 'sh', args: ['-n'], before: '' },
  python: { path: program('python'), args: ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], before: '' },
  ruby: { path: program('ruby'), args: ['-c'], before: '' },
  php: { path: program('php'), args: ['-l'], before: '<?php\n' },
}

describe.each(['python', 'ruby', 'php', 'sh'] as const)('%s', (language) => {
  const { path = language, args, before } = readers[language]
  // A whole file has it already.
  const check = (code: string) => said(path, args, code.startsWith(before) ? code : before + code)

  describe.skipIf(language !== 'sh' && missing(language))('samples', () => {
    test.each(named(language))('%s → can be parsed', async (_, { code }) => {
      expect(await check(code)).toBe('')
    })

    test('a broken one → refused', async () => {
      expect(await check('if (')).not.toBe('')
    })
  })
})

describe.skipIf(missing('nginx', 'nchan'))('nginx', () => {
  const module = pushStreamModule()
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pushstream-samples-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The places in a configuration that a sample may be meant for. */
  const places = [
    (code: string) => {
      const path = /channels_path/.test(code) ? '' : 'push_stream_channels_path $channel;'
      const needed = /push_stream_(subscriber|publisher)/.test(code) ? path : ''
      return `http {\nserver {\nlisten 80;\nlocation ~ ^/(?<channels>(?<channel>.+))$ {\n${needed}\n${code}\n}\n}\n}\n`
    },
    (code: string) => {
      const certificate = 'ssl_certificate $host;\nssl_certificate_key $host;'
      return `http {\nserver {\n${/listen/.test(code) ? '' : 'listen 80;'}\n${certificate}\n${code}\n}\n}\n`
    },
    (code: string) => `http {\n${code}\n}\n`,
  ]
  /** Ports and files are in the folder, and all modules are loaded. The module of push stream wants to know its memory. */
  const here = (config: string) => {
    const modules = [program('nchan'), module].filter((path) => path !== undefined)
    const loaded = modules.map((path) => `load_module ${path};\n`).join('')
    const memory = config.includes('push_stream_shared_memory_size') ? '' : 'push_stream_shared_memory_size 1m;'
    const own = config
      .replace(/^(?:include .*modules-enabled|load_module |user ).*\n/gm, '')
      .replace(/listen (\d+)/g, `listen unix:${folder}/$1`)
      .replaceAll('/var/log/nginx', folder)
      .replace(/^http {/m, `http {\naccess_log off;\n${temporaryPaths(folder)}\n${memory}`)
    const events = /^events/m.test(own) ? '' : 'events {}\n'
    return `${loaded}${events}${module ? own : translate(own, 'http://127.0.0.1:9').config}`
  }
  /** Why nginx does not take a configuration, empty if it does. */
  const refusal = async (config: string): Promise<string> => {
    const file = join(folder, 'nginx.conf')
    try {
      await writeFile(file, here(config))
    } catch (error) {
      return String(error)
    }
    const settings = `pid ${folder}/nginx.pid;`
    return said(program('nginx') as string, ['-t', '-p', folder, '-e', 'stderr', '-c', file, '-g', settings])
  }

  /** Why no place takes a sample. One with `http` or `events` is whole. */
  const refusedEverywhere = async (code: string): Promise<string> => {
    if (/^(http|events) {/m.test(code)) return refusal(code)
    const refusals: string[] = []
    for (const place of places) {
      const refused = await refusal(place(code))
      if (refused === '') return ''
      refusals.push(refused)
    }
    return refusals.join('\n')
  }

  const alternatives = named('nginx').flatMap(([name, { code }]) =>
    code
      .split(/^# (?:push stream module|Nchan)\n/m)
      .filter((part) => part !== '')
      .map((part, n) => [`${name}${n ? ', the other server' : ''}`, part] as const),
  )

  test.each(alternatives)('%s → nginx takes it', async (_, code) => {
    expect(await refusedEverywhere(code)).toBe('')
  })

  test.each([
    ['unknown', 'push_stream_subscribe websocket;'],
    ['in no place that nginx has', 'server {\nevents {}\n}'],
    ['whole, with a word too many', 'http {\nserver {\nlisten 80 81;\n}\n}'],
  ])('a directive that is %s → refused', async (_, code) => {
    expect(await refusedEverywhere(code)).not.toBe('')
  })
})

test('`npm run` in a page → a script of this repository, or of the folder of the page', () => {
  const scriptsIn = (folder: string): string[] => {
    const file = join(root, folder, 'package.json')
    return existsSync(file) ? Object.keys(JSON.parse(readFileSync(file, 'utf8')).scripts ?? {}) : []
  }
  const run = pages().flatMap((page) =>
    [...readFileSync(root + page, 'utf8').matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => ({ page, name })),
  )
  expect(run.length).toBeGreaterThan(20)
  expect(run.filter(({ page, name }) => ![...scriptsIn('.'), ...scriptsIn(dirname(page))].includes(name))).toEqual([])
})
