import { PushStreamError } from '../errors.js'
import type { Classified } from '../protocols/protocol.js'
import type { CloseReason, ModeName } from '../types.js'
import type { Connection } from './connection.js'
import type { Action, State } from './state.js'

const whatOf = (mode: ModeName, { kind }: CloseReason, { status, explain }: Classified): string =>
  [mode, kind, status, explain && `(${explain})`].filter(Boolean).join(' ')

/** The error that reports why an attempt failed or a connection was lost. */
export function failureOf(
  mode: ModeName,
  { cause, kind }: CloseReason,
  { status, explain }: Classified,
): PushStreamError {
  if (cause instanceof PushStreamError) return cause
  const what = [mode, kind, status, explain && `(${explain})`].filter(Boolean).join(' ')
  const code = status === undefined ? 'unreachable' : 'http'
  return new PushStreamError(code, `${what}. The client tries again.`, { mode, status, cause })
}

/** The error that reports a channel that is given up. Without a status, others were taken where this one was not. */
export function refusalOf(channel: string, { status, explain }: Classified): PushStreamError {
  const why = status === undefined ? 'while it takes others' : `with status ${status}${explain ? ` (${explain})` : ''}`
  return new PushStreamError(
    status === 401 ? 'unauthorized' : status === 403 || status === undefined ? 'forbidden' : 'bad-request',
    `The server refuses the channel '${channel.slice(0, 80)}' ${why}. It is given up; the others go on. ` +
      'Check its name and who may subscribe to it, then add it again.',
    { channel, status },
  )
}

/** Whether the server itself said that a connection is over. If not, it may be the network. */
export const saidBySelf = ({ kind, status, explain }: CloseReason): boolean =>
  kind === 'status' || (kind === 'end' && Boolean(status || explain))

/** A line for the log: why a connection ended, what it was for, and what it brought. */
export const endOf = (connection: Connection, reason: CloseReason, classified: Classified, action: Action): string => {
  const { accepted, brought, mode, names } = connection
  const was = accepted ? 'accepted' : 'not accepted'
  return `${whatOf(mode, reason, classified)}: ${was}, ${names.size} channels, ${brought} messages; ${action}`
}

/** A line for the log: what a session does now. */
export function doingOf({ current, attempts, retryAt, rejected, wanted }: State, now: number): string {
  const doing = [
    current && `open by ${current.mode}`,
    attempts.length > 0 && `trying ${attempts.map(({ mode }) => mode).join(', ')}`,
    retryAt !== undefined && `again in ${Math.round(retryAt - now)} ms`,
    rejected && 'finding the channel that is refused',
  ]
  return doing.filter(Boolean).join('; ') || (wanted ? 'waiting' : 'closed')
}
