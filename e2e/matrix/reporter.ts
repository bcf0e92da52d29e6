import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter'
import { type Report, sorted, summary, tell } from './report.js'
import type { Row } from './row.js'
import { selection } from './selection.js'
import { versions } from './versions.js'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const keyOf = ({ server, mode, fault, browser }: Row) => [server, mode, fault, browser].join(' ')

/** Gathers the rows of all tests, and writes the report when they are what it is to say. */
export default class MatrixReporter implements Reporter {
  readonly #rows: Row[] = []
  readonly #notRun = new Set<string>()
  #failed = 0

  onTestEnd(test: TestCase, result: TestResult): void {
    const body = result.attachments.find(({ name }) => name === 'rows')?.body
    if (body !== undefined) this.#rows.push(...(JSON.parse(body.toString()) as Row[]))
    if (result.status === 'skipped') {
      const server = test.title.split(' ')[0] as string
      this.#notRun.add(`${server}: ${test.annotations.find(({ type }) => type === 'skip')?.description ?? 'skipped'}`)
    } else if (result.status !== 'passed') this.#failed++
  }

  async onEnd({ duration }: FullResult): Promise<void> {
    const { full, write } = selection()
    const rows = sorted(this.#rows)
    console.log(`\n${summary(rows)}\n${(duration / 60_000).toFixed(1)} minutes`)
    for (const why of this.#notRun) console.log(`NOT RUN  ${why}`)
    if (rows.length === 0) return
    let report: Report = { date: today(), versions: await versions(), rows }
    const into = write || (full && this.#failed === 0) ? 'docs' : 'e2e/artefacts/matrix'
    if (!full && into === 'docs') report = { ...report, rows: sorted([...this.#others(), ...rows]) }
    mkdirSync(at(into), { recursive: true })
    writeFileSync(join(at(into), 'reliability.json'), `${JSON.stringify(report, undefined, 2)}\n`)
    writeFileSync(join(at(into), 'reliability.md'), tell(report, [...this.#notRun]))
    console.log(`Written to ${into}/reliability.md and .json`)
  }

  /** What the report has of combinations that were not run this time. */
  #others(): Row[] {
    const mine = new Set(this.#rows.map(keyOf))
    try {
      const { rows } = JSON.parse(readFileSync(at('docs/reliability.json'), 'utf8')) as Report
      return rows.filter((row) => !mine.has(keyOf(row)))
    } catch {
      return []
    }
  }
}

const today = () => new Date().toISOString().slice(0, 10)
