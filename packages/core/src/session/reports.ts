import { PushStreamError } from '../errors.js'
import type { Classified } from '../protocols/protocol.js'
import { troubled } from '../symptoms.js'
import type { CloseReason, Environment, ModeName, Symptom } from '../types.js'
import type { Connection } from './connection.js'
import type { Action, State } from './state.js'

/** Why a connection ended, in a few words. */
export const whatOf = (mode: ModeName, { kind }: CloseReason, { status, explain }: Classified): string =>
  [mode, kind, status, explain && `(${explain})`].filter(Boolean).join(' ')

/** An address without what may be secret: no user, and no value of its query. */
export const shown = (url: string | undefined): string | undefined =>
  url
    ?.replace(/\/\/[^/@]*@/, '//')
    .replace(/(?<=\?.*)=[^&]*/g, '=…')
    .slice(0, 300)

/** What keeps a request from its answer, as far as it shows. */
export function symptomOf(
  { kind, symptom, asked }: CloseReason,
  status: number | undefined,
  page: Environment['location'],
): Symptom | undefined {
  if (symptom) return symptom
  if (kind === 'invalid') return 'foreign'
  const { url, credentials } = asked ?? {}
  const { protocol = '', host = '' } = url ? new URL(url) : {}
  const other = page?.hostname !== undefined && host !== page.hostname + (page.port && `:${page.port}`)
  if (status === 401 || status === 403) return other && credentials !== 'include' ? 'credentials' : 'forbidden'
  if (status && [404, 405, 426, 501].includes(status)) return 'missing'
  if (kind !== 'refused') return undefined
  // What is on the same machine is trusted.
  if (page?.protocol === 'https:' && /^(http|ws):/.test(protocol) && !/^(localhost|127\.|\[)/.test(host)) return 'mixed'
  if (protocol.startsWith('ws')) return 'websocket'
  return other ? (credentials === 'include' ? 'credentials' : 'cors') : 'unreachable'
}

/** The error that reports why an attempt failed or a connection was lost. */
export function failureOf(
  what: string,
  reason: CloseReason,
  classified: Pick<Classified, 'status'>,
  page: Environment['location'],
): PushStreamError {
  const { cause, asked, kind } = reason
  if (cause instanceof PushStreamError) return cause
  const status = classified.status ?? (kind === 'invalid' ? 200 : undefined)
  const url = shown(asked?.url)
  const symptom = symptomOf(reason, status, page)
  return troubled(status === undefined ? 'unreachable' : 'http', what, {
    mode: asked?.mode,
    status,
    url,
    cause,
    symptom,
  })
}

/** The error that reports a channel that is given up. Without a status, others were taken where this one was not. */
export function refusalOf(
  channel: string,
  reason: CloseReason,
  { status, explain }: Classified,
  page: Environment['location'],
): PushStreamError {
  const why = status === undefined ? '' : `with status ${status}${explain ? ` (${explain})` : ''}`
  const url = shown(reason.asked?.url)
  return troubled(
    status === 401 ? 'unauthorized' : status === 403 || status === undefined ? 'forbidden' : 'bad-request',
    why,
    { channel, status, url, mode: reason.asked?.mode, symptom: symptomOf(reason, status ?? 403, page) },
  )
}

/** The server has no room for a request of this length, whichever channels it names. */
export const tooLong = ({ status }: Classified): boolean => status === 414 || status === 431

/** Whether the server itself said that a connection is over. If not, it may be the network. */
export const saidBySelf = ({ kind, status, explain }: CloseReason): boolean =>
  kind === 'status' || (kind === 'end' && Boolean(status || explain))

/** A line for the log: why a connection ended, what it was for, and what it brought. */
export const endOf = (what: string, { brought, names }: Connection, action: Action): string =>
  `${what}: channels ${names.size}, messages ${brought}; ${action}`

/** A line for the log: what a session does now. */
export const doingOf = ({ current, attempts, retryAt }: State, now: number): string =>
  [
    current && `open by ${current.mode}`,
    attempts.length > 0 && `trying ${attempts.map(({ mode }) => mode)}`,
    retryAt && `again in ${Math.round(retryAt - now)} ms`,
  ]
    .filter(Boolean)
    .join('; ') || 'idle'
