import { advice } from '../troubleshooting.js'
import type { Finding, Report } from './types.js'

const marks = { ok: '✓', fault: '✗', unknown: '?' }

/** What is wrong, and what to change. */
function section({ fault, modes, detail, pushStream, nchan, docs }: Finding): string {
  const { title, mend } = advice[fault]
  const where = modes.length > 0 ? ` (${modes.join(', ')})` : ''
  return [
    `${title}${where}`,
    `  ${detail}`,
    `  ${mend}`,
    ...(pushStream ? [`  push stream module:  ${pushStream}`] : []),
    ...(nchan ? [`  Nchan:               ${nchan}`] : []),
    `  ${docs}`,
  ].join('\n')
}

/** A report as text: a table of all checks, and a paragraph for each fault. */
export function formatReport({ url, channel, rows, findings }: Report): string {
  const width = Math.max(...rows.map(({ check }) => check.length))
  const table = rows.map(({ check, outcome, detail }) => {
    const told = outcome === 'unknown' ? `cannot tell: ${detail}` : detail
    return `${marks[outcome]} ${check.padEnd(width)}  ${told}`.trimEnd()
  })
  const all = findings.length === 0 ? 'No faults were found.' : `Faults: ${findings.length}`
  const parts = [`${url}, channel ${channel}`, table.join('\n'), all, ...findings.map(section)]
  return `${parts.join('\n\n')}\n`
}
