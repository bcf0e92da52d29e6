// What a command of a package does in a checkout that is not built: npm links commands before anything is built.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './workspace.mjs'

console.error('The packages are built first, which takes half a minute.')
// What the command prints is its own.
const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: ['ignore', 'ignore', 2] })
if (status === 1) process.exit(1)
