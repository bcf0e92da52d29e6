// Looks for files, exports and dependencies that nothing uses.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../npm-packages.mjs'
import { root } from '../workspace.mjs'

const tools = fileURLToPath(new URL('.', import.meta.url))

installPackages(tools)
const knip = join(tools, 'node_modules/knip/bin/knip.js')
const args = [knip, '--config', join(tools, 'knip.config.mjs'), '--no-config-hints']
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
if (status === 0) console.log('Every file, export and dependency is used.')
process.exitCode = status ?? 1
