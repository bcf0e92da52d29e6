import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin, type PreviewServer, type ViteDevServer } from 'vite'
import { alias } from '../../vite.config.js'

/** `scripts/borrowing.mjs`, which has no types. */
interface Borrowing {
  borrowing(source: string): Plugin[]
}

export const { borrowing }: Borrowing = await import(new URL('../../scripts/borrowing.mjs', import.meta.url).href)

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const sources = at('packages/core/src')

/** When a file of a folder was last written. */
export function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Math.max(...files.map((file) => statSync(join(folder, file)).mtimeMs))
}

/** A script from the sources, bundled anew only when they have changed. */
function script(name: string): () => Promise<string> {
  let made: { readonly at: number; readonly code: Promise<string> } | undefined
  return () => {
    const now = newest(sources)
    if (made?.at !== now) made = { at: now, code: bundle(name) }
    return made.code
  }
}

async function bundle(name: string): Promise<string> {
  const entry = join(sources, `scripts/${name}.ts`)
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias },
    plugins: [borrowing(entry)],
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      lib: { entry, formats: ['iife'], name: 'PushStreamScript', fileName: name },
    },
  })
  const [first] = Array.isArray(result) ? result : [result]
  if (first === undefined || !('output' in first)) throw new Error(`${name}.js could not be bundled`)
  return first.output[0].code
}

/** What pages load by classic script tags, which Vite leaves alone. */
const files: Record<string, () => Promise<string>> = {
  'pushstream.js': script('pushstream'),
  'pushstream-nchan.js': script('pushstream-nchan'),
  'pushstream-updates.js': script('pushstream-updates'),
  'jquery.js': () => readFile(at('node_modules/jquery/dist/jquery.min.js'), 'utf8'),
  'plain/plain.js': () => readFile(at('playground/plain/plain.js'), 'utf8'),
  'updates/updates.js': () => readFile(at('playground/updates/updates.js'), 'utf8'),
}

/** Has pushstream.js and what adds to it for the pages without a bundler, from the sources: nothing has to be built before. */
export function dropIn(): Plugin {
  const mount = (vite: ViteDevServer | PreviewServer) => {
    vite.middlewares.use((request, response, next) => {
      const [path = ''] = (request.url ?? '').slice(1).split('?')
      if (!Object.hasOwn(files, path)) return next()
      files[path]?.().then((code) => {
        response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8', 'Cache-Control': 'no-cache' })
        response.end(code)
      }, next)
    })
  }
  return {
    name: 'playground-drop-in',
    configureServer: mount,
    async generateBundle() {
      for (const [fileName, source] of Object.entries(files)) {
        this.emitFile({ type: 'asset', fileName, source: await source() })
      }
    },
  }
}
