// npm run e2e:matrix: sets up as `npm test` does, runs the fault matrix, writes docs/reliability.md and .json.
//
//   npm run e2e:matrix -- --server nchan --mode websocket --fault reload --browser chromium
//
// Each may be given several times; the beginning of a name is enough. Of a part of the matrix the rows are printed; --write brings
// the report up to date with them. Rows of a run with violations are written only with --write.
import '../../scripts/node-version.mjs'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { installPackages } from '../../scripts/npm-packages.mjs'
import { howToInstall, installPrograms, variables } from '../../scripts/system.mjs'
import { command, root } from '../../scripts/workspace.mjs'

const several = { type: 'string', multiple: true }
const { values } = parseArgs({
  options: {
    server: several,
    mode: several,
    fault: several,
    browser: several,
    count: { type: 'string' },
    write: { type: 'boolean' },
  },
})
const { count, ...chosen } = values

installPackages()
const { missing } = installPrograms()
if (missing.length > 0) console.log(`Missing: ${missing.join(', ')}. To get it: ${howToInstall(missing)}`)

const selection = JSON.stringify({ ...chosen, ...(count && { count: Number(count) }) })
const config = 'e2e/matrix/playwright.config.ts'
const { status } = spawnSync(process.execPath, [command('@playwright/test', 'playwright'), 'test', '-c', config], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...variables(), PUSHSTREAM_MATRIX: selection },
})
process.exitCode = status ?? 1
