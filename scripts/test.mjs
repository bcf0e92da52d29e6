// npm test: installs what is missing, then checks everything. Every step runs, also after one that failed, unless it
// needs that one's work.
//
//   npm test -- --only unit             one step, and what it needs
//   npm test -- --only lint --only types
//
// With CI=true, not having what could have been installed is a failure.
import './node-version.mjs'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { installPackages } from './npm-packages.mjs'
import { find, howToInstall, installPrograms, variables } from './system.mjs'
import { command, root } from './workspace.mjs'

const ci = /^(1|true)$/i.test(process.env.CI ?? '')

/**
 * `run` is what Node runs. `needs`: steps whose work it uses; only their breaking (not their complaining, exit code 2)
 * stops it. `program`: what of the system it can't do without. `live`: parts of it need other programs, and say so.
 */
const steps = {
  lint: { run: () => [command('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.'] },
  types: { run: () => [command('typescript', 'tsc'), '--noEmit'] },
  // A program of its own: its pages say which client they have, and some are Vue's.
  'types: playground': { run: () => [command('vue-tsc'), '--noEmit', '-p', 'playground'] },
  unit: { run: () => [command('vitest'), 'run', '--project', 'unit*'] },
  integration: { run: () => [command('vitest'), 'run', '--project', 'integration'], live: true },
  build: { run: () => ['scripts/build.mjs'] },
  packages: { run: () => ['scripts/check-packages.mjs'], needs: ['build'] },
  'browser: chromium': { run: () => playwright('chromium'), program: 'chromium' },
  'browser: firefox': { run: () => playwright('firefox'), program: 'firefox' },
}

const E2E = 'e2e/playwright.config.ts'
const playwright = (project) => [command('@playwright/test', 'playwright'), 'test', '-c', E2E, '--project', project]

function chosen() {
  const args = process.argv.slice(2)
  const wanted = new Set()
  const add = (name) => {
    for (const need of steps[name].needs ?? []) add(need)
    wanted.add(name)
  }
  const names = Object.keys(steps)
  for (let i = 0; i < args.length; i++) {
    const value = args[i].startsWith('--only=') ? args[i].slice(7) : args[i] === '--only' ? args[++i] : undefined
    const matching = names.filter((name) => name === value || name.startsWith(`${value}:`))
    if (matching.length === 0) {
      console.error(
        `Usage: npm test -- [--only <step>]…    Steps: ${names.join(', ')}; browser and types stand for both.`,
      )
      process.exit(1)
    }
    matching.forEach(add)
  }
  return wanted.size === 0 ? names : names.filter((name) => wanted.has(name))
}

const LIMIT_MINUTES = 20
const LAST_LINES = 60

/** Everything a step started is in a group of its own, so that nothing of it is left when it is ended. */
function execute(args, env) {
  const grouped = process.platform !== 'win32'
  const output = process.stdout.isTTY ? 'inherit' : 'pipe'
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['inherit', output, output],
      env,
      detached: grouped,
    })
    let last = ''
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      // Text, so that no character is cut in two.
      from?.setEncoding('utf8').on('data', (piece) => {
        to.write(piece)
        last = (last + piece).slice(-100_000)
      })
    }
    const end = (signal) => {
      try {
        process.kill(grouped ? -child.pid : child.pid, signal)
      } catch {
        // Nothing of it is left.
      }
    }
    const stop = () => {
      end('SIGKILL')
      process.exit(130)
    }
    const limit = setTimeout(() => {
      console.error(`It has not ended for ${LIMIT_MINUTES} minutes, so it is ended.`)
      end('SIGKILL')
    }, LIMIT_MINUTES * 60_000)
    const done = (code) => {
      clearTimeout(limit)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop)
      resolve({ code: code ?? 1, last: last.trimEnd().split('\n').slice(-LAST_LINES).join('\n') })
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
    child.once('error', (error) => {
      console.error(error.message)
      done(1)
    })
    // Its last words may come after its end. Who else has its output open is not waited for.
    child.once('exit', (code) => {
      const soon = setTimeout(done, 2_000, code)
      child.once('close', () => {
        clearTimeout(soon)
        done(code)
      })
    })
  })
}

/** Why a step can't run, if it can't, and whether that can be excused where nobody looks. */
function obstacle({ needs = [], program }, results) {
  const broken = needs.find((need) => !results.get(need).usable)
  if (broken !== undefined) return { reason: `needs ${broken}, which broke`, excused: true }
  if (program === undefined) return undefined
  if (!existsSync(join(root, E2E))) return { reason: `there is no ${E2E}`, excused: false }
  if (find(program) !== undefined) return undefined
  return { reason: `${program} is missing. To get it: ${howToInstall([program])}`, excused: !installable }
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`
const marks = { passed: '✓', failed: '✗', skipped: '○' }

const began = performance.now()
const names = chosen()
installPackages()
let installable = false
if (names.some((name) => steps[name].program !== undefined || steps[name].live)) {
  const programs = installPrograms()
  installable = programs.installable
  const { missing } = programs
  if (missing.length > 0) {
    const why = installable ? 'could not be installed' : 'missing, and not to be installed without asking you'
    console.log(`\n${missing.join(', ')}: ${why}. Yourself:\n\n    ${howToInstall(missing)}\n`)
  }
}

// Looked for once: some have to be started to know whether they work.
const env = { ...process.env, ...variables() }
const results = new Map()
for (const name of names) {
  const step = steps[name]
  console.log(`\n━━ ${name} ${'━'.repeat(Math.max(3, 90 - name.length))}`)
  const since = performance.now()
  const stopped = obstacle(step, results)
  let result = { outcome: 'skipped', note: stopped?.reason, usable: false }
  if (stopped === undefined) {
    const { code, last } = await execute(step.run(), env)
    const note = code === 0 ? '' : `exit code ${code}`
    result = { outcome: code === 0 ? 'passed' : 'failed', note, usable: code === 0 || code === 2, last }
  } else if (ci && !stopped.excused) {
    result = { outcome: 'failed', note: `could not run: ${stopped.reason}`, usable: false }
  }
  results.set(name, { ...result, time: seconds(since) })
  console.log(
    `${marks[result.outcome]} ${name} ${result.outcome} in ${seconds(since)}${result.note ? ` (${result.note})` : ''}`,
  )
}

// A log may be kept by its end alone: there it should say what failed, not only where.
for (const [name, { outcome, last }] of results) {
  if (outcome !== 'failed' || !last || names.length === 1) continue
  console.log(`\n━━ ${name} failed. Its last lines, again: ${'━'.repeat(Math.max(3, 60 - name.length))}\n${last}`)
}

console.log(`\n━━ summary ${'━'.repeat(83)}`)
for (const [name, { outcome, note, time }] of results) {
  const said = outcome === 'skipped' ? 'SKIPPED' : outcome
  console.log(`${marks[outcome]} ${name.padEnd(18)} ${said.padEnd(8)} ${time.padStart(8)}  ${note}`)
}
const count = (wanted) => [...results.values()].filter(({ outcome }) => outcome === wanted).length
const skipped = count('skipped')
if (skipped > 0) console.log(`\n${skipped} of ${results.size} steps did NOT run: see above for what they need.`)
console.log(`\n${seconds(began)} in all`)
console.log(`${count('passed')} passed, ${count('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = count('failed') > 0 ? 1 : 0
