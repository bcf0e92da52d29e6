// Compiles what users write against the packed packages, with every version of TypeScript that they support and each way to
// resolve modules, all declarations checked. Needs a build; the versions are installed into scripts/typescript.
//
//   npm run check:typescript           all versions
//   npm run check:typescript -- 7.0    only these
import './node-version.mjs'
import { execFile, execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { installPackages } from './npm-packages.mjs'
import { packAll } from './packed.mjs'
import { packages, root } from './workspace.mjs'

const home = join(root, 'scripts', 'typescript')
const versions = Object.keys(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).dependencies)
/** How modules are resolved: the options, and what is compiled. */
const ways = {
  node10: { options: { module: 'commonjs', moduleResolution: 'node10' }, files: ['all.cts'], until: 6 },
  'node16, CommonJS': { options: { module: 'node16', moduleResolution: 'node16' }, files: ['all.cts'] },
  nodenext: { options: { module: 'nodenext', moduleResolution: 'nodenext' }, files: ['all.mts', 'written'] },
  bundler: { options: { module: 'esnext', moduleResolution: 'bundler' }, files: ['all.mts', 'written'] },
  'nodenext, no DOM': { options: { module: 'nodenext', lib: ['es2022'] }, files: ['back-end.mts', 'back-end.cts'] },
}
/** What is compiled as it stands in scripts/consumers. That of Vue says anew which client there is. */
const written = ['core', 'publisher', 'testkit', 'react']
const needDom = ['@pushstream/devtools', '@pushstream/vue']

/** What a user has: the packages unpacked, and what they need beside them. */
function install(folder) {
  const modules = join(folder, 'node_modules')
  for (const [name, tarball] of packAll(folder)) {
    const own = join(modules, name)
    mkdirSync(own, { recursive: true })
    // By its bare name: GNU tar takes the colon of an absolute Windows path for a host.
    const up = own.slice(folder.length + 1).replaceAll(/[^/\\]+/g, '..')
    execFileSync('tar', ['-xzf', `${up}/${basename(tarball)}`, '--strip-components=1'], { cwd: own })
  }
  const needed = packages().flatMap(({ manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  )
  for (const name of new Set([...needed, '@types/node', '@types/react', '@types/react-dom'])) {
    if (existsSync(join(modules, name))) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
  }
}

function write(folder) {
  const importing = (some) =>
    some
      .flatMap(({ name, manifest }) =>
        Object.keys(manifest.exports).map((entry) => [name, entry, manifest.exports[entry]]),
      )
      .filter(([, , target]) => target.types !== undefined)
      .map(([name, entry], n) => `import * as entry${n} from '${entry.replace('.', name)}'\nvoid entry${n}\n`)
      .join('')
  const isVite = /^.*\/vite'\n.*\n/m
  const all = importing(packages())
  const withoutDom = importing(packages().filter(({ name }) => !needDom.includes(name)))
  writeFileSync(join(folder, 'all.mts'), all)
  // Vite has no declarations for CommonJS, and its own need the DOM library.
  writeFileSync(join(folder, 'all.cts'), all.replace(isVite, ''))
  for (const end of ['mts', 'cts']) writeFileSync(join(folder, `back-end.${end}`), withoutDom.replace(isVite, ''))
  for (const name of written) copyFileSync(join(root, 'scripts/consumers', `${name}.ts`), join(folder, `${name}.mts`))
}

/** Compiles. Resolves with the errors that are ours: those in the declarations of Vue and the like are theirs. */
function compile(folder, version, way) {
  const { options, files } = ways[way]
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    ...(version === 'typescript-6.0' && way === 'node10' && { ignoreDeprecations: '6.0' }),
    ...options,
  }
  const sources = files.flatMap((file) => (file === 'written' ? written.map((name) => `${name}.mts`) : file))
  const project = join(folder, `${version}-${way.replaceAll(/\W+/g, '-')}.json`)
  writeFileSync(project, JSON.stringify({ compilerOptions, files: sources }))
  const tsc = join(home, 'node_modules', version, 'bin', 'tsc')
  const began = performance.now()
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { cwd: folder }, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`.split('\n').filter((line) => /error/.test(line))
      const ours = lines.filter((line) => !/node_modules\/(?!@pushstream\/)/.test(line))
      if (error !== null && lines.length === 0) ours.push(error.message)
      resolve({ version, way, ours, theirs: lines.length - ours.length, seconds: (performance.now() - began) / 1000 })
    })
  })
}

installPackages(home)
const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'pushstream-typescript-'))
try {
  install(folder)
  write(folder)
  const jobs = versions
    .filter((version) => wanted.length === 0 || wanted.includes(version.replace('typescript-', '')))
    .flatMap((version) => Object.keys(ways).map((way) => [version, way]))
    .filter(
      ([version, way]) => Number.parseInt(version.split('-')[1], 10) <= (ways[way].until ?? Number.POSITIVE_INFINITY),
    )
  const results = []
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) results.push(await compile(folder, ...job))
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
  results.sort((a, b) => (a.version < b.version ? -1 : Number(a.version > b.version)))
  for (const { version, way, ours, theirs, seconds } of results) {
    const said = `${ours.length === 0 ? '✓' : '✗'} ${version.replace('-', ' ')}  ${way}  ${seconds.toFixed(1)} s`
    console.log(theirs > 0 ? `${said}  (${theirs} errors in the declarations of other packages)` : said)
    for (const line of ours.slice(0, 20)) console.error(`  ${line}`)
    if (ours.length > 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
