// npm run test:repeat: runs some tests again and again, beside a busy machine if asked to, and prints how often each failed.
//
//   npm run test:repeat -- 'several channels'                every test whose file and title match, 10 times
//   npm run test:repeat -- 'live-nchan.*longpolling: a reload' 20 --busy 2
//   npm run test:repeat -- 'nchan.test.*deleted' 20 --only integration
//
// <pattern> is a regular expression for "<step>: <file> › <titles>"; a step is unit, integration, browser: chromium or
// browser: firefox. `--busy n` keeps n processes in an endless loop meanwhile. Ends with 1 if a test failed once.
import './node-version.mjs'
import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { execute } from './execute.mjs'
import { installPackages } from './npm-packages.mjs'
import { playwright, reportFile, vitest } from './runners.mjs'
import { variables } from './system.mjs'
import { command, root } from './workspace.mjs'

const usage = 'npm run test:repeat -- <pattern> [times] [--busy <processes>] [--only <step>]'

function fail(why) {
  console.error(`${why}\nUsage: ${usage}`)
  process.exit(1)
}

function options() {
  const known = { busy: { type: 'string', default: '0' }, only: { type: 'string' } }
  try {
    const { values, positionals } = parseArgs({ options: known, allowPositionals: true })
    const [pattern, times = '10', ...more] = positionals
    if (pattern === undefined || more.length > 0) fail('One pattern is needed, and at most one number after it.')
    const counts = [times, values.busy].map(Number)
    if (!counts.every(Number.isSafeInteger) || counts[0] < 1 || counts[1] < 0) fail('That is not a number of times.')
    return { pattern: new RegExp(pattern, 'i'), times: counts[0], busy: counts[1], only: values.only }
  } catch (error) {
    return fail(error.message)
  }
}

const env = { ...process.env, ...variables() }
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** The steps that tests are found in. `list`: all their tests as `{ file, title }`. `run`: those of these files and titles. */
const runners = {
  unit: vitestRunner('unit*'),
  integration: vitestRunner('integration'),
  'browser: chromium': playwrightRunner('chromium'),
  'browser: firefox': playwrightRunner('firefox'),
}

function vitestRunner(project) {
  return {
    async list() {
      const report = reportFile(`list ${project}`)
      const args = [command('vitest'), 'list', '--project', project, `--json=${report}`]
      const { code, last } = await execute(args, { env, quiet: true })
      if (code !== 0) fail(last)
      const tests = JSON.parse(readFileSync(report, 'utf8'))
      return tests.map(({ name, file }) => ({ file: relative(root, file), title: name }))
    },
    run: (report, files, titles) => vitest(report, ['--project', project, ...files, '-t', `^(?:${titles.join('|')})$`]),
  }
}

function playwrightRunner(browser) {
  return {
    async list() {
      const listing = playwright(reportFile(`list ${browser}`), browser, ['--list'])
      const { code, last } = await execute(listing.args, { env: { ...env, ...listing.env }, quiet: true })
      if (code !== 0) fail(last)
      return listing.read()
    },
    run: (report, files, titles) =>
      playwright(report, browser, [...files, '-g', `(?:${titles.join('|')})(?: @\\S+)*$`]),
  }
}

async function find({ pattern, only }) {
  const found = []
  for (const [step, runner] of Object.entries(runners)) {
    if (only !== undefined && step !== only && !step.startsWith(`${only}:`)) continue
    const tests = (await runner.list()).filter((test) => pattern.test(nameOf(step, test)))
    if (tests.length > 0) found.push({ step, runner, tests })
  }
  return found
}

// Vitest lists titles joined by '>', and reports them apart.
const nameOf = (step, { file, title }) => `${step}: ${file} › ${title.replaceAll(' > ', ' › ')}`
// For Playwright, the tags of a test or a group stand behind its title.
const patternOf = ({ title }) => escaped(title).replaceAll(/ [›>] /g, '(?: @\\S+)* (?:[›>] )?')

/** Endless loops, which end with this process even if it is killed. */
function keepBusy(count) {
  const loop = 'const parent = process.ppid; while (process.ppid === parent);'
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ['-e', loop], { stdio: 'ignore' }))
  const stop = () => {
    for (const loop of loops) loop.kill('SIGKILL')
  }
  process.once('exit', stop)
  return stop
}

/** One round of one step: `[name, { outcome, ms }]` of every test. */
async function once({ step, runner, tests }, log) {
  const files = [...new Set(tests.map(({ file }) => file))]
  const titles = [...new Set(tests.map(patternOf))]
  const { args, env: own, read } = runner.run(reportFile(`repeat ${step}`), files, titles)
  const { code, last } = await execute(args, { env: { ...env, ...own }, quiet: true })
  if (code !== 0) appendFileSync(log, `${'━'.repeat(100)}\n${stripVTControlCharacters(last)}\n`)
  const reported = new Map(read().map((test) => [nameOf(step, test), test]))
  // A test that the runner did not come to did not pass.
  return tests.map((test) => [nameOf(step, test), reported.get(nameOf(step, test)) ?? { outcome: 'failed', ms: 0 }])
}

const count = (runs, wanted) => runs.filter(({ outcome }) => outcome === wanted).length

function print(runs) {
  const columns = ['passed', 'failed', 'skipped', 'median s', 'slowest s']
  console.log(`\n${columns.map((column) => column.padStart(9)).join(' ')}  test`)
  for (const [name, all] of runs) {
    const times = all.map(({ ms }) => ms / 1000).sort((a, b) => a - b)
    const cells = [
      ...['passed', 'failed', 'skipped'].map((wanted) => count(all, wanted)),
      times[Math.floor(times.length / 2)].toFixed(1),
      times.at(-1).toFixed(1),
    ]
    console.log(`${cells.map((cell) => String(cell).padStart(9)).join(' ')}  ${name}`)
  }
}

const { times, busy, ...wanted } = options()
installPackages()
const found = await find(wanted)
if (found.length === 0) fail(`No test matches ${wanted.pattern}.`)
const log = reportFile('repeat').replace(/json$/, 'log')
appendFileSync(log, '', { flag: 'w' })
const runs = new Map()
const stop = keepBusy(busy)
for (let round = 1; round <= times; round++) {
  let failed = 0
  for (const step of found) {
    for (const [name, run] of await once(step, log)) {
      runs.set(name, [...(runs.get(name) ?? []), run])
      if (run.outcome === 'failed') failed++
    }
  }
  console.log(`round ${round} of ${times}: ${failed === 0 ? 'none failed' : `${failed} failed`}`)
}
stop()
print(runs)
if ([...runs.values()].some((all) => count(all, 'failed') > 0)) {
  console.log(`\nWhat the failed rounds printed at their ends: ${relative(root, log)}`)
  process.exitCode = 1
}
