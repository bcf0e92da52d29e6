import { IncomingMessage } from '../message.js'
import type { FrameMeta, ModeName } from '../types.js'
import { createMultipart, headersOf, type Part } from './multipart.js'
import { idIn, readId } from './nchan-ids.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'

/** Hands a message on. `id`: as the server wrote it; `undefined` if only its order is known. */
type Deliver = (id: string | undefined, body: unknown, type?: string | null, event?: string) => void

type Reader = (deliver: Deliver, events: DecoderEvents, channels: readonly string[]) => Decoder['frame']

const statusWords = /^\s*([345]\d\d)\b/

/** A frame is lines of metadata, an empty line and the body. */
const websocket: Reader = (deliver, events) => {
  const read = (head: string, body: unknown) => {
    const headers = headersOf(head)
    deliver(headers.get('id') ?? '', body, headers.get('content-type'))
  }
  return (text, { binary }: FrameMeta = {}) => {
    if (binary !== undefined) {
      const end = binary.findIndex((byte, index) => byte === 10 && binary[index + 1] === 10)
      return read(new TextDecoder().decode(binary.subarray(0, Math.max(0, end))), binary.subarray(end + 2))
    }
    const end = text.indexOf('\n\n')
    if (text.startsWith('id:') && end >= 0) read(text.slice(0, end), text.slice(end + 2))
    // The answer to an application's own `ping`.
    else if (text === 'pong') events.ping()
    else events.dead(text, 'no id: the location does not speak ws+meta.nchan')
  }
}

const eventsource: Reader =
  (deliver, events) =>
  (text, { event, id }: FrameMeta = {}) => {
    // A ping may be an event of any name.
    if (id === undefined || id === '') events.ping()
    else deliver(id, text, undefined, event)
  }

const stream: Reader = (deliver) =>
  createMultipart(({ headers, body }) => deliver(idIn(headers) ?? '', body, headers.get('content-type')))

/** An answer is a message, or several with one id for the last of them. */
const longpolling: Reader =
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

const readers: Record<ModeName, Reader> = { websocket, eventsource, stream, longpolling }

/** Reads what Nchan sends in a mode. */
export function createDecoder({ kind, channels, liveFrom }: DecoderContext, events: DecoderEvents): Decoder {
  const mode = kind === 'poll' ? 'longpolling' : kind
  let greeted = false

  const deliver: Deliver = (id, body, type, event) => {
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

  return {
    frame: readers[mode](deliver, events, channels),
    pulse(comment) {
      const explain = comment.trim()
      const status = Number(statusWords.exec(comment)?.[1])
      const first = !greeted
      greeted = true
      // Nchan begins with `: hi`.
      if (first && comment === '') return events.over({ kind: 'invalid', symptom: 'module' })
      if (status === 410 || status === 408) events.over({ kind: 'end', status, explain })
      else if (status >= 300) events.over({ kind: 'status', status, explain })
      else if (explain !== 'hi') events.ping()
    },
    finish() {},
  }
}
