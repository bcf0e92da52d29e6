import type { Fault } from '../troubleshooting.js'
import { type Check, failed, ms, noMode, of, working } from './check.js'
import { failures } from './failures.js'
import type { Attempt, Seen } from './types.js'

/** Failures that checks of their own tell. */
const apart = new Set<Fault>(['forbidden', 'cors', 'credentials', 'buffered'])

export const modes: Check = {
  name: 'modes',
  run(seen) {
    const opened = working(seen).map(({ mode, asked, opened: at, first }) => {
      const shown = first ?? at
      return shown === undefined ? `${mode} waits` : `${mode} in ${ms(asked, shown)}`
    })
    const not = seen.unavailable.map((mode) => `${mode} can't be tried in this runtime`)
    return { findings: failed(seen, (fault) => !apart.has(fault)), detail: [...opened, ...not].join(', ') }
  },
}

export const authorization: Check = {
  name: 'authorization',
  needs(seen) {
    const refused = failures(seen).filter(({ fault }) => fault === 'forbidden')
    if (refused.length === 0) return noMode(seen)
    if (seen.named || seen.published) return undefined
    // A channel with an invented name may be refused for good reason.
    return refused.every(({ status }) => status === 403)
      ? `the server refuses a channel with a random name (${refused[0]?.detail}): name one that may be subscribed to`
      : undefined
  },
  run: (seen) => ({ findings: failed(seen, (fault) => fault === 'forbidden'), detail: 'the channel is accepted' }),
}

/** Why a page of another origin may not read an answer. */
function unreadable({ origin, include, enforced }: Seen, attempt: Attempt): Fault | undefined {
  const { answer, mode } = attempt
  // A browser shows a page neither an answer that it may not read, nor the headers that allow it.
  if (enforced) return undefined
  if (origin === undefined || answer === undefined || mode === 'websocket') return undefined
  if (answer.origin === undefined || (answer.origin !== '*' && answer.origin !== origin)) return 'cors'
  if (include && (answer.origin === '*' || answer.credentials !== 'true')) return 'credentials'
  return undefined
}

export const cors: Check = {
  name: 'cors',
  needs: (seen) =>
    seen.origin === undefined ||
    seen.attempts.some(({ mode, answer, ended }) => mode === 'websocket' || (answer ?? ended))
      ? undefined
      : 'no answer came that would tell',
  run(seen) {
    const { origin, include, modes: listed } = seen
    if (origin === undefined) return { findings: [], detail: 'the page has the origin of the server' }
    if (listed.every((mode) => mode === 'websocket')) return { findings: [], detail: 'websockets need no leave' }
    const hidden = (fault: Fault) => working(seen).filter((one) => unreadable(seen, one) === fault)
    const said = (attempt: Attempt | undefined) => attempt?.answer?.origin ?? 'nothing'
    const refused = failed(seen, (fault) => fault === 'cors' || fault === 'credentials')
    const unseen = (['cors', 'credentials'] as const).flatMap((fault) => {
      const these = hidden(fault)
      const [first] = these
      const allowed = `Access-Control-Allow-Origin is ${said(first)}, and -Credentials ${first?.answer?.credentials ?? 'nothing'}`
      return of(fault, these, `${allowed}, for a page of ${origin}`)
    })
    const cookies = include ? 'with cookies' : 'without cookies'
    return { findings: refused.length > 0 ? refused : unseen, detail: `a page of ${origin} may read, ${cookies}` }
  },
}

/** How late the last of the published texts were in a mode, in ms. */
function lateness(seen: Seen, { messages }: Attempt): number {
  const late = (seen.published ?? []).map(({ text, at }) => {
    const came = messages.find((one) => one.text === text)
    return came ? came.at - at : 0
  })
  return Math.max(0, ...late)
}

/** A message that is later than this was kept somewhere, in ms. */
const tooLate = 1000

export const buffering: Check = {
  name: 'buffering',
  needs(seen) {
    if (failures(seen).some(({ fault }) => fault === 'buffered')) return undefined
    return noMode(seen)
  },
  run(seen) {
    const late = working(seen).filter((one) => lateness(seen, one) > tooLate)
    const kept = failed(seen, (fault) => fault === 'buffered')
    const told = Math.round(Math.max(0, ...late.map((one) => lateness(seen, one))))
    const findings = kept.length > 0 ? kept : of('buffered', late, `messages came ${told} ms late`)
    const latest = Math.round(Math.max(0, ...working(seen).map((one) => lateness(seen, one))))
    const detail = seen.published ? `messages come within ${latest} ms` : 'the first bytes come at once'
    return { findings, detail }
  },
}

const visible = (seen: Seen) => working(seen).filter(({ mode }) => mode === 'eventsource' || mode === 'stream')

export const cut: Check = {
  name: 'silence',
  needs: noMode,
  run(seen) {
    const lost = working(seen).filter(({ ended }) => ended?.kind === 'lost' || ended?.status === 504)
    const detail = lost.map(({ mode, asked, ended }) => `${mode} broke after ${ms(asked, ended?.at ?? asked)}`)
    return {
      findings: of('cut', lost, detail.join(', ')),
      detail: `connections lived through ${Math.round(seen.waited / 100) / 10} s of silence`,
    }
  },
}

export const pings: Check = {
  name: 'pings',
  needs: (seen) =>
    noMode(seen) ??
    (visible(seen).length === 0
      ? `only eventsource and stream show pings, and neither is used`
      : visible(seen).every(({ ended }) => ended !== undefined)
        ? 'the connection ended before'
        : undefined),
  run(seen) {
    const silent = visible(seen).filter(({ pings: count, ended }) => ended === undefined && count === 0)
    return {
      findings: of('pings', silent, `no ping within ${Math.round(seen.waited / 100) / 10} s`),
      detail: visible(seen)
        .map(({ mode, pings: count }) => `${mode}: ${count}`)
        .join(', '),
    }
  },
}
