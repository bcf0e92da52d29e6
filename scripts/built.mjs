import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './workspace.mjs'

const changed = (file) => statSync(file).mtimeMs

function isCurrent(name) {
  const sources = join(root, 'packages', name, 'src')
  const entry = join(root, 'packages', name, 'dist/index.js')
  const files = readdirSync(sources, { recursive: true })
  return existsSync(entry) && files.every((file) => changed(join(sources, file)) <= changed(entry))
}

/** Builds those of these packages whose `dist` is missing or older than the sources. Returns whether all is built. */
export function ensureBuilt(names) {
  const wanted = names.filter((name) => !isCurrent(name))
  if (wanted.length === 0) return true
  console.error(`Building ${wanted.join(', ')} …`)
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs'), ...wanted], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // With 2, all is built, and something is too large.
  return status === 0 || status === 2
}
