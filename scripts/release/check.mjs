// Checks what is used only at a release, or only on GitHub: that all packages get the same next version, and that the forms
// and workflows are in order.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../npm-packages.mjs'
import { packages, root } from '../workspace.mjs'
import { problemsOfForm, problemsOfText, problemsOfWorkflow } from './github.mjs'
import { pending, raiseVersions } from './version.mjs'

installPackages(fileURLToPath(new URL('.', import.meta.url)))
const { parse } = await import('yaml')

const read = (path) => readFileSync(join(root, path), 'utf8')

function checkGithub() {
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts)
  const exists = (path) => existsSync(join(root, path))
  const yamlIn = (folder) => readdirSync(join(root, folder)).map((file) => [file, parse(read(`${folder}/${file}`))])
  const texts = readdirSync(join(root, '.github'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  return [
    ...yamlIn('.github/ISSUE_TEMPLATE')
      .filter(([file]) => file !== 'config.yml')
      .flatMap(([file, form]) => problemsOfForm(file, form)),
    ...yamlIn('.github/workflows').flatMap(([file, flow]) => problemsOfWorkflow(file, flow, { scripts, exists })),
    ...[...texts, 'SECURITY.md', 'CODE_OF_CONDUCT.md'].flatMap((file) => problemsOfText(file, read(file))),
  ]
}

const ours = (dependencies = {}) => Object.entries(dependencies).filter(([name]) => name.startsWith('@pushstream/'))

/** The packages, read in a folder, that have another version than this one, need another one or don't name it. */
function problemsOfVersion(folder, version) {
  return packages().flatMap(({ name, path }) => {
    const here = join(folder, path.slice(root.length))
    const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
    const needed = [...ours(manifest.dependencies), ...ours(manifest.peerDependencies)]
    const log = readFileSync(join(here, 'CHANGELOG.md'), 'utf8')
    return [
      ...(manifest.version === version ? [] : [`${name} has version ${manifest.version}, not ${version}`]),
      ...needed.filter(([, range]) => range !== `^${version}`).map((need) => `${name} needs ${need.join(' ')}`),
      ...(log.includes(`\n## ${version}\n`) ? [] : [`the changelog of ${name} does not name ${version}`]),
    ]
  })
}

const checkVersion = () => problemsOfVersion(root, packages()[0].manifest.version)

/** The versions after a change of core alone, tried on a copy of the manifests. */
function checkNextVersion() {
  const folder = mkdtempSync(join(tmpdir(), 'pushstream-versions-'))
  const next = '0.2.0'
  try {
    for (const { path, manifest } of packages()) {
      const here = join(folder, path.slice(root.length))
      const pinned = (all = {}) => ({ ...all, ...Object.fromEntries(ours(all).map(([name]) => [name, '^0.1.0'])) })
      const { dependencies, peerDependencies } = manifest
      const needs = { dependencies: pinned(dependencies), peerDependencies: pinned(peerDependencies) }
      write(join(here, 'package.json'), JSON.stringify({ ...manifest, version: '0.1.0', ...needs }))
    }
    const config = JSON.parse(read('.changeset/config.json'))
    const changelog = join(root, '.changeset', config.changelog)
    write(join(folder, 'package.json'), read('package.json'))
    write(join(folder, '.changeset/config.json'), JSON.stringify({ ...config, changelog }))
    write(join(folder, '.changeset/one.md'), '---\n"@pushstream/core": minor\n---\n\nThe client does more.\n')
    spawnSync('git', ['init', '-q'], { cwd: folder })
    raiseVersions(folder)
    return problemsOfVersion(folder, next)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** The changesets that wait: those that can't be read end this with the reason. */
function checkChangesets() {
  const names = packages().map(({ name }) => name)
  const unknown = pending().flatMap(({ bumps }) => Object.keys(bumps).filter((name) => !names.includes(name)))
  return unknown.map((name) => `a changeset names ${name}, which is not published`)
}

const checks = {
  'forms and workflows of GitHub': checkGithub,
  'one version of all packages': checkVersion,
  'one next version of all packages': checkNextVersion,
  changesets: checkChangesets,
}
for (const [what, check] of Object.entries(checks)) {
  const problems = check()
  console.log(`${problems.length === 0 ? '✓' : '✗'} ${what}`)
  for (const problem of problems) console.error(`  ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}
