import { advice, type Fault } from '../troubleshooting.js'
import type { Finding, Report } from './types.js'

/**
 * The names of all faults.
 *
 * @example
 * ```ts
 * import { diagnose, faults } from '@pushstream/core/diagnose'
 *
 * const onlyPings = faults.filter((fault) => fault !== 'pings')
 * const { ok } = await diagnose({ url: 'https://push.example.org', ignore: onlyPings })
 * ```
 */
export const faults = Object.keys(advice) as readonly Fault[]

const marks = { ok: '✓', fault: '✗', unknown: '?' }

/** What is wrong, in a few words. */
const titleOf = ({ fault, modes }: Finding) =>
  `${advice[fault].title}${modes.length > 0 ? ` (${modes.join(', ')})` : ''}`

/** What is wrong, and what to change. */
function section(finding: Finding): string {
  const { fault, detail, pushStream, nchan, docs } = finding
  const { mend } = advice[fault]
  return [
    titleOf(finding),
    `  ${detail}`,
    `  ${mend}`,
    ...(pushStream ? [`  push stream module:  ${pushStream}`] : []),
    ...(nchan ? [`  Nchan:               ${nchan}`] : []),
    `  ${docs}`,
  ].join('\n')
}

/**
 * A report as text: a table of all checks, and a paragraph for each fault.
 *
 * @example
 * ```ts
 * import { diagnose, formatReport } from '@pushstream/core/diagnose'
 *
 * const report = await diagnose({ url: 'https://push.example.org' })
 * if (!report.ok) throw new Error(formatReport(report))
 * ```
 */
export function formatReport({ url, channel, rows, findings }: Report): string {
  const width = Math.max(...rows.map(({ check }) => check.length))
  const table = rows.map(({ check, outcome, detail, findings: found }) => {
    const told = { ok: detail, unknown: `cannot tell: ${detail}`, fault: found.map(titleOf).join(', ') }[outcome]
    return `${marks[outcome]} ${check.padEnd(width)}  ${told}`.trimEnd()
  })
  const all = findings.length === 0 ? 'No faults were found.' : `Faults: ${findings.length}`
  const parts = [`${url}, channel ${channel}`, table.join('\n'), all, ...findings.map(section)]
  return `${parts.join('\n\n')}\n`
}
