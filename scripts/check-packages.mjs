// Looks at every package as its users will: packed, unpacked in a folder of its own beside nothing but what its manifest
// names, weighed, linted, compiled against under each module resolution and without the DOM library, and imported by plain
// Node. Needs a build, no network.
import './node-version.mjs'
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { checkProduction } from './check-production.mjs'
import { npmCommand } from './npm-command.mjs'
import { isWithin } from './sizes.mjs'
import { command, packages, root } from './workspace.mjs'

const { publint } = await import('publint')
const { formatMessage } = await import('publint/utils')

const workplace = mkdtempSync(join(tmpdir(), 'pushstream-packages-'))
const problems = []

/** Runs a program. Resolves with what it printed; if it fails, that explains the problem. */
function run(what, program, args, options = {}) {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', cwd: root, ...options }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      problems.push(`${what}\n${error.message.slice(0, 300)}\n${stdout}${stderr}`)
      resolve(undefined)
    })
  })
}

async function pack({ name, path }, folder) {
  const { program, args, shell } = npmCommand('pack', '--ignore-scripts', '--pack-destination', folder)
  const done = await run(`${name}: npm pack`, program, args, { cwd: path, shell })
  return (
    done &&
    join(
      folder,
      readdirSync(folder).find((file) => file.endsWith('.tgz')),
    )
  )
}

/**
 * What each tarball is at most, in bytes: what was measured, rounded up. Names of chunks have hashes, so what stands beside
 * what changes with every build: that is 1 % of core's.
 */
const limits = {
  '@pushstream/core': 438_000,
  '@pushstream/devserver': 62_000,
  '@pushstream/devtools': 38_000,
  '@pushstream/doctor': 8000,
  '@pushstream/publisher': 47_000,
  '@pushstream/react': 7000,
  '@pushstream/testkit': 41_000,
  '@pushstream/vue': 8000,
}

function weigh({ name }, tarball) {
  const { size } = statSync(tarball)
  if (!isWithin(name, size, limits[name], 'packed')) problems.push(`${name}: the tarball is too large: see above`)
}

async function lint({ name, manifest }, tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: toArrayBuffer(readFileSync(tarball)) }, strict: true })
  for (const message of messages) problems.push(`${name}: publint: ${formatMessage(message, pkg)}`)
  // What has no types: the manifest itself, and files for pages without a bundler.
  const untyped = Object.entries(manifest.exports).filter(([, target]) => typeof target === 'string')
  const excluded = untyped.flatMap(([entry]) => ['--exclude-entrypoints', entry.replace('./', '')])
  if (untyped.length === Object.keys(manifest.exports).length) return
  const attw = command('@arethetypeswrong/cli', 'attw')
  await run(`${name}: attw`, process.execPath, [attw, tarball, '--no-color', ...excluded])
}

function toArrayBuffer(buffer) {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length)
}

/** Puts the package where its user has it, with what its manifest names linked beside it and nothing else. */
async function install({ name, manifest }, tarball, folder, unpacked) {
  const place = (other) => {
    const to = join(folder, 'node_modules', other)
    mkdirSync(dirname(to), { recursive: true })
    return to
  }
  const extracted = join(folder, 'extracted')
  mkdirSync(extracted)
  // By its bare name: GNU tar takes the colon of an absolute Windows path for a host.
  if ((await run(`${name}: tar`, 'tar', ['-xzf', `../../${basename(tarball)}`], { cwd: extracted })) === undefined)
    return
  const own = place(name)
  cpSync(join(extracted, 'package'), own, { recursive: true })
  unpacked.set(name, own)
  for (const other of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const found = unpacked.get(other) ?? join(root, 'node_modules', other)
    if (existsSync(found)) symlinkSync(found, place(other), 'junction')
    else problems.push(`${name}: ${other} is in its manifest, but not installed`)
  }
  for (const types of ['node', 'react', 'react-dom']) {
    const found = join(root, 'node_modules', '@types', types)
    if (existsSync(found)) symlinkSync(found, place(join('@types', types)), 'junction')
  }
}

