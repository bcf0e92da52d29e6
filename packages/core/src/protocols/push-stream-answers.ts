import { positionOf } from '../position.js'
import type { Answer, CloseReason, Position, Symptom } from '../types.js'
import type { Classified, RequestKind } from './protocol.js'

/** Every answer of the module has it, to every request of a subscriber. */
const expires = 'Thu, 01 Jan 1970 00:00:01 GMT'

/** What an answer is that the module does not give. A proxy may change what it says of caches. */
export const foreignIn =
  (kind: RequestKind) =>
  (headers: Headers): Symptom | undefined => {
    if (headers.get('Vary')?.includes('If-None-Match')) return 'nchan'
    const known =
      kind === 'stream'
        ? !headers.has('Content-Length') && !/html|json|^$/.test(headers.get('Content-Type') ?? '')
        : headers.has('Last-Modified') && !headers.get('ETag')?.includes('"')
    return known || headers.get('Expires') === expires ? undefined : 'foreign'
  }

/** The position that the headers of an answer tell. */
export function positionIn({ headers }: Answer): Position | undefined {
  const time = Date.parse(headers.get('Last-Modified') ?? '')
  return Number.isNaN(time) ? undefined : positionOf(time, Number(/\d+/.exec(headers.get('Etag') ?? '')?.[0] ?? 0))
}

function actionOf(kind: CloseReason['kind'], status = 0, explain = ''): Classified['action'] {
  if (kind === 'end') return 'reconnect'
  if (kind === 'invalid') return 'unsupported'
  // The server treats limits as its own trouble, not as the channel's.
  if (/limit|exceeded/i.test(explain)) return 'backoff'
  if ([404, 405, 426, 501].includes(status)) return 'unsupported'
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status) ? 'rejected' : 'backoff'
}

/** What the end of a connection means. */
export function classify({ kind, status, explain }: CloseReason): Classified {
  // The socket was let in before it was refused: the status it would have had is in the reason.
  const refused =
    kind === 'close' && status === 1008 && /"http_status":\s*(\d+),\s*"explain":\s*"([^]*)"/.exec(explain ?? '')
  const told = refused ? Number(refused[1]) : kind === 'status' ? status : undefined
  const why = refused ? refused[2] : explain
  // push_stream_wildcard_channel_max_qtd
  const wantsCompany = why?.includes('wildcard')
  return { action: actionOf(kind, told, why), status: told, explain: why, ...(wantsCompany && { wantsCompany }) }
}
