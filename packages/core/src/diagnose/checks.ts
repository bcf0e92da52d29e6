import type { Fault } from '../troubleshooting.js'
import type { Check } from './check.js'
import { authorization, buffering, cors, cut, modes, pings } from './checks-connections.js'
import { http, limits } from './checks-limits.js'
import { delivery, publishing, template } from './checks-messages.js'
import { eventId, position, several, stored } from './checks-resume.js'
import type { Row, Seen } from './types.js'

/** All checks, in the order in which they are told. */
export const checks: readonly Check[] = [
  modes,
  authorization,
  cors,
  buffering,
  cut,
  pings,
  publishing,
  delivery,
  template,
  stored,
  position,
  eventId,
  several,
  limits,
  http,
]

/** What follows from what was seen. */
export const judge = (seen: Seen, ignore: readonly Fault[] = []): Row[] =>
  checks.map(({ name, needs, run }) => {
    const missing = needs?.(seen)
    if (missing !== undefined) return { check: name, outcome: 'unknown', detail: missing, findings: [] }
    const { findings: all, detail } = run(seen)
    const findings = all.filter(({ fault }) => !ignore.includes(fault))
    const told = findings.length > 0 ? findings.map((one) => one.detail).join('; ') : detail
    return { check: name, outcome: findings.length > 0 ? 'fault' : 'ok', detail: told, findings }
  })
