import { symptomOf } from '../session/reports.js'
import type { Fault } from '../troubleshooting.js'
import type { ModeName } from '../types.js'
import type { Attempt, Knock, Seen } from './types.js'

/** Why a mode is of no use. */
export interface Failure {
  readonly mode: ModeName
  readonly fault: Fault
  readonly url: string
  readonly status: number | undefined
  readonly detail: string
}

const statusIn = (explain = '') => Number(/"http_status":\s*(\d+)/.exec(explain)?.[1]) || undefined
/** Node tells behind its error what really happened. */
const causeOf = (error: unknown): string | undefined => {
  const { cause, message } = (error ?? {}) as { cause?: unknown; message?: string }
  return cause === undefined ? message : causeOf(cause)
}
const words = (...parts: unknown[]) => parts.filter(Boolean).join(' ')

/** What an answer of the server itself says about a request of this mode. */
function faultOfStatus(status: number, explain = ''): Fault {
  if (/no channel/i.test(explain)) return 'names'
  // A websocket was asked for without its headers, so the location is one of websockets.
  if (/mandatory headers/i.test(explain)) return 'mode'
  if (status === 401 || status === 403) return 'forbidden'
  if ([404, 405, 426, 501].includes(status)) return 'missing'
  return status >= 500 ? 'unreachable' : 'forbidden'
}

/** Why a handshake failed, by what a plain request to the same address is answered. */
function faultOfHandshake(knocked: Knock | undefined): Fault {
  if (knocked === undefined || knocked === 'hidden' || knocked === 'nothing') return 'websocket'
  const { status, server, type, explain } = knocked
  // What wants the headers of a handshake did not get those that were sent.
  if (/mandatory headers/i.test(explain ?? '') || [400, 426].includes(status)) return 'websocket'
  if (status !== 200) return faultOfStatus(status, explain)
  // Where one location serves all modes, the request shows which one was meant.
  if (server === 'nchan') return 'websocket'
  return server || type.startsWith('text/event-stream') ? 'mode' : 'foreign'
}

function failureOf(seen: Seen, attempt: Attempt): Failure | undefined {
  const { mode, ended, answer, first, opened, messages, url } = attempt
  const knocked = seen.knocks[mode]
  if (knocked === undefined || messages.length > 0) return undefined
  const fail = (fault: Fault, status?: number, why?: string): Failure => ({
    mode,
    fault,
    url,
    status,
    detail: words(url, status && `answers with status ${status}`, why && `(${why})`),
  })
  if (seen.blocked && (ended === undefined || ended.kind === 'refused')) return fail('csp')
  // A long-poll that hangs, as far as a page can see.
  if (ended === undefined && knocked === 'hidden') return fail(seen.include ? 'credentials' : 'cors')
  if (ended === undefined || ended.kind === 'lost' || ended.kind === 'end') {
    // Headers without a body: of another mode where an answer should end, kept by a proxy where it should not.
    if (mode === 'longpolling' && answer)
      return fail('mode', undefined, `an answer of type ${answer.type} without an end`)
    if (opened === undefined && answer === undefined && (mode === 'longpolling' || !someAnswer(seen))) {
      return fail('slow', undefined, 'no answer')
    }
    return first === undefined ? fail('buffered', undefined, 'no first byte') : undefined
  }
  const { kind, status, explain, symptom } = ended
  if (symptom) return fail(symptom, undefined, explain)
  if (typeof knocked === 'object' && knocked.byOrigin) {
    return fail('cors', knocked.status, `and not without the origin ${seen.origin}`)
  }
  if (kind === 'invalid') {
    return fail(answer?.server || /stream instead/.test(explain ?? '') ? 'mode' : 'foreign', undefined, explain)
  }
  if (kind === 'close') {
    const told = statusIn(explain)
    return fail(told ? faultOfStatus(told, explain) : 'websocket', told, explain)
  }
  if (kind === 'status') {
    return fail(faultOfStatus(status ?? 0, explain), status, explain)
  }
  const known = typeof knocked === 'object' ? knocked : undefined
  if (mode === 'websocket') {
    const nobody = knocked === 'nothing' && !someAnswer(seen)
    return fail(nobody ? 'unreachable' : faultOfHandshake(knocked), known?.status, known?.explain)
  }
  if (knocked === 'nothing') return fail('unreachable', undefined, causeOf(ended.cause))
  const shown = symptomOf({ ...ended, asked: undefined }, undefined, seen.page as never) ?? 'unreachable'
  return fail(knocked === 'hidden' ? (seen.include ? 'credentials' : 'cors') : shown)
}

/** Whether anything answered at all. */
const someAnswer = (seen: Seen): boolean =>
  seen.attempts.some(({ answer, opened }) => answer !== undefined || opened !== undefined) ||
  Object.values(seen.knocks).some((one) => typeof one === 'object' || one === 'hidden')

/** Why which modes are of no use. */
export function failures(seen: Seen): Failure[] {
  const all = seen.attempts.flatMap((attempt) => failureOf(seen, attempt) ?? [])
  const bad = new Set(all.map(({ mode }) => mode))
  const place = ({ url }: { url: string }) => url.replace(/^(ws|http)/, '')
  const taken = new Set(seen.attempts.filter(({ mode }) => !bad.has(mode)).map(place))
  // Of a server that speaks another protocol, nothing else is worth to be said.
  const other = all.find(({ fault }) => fault === 'nchan' || fault === 'module')
  if (other) return all.map((one) => ({ ...one, fault: other.fault }))
  // The same address is good for another mode, so it is the mode that is refused, and not the channel.
  const refused = (one: Failure) => one.fault === 'forbidden' && taken.has(place(one))
  return all.map((one) => (refused(one) ? { ...one, fault: 'mode' } : one))
}
