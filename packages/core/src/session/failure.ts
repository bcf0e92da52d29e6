import { PushStreamError } from '../errors.js'
import type { Classified } from '../protocols/protocol.js'
import type { CloseReason, ModeName } from '../types.js'

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

/** Whether the server itself said that a connection is over. If not, it may be the network. */
export const saidBySelf = ({ kind, status, explain }: CloseReason): boolean =>
  kind === 'status' || (kind === 'end' && Boolean(status || explain))
