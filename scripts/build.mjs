// Builds every package into its dist folder, and checks that the client stays small.
//
//   npm run build               all packages
//   npm run build -- core       only these
//
// Ends with 1 when something could not be built, with 2 when all is built but the client is too large.
import './node-version.mjs'
import { spawn } from 'node:child_process'
import { chmod, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { performance } from 'node:perf_hooks'
import { gzipSync } from 'node:zlib'
import { command, packages, root } from './workspace.mjs'

/** The client with all it depends on, without the protocols that are imported apart, minified and gzipped, in bytes. What it is to become. */
const GOAL = 12 * 1024
/** What it is at most today: it must not grow without somebody's decision. */
const LIMIT = 22.2 * 1024
/** What a binding to a framework is at most, without the framework and the client: all it does is fit one into the other. */
const BINDING_LIMIT = 1.2 * 1024
const frameworks = ['react', 'vue']

const { build } = await import('vite')

/**
 * Built in, from the TypeScript its package ships: its JavaScript is for browsers of 2015 and a third larger, and its
 * declarations don't resolve in Node.
 */
const inlined = {
  'reconnecting-websocket': join(root, 'node_modules/reconnecting-websocket/reconnecting-websocket.ts'),
}

const common = { configFile: false, logLevel: 'warn', publicDir: false, resolve: { alias: inlined } }
const target = 'es2022'

/** The modules, and declarations beside them. Whatever the manifest names stays a dependency. */
async function buildModules({ path, entries, manifest }) {
  await build({
    ...common,
    root: path,
    build: {
      target,
      outDir: join(path, 'dist'),
      emptyOutDir: false,
      sourcemap: true,
      minify: false,
      lib: { entry: entries, formats: ['es'] },
      rolldownOptions: {
        external: (id) => (!/^[./]|^[a-z]:/i.test(id) && !(id in inlined)) || id.startsWith('node:'),
        output: { chunkFileNames: '[name]-[hash].js' },
      },
    },
  })
  await tsc('-p', join(path, 'tsconfig.build.json'))
  for (const file of Object.values(manifest.bin ?? {})) await chmod(join(path, file), 0o755)
}

/** One file that needs nothing else, and defines globals. */
async function buildScript({ path }, file, source, minify) {
  const name = minify ? `${file}.min.js` : `${file}.js`
  const { output } = await bundle(path, source, 'iife', minify, {
    outDir: join(path, 'dist'),
    emptyOutDir: false,
    write: true,
    sourcemap: true,
    name,
  })
  return output[0].code
}

async function bundle(path, entry, format, minify, { name = 'bundle.js', external, ...options } = {}, plugins = []) {
  const [result] = await build({
    ...common,
    plugins,
    root: path,
    build: {
      target,
      write: false,
      minify,
      lib: { entry, formats: [format], name: 'PushStream', fileName: () => name },
      // Vite leaves the white space in modules for the sake of bundlers: a measure of size is without it.
      rolldownOptions: { ...(external && { external }), output: minify ? { minify: true } : {} },
      ...options,
    },
  })
  return result
}

/** What these exports of the client cost, with all they depend on. */
async function costOf({ path, entries }, names) {
  const only = {
    name: 'only',
    resolveId: (id) => (/\bonly$/.test(id) ? 'only' : undefined),
    load: (id) => (id === 'only' ? `export { ${names.join(', ')} } from ${JSON.stringify(entries.index)}` : undefined),
  }
  const { output } = await bundle(path, 'only', 'es', true, {}, [only])
  return { size: zipped(output[0].code), modules: output[0].modules }
}

async function buildScripts(one) {
  for (const [file, source] of Object.entries(one.scripts)) {
    await buildScript(one, file, source, false)
    console.log(`  ${file}.min.js gzipped: ${zipped(await buildScript(one, file, source, true))} bytes`)
  }
}

async function checkSize({ path, entries }) {
  const { size, modules: rendered } = await costOf({ path, entries }, ['PushStream', 'PushStreamError'])
  console.log(
    `  the client with its dependencies, minified and gzipped: ${size} bytes (goal ${GOAL}, at most ${LIMIT})`,
  )
  const { size: withNchan } = await costOf({ path, entries }, ['PushStream', 'PushStreamError', 'nchan'])
  console.log(`  the same with nchan: ${withNchan} bytes`)
  const { size: withDjango } = await costOf({ path, entries }, ['PushStream', 'PushStreamError', 'djangoEventStream'])
  console.log(`  the same with djangoEventStream: ${withDjango} bytes`)
  for (const socket of ['websocket', 'nativeWebSocket']) {
    const { size: composed } = await costOf({ path, entries }, ['Client', 'PushStreamError', socket, 'eventsource'])
    console.log(`  a client of ${socket} and eventsource: ${composed} bytes`)
  }
  if (size <= LIMIT) return true
  console.error(`\nThe client is ${size - LIMIT} bytes too large. What is in it, by module (before minifying):`)
  const modules = Object.entries(rendered).sort(([, a], [, b]) => b.renderedLength - a.renderedLength)
  for (const [id, { renderedLength }] of modules.slice(0, 12)) {
    console.error(`${String(renderedLength).padStart(8)}  ${relative(root, id)}`)
  }
  return false
}

/** A binding alone, with nothing of what its user has anyway. */
async function checkBinding({ path, entries, manifest }) {
  const others = Object.keys(manifest.peerDependencies)
  const external = (id) => others.some((other) => id === other || id.startsWith(`${other}/`))
  const { output } = await bundle(path, entries.index, 'es', true, { external })
  const size = zipped(output[0].code)
  console.log(`  minified and gzipped, without what it stands between: ${size} bytes (at most ${BINDING_LIMIT})`)
  return size <= BINDING_LIMIT
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
    await buildScripts(one)
    if (one.name === '@pushstream/core') small = (await checkSize(one)) && small
    if (frameworks.some((name) => name in (one.manifest.peerDependencies ?? {})))
      small = (await checkBinding(one)) && small
  } catch (error) {
    failed = true
    console.error(`${one.name}: ${error.message}`)
  }
}
process.exitCode = failed ? 1 : small ? 0 : 2
