// Bundles the sources as users get them, without `npm run build`.
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { inlined, quiet } from '../scripts/inlined.mjs'
import { production } from '../scripts/production.mjs'
import { root } from '../scripts/workspace.mjs'

const common = { configFile: false, logLevel: 'warn', publicDir: false }
/** As an application's own build for production finds the client. */
const plugins = [quiet, production]

/** A script that defines a global, minified like dist/pushstream.min.js. */
async function script(entry, name) {
  const [{ output }] = await build({
    ...common,
    plugins,
    root,
    resolve: { alias: inlined },
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

/** The client of a folder of sources, under a name that differs from other clients. Earlier ones are in `client.ts`. */
export const client = (source, name) => {
  const entries = ['push-stream.ts', 'client.ts'].map((file) => join(resolve(source), file))
  return script(entries.find(existsSync), name)
}

/** The imports whose size is measured, by their name in the table. */
const imports = (core) => ({
  PushStream: [core, 'PushStream, PushStreamError'],
  'PushStream with nchan': [core, 'PushStream, PushStreamError, nchan'],
  'PushStream with djangoEventStream': [core, 'PushStream, PushStreamError, djangoEventStream'],
})
const peerImports = {
  'socket.io-client': 'io',
  'pusher-js': 'default as Pusher',
  centrifuge: 'Centrifuge',
  '@anycable/web': 'createCable',
  ably: 'Realtime',
}

/** The size that an application ships, minified and gzipped, in bytes. */
async function sizeOf(from, names) {
  const only = {
    name: 'only',
    resolveId: (id) => (/\bonly$/.test(id) ? join(root, 'bench/only.mjs') : undefined),
    load: (id) =>
      id === join(root, 'bench/only.mjs') ? `export { ${names} } from ${JSON.stringify(from)}` : undefined,
  }
  const [{ output }] = await build({
    ...common,
    plugins: [only, ...plugins],
    root: join(root, 'bench'),
    resolve: { alias: inlined },
    build: {
      target: 'es2022',
      write: false,
      minify: true,
      lib: { entry: 'only', formats: ['es'], fileName: () => 'script.js' },
      rolldownOptions: { output: { minify: true } },
    },
  })
  return zipped(output[0].code)
}

export async function sizes(source) {
  const all = {}
  for (const [name, [from, names]] of Object.entries(imports(join(resolve(source), 'index.ts'))))
    all[name] = await sizeOf(from, names)
  return all
}

/** Whether the clients of other servers are installed: `npm ci --prefix bench`. */
export const hasPeers = () => existsSync(join(root, 'bench/node_modules'))

export async function peerSizes() {
  const all = {}
  for (const [name, names] of Object.entries(peerImports)) {
    const { version } = JSON.parse(await readFile(join(root, 'bench/node_modules', name, 'package.json'), 'utf8'))
    all[`${name} ${version}`] = await sizeOf(name, names)
  }
  return all
}

/** The clients of other servers, for the page. */
export const peers = () => script(join(root, 'bench/page/peers.mjs'), 'others')

/** The script of the page. */
export const page = () => script(join(root, 'bench/page/index.mjs'), 'bench')

export const zipped = (code) => gzipSync(code, { level: 9 }).length

/** The simulated herd, with the policy of this repository's client. */
export const simulated = () => importable({ herd: join(root, 'packages/core/test/support/herd.ts') })

/** The development server, the fault proxy and the client for Node, from their sources. */
export const forNode = (source) =>
  importable({
    devserver: join(root, 'packages/devserver/src/index.ts'),
    testkit: join(root, 'packages/testkit/src/index.ts'),
    core: join(resolve(source), 'index.ts'),
  })

/** Bundles sources for Node. Resolves with all that they export. */
async function importable(entry) {
  const outDir = join(root, 'node_modules/.cache/pushstream-bench', Object.keys(entry).join('-'))
  await mkdir(outDir, { recursive: true })
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
  const modules = Object.keys(entry).map((name) => import(pathToFileURL(join(outDir, `${name}.mjs`)).href))
  return Object.assign({}, ...(await Promise.all(modules)))
}
