import type { CloseReason } from '../types.js'
import type { Classified } from './protocol.js'

function actionOf(kind: CloseReason['kind'], status: number): Classified['action'] {
  if (kind === 'end' || status === 410 || status === 408) return 'reconnect'
  if (kind === 'invalid') return 'unsupported'
  if (kind !== 'status') return 'backoff'
  if ([405, 406, 426, 501].includes(status)) return 'unsupported'
  return status >= 300 && status < 500 && ![409, 425, 429].includes(status) ? 'rejected' : 'backoff'
}

/** What the end of a connection means. A reload, a restart and a DELETE look the same. */
export const classify = ({ kind, status = 0, explain }: CloseReason, retry: boolean | undefined): Classified => ({
  action: retry && status === 403 ? 'backoff' : actionOf(kind, status),
  status: kind === 'status' ? status : undefined,
  explain,
  historyLost:
    kind === 'refused' ||
    // Only the subscriber's own time limit is known to be harmless.
    (kind === 'end' && status !== 408 && !explain?.startsWith('408')) ||
    (kind === 'status' && (status === 410 || status >= 500)),
})
