import { readFileSync } from 'node:fs'
import { parseTranscript } from '../../../../devserver/test/support/transcript.js'
import type { IncomingMessage } from '../../../src/message.js'
import type { DecoderEvents, RequestKind } from '../../../src/protocols/protocol.js'
import { type PushStreamSettings, pushStream } from '../../../src/protocols/push-stream.js'
import type { Naming } from '../../../src/protocols/renamed.js'
import { messageTemplate } from '../../../src/protocols/template.js'
import { createSseParser } from '../../../src/transports/sse.js'
import type { FrameMeta } from '../../../src/types.js'
import { cutOf } from './named.js'

const json = (text: string, space = '') =>
  `{"id":~id~,"channel":"~channel~","text":${text},${space}"tag":"~tag~",${space}"time":"~time~",${space}"eventid":"~event-id~"}`

/** Message templates as they are in use. */
export const templates = {
  quoted: json('"~text~"'),
  raw: json('~text~'),
  spaced: json('"~text~"', ' '),
  short: '{"id":~id~,"channel":"~channel~","text":"~text~"}',
  line: `${json('"~text~"')}\n`,
}

/** What shows that an answer to a poll is the module's. */
export const polled = { Expires: 'Thu, 01 Jan 1970 00:00:01 GMT' }

export const second = 'Fri, 20 Nov 2026 22:23:28 GMT'
const epoch = 'Thu, 01 Jan 1970 00:00:00 GMT'

/** A message as the server splices it into its template: nothing is escaped. */
export function render(
  template: string,
  id: number,
  text: string,
  channel = 'a',
  { tag = String(Math.max(0, id)), time = id > 0 ? second : epoch, eventId = '', type = '' } = {},
): string {
  const values: Record<string, string> = {
    '~id~': String(id),
    '~channel~': channel,
    '~text~': text,
    '~tag~': tag,
    '~time~': time,
    '~event-id~': eventId,
    '~event-type~': type,
    '~size~': String(text.length),
  }
  return template.replace(/~[a-z-]+~/g, (token) => values[token] ?? token)
}

/** What came of frames, in order. */
export type Seen =
  | ['message', id: number | undefined, channel: string, body: unknown]
  | ['place', id: number | undefined, channel: string, raw: string]
  | ['ping']
  | ['deleted', channel: string, text: string]
  | ['dead', raw: string]

export interface Read {
  seen: Seen[]
  messages: IncomingMessage[]
}

export interface Reading extends Read {
  frame(text: string, meta?: FrameMeta): void
  pulse(text: string): void
  idle(): void
  finish(): Read
}

/** The protocol's settings, with the template as a text. */
export type WireSettings = Omit<PushStreamSettings, 'messageTemplate'> & { messageTemplate?: string }

/** Reads frames of one transport. */
export function reading(kind: RequestKind, settings: WireSettings = {}, onlyChannel?: string): Reading {
  const { messageTemplate: template, ...others } = settings
  const known = template === undefined ? others : { ...others, messageTemplate: messageTemplate(template) }
  const seen: Seen[] = []
  const messages: IncomingMessage[] = []
  const inlet: DecoderEvents = {
    message(message) {
      messages.push(message)
      seen.push(
        message.dead === undefined
          ? ['message', message.id, message.channel, message.body]
          : ['place', message.id, message.channel, message.body as string],
      )
    },
    over: () => undefined,
    ping: () => void seen.push(['ping']),
    deleted: (channel, text) => void seen.push(['deleted', channel, text]),
    dead: (raw) => void seen.push(['dead', raw]),
  }
  // As the frames name their channels.
  const asNamed: Naming = (_, named) => named
  const protocol = pushStream(known, asNamed)({ base: 'http://h', credentials: 'same-origin', sameOrigin: true })
  // What a stream of new channels begins with may be a header template.
  const liveFrom = kind === 'stream' && onlyChannel === undefined ? Number.POSITIVE_INFINITY : 0
  const channels = onlyChannel === undefined ? [] : [onlyChannel]
  const decoder = protocol.decoder({ kind, liveFrom, channels, cut: cutOf(kind) }, inlet)
  return {
    seen,
    messages,
    frame: (text, meta) => decoder.frame(text, meta),
    pulse: (text) => decoder.pulse(text),
    idle: () => decoder.idle?.(),
    finish() {
      decoder.finish()
      return { seen, messages }
    },
  }
}

/** Reads whole frames. */
export function read(kind: RequestKind, frames: readonly string[], settings?: WireSettings, only?: string): Read {
  const made = reading(kind, settings, only)
  for (const frame of frames) made.frame(frame)
  return made.finish()
}

/** Reads an event stream as the modes do. */
export function readEvents(text: string, settings?: WireSettings): Read {
  const made = reading('eventsource', settings)
  createSseParser({
    event: (event) => (event.data === undefined ? made.pulse('') : made.frame(event.data, event)),
    comment: made.pulse,
  })(text)
  return made.finish()
}

/** What the server sent on one connection of a transcript. */
function sent(transcript: string, connection: number): Buffer {
  const path = new URL(`../../../../devserver/test/fixtures/push-stream/${transcript}.txt`, import.meta.url)
  const { events } = parseTranscript(readFileSync(path, 'utf8'))
  return Buffer.concat(events.filter((e) => e.kind === 'server' && e.connection === connection).map((e) => e.bytes))
}

/** The pieces of a chunked body, as bytes. */
export function chunks(transcript: string, connection = 0): Buffer[] {
  const bytes = sent(transcript, connection)
  const made: Buffer[] = []
  let at = bytes.indexOf('\r\n\r\n') + 4
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n', at)
    const length = Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (length === 0) break
    made.push(bytes.subarray(end + 2, end + 2 + length))
    at = end + 2 + length + 2
  }
  return made
}

/** The text frames of a websocket. A browser ends the connection over one that is no UTF-8. */
export function textFrames(transcript: string, connection = 0): string[] {
  const bytes = sent(transcript, connection)
  const made: string[] = []
  let at = bytes.indexOf('\r\n\r\n') + 4
  while (at < bytes.length) {
    const short = bytes[at + 1] as number
    const from = at + (short === 126 ? 4 : 2)
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short
    if (bytes[at] === 0x81) made.push(bytes.toString('utf8', from, from + length))
    at = from + length
  }
  return made
}

/** A body as the browser decodes it, whichever way it was cut. */
export function decoded(pieces: readonly Uint8Array[]): string[] {
  const decoder = new TextDecoder()
  return [...pieces.map((piece) => decoder.decode(piece, { stream: true })), decoder.decode()].filter((s) => s !== '')
}
