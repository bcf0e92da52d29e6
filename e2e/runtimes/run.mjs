// Runs the suite in Node, Deno and Bun, on the built packages.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDevServer } from '@pushstream/devserver'
import { createFaultProxy } from '@pushstream/testkit'
import { installPackages } from '../../scripts/npm-packages.mjs'
import { startPlace } from './place.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const script = join(folder, 'process.mjs')

installPackages(folder)

const installed = (name) => join(folder, 'node_modules', '.bin', name)
const runtimes = {
  Node: [process.execPath, script],
  Deno: [installed('deno'), 'run', '--allow-all', '--node-modules-dir=manual', script],
  Bun: [installed('bun'), 'run', script],
}

/** Runs the suite. Resolves with its results. */
function run([program, ...args], url) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, url], { stdio: ['ignore', 'pipe', 'inherit'] })
    // A client that is closed and keeps its process alive is a fault.
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000)
    let printed = ''
    child.stdout.on('data', (data) => {
      printed += data
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(JSON.parse(printed))
      else reject(new Error(`it ended with ${signal ?? code}: ${printed}`))
    })
  })
}

let failed = 0
for (const [name, command] of Object.entries(runtimes)) {
  const place = await startPlace({ createDevServer, createFaultProxy }, (_, response) => response.writeHead(404).end())
  const began = performance.now()
  try {
    const results = await run(command, place.url)
    for (const { title, error } of results) {
      console.log(`${error ? '✗' : '✓'} ${name}: ${title}${error ? `\n    ${error}` : ''}`)
      if (error) failed++
    }
    if (results.length === 0) throw new Error('there are no results')
  } catch (error) {
    failed++
    console.log(`✗ ${name}: ${error.message}`)
  }
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  await place.close()
}
process.exitCode = failed > 0 ? 1 : 0
