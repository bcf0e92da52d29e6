import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { command, root } from './workspace.mjs'

export const E2E = 'e2e/playwright.config.ts'

const reports = join(root, 'node_modules/.cache/pushstream-test')

/** Where a run of tests leaves its report. An older one is removed. */
export function reportFile(name) {
  mkdirSync(reports, { recursive: true })
  const file = join(reports, `${name.replace(/\W+/g, '-')}.json`)
  rmSync(file, { force: true })
  return file
}

/** A run of Vitest, as arguments and variables for Node, with a report that `readVitest` reads. */
export const vitest = (report, args) => ({
  args: [command('vitest'), 'run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
  read: () => readVitest(report),
})

/** A run of Playwright in one browser, with a report that `readPlaywright` reads. */
export const playwright = (report, browser, args) => ({
  args: [
    command('@playwright/test', 'playwright'),
    'test',
    '-c',
    E2E,
    // Joined, as it would take the arguments after it for more names.
    `--project=${browser}`,
    // Each Firefox keeps a core busy.
    ...(browser === 'firefox' ? ['--workers=2'] : []),
    '--reporter=list,json',
    ...args,
  ],
  env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
  read: () => readPlaywright(report),
})

const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})

/**
 * The tests of a report: `{ file, title, outcome: 'passed' | 'failed' | 'skipped', ms, why }`. Empty if there is no report.
 */
function readVitest(report) {
  return (readJson(report).testResults ?? []).flatMap(({ name, assertionResults, status, message }) => {
    const file = relative(root, name)
    const tests = assertionResults.map(({ ancestorTitles, title, status, duration = 0, failureMessages = [] }) => ({
      file,
      title: [...ancestorTitles, title].join(' › '),
      outcome: status === 'passed' || status === 'failed' ? status : 'skipped',
      ms: duration,
      why: failureMessages[0],
    }))
    // A file that could not even be imported has no tests to blame.
    if (tests.length === 0 && status === 'failed') return [{ file, title: message, outcome: 'failed', ms: 0 }]
    return tests
  })
}

function readPlaywright(report) {
  const outcomes = { expected: 'passed', unexpected: 'failed', flaky: 'failed', skipped: 'skipped' }
  const visit = ({ specs = [], suites = [] }, titles) => [
    ...specs.flatMap(({ title, file, tests }) =>
      tests.map(({ status, results }) => ({
        file: join('e2e', file),
        title: [...titles, title].join(' › '),
        outcome: outcomes[status],
        ms: results.reduce((sum, { duration }) => sum + duration, 0),
        why: results.find(({ error }) => error)?.error.message,
      })),
    ),
    ...suites.flatMap((suite) => visit(suite, [...titles, suite.title])),
  ]
  // The outermost suites are the files.
  return (readJson(report).suites ?? []).flatMap((file) => visit(file, []))
}
