import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const measured = []

/** Prints a size in bytes and its limit, and keeps it for the report. Returns whether it is within. */
export function isWithin(what, size, limit, unit = 'gzipped') {
  measured.push({ what, size, limit, unit })
  if (process.env.SIZES_REPORT) writeFileSync(process.env.SIZES_REPORT, JSON.stringify(measured))
  console.log(`  ${what}: ${size} bytes ${unit} (at most ${limit})`)
  if (size <= limit) return true
  console.error(`  ${what}: ${limit === undefined ? 'it has no limit' : `${size - limit} bytes too large`}`)
  return false
}

/** What a step measured, as `{ what, size, limit, unit }`. */
export const readSizes = (report) => (existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : [])

const cells = ({ what, size, limit, unit }) => [
  what,
  size.toLocaleString('en'),
  limit?.toLocaleString('en') ?? '',
  limit === undefined ? '' : `${((100 * size) / limit).toFixed(1)} %`,
  unit,
]
const headings = ['what', 'bytes', 'at most', 'used', '']

/** Sizes as lines for a terminal. */
export function sizesTable(sizes) {
  const rows = [headings, ...sizes.map(cells)]
  const widths = headings.map((_, n) => Math.max(...rows.map((row) => row[n].length)))
  const padded = (cell, n) => (n === 0 || n === 4 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))
  return rows.map((row) => row.map(padded).join('  ').trimEnd())
}

/** The same and the outcome of each step in Markdown, as GitHub shows it on the page of a run. */
export function markdownOf(results, sizes) {
  const table = (head, rows, aligned) => [head, aligned, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
  const steps = [...results].map(([name, { outcome, ms, note }]) => [
    name,
    outcome,
    `${(ms / 1000).toFixed(1)} s`,
    note,
  ])
  const parts = [table(['step', 'outcome', 'time', ''], steps, ['---', '---', '--:', '---'])]
  if (sizes.length > 0) parts.push(table(headings, sizes.map(cells), ['---', '--:', '--:', '--:', '---']))
  return `${parts.join('\n\n')}\n`
}
