// Builds every package into its dist folder, and checks that imports and scripts stay small.
//
//   npm run build               all packages
//   npm run build -- core       only these
//
// Ends with 1 when something could not be built, with 2 when all is built but something is too large.
import './node-version.mjs'
import { spawn } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { performance } from 'node:perf_hooks'
import { gzipSync } from 'node:zlib'
import { borrowing } from './borrowing.mjs'
import { buildCommonJs } from './commonjs.mjs'
import { inlined, quiet } from './inlined.mjs'
import { production } from './production.mjs'
import { isWithin } from './sizes.mjs'
import { command, packages, root } from './workspace.mjs'

/**
 * What imports of the client cost at most, with all they depend on: minified and gzipped, in bytes, in the production build
 * and in the one for development. Each limit is what was measured, rounded up. Raise one only if the gain is worth it.
 */
const imports = [
  ['the client', ['PushStream', 'PushStreamError'], [28_700, 30_650]],
  [
    'the client and its functions',
    ['PushStream', 'PushStreamError', 'messages', 'messageTemplate', 'registerWithSchema', 'sendMessage'],
    [31_550, 33_500],
  ],
  ['Client of websocket and eventsource', ['Client', 'PushStreamError', 'websocket', 'eventsource'], [26_600, 28_550]],
  [
    'Client of nativeWebSocket and eventsource',
    ['Client', 'PushStreamError', 'nativeWebSocket', 'eventsource'],
    [25_000, 26_950],
  ],
  ['the client and nchan', ['PushStream', 'PushStreamError', 'nchan'], [33_050, 35_200]],
  ['the client and djangoEventStream', ['PushStream', 'PushStreamError', 'djangoEventStream'], [31_450, 33_900]],
  ['diagnose', ['diagnose', 'formatReport'], [22_650, 23_750], 'diagnose/index'],
  ['the classic client', ['PushStream', 'PushStreamManager'], [35_250, 37_250], 'classic/index'],
]
/** What is imported on top of the client: at most so many bytes more. */
const extras = [
  ['share', 'share/index', 2750],
  ['persist', 'persist/index', 1300],
]
/** The same for the scripts that pages without a bundler load. */
const scripts = {
  pushstream: 37_350,
  'pushstream-nchan': 5400,
  'pushstream-updates': 8500,
  'push-event-source': 3650,
}
/** What a binding to a framework is at most, without the framework and the client: all it does is fit one into the other. */
const BINDING_LIMIT = 1229
const frameworks = ['react', 'vue']

const { build, minifySync } = await import('vite')

const common = { configFile: false, logLevel: 'warn', publicDir: false, resolve: { alias: inlined } }
const target = 'es2022'

/** The modules, and declarations beside them. Whatever the manifest names stays a dependency. */
async function buildModules({ path, entries, manifest }) {
  await buildEntries(path, entries, 'dist', [quiet])
  if (hasProduction(manifest)) await buildEntries(path, entries, 'dist/production', [quiet, production], 'es', short)
  await tsc('-p', join(path, 'tsconfig.build.json'))
  await buildCommonJs({ path, entries, manifest }, (some) => buildEntries(path, some, 'dist/cjs', [quiet], 'cjs'))
}

const hasProduction = ({ exports }) => exports['.']?.production !== undefined

const annotations = { annotation: true, legal: true, jsdoc: false }

/** What bundlers make of modules anyway. What they take from it to leave out unused code stays. */
const short = { minify: { compress: false, mangle: true, codegen: { removeWhitespace: true } } }

/** Without maps and doc comments: the modules are readable, and the declarations say what they do. */
async function buildEntries(path, entries, folder, plugins, format = 'es', output = {}) {
  await build({
    ...common,
    plugins,
    root: path,
    build: {
      target,
      outDir: join(path, folder),
      emptyOutDir: false,
      minify: false,
      lib: { entry: entries, formats: [format], fileName: (_, name) => `${name}.js` },
      rolldownOptions: {
        external: (id) => (!/^[./]|^[a-z]:/i.test(id) && !(id in inlined)) || id.startsWith('node:'),
        output: { chunkFileNames: '[name]-[hash].js', comments: annotations, ...output },
      },
    },
  })
}

/**
 * One file that defines globals, or adds to those of a script that was loaded before. It imports nothing. Minified, it is
 * returned. Maps would be half of what is published, and the readable script is beside the minified one.
 */
