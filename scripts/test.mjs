// npm test: installs what is missing, then checks everything. Every step runs, also after one that failed, unless it
// needs that one's work.
//
//   npm test -- --only unit             one step, and what it needs
//   npm test -- --only lint --only types
//   npm test -- --changed               what the changes since origin/main, committed or not, can break
//   npm test -- --since HEAD~3          the same since another commit
//
// With CI=true, not having what could have been installed is a failure.
import './node-version.mjs'
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { changes } from './changes.mjs'
import { execute } from './execute.mjs'
import { installPackages } from './npm-packages.mjs'
import { reportFile } from './runners.mjs'
import { markdownOf, sizesTable } from './sizes.mjs'
import { concerns, steps } from './steps.mjs'
import { find, howToInstall, installPrograms, variables } from './system.mjs'
import { root } from './workspace.mjs'

const ci = /^(1|true)$/i.test(process.env.CI ?? '')
const SLOWEST = 10
/** So much of a failed test's message is repeated at the end. */
const MESSAGE_LINES = 30

/** The names of the steps to run, in order, and what changed if only that counts. */
function chosen() {
  const all = Object.keys(steps)
  const { only = [], changed, since } = options()
  const wanted = new Set()
  const add = (name) => {
    for (const need of steps[name].needs ?? []) add(need)
    wanted.add(name)
  }
  for (const value of only) {
    const matching = all.filter((name) => name === value || name.startsWith(`${value}:`))
    if (matching.length === 0) fail(`There is no step '${value}'.`)
    matching.forEach(add)
  }
  const names = wanted.size === 0 ? all : all.filter((name) => wanted.has(name))
  if (!changed && since === undefined) return { names }
  const change = changes(since) ?? fail(`'${since}' is not a commit of this repository.`)
  console.log(`${change.files.length} files changed since ${change.since.slice(0, 8)}.`)
  return { names: names.filter((name) => concerns(steps[name], change.files)), change }
}

function options() {
  try {
    const known = { only: { type: 'string', multiple: true }, changed: { type: 'boolean' }, since: { type: 'string' } }
    return parseArgs({ options: known }).values
  } catch (error) {
    return fail(error.message)
  }
}

function fail(why) {
  console.error(`${why}
Usage: npm test -- [--only <step>]… [--changed | --since <commit>]
Steps: ${Object.keys(steps).join(', ')}; browser and types stand for both.`)
  process.exit(1)
}

/** Why a step can't run, if it can't, and whether CI excuses that. */
function obstacle({ needs = [], program, config }, results, installable) {
  const broken = needs.find((need) => !results.get(need).usable)
  if (broken !== undefined) return { reason: `needs ${broken}, which broke`, excused: true }
  if (config !== undefined && !existsSync(join(root, config))) {
    return { reason: `there is no ${config}`, excused: false }
  }
  if (program === undefined || find(program) !== undefined) return undefined
  return { reason: `${program} is missing. To get it: ${howToInstall([program])}`, excused: !installable }
}

/** Installs what the steps need. Returns whether that can be done here without asking. */
function prepare(names) {
  installPackages()
  if (!names.some((name) => steps[name].program !== undefined || steps[name].live)) return false
  const { missing, installable } = installPrograms()
  if (missing.length > 0) {
    const why = installable ? 'could not be installed' : 'missing, and not to be installed without asking you'
    console.log(`\n${missing.join(', ')}: ${why}. Yourself:\n\n    ${howToInstall(missing)}\n`)
  }
  return installable
}