/** Writes what users of the package compile. Returns a project for each way to do so. */
function projectsOf({ name, path, manifest }, folder) {
  const written = join(root, 'scripts', 'consumers', `${basename(path)}.ts`)
  const entries = Object.keys(manifest.exports).filter((entry) => manifest.exports[entry].types !== undefined)
  if (entries.length === 0) return []
  const needsVite = 'vite' in (manifest.peerDependencies ?? {})
  const esm = existsSync(written) ? readFileSync(written, 'utf8') : importing(name, entries)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  const needsNode = /["']node:/.test(declarationsOf(join(folder, 'node_modules', name, 'dist')).join('\n'))
  const inPage = {
    lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: needsNode ? ['node'] : [],
    // Declarations of this package's own are checked where those of others allow it.
    skipLibCheck: needsVite,
  }
  // An error names the file, so the file names the way.
  const projects = [
    ['nodenext', 'nodenext', 'ts'],
    ['esnext', 'bundler', 'ts'],
    ['node16', 'node16', 'cts'],
    ['commonjs', 'node10', 'cts'],
  ].map(([module, moduleResolution, extension]) => {
    const old = moduleResolution === 'node10' && { ignoreDeprecations: '6.0' }
    const options = { module, moduleResolution, ...inPage, ...old }
    const text = extension === 'ts' ? esm : importing(name, entries)
    return writeProject(folder, moduleResolution, options, { [`${moduleResolution}.${extension}`]: text })
  })
  if (needsDom.includes(name)) return projects
  const alone = importing(name, needsVite ? entries.filter((entry) => entry !== './vite') : entries)
  const backEnd = { module: 'nodenext', lib: ['es2022'], types: ['node'], skipLibCheck: false }
  const files = { 'back-end.ts': alone, 'back-end.cts': alone, ...(!needsVite && { 'back-end-written.ts': esm }) }
  return [...projects, writeProject(folder, 'back-end', backEnd, files)]
}

/** What is of no use without a document. */
const needsDom = ['@pushstream/devtools', '@pushstream/vue']

const importing = (name, entries) =>
  entries.map((entry, n) => `import * as entry${n} from '${entry.replace('.', name)}'\nvoid entry${n}\n`).join('')

function writeProject(folder, how, options, texts) {
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, file), text)
  const compilerOptions = {
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    // Half of the time goes into checking the language's own declarations.
    skipDefaultLibCheck: true,
    ...options,
  }
  const project = join(folder, `tsconfig.${how}.json`)
  writeFileSync(project, JSON.stringify({ compilerOptions, files: Object.keys(texts) }))
  return project
}

/** One process for all projects: it reads what they share once. */
async function compile(projects) {
  await run('types', process.execPath, [command('typescript', 'tsc'), '--build', ...projects])
}

function declarationsOf(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
}

function checkDeclarations({ name, path }) {
  for (const text of declarationsOf(join(path, 'dist'))) {
    for (const [statement, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      // Its types fail under node16 resolution.
      if (specifier === 'reconnecting-websocket') problems.push(`${name}: its declarations need reconnecting-websocket`)
      if (specifier.startsWith('.') && !specifier.endsWith('.js')) problems.push(`${name}: ${statement} lacks its .js`)
    }
  }
}

/** Importing does nothing: no output, no new global, nothing that keeps the process alive, in Node as in a page. */
async function importIt({ name, manifest }, folder) {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (target.types === undefined) continue
    const specifier = entry.replace('.', name)
    if (target.require !== undefined) {
      const args = ['--no-experimental-require-module', '-e', `require(${JSON.stringify(specifier)})`]
      const printed = await run(`${name}: require ${specifier}`, process.execPath, args, { cwd: folder })
      if (printed) problems.push(`${name}: requiring ${specifier} prints: ${printed}`)
    }
    // What others do when they are imported is theirs.
    const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest
    const isFor = (other) => !peerDependenciesMeta[other]?.optional || entry === `./${other}`
    const others = Object.keys(peerDependencies).filter(isFor)
    const code = `
      ${others.map((other) => `await import('${other}')`).join('\n')}
      const before = Reflect.ownKeys(globalThis).length
      const all = await import(${JSON.stringify(specifier)})
      if (Object.keys(all).length === 0) throw new Error('it exports nothing')
      if (Reflect.ownKeys(globalThis).length !== before) throw new Error('it defines a global')
      const left = process.getActiveResourcesInfo().filter((one) => /Timeout|TCP|UDP|MessagePort|Worker/.test(one))
      if (left.length > 0) throw new Error('it leaves behind: ' + left)`
    const said = await run(`${name}: import ${specifier}`, process.execPath, ['--input-type=module', '-e', code], {
      cwd: folder,
      timeout: 20_000,
    })
    if (said) problems.push(`${name}: importing ${specifier} prints: ${said}`)
  }
}

/** Its commands, as whoever installs it has them, and as npm has linked them here. */
async function runCommands({ name, manifest }, folder) {
  for (const [command, file] of Object.entries(manifest.bin ?? {})) {
    const linked = join(root, 'node_modules', '.bin', command)
    if (!existsSync(linked)) problems.push(`${name}: npm has not linked ${command}: npm ci`)
    for (const path of [join(folder, 'node_modules', name, file), join(root, 'node_modules', name, file)]) {
      const said = await run(`${name}: ${command} --version`, process.execPath, [path, '--version'], { cwd: folder })
      if (said !== undefined && said.trim() !== manifest.version) problems.push(`${name}: ${command} says ${said}`)
    }
  }
}

