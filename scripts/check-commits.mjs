// Checks that the first lines of commit messages are conventional and short.
//
//   node scripts/check-commits.mjs                    the commits since origin/main
//   node scripts/check-commits.mjs --since <commit>   those since another one; only the last if it is unknown
//   node scripts/check-commits.mjs --message <file>   a message that is being written, for a hook
import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isOfGit, problemsOfSubject, subjectOf, types } from './commit-subjects.mjs'
import { root } from './workspace.mjs'

const known = { since: { type: 'string', default: 'origin/main' }, message: { type: 'string' } }
const { since, message } = parseArgs({ options: known }).values

function git(...args) {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return { known: status === 0, lines: stdout.split('\n').filter((line) => line !== ''), stderr }
}

/** The commits to check, as `[name, subject]`. */
function commits() {
  if (message !== undefined) return [['the message', subjectOf(readFileSync(message, 'utf8'))]]
  const range = git('rev-parse', '--verify', `${since}^{commit}`).known ? [`${since}..HEAD`] : ['-1', 'HEAD']
  const log = git('log', '--no-merges', '--format=%h %s', ...range)
  if (!log.known) throw new Error(log.stderr)
  return log.lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

// Someone who is still at it may leave a commit to be squashed. Those that arrive are checked as they are.
const checked = commits().filter(([, subject]) => message === undefined || !isOfGit(subject))
const found = checked.flatMap(([name, subject]) =>
  problemsOfSubject(subject).map((problem) => [name, subject, problem]),
)
for (const [name, subject, problem] of found) console.error(`✗ ${name} '${subject}' ${problem}`)
if (found.length > 0) {
  console.error(
    `\nTypes:\n${Object.entries(types)
      .map(([type, what]) => `  ${type.padEnd(9)} ${what}`)
      .join('\n')}`,
  )
  process.exitCode = 1
} else if (message === undefined) console.log(`${checked.length} commits have conventional subjects`)