async function run(name, change, obstacle, env) {
  if (obstacle !== undefined) {
    if (ci && !obstacle.excused) return { outcome: 'failed', note: `could not run: ${obstacle.reason}`, usable: false }
    return { outcome: 'skipped', note: obstacle.reason, usable: false }
  }
  const command = steps[name].run({ report: reportFile(name), ...change })
  const later = steps[name].waits === true
  const { code, last } = await execute(command.args, { env: { ...env, ...command.env }, later })
  const tests = command.read?.()
  const sizes = command.sizes?.()
  const outcome = code === 0 ? 'passed' : 'failed'
  return { outcome, note: code === 0 ? '' : `exit code ${code}`, usable: code === 0 || code === 2, last, tests, sizes }
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
const marks = { passed: '✓', failed: '✗', skipped: '○' }
const line = (title) => console.log(`\n━━ ${title} ${'━'.repeat(Math.max(3, 90 - title.length))}`)

function countOf(tests = []) {
  const counts = ['passed', 'failed', 'skipped'].map((wanted) => [
    tests.filter(({ outcome }) => outcome === wanted).length,
    wanted,
  ])
  return counts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ')
}

/** A log may be kept by its end alone: there it should say what failed and why, of every test. */
function printFailures(step, { tests = [], last }) {
  const failed = tests.filter(({ outcome }) => outcome === 'failed')
  if (failed.length === 0 && !last) return
  line(failed.length > 0 ? `${step}: what failed` : `${step} failed. Its last lines, again:`)
  if (failed.length === 0) console.log(last)
  for (const { file, title, why = 'no message' } of failed) {
    const lines = stripVTControlCharacters(why).trimEnd().split('\n')
    const more = lines.length > MESSAGE_LINES ? ['…'] : []
    console.log(`✗ ${file} › ${title}`)
    console.log([...lines.slice(0, MESSAGE_LINES), ...more].map((text) => `    ${text}`).join('\n'))
  }
}

function printSlowest(results) {
  const all = [...results].flatMap(([step, { tests = [] }]) => tests.map((test) => ({ step, ...test })))
  if (all.length === 0) return
  line(`the ${SLOWEST} slowest tests`)
  for (const { step, file, title, ms } of all.sort((a, b) => b.ms - a.ms).slice(0, SLOWEST)) {
    console.log(`${seconds(ms).padStart(8)}  ${step}: ${file} › ${title}`)
  }
}

function printSizes(results) {
  const sizes = [...results.values()].flatMap(({ sizes = [] }) => sizes)
  if (sizes.length > 0) {
    line('sizes')
    console.log(sizesTable(sizes).join('\n'))
  }
  // GitHub shows this on the page of the run.
  if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, markdownOf(results, sizes))
}

function printSummary(results, took) {
  line('summary')
  for (const [name, { outcome, note, ms, tests }] of results) {
    const said = outcome === 'skipped' ? 'SKIPPED' : outcome
    const notes = [countOf(tests), note].filter((text) => text !== '').join('; ')
    console.log(`${marks[outcome]} ${name.padEnd(18)} ${said.padEnd(8)} ${seconds(ms).padStart(8)}  ${notes}`.trimEnd())
  }
  const count = (wanted) => [...results.values()].filter(({ outcome }) => outcome === wanted).length
  const skipped = count('skipped')
  if (skipped > 0) console.log(`\n${skipped} of ${results.size} steps did NOT run: see above for what they need.`)
  console.log(`\n${seconds(took)} in all`)
  console.log(`${count('passed')} passed, ${count('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = count('failed') > 0 ? 1 : 0
}

const began = performance.now()
const { names, change } = chosen()
const installable = prepare(names)
// Looked for once: some have to be started to find out whether they work.
const env = { ...process.env, ...variables() }
const results = new Map()

async function perform(name) {
  const since = performance.now()
  const result = await run(name, change, obstacle(steps[name], results, installable), env)
  const ms = performance.now() - since
  results.set(name, { ...result, ms })
  console.log(
    `${marks[result.outcome]} ${name} ${result.outcome} in ${seconds(ms)}${result.note ? ` (${result.note})` : ''}`,
  )
}

/** What runs beside other steps. */
let beside
for (const name of names) {
  const { program, waits } = steps[name]
  if (program !== undefined) await beside
  line(name)
  if (waits && names.at(-1) !== name) {
    console.log('It waits most of the time: the next steps run beside it. What it prints comes when it is over.')
    beside = perform(name)
  } else await perform(name)
}
await beside

const inOrder = new Map(names.map((name) => [name, results.get(name)]))
for (const [name, result] of inOrder) if (result.outcome === 'failed' && names.length > 1) printFailures(name, result)
printSlowest(inOrder)
printSizes(inOrder)
printSummary(inOrder, performance.now() - began)
