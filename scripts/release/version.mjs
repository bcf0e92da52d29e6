// npm run release:version: turns the changesets into the next version: the manifests, the lockfile, every package's
// CHANGELOG.md and the repository's. Nothing is committed.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npmCommand } from '../npm-command.mjs'
import { installPackages } from '../npm-packages.mjs'
import { root } from '../workspace.mjs'
import { dated, readChangeset } from './changesets.mjs'

const tools = fileURLToPath(new URL('.', import.meta.url))

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)

/** The changesets that wait in a repository. */
export function pending(folder = root) {
  const at = join(folder, '.changeset')
  const files = readdirSync(at).filter((file) => file.endsWith('.md') && file !== 'README.md')
  return files.map((file) => readChangeset(readFileSync(join(at, file), 'utf8'), file))
}

/**
 * Raises the versions of the packages in a folder by its changesets. Returns the version that all of them have.
 *
 * For changesets, a minor version of a peer dependency before 1.0 is a breaking change, which would make 1.0.0 of each
 * package. All packages have the same version anyway: their peers are hidden from it, and written again afterwards.
 */
export function raiseVersions(folder = root) {
  const manifests = readdirSync(join(folder, 'packages'))
    .map((name) => join(folder, 'packages', name, 'package.json'))
    .filter((file) => existsSync(file))
  const before = new Map(manifests.map((file) => [file, readJson(file)]))
  const names = [...before.values()].map(({ name }) => name)
  const peersOf = ({ peerDependencies = {} }, keep) => Object.entries(peerDependencies).filter(([name]) => keep(name))
  for (const [file, manifest] of before) {
    const others = peersOf(manifest, (name) => !names.includes(name))
    writeJson(file, { ...manifest, peerDependencies: Object.fromEntries(others) })
  }
  const changeset = join(tools, 'node_modules/@changesets/cli/bin.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [changeset, 'version'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const versions = new Set()
  for (const [file, { peerDependencies }] of before) {
    const manifest = readJson(file)
    versions.add(manifest.version)
    const raised = peersOf({ peerDependencies }, (name) => names.includes(name)).map(([name]) => [
      name,
      `^${manifest.version}`,
    ])
    // With all in the order that they had. What has no peers gets none.
    const peers = peerDependencies && { ...peerDependencies, ...Object.fromEntries(raised) }
    writeJson(file, { ...manifest, peerDependencies: peers })
  }
  if (status !== 0) throw new Error(`changeset version failed:\n${stdout}${stderr}`)
  if (versions.size !== 1) throw new Error(`The packages have different versions: ${[...versions].join(', ')}`)
  return [...versions][0]
}

/** Raises the versions, and writes the section of the repository's changelog. */
function release() {
  const changes = pending()
  const file = join(root, 'CHANGELOG.md')
  const changelog = readFileSync(file, 'utf8')
  const date = new Date().toISOString().slice(0, 10)
  // Tried before anything is written.
  dated(changelog, { version: '', date, changes })
  const version = raiseVersions()
  writeFileSync(file, dated(changelog, { version, date, changes }))
  const { program, args, shell } = npmCommand('install', '--package-lock-only', '--ignore-scripts')
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', shell })
  if (status !== 0) throw new Error('The lockfile has the old versions: npm says why above.')
  console.log(`Version ${version}. Read the changelogs, then commit: git commit -am 'chore: release ${version}'`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages(tools)
  try {
    release()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
