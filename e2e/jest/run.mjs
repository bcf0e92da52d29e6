// Runs the test of the guide for React with each version of Jest, as it is printed, on the built packages.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from '../../scripts/npm-packages.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const { resolve } = createRequire(import.meta.url)

installPackages(folder)

for (const version of [29, 30]) {
  const jest = resolve(`jest-${version}/package.json`)
  const config = {
    rootDir: fileURLToPath(new URL('../../packages/react/test/guide', import.meta.url)),
    testEnvironment: resolve(`jest-environment-jsdom-${version}`),
    // Only what the reader writes is not JavaScript that Jest reads: nothing of a package is transformed.
    testTimeout: 60_000,
    transform: { '\\.tsx?$': join(folder, 'transform.cjs') },
  }
  const args = [join(jest, '../bin/jest.js'), '--config', JSON.stringify(config), '--ci', '--watchman=false', '-i']
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
