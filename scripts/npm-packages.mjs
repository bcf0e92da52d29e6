import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand } from './npm-command.mjs'
import { root } from './workspace.mjs'

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages

/** What node_modules lacks of what the lockfile says, in words; nothing when all is there. */
function lacking(folder) {
  // npm's own record of what it installed. Compared by content: a checkout sets the files' times as it likes.
  const record = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return 'nothing is installed yet'
  const installed = read(record)
  for (const [path, wanted] of Object.entries(read(join(folder, 'package-lock.json')))) {
    // What is for other systems, or left to the user, is not installed here.
    if (!path.includes('node_modules/') || wanted.optional || wanted.devOptional || wanted.peer) continue
    const found = installed[path]
    if (found === undefined) return `${path} is missing`
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is ${found.version}, the lockfile has ${wanted.version}`
    }
  }
  return undefined
}

/** Installs by a folder's lockfile what is missing. Ends the process with npm's own words when that fails. */
export function installPackages(folder = root) {
  const reason = lacking(folder)
  if (reason === undefined) return
  console.log(`Installing npm packages (${reason}) …`)
  const { program, args, shell } = npmCommand('ci')
  const { status } = spawnSync(program, args, { cwd: folder, stdio: 'inherit', shell })
  if (status === 0) return
  console.error('\nThe npm packages could not be installed: npm says why above. To try it alone: npm ci')
  process.exit(1)
}
