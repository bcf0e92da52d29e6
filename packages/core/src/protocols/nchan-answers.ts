import { IncomingMessage } from '../message.js'
import type { FrameMeta } from '../types.js'
import { createMultipart, type Part } from './multipart.js'
import { idIn, readId } from './nchan-ids.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'

/** Hands a message on. `id`: as the server wrote it; `undefined` if only its order is known. */
export type Deliver = (id: string | undefined, body: unknown, type?: string | null, event?: string) => void

/** Reads the frames of a mode. */
export type Reader = (deliver: Deliver, events: DecoderEvents, channels: readonly string[]) => Decoder['frame']

/** Makes messages of what a {@link Reader} has read. */
export function createDeliver({ kind, channels, liveFrom }: DecoderContext, events: DecoderEvents): Deliver {
  const mode = kind === 'poll' ? 'longpolling' : kind
  return (id, body, type, event) => {
    const { second, tag, index, position } = readId(id ?? '')
    const channel = channels[channels.length === 1 ? 0 : index]
    if (channel === undefined || (id !== undefined && !(second > 0 && tag >= 0))) {
      return events.dead(String(body), `no id of this server: ${id}`)
    }
    // Bytes that are no UTF-8. A type of text may have that character itself; no type is told by eventsource.
    const lost = typeof body === 'string' && body.includes('\ufffd') && !/^text|json|xml|urlenc/.test(type ?? '')
    events.message(
      new IncomingMessage(
        undefined,
        channel,
        body,
        position,
        id === undefined ? undefined : tag,
        id,
        event,
        mode,
        position < liveFrom,
        lost ? 'binary data can only come by websocket' : undefined,
        type ?? undefined,
      ),
    )
  }
}

/** An answer is a message, or several with one id for the last of them. */
export const longpolling: Reader =
  (deliver, events, { length }) =>
  (text, { headers = new Headers() }: FrameMeta = {}) => {
    const id = idIn(headers)
    const { second, tag, count } = readId(id ?? '')
    // A poll for fewer channels, as some were removed: its counters are not those of the channels that this began with.
    if (id !== undefined && length > 1 && length !== count) return events.over({ kind: 'end', status: 408 })
    const type = headers.get('content-type')
    if (!type?.startsWith('multipart/mixed')) return deliver(id ?? '', text, type)
    const parts: Part[] = []
    createMultipart((part) => parts.push(part))(text)
    parts.forEach(({ headers: own, body }, index) => {
      const before = parts.length - 1 - index
      // The counter has no holes, so within the second of the last one the others are known too.
      const counted = length === 1 && tag >= before ? `${second}:${tag - before}` : undefined
      deliver(idIn(own) ?? (before === 0 || id === undefined ? (id ?? '') : counted), body, own.get('content-type'))
    })
  }
