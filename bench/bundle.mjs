// Makes what the bench measures of the sources, the way users get it: nothing needs `npm run build` before.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { root } from '../scripts/workspace.mjs'

const common = { configFile: false, logLevel: 'warn', publicDir: false }

/** One script that defines a global, minified like dist/pushstream.min.js. */
async function script(entry, name, alias = {}) {
  const [{ output }] = await build({
    ...common,
    root,
    resolve: { alias },
    build: {
      target: 'es2022',
      write: false,
      minify: true,
      lib: { entry, formats: ['iife'], name, fileName: () => 'script.js' },
      rolldownOptions: { output: { minify: true } },
    },
  })
  return output[0].code
}

/** The client of a folder of sources: what `client.ts` exports, under a name of its own beside other clients. */
export const client = (source, name) => script(join(resolve(source), 'client.ts'), name)

/** What runs in the page. */
export const page = () => script(join(root, 'bench/page/index.mjs'), 'bench')

export const zipped = (code) => gzipSync(code, { level: 9 }).length

/** The development server, the fault proxy and the client for Node, from their sources. */
export async function forNode(source) {
  const outDir = join(root, 'node_modules/.cache/pushstream-bench')
  await mkdir(outDir, { recursive: true })
  const entry = {
    devserver: join(root, 'packages/devserver/src/index.ts'),
    testkit: join(root, 'packages/testkit/src/index.ts'),
    core: join(resolve(source), 'index.ts'),
  }
  await build({
    ...common,
    root,
    build: {
      target: 'node20',
      ssr: true,
      outDir,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { input: entry, external: ['ws'], output: { entryFileNames: '[name].mjs' } },
    },
  })
  const load = (name) => import(pathToFileURL(join(outDir, `${name}.mjs`)).href)
  return { ...(await load('devserver')), ...(await load('testkit')), ...(await load('core')) }
}
