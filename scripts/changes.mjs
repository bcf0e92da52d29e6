import { spawnSync } from 'node:child_process'
import { root } from './workspace.mjs'

function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

const lines = (text = '') => text.split('\n').filter((line) => line !== '')

/**
 * What changed in this checkout, committed or not: `{ since, files }`. `since` is a commit, by default the one where this
 * branch left `origin/main`. Without such a branch only what is not committed counts. `undefined` if it is not a commit.
 */
export function changes(since = git('merge-base', 'HEAD', 'origin/main') ?? 'HEAD') {
  const commit = git('rev-parse', '--verify', `${since}^{commit}`)
  if (commit === undefined) return undefined
  const files = [
    ...lines(git('diff', '--name-only', commit)),
    ...lines(git('ls-files', '--others', '--exclude-standard')),
  ]
  return { since: commit, files: [...new Set(files)] }
}
