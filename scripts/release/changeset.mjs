// npm run changeset: asks which packages a change concerns, and writes that to .changeset.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../npm-packages.mjs'
import { root } from '../workspace.mjs'

const tools = fileURLToPath(new URL('.', import.meta.url))

installPackages(tools)
const args = [join(tools, 'node_modules/@changesets/cli/bin.js'), ...process.argv.slice(2)]
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1
