import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand } from './npm-command.mjs'
import { packages } from './workspace.mjs'

/** Runs npm. Returns what it printed. Throws with that if it fails. */
export function npm(args, cwd) {
  const { program, args: all, shell } = npmCommand(...args)
  const { status, stdout, stderr } = spawnSync(program, all, { cwd, encoding: 'utf8', shell })
  if (status !== 0) throw new Error(`npm ${args[0]} failed:\n${stdout}${stderr}`)
  return stdout
}

/** Packs every package into a folder. Returns the path of each tarball, by name. It needs a build. */
export function packAll(folder) {
  const all = packages()
  npm(['pack', '--ignore-scripts', ...all.map(({ path }) => path)], folder)
  const files = readdirSync(folder)
  const tarballOf = ({ name, manifest: { version } }) => `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
  return new Map(
    all.map((one) => {
      const file = tarballOf(one)
      if (!files.includes(file)) throw new Error(`npm pack made no ${file}`)
      return [one.name, join(folder, file)]
    }),
  )
}
