import { PushStreamError } from '../errors.js'
import type { Classified } from '../protocols/protocol.js'
import type { CloseReason, ModeName } from '../types.js'
import type { Connection } from './connection.js'
import type { Action, State } from './state.js'

/** Why a connection ended, in a few words. */
export const whatOf = (mode: ModeName, { kind }: CloseReason, { status, explain }: Classified): string =>
  [mode, kind, status, explain && `(${explain})`].filter(Boolean).join(' ')

/** The error that reports why an attempt failed or a connection was lost. */
export function failureOf(
  what: string,
  mode: ModeName,
  { cause }: CloseReason,
  { status }: Classified,
): PushStreamError {
  if (cause instanceof PushStreamError) return cause
  const code = status === undefined ? 'unreachable' : 'http'
  return new PushStreamError(code, `${what}. The client tries again.`, { mode, status, cause })
}

/** The error that reports a channel that is given up. Without a status, others were taken where this one was not. */
export function refusalOf(channel: string, { status, explain }: Classified): PushStreamError {
  const why = status === undefined ? 'while it takes others' : `with status ${status}${explain ? ` (${explain})` : ''}`
  return new PushStreamError(
    status === 401 ? 'unauthorized' : status === 403 || status === undefined ? 'forbidden' : 'bad-request',
    `The server refuses the channel '${channel.slice(0, 80)}' ${why}. Check who may subscribe, then add it again.`,
    { channel, status },
  )
}

/** The server has no room for a request of this length, whichever channels it names. */
export const tooLong = ({ status }: Classified): boolean => status === 414 || status === 431

/** Whether the server itself said that a connection is over. If not, it may be the network. */
export const saidBySelf = ({ kind, status, explain }: CloseReason): boolean =>
  kind === 'status' || (kind === 'end' && Boolean(status || explain))

/** A line for the log: why a connection ended, what it was for, and what it brought. */
export const endOf = (what: string, { brought, names }: Connection, action: Action): string =>
  `${what}: ${names.size} channels, ${brought} messages; ${action}`

/** A line for the log: what a session does now. */
export const doingOf = ({ current, attempts, retryAt }: State, now: number): string =>
  [
    current && `open by ${current.mode}`,
    attempts.length > 0 && `trying ${attempts.map(({ mode }) => mode)}`,
    retryAt && `again in ${Math.round(retryAt - now)} ms`,
  ]
    .filter(Boolean)
    .join('; ') || 'idle'
