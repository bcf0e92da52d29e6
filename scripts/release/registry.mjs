import { spawnSync } from 'node:child_process'
import { npmCommand } from '../npm-command.mjs'
import { root } from '../workspace.mjs'

/** Whether the registry has a version. An error of the registry is not an answer. */
export function has(name, version) {
  const { program, args, shell } = npmCommand('view', `${name}@${version}`, 'version', '--json')
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', shell })
  if (status !== 0 && !/E404/.test(stdout + stderr)) throw new Error(`npm view ${name} failed:\n${stdout}${stderr}`)
  return status === 0 && stdout.trim() !== ''
}

/** Publishes a tarball. */
export function send(path, tag) {
  const { program, args, shell } = npmCommand('publish', path, '--access', 'public', '--tag', tag)
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', shell })
  if (status === 0) return
  throw new Error(`npm publish ${path} failed. Run the same command again: what is published is left out.`)
}
