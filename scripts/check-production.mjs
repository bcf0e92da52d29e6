import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What only the client's build for development says, and nothing else in a page. */
const own = ['belongs to the classic client', 'The client tries again', 'push_stream_allowed_origins']
/** What the build for production doesn't say. */
const texts = ['Did you mean', ...own]
/** What only the build for production says. */
const quietText = 'docs/troubleshooting.md#'

/** Which builds of the client are in a folder of scripts: `development`, `production`, both or none. */
export function buildsIn(folder) {
  const scripts = readdirSync(folder, { recursive: true }).filter((file) => /\.m?js$/.test(file))
  const all = scripts.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  return [own.some((text) => all.includes(text)) && 'development', all.includes(quietText) && 'production'].filter(
    Boolean,
  )
}

const entries = {
  core: `export * from '@pushstream/core'`,
  classic: `export * from '@pushstream/core/classic'`,
}

/** Fails unless wrong values throw the same codes, mistakes in code none, and what goes wrong is one line. */
const program = `
  import { PushStream } from '@pushstream/core'
  import { PushStream as Classic } from '@pushstream/core/classic'
  import assert from 'node:assert/strict'
  const environment = { location: undefined, fetch: async () => new Response('', { status: 404 }) }
  const client = (options) => new PushStream({ url: 'http://h', modes: ['eventsource'], environment, ...options })
  assert.throws(() => client({ url: 'ftp://h' }), { code: 'bad-option' })
  assert.throws(() => client().addChannel('a/b'), { code: 'bad-channel' })
  assert.throws(() => new Classic({ host: 'h' }).connect(), { code: 'bad-option' })
  client({ nope: 1 })
  const lines = []
  console.warn = (line) => lines.push(line)
  const stream = client()
  stream.addChannel('a').connect()
  setTimeout(() => {
    stream.close()
    assert.match(lines.join('\\n'), /^pushstream: http .* 404 http:\\/\\/h\\/ev\\/a[^ ]* docs\\/troubleshooting.md#missing$/)
  }, 3500)
`

/** Bundles the packed core as Vite does for a page, and runs it as Node does with the condition. Returns what is wrong. */
export async function checkProduction(consumer) {
  const problems = []
  for (const [entry, source] of Object.entries(entries)) {
    // What Vite does by itself, and without the condition.
    const quiet = await bundle(consumer, source)
    const full = await bundle(consumer, source, { conditions: ['module', 'browser'] })
    for (const text of texts) {
      if (quiet.includes(text)) problems.push(`${entry} for production says: ${text}`)
      if (!full.includes(text)) problems.push(`${entry} for development does not say: ${text}`)
    }
  }
  const file = join(consumer, 'production.mjs')
  writeFileSync(file, program)
  const { status, stderr } = spawnSync(process.execPath, ['--conditions=production', file], { encoding: 'utf8' })
  if (status !== 0) problems.push(`with the condition production: ${stderr}`)
  return problems
}

async function bundle(consumer, source, resolve = {}) {
  const { build } = await import('vite')
  const entry = join(consumer, 'entry.mjs')
  writeFileSync(entry, source)
  const [{ output }] = await build({
    configFile: false,
    logLevel: 'warn',
    root: consumer,
    publicDir: false,
    resolve,
    build: { write: false, minify: false, lib: { entry, formats: ['es'], fileName: 'bundle' } },
  })
  return output[0].code
}
