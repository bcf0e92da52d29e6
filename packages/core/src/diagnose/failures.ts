import { symptomOf } from '../session/reports.js'
import type { Fault } from '../troubleshooting.js'
import type { ModeName } from '../types.js'
import type { Attempt, Knock, Seen } from './types.js'

/** Why a mode is of no use. */
export interface Failure {
  readonly mode: ModeName
  readonly fault: Fault
  readonly status: number | undefined
  readonly detail: string
}

const statusIn = (explain = '') => Number(/"http_status":\s*(\d+)/.exec(explain)?.[1]) || undefined
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
  const { status, module, type, explain } = knocked
  // What wants the headers of a handshake did not get those that were sent.
  if (/mandatory headers/i.test(explain ?? '') || [400, 426].includes(status)) return 'websocket'
  if (status !== 200) return faultOfStatus(status, explain)
  return module || type.startsWith('text/event-stream') ? 'mode' : 'foreign'
}

function failureOf(seen: Seen, attempt: Attempt): Failure | undefined {
  const { mode, ended, answer, first, opened, messages, url } = attempt
  const knocked = seen.knocks[mode]
  if (knocked === undefined || messages.length > 0) return undefined
  const fail = (fault: Fault, status?: number, why?: string): Failure => ({
    mode,
    fault,
    status,
    detail: words(url, status && `answers with status ${status}`, why && `(${why})`),
  })
  if (ended === undefined || ended.kind === 'lost' || ended.kind === 'end') {
    // Headers without a body: of another mode where an answer should end, kept by a proxy where it should not.
    if (mode === 'longpolling' && answer)
      return fail('mode', undefined, `an answer of type ${answer.type} without an end`)
    if (opened === undefined && answer === undefined && !someAnswer(seen)) return fail('slow', undefined, 'no answer')
    return first === undefined ? fail('buffered', undefined, 'no first byte') : undefined
  }
  const { kind, status, explain, symptom } = ended
  if (symptom) return fail(symptom, undefined, explain)
  if (kind === 'invalid') {
    return fail(answer?.module || /stream instead/.test(explain ?? '') ? 'mode' : 'foreign', undefined, explain)
  }
  if (kind === 'close') {
    const told = statusIn(explain)
    return fail(told ? faultOfStatus(told, explain) : 'websocket', told, explain)
  }
  if (kind === 'status') {
    // Without the origin it is taken: the refusal is for the page.
    const free = typeof knocked === 'object' && knocked.status === 200
    if (seen.origin !== undefined && (status === 401 || status === 403) && free) return fail('cors', status, explain)
    return fail(faultOfStatus(status ?? 0, explain), status, explain)
  }
  const known = typeof knocked === 'object' ? knocked : undefined
  if (mode === 'websocket') {
    const nobody = knocked === 'nothing' && !someAnswer(seen)
    return fail(nobody ? 'unreachable' : faultOfHandshake(knocked), known?.status, known?.explain)
  }
  if (knocked === 'nothing') return fail('unreachable', undefined, String(ended.cause ?? ''))
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
  // Of a server that speaks another protocol, nothing else is worth to be said.
  const other = all.find(({ fault }) => fault === 'nchan' || fault === 'module')
  return other ? all.map((one) => ({ ...one, fault: other.fault })) : all
}