/** For each file for pages without a bundler: the globals it defines, functions that exist then, and what is loaded before. */
const classic = 'PushStream,PushStreamManager'
const globals = {
  pushstream: { defined: classic, parts: ['PushStream', 'PushStream.Client', 'PushStream.Error'] },
  'pushstream-nchan': { defined: classic, parts: ['PushStream.nchan'], after: 'pushstream' },
  'pushstream-updates': { defined: classic, parts: ['PushStream.updates.subscribe'], after: 'pushstream' },
  'push-event-source': { defined: 'PushEventSource', parts: ['PushEventSource'] },
}

/** They define that and nothing else, in a page that offers no more than the language and its events. */
function loadScripts({ name, scripts }, folder) {
  const emptyPage = () => {
    const page = createContext({})
    Object.defineProperty(page, 'EventTarget', { value: EventTarget, enumerable: false })
    return page
  }
  const run = (file, page) => runInContext(readFileSync(join(folder, 'node_modules', name, 'dist', file), 'utf8'), page)
  for (const file of Object.keys(scripts).flatMap((script) => [`${script}.js`, `${script}.min.js`])) {
    const end = /(\.min)?\.js$/.exec(file)[0]
    const { defined: expected, parts = [], after } = globals[file.replace(end, '')] ?? {}
    const page = emptyPage()
    const load = () => run(file, page)
    try {
      if (after !== undefined) {
        try {
          run(file, emptyPage())
          problems.push(`${name}: ${file} alone does not say that ${after}.js is missing`)
        } catch (error) {
          if (!error.message.includes(`Load ${after}.js`)) throw error
        }
        run(`${after}${end}`, page)
      }
      load()
      const before = { ...page }
      const defined = Object.keys(page).join()
      if (defined !== expected) problems.push(`${name}: ${file} defines: ${defined}`)
      for (const part of parts) {
        if (runInContext(`typeof ${part}`, page) !== 'function') problems.push(`${name}: ${file} lacks ${part}`)
      }
      const values = parts.map((part) => runInContext(part, page))
      load()
      for (const [global, value] of Object.entries(before)) {
        if (page[global] !== value) problems.push(`${name}: ${file} loaded twice replaces ${global}`)
      }
      parts.forEach((part, index) => {
        if (runInContext(part, page) !== values[index]) problems.push(`${name}: ${file} loaded twice replaces ${part}`)
      })
    } catch (error) {
      problems.push(`${name}: loading ${file}: ${error.message}`)
    }
  }
}

/** Packs a package and puts it where a user has it. Resolves with what to look at. */
async function prepare(one, unpacked) {
  const folder = join(workplace, basename(one.path))
  const consumer = join(folder, 'consumer')
  mkdirSync(consumer, { recursive: true })
  // A package may have a command and no module.
  const file = one.manifest.exports['.'] ? 'dist/index.js' : 'dist/cli.js'
  if (!existsSync(join(one.path, file))) {
    problems.push(`${one.name} is not built: npm run build`)
    return undefined
  }
  const tarball = await pack(one, folder)
  if (tarball === undefined) return undefined
  weigh(one, tarball)
  await install(one, tarball, consumer, unpacked)
  return { one, tarball, consumer }
}

async function check({ one, tarball, consumer }) {
  checkDeclarations(one)
  await lint(one, tarball)
  await importIt(one, consumer)
  await runCommands(one, consumer)
  loadScripts(one, consumer)
  if (one.manifest.exports['.']?.production !== undefined)
    problems.push(...(await checkProduction(consumer)).map((problem) => `${one.name}: ${problem}`))
  console.log(`${one.name} looked at`)
}

try {
  const unpacked = new Map()
  const prepared = []
  // One after the other: a package finds those it needs among the ones before it.
  for (const one of packages()) prepared.push(await prepare(one, unpacked))
  const ready = prepared.filter((one) => one !== undefined)
  const compiled = compile(ready.flatMap(({ one, consumer }) => projectsOf(one, consumer)))
  // One after the other: the integration tests run beside this.
  for (const one of ready) await check(one)
  await compiled
} finally {
  rmSync(workplace, { recursive: true, force: true })
}
for (const problem of problems) console.error(`\n✗ ${problem.trimEnd()}`)
process.exitCode = problems.length > 0 ? 1 : 0
