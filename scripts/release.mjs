// Publishes all packages, from a clean checkout, after the step `packages`.
//
//   npm run release -- --dry-run          says what it would publish, with every file, and publishes nothing
//   npm run release -- --confirm 0.1.0    publishes that version
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { execute } from './execute.mjs'
import { npm } from './packed.mjs'
import { describe, obstacles, publish, tagOf } from './release/plan.mjs'
import { has, send } from './release/registry.mjs'
import { pending } from './release/version.mjs'
import { packages, root } from './workspace.mjs'

function stop(why) {
  console.error(`\n${why}\nNothing was published.`)
  process.exit(1)
}

function options() {
  try {
    const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, confirm: { type: 'string' } } })
    if (values['dry-run'] && values.confirm !== undefined) throw new Error('--dry-run publishes nothing to confirm.')
    if (!values['dry-run'] && values.confirm === undefined) throw new Error('Say --dry-run, or --confirm <version>.')
    return values
  } catch (error) {
    return stop(error.message)
  }
}

function checkTree(when) {
  const { stdout, status } = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) stop('git does not answer, so that this may not be what was committed.')
  if (stdout !== '') stop(`The checkout is not clean${when}:\n${stdout.trimEnd()}`)
}

/** Packs every package into a folder, in the order in which they need each other. */
function pack(folder, all) {
  const said = npm(['pack', '--json', '--ignore-scripts', ...all.map(({ path }) => path)], folder)
  const packed = JSON.parse(said)
  return all.map(({ name }) => {
    const found = packed.find((one) => one.name === name)
    return { ...found, path: join(folder, found.filename) }
  })
}

const changelogsOf = (all) =>
  Object.fromEntries(
    ['CHANGELOG.md', ...all.map(({ path }) => join(relative(root, path), 'CHANGELOG.md'))].map((file) => [
      file,
      existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined,
    ]),
  )

const { confirm } = options()
checkTree('')
const { code } = await execute([join(root, 'scripts/test.mjs'), '--only', 'packages'])
if (code !== 0) stop('The packages are not in order: see above.')
checkTree(' after the build')

const all = packages()
const [version, ...others] = new Set(all.map(({ manifest }) => manifest.version))
if (others.length > 0) stop(`The packages have different versions: ${[version, ...others].join(', ')}.`)
const folder = mkdtempSync(join(tmpdir(), 'pushstream-release-'))
try {
  const packed = pack(folder, all)
  for (const one of packed) console.log(`\n${describe(one)}`)
  const found = obstacles({ version, changesets: pending().length, changelogs: changelogsOf(all), confirmed: confirm })
  console.log(`\n${packed.length} packages, version ${version}, tag ${tagOf(version)}`)
  if (found.length > 0) {
    console.log(`Nothing was published:\n${found.map((one) => `- ${one}`).join('\n')}`)
    process.exitCode = confirm === undefined ? 0 : 1
  } else {
    const published = publish(packed, { has, send, log: console.log })
    console.log(`\n${published.length} packages published. Next: git tag v${version} && git push origin v${version}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
