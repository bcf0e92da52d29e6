import type { FrameMeta, ModeName } from '../types.js'
import { createMultipart, headersOf } from './multipart.js'
import { createDeliver, longpolling, type Reader } from './nchan-answers.js'
import { idIn } from './nchan-ids.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'

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

const readers: Record<ModeName, Reader> = { websocket, eventsource, stream, longpolling }

/** Reads what Nchan sends in a mode. */
export function createDecoder(context: DecoderContext, events: DecoderEvents): Decoder {
  const { kind, channels } = context
  const read = readers[kind === 'poll' ? 'longpolling' : kind]
  let greeted = false

  return {
    frame: read(createDeliver(context, events), events, channels),
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
