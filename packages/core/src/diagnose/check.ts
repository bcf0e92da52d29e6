import { advice, type Fault } from '../troubleshooting.js'
import type { ModeName } from '../types.js'
import { failures } from './failures.js'
import type { Attempt, Finding, Seen } from './types.js'

/** What a check found: faults, and a sentence about what it saw. */
interface Found {
  readonly findings: readonly Finding[]
  readonly detail: string
}

/** One question about what was seen. */
export interface Check {
  readonly name: string
  /** Why it can't be answered, if it can't. */
  needs?(seen: Seen): string | undefined
  run(seen: Seen): Found
}

/** A fault, with what the table of advice says to change. */
export function finding(fault: Fault, detail: string, where: readonly { mode: ModeName }[] = []): Finding {
  const { pushStream, nchan } = advice[fault]
  return {
    fault,
    modes: where.map(({ mode }) => mode),
    detail,
    pushStream,
    nchan,
    docs: `docs/troubleshooting.md#${fault}`,
  }
}

/** One finding for all modes that it holds of, if there are any. */
export const of = (fault: Fault, where: readonly { mode: ModeName }[], detail: string): Finding[] =>
  where.length === 0 ? [] : [finding(fault, detail, where)]

/** Attempts of modes that work. */
export const working = (seen: Seen): Attempt[] => {
  const failed = new Set(failures(seen).map(({ mode }) => mode))
  return seen.attempts.filter(({ mode }) => !failed.has(mode))
}
export const noMode = (seen: Seen) => (working(seen).length === 0 ? 'no mode works' : undefined)
export const needsPublisher = (seen: Seen) =>
  noMode(seen) ?? (seen.published === undefined ? 'needs a publisher' : undefined)
export const needsStored = (seen: Seen) =>
  noMode(seen) ??
  (seen.known > 0
    ? undefined
    : seen.published === undefined
      ? 'nothing is stored in this channel: name another one, or a publisher'
      : 'no published message came')

/** What the failures of these kinds are, by fault. */
export const failed = (seen: Seen, holds: (fault: Fault) => boolean): Finding[] => {
  const all = failures(seen).filter(({ fault }) => holds(fault))
  return [...new Set(all.map(({ fault }) => fault))].flatMap((fault) => {
    const these = all.filter((one) => one.fault === fault)
    const details = [...new Set(these.map(({ detail }) => detail))]
    return of(fault, these, details.join('; '))
  })
}

export const list = (modes: readonly { mode: ModeName }[]) => modes.map(({ mode }) => mode).join(', ')
export const ms = (from: number, to: number) => `${Math.max(0, Math.round(to - from))} ms`