async function buildScript({ path }, file, source) {
  const options = { outDir: join(path, 'dist'), emptyOutDir: false, write: true, name: `${file}.js` }
  const { output } = await bundle(path, source, 'iife', false, options, borrowing(source))
  const { code } = minifySync(`${file}.js`, output[0].code, { compress: { target }, module: false })
  await writeFile(join(path, 'dist', `${file}.min.js`), code)
  return code
}

async function bundle(path, entry, format, minify, { name = 'bundle.js', external, ...options } = {}, plugins = []) {
  const [result] = await build({
    ...common,
    plugins: [quiet, ...plugins],
    root: path,
    build: {
      target,
      write: false,
      minify,
      lib: { entry, formats: [format], name: 'PushStream', fileName: () => name },
      // Vite leaves the white space in modules for the sake of bundlers: a measure of size is without it.
      rolldownOptions: { ...(external && { external }), output: minify ? { minify: true } : { comments: annotations } },
      ...options,
    },
  })
  return result
}

/** What these exports of the client cost, with all they depend on. `extra`: exports of another entry. */
async function costOf({ path, entries }, names, entry = 'index', plugins = [], ...extra) {
  const from = (names, entry) => `export { ${names} } from ${JSON.stringify(entries[entry])}`
  const only = {
    name: 'only',
    resolveId: (id) => (/\bonly$/.test(id) ? 'only' : undefined),
    load: (id) => (id === 'only' ? `${from(names, entry)}\n${extra.length > 0 ? from(...extra) : ''}` : undefined),
  }
  const { output } = await bundle(path, 'only', 'es', true, {}, [only, ...plugins])
  return { size: zipped(output[0].code), modules: output[0].modules }
}

async function buildScripts(one) {
  let small = true
  for (const [file, source] of Object.entries(one.scripts)) {
    small = isWithin(`${file}.min.js`, zipped(await buildScript(one, file, source)), scripts[file]) && small
  }
  return small
}

async function checkSizes({ path, entries }) {
  let small = true
  const client = [{ path, entries }, ['PushStream', 'PushStreamError'], 'index', [production]]
  const { size: alone } = await costOf(...client)
  for (const [name, entry, limit] of extras) {
    const { size } = await costOf(...client, name, entry)
    small = isWithin(`${name}, on top of the client`, size - alone, limit) && small
  }
  const measured = imports.flatMap(([what, names, limits, entry]) => [
    [what, names, limits[0], entry, [production]],
    [`${what}, for development`, names, limits[1], entry, []],
  ])
  for (const [what, names, limit, entry, plugins] of measured) {
    const { size, modules } = await costOf({ path, entries }, names, entry, plugins)
    if (isWithin(what, size, limit)) continue
    small = false
    console.error('  What is in it, by module (before minifying):')
    const largest = Object.entries(modules).sort(([, a], [, b]) => b.renderedLength - a.renderedLength)
    for (const [id, { renderedLength }] of largest.slice(0, 12)) {
      console.error(`${String(renderedLength).padStart(8)}  ${relative(root, id)}`)
    }
  }
  return small
}

/** A binding alone, with nothing of what its user has anyway. */
async function checkBinding({ path, entries, manifest }) {
  const others = Object.keys(manifest.peerDependencies)
  const external = (id) => others.some((other) => id === other || id.startsWith(`${other}/`))
  const { output } = await bundle(path, entries.index, 'es', true, { external })
  return isWithin(`${manifest.name}, without the framework and the client`, zipped(output[0].code), BINDING_LIMIT)
}

function zipped(code) {
  return gzipSync(code, { level: 9 }).length
}

function tsc(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command('typescript', 'tsc'), ...args], { cwd: root, stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('the declarations have errors'))))
  })
}

const wanted = process.argv.slice(2)
let failed = false
let small = true
for (const one of packages()) {
  const short = relative(join(root, 'packages'), one.path)
  if (wanted.length > 0 && !wanted.includes(short)) continue
  const began = performance.now()
  try {
    await rm(join(one.path, 'dist'), { recursive: true, force: true })
    await buildModules(one)
    console.log(`${one.name} built in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    small = (await buildScripts(one)) && small
    if (one.name === '@pushstream/core') small = (await checkSizes(one)) && small
    if (frameworks.includes(short)) small = (await checkBinding(one)) && small
  } catch (error) {
    failed = true
    console.error(`${one.name}: ${error.message}`)
  }
}
process.exitCode = failed ? 1 : small ? 0 : 2
