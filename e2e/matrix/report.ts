import { allModes } from '../support/test.js'
import { type Fault, faults } from './faults.js'
import { rules } from './left-out.js'
import type { Row } from './row.js'
import { servers } from './servers.js'

/** docs/reliability.json */
export interface Report {
  /** Of the newest rows. */
  readonly date: string
  readonly versions: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
}

const browsers = ['chromium', 'firefox']

/** In the order in which it is told. */
export function sorted(rows: readonly Row[]): Row[] {
  const place = ({ server, fault, mode, browser }: Row) =>
    [
      servers.findIndex(({ name }) => name === server),
      faults.findIndex(({ name }) => name === fault),
      allModes.indexOf(mode),
      browsers.indexOf(browser),
    ].reduce((sum, index) => sum * 100 + index, 0)
  return [...rows].sort((one, other) => place(one) - place(other))
}

const bad = (row: Row) => row.lostWithoutGap + row.doubled + row.outOfOrder > 0
const sum = (rows: readonly Row[], of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0)
const seconds = (ms: number | null) => (ms === null ? '' : `${(ms / 1000).toFixed(2)} s`)

function table(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  const all = [head, head.map((name) => (/^[a-z]/.test(name) ? '---' : '--:')), ...lines]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const grouped = (number: number) => number.toLocaleString('en-GB')

const head = [
  'fault',
  'mode',
  'browser',
  'Sent',
  'Received',
  'Lost',
  'Doubled',
  'Out of order',
  'Gaps',
  'In gaps',
  'Recovery',
  'Crashes',
]

const line = (row: Row) => [
  row.fault,
  row.mode,
  row.browser,
  grouped(row.sent),
  grouped(row.received),
  row.lostWithoutGap,
  row.doubled,
  row.outOfOrder,
  row.gaps,
  row.inGaps,
  seconds(row.recoverMs),
  row.crashes,
]

/** For the console: every row, aligned. */
export function summary(rows: readonly Row[]): string {
  const all = [['server', ...head], ...rows.map((row) => [row.server, ...line(row).map(String)])]
  const widths = (all[0] as string[]).map((_, index) => Math.max(...all.map((cells) => (cells[index] ?? '').length)))
  const aligned = all.map((cells) => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  '))
  const wrong = rows.filter(bad).length
  return `${aligned.join('\n')}\n\n${rows.length} rows, ${wrong} of them lost, doubled or disordered messages.`
}

const inAll = (rows: readonly Row[]) => [
  rows.length,
  grouped(sum(rows, ({ sent }) => sent)),
  grouped(sum(rows, ({ received }) => received)),
  sum(rows, ({ lostWithoutGap }) => lostWithoutGap),
  sum(rows, ({ doubled }) => doubled),
  sum(rows, ({ outOfOrder }) => outOfOrder),
  sum(rows, ({ gaps }) => gaps),
  grouped(sum(rows, ({ inGaps }) => inGaps)),
]

const faultLine = ({ name, title, from }: Fault) => [name, title, from]

/** Text on lines of 120 characters at most, those after the first indented. */
function wrapped(text: string, indent = ''): string {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string
    const longer = last === '' ? word : `${last} ${word}`
    if (longer.length <= 120) lines[lines.length - 1] = longer
    else lines.push(`${indent}${word}`)
  }
  return lines.join('\n')
}

/** docs/reliability.md. `notRun`: servers that were not there, and why. */
export function tell({ date, versions, rows }: Report, notRun: readonly string[]): string {
  const present = servers.filter(({ name }) => rows.some(({ server }) => server === name))
  const totals = present.map(({ name, title }) => [title, ...inAll(rows.filter(({ server }) => server === name))])
  const chapters = present.map(
    ({ name, title }) =>
      `### ${title[0]?.toUpperCase()}${title.slice(1)}\n\n${table(head, rows.filter(({ server }) => server === name).map(line))}`,
  )
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const missing =
    notRun.length === 0
      ? ''
      : `\nNot run, because something was missing:\n\n${notRun.map((why) => `- ${why}`).join('\n')}\n`
  return `<!-- Written by \`npm run e2e:matrix\`: not to be edited by hand. The same as data: reliability.json -->

# Reliability

${wrapped(`This page counts lost and repeated messages while the network and the servers fail. Measured on ${date} with ${used.join(', ')}.`)}

For each server and fault, four pages of a browser, one for each mode, receive 2,000 numbered messages, published at 200
a second on two channels in turn. Messages count as sent when the server has acknowledged them; publishing goes on
during the fault, as far as the server takes it.

- **Lost**: did not come, and no \`gap\` event stands where they are missing. **Doubled** and **out of
  order**: as the application saw them. These three have to be 0.
- **Gaps**: \`gap\` events; **in gaps**: messages that they announced as missing. A server that forgets its messages in a
  restart (and Nchan's memory store also in a reload) can't give them to anybody; a gap can also be a warning that
  something may be missing where nothing is.
- **Recovery**: the time until the first message arrives that was published after the end of the fault or the moment of
  the break; the median if there were several. With the back-off of the tests: 0.2 s at first, 2 s at most; silence is
  looked into after 3 s.
- **Crashes**: of workers of the server under test, while its four modes were served. Nchan 1.3.6 has workers that abort
  when two subscribers bring positions to a channel whose store is empty, which a reload of the memory store makes it.

## In all

${table(['server', 'Rows', 'Sent', 'Received', 'Lost', 'Doubled', 'Out of order', 'Gaps', 'In gaps'], [...totals, ['**all**', ...inAll(rows)]])}

## Faults

${table(['fault', 'what happens', 'recovery counts from'], faults.map(faultLine))}

## Left out

${rules.map(({ what, why }) => wrapped(`- ${what}: ${why}`, '  ')).join('\n')}
${missing}
## Rows

${chapters.join('\n\n')}
`
}
