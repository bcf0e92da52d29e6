import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/**
 * The packages that get published, those first that others of them need. What is built follows from their manifests:
 * every `./dist/x.js` in `exports` is made of `src/x.ts`, and a file in `bin` imports `dist/cli.js`.
 */
export function packages() {
  const all = readdirSync(join(root, 'packages'))
    .map((folder) => join(root, 'packages', folder))
    .filter((path) => existsSync(join(path, 'package.json')))
    .map((path) => {
      const manifest = readJson(join(path, 'package.json'))
      return { name: manifest.name, path, manifest, entries: entriesOf(path, manifest), scripts: scriptsOf(path) }
    })
    .filter(({ manifest }) => manifest.private !== true)
  return inOrder(all)
}

/** The files of this repository that match patterns of git, by their paths in it. Those that are not committed yet count too. */
export function tracked(...patterns) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns]
  const files = execFileSync('git', args, { cwd: root, encoding: 'utf8' })
  return files.split('\n').filter((file) => file !== '')
}

/** The command of an installed package, as a path to give to Node: no shell, no npx, the same on every system. */
export function command(packageName, name = packageName) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = readJson(join(folder, 'package.json'))
  return join(folder, typeof bin === 'string' ? bin : bin[name])
}

function entriesOf(path, { exports = {}, bin }) {
  const targets = Object.values(exports).map((target) => (typeof target === 'string' ? target : target.default))
  const entries = {}
  for (const target of [...targets, ...(bin ? ['./dist/cli.js'] : [])]) {
    const name = /^\.\/dist\/(.+)\.js$/.exec(target)?.[1]
    const source = ['ts', 'tsx'].map((end) => join(path, 'src', `${name}.${end}`)).find((file) => existsSync(file))
    if (name !== undefined && source !== undefined) entries[name] = source
  }
  return entries
}

/** What pages without a bundler load, by name: `dist/x.js` and `dist/x.min.js` are made of `src/scripts/x.ts`. */
function scriptsOf(path) {
  const folder = join(path, 'src', 'scripts')
  const files = existsSync(folder) ? readdirSync(folder) : []
  return Object.fromEntries(files.map((file) => [file.replace(/\.ts$/, ''), join(folder, file)]))
}

function inOrder(all) {
  const sorted = []
  const visit = (one) => {
    if (sorted.includes(one)) return
    const needs = { ...one.manifest.dependencies, ...one.manifest.peerDependencies }
    for (const other of all) if (other !== one && other.name in needs) visit(other)
    sorted.push(one)
  }
  for (const one of all) visit(one)
  return sorted
}
