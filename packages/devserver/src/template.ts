import { encodeFrame, OPCODE } from './frames.js'
import { formatHttpTime } from './http-time.js'
import type { Message } from './message.js'

const TOKEN = /~(id|event-id|event-type|channel|text|size|tag|time)~/gi

/** How a template's result is wrapped for its mode. */
export type Wrapping = 'plain' | 'eventsource' | 'websocket'

/** A message template, parsed. Nothing is escaped: the text is spliced in as it is. */
export class Template {
  readonly #parts: Array<{ literal: Buffer } | { token: string }> = []
  readonly #wrapping: Wrapping
  /** The bytes of each message that was asked for. */
  readonly #formatted = new WeakMap<Message, Buffer>()

  constructor(source: string, wrapping: Wrapping) {
    this.#wrapping = wrapping
    const text = wrapping === 'eventsource' && !source.startsWith('data: ') ? `data: ${source}\n` : source
    let last = 0
    for (const match of text.matchAll(TOKEN)) {
      if (match.index > last) this.#parts.push({ literal: Buffer.from(text.slice(last, match.index)) })
      this.#parts.push({ token: match[1]!.toLowerCase() })
      last = match.index + match[0].length
    }
    if (last < text.length) this.#parts.push({ literal: Buffer.from(text.slice(last)) })
  }

  /** The bytes of a message, made once and kept as long as the message is. `channel` is '' for pings and time-outs. */
  format(message: Message, channel: string): Buffer {
    let bytes = this.#formatted.get(message)
    if (bytes === undefined) {
      bytes = this.#make(message, channel)
      this.#formatted.set(message, bytes)
    }
    return bytes
  }

  #make(message: Message, channel: string): Buffer {
    switch (this.#wrapping) {
      case 'plain':
        return this.#fill(message, channel, message.text)
      case 'websocket':
        return encodeFrame(OPCODE.text, this.#fill(message, channel, message.text))
      case 'eventsource': {
        const lines = splitLines(message.text).map((line) => this.#fill(message, channel, line))
        return Buffer.concat([...lines, Buffer.from('\n')])
      }
    }
  }

  #fill(message: Message, channel: string, text: Buffer): Buffer {
    return Buffer.concat(
      this.#parts.map((part) => ('literal' in part ? part.literal : value(part.token, message, channel, text))),
    )
  }
}

function value(token: string, message: Message, channel: string, text: Buffer): Buffer {
  switch (token) {
    case 'id':
      return Buffer.from(String(message.id))
    case 'event-id':
      return Buffer.from(message.eventId ?? '', 'latin1')
    case 'event-type':
      return Buffer.from(message.eventType ?? '', 'latin1')
    case 'channel':
      return Buffer.from(channel, 'latin1')
    case 'size':
      return Buffer.from(String(text.length))
    case 'tag':
      return Buffer.from(String(message.tag))
    case 'time':
      return Buffer.from(formatHttpTime(message.time))
    default:
      return text
  }
}

/**
 * The lines of a body, empty ones dropped. Two quirks of the module are kept: nothing is split after a NUL, and a
 * bare CR splits only when an LF comes later.
 */
export function splitLines(text: Buffer): Buffer[] {
  const lines: Buffer[] = []
  const nul = text.indexOf(0)
  const searchable = nul < 0 ? text : text.subarray(0, nul)
  let start = 0
  for (;;) {
    const lf = searchable.indexOf(0x0a, start)
    if (lf < 0) break
    const cr = searchable.indexOf(0x0d, start)
    const end = cr >= 0 && cr < lf ? cr : lf
    if (end > start) lines.push(text.subarray(start, end))
    start = end + (end === cr && lf === cr + 1 ? 2 : 1)
  }
  if (start < text.length) lines.push(text.subarray(start))
  return lines
}

/** A header or footer as eventsource comments, one a line. */
export function asComments(text: string): string {
  if (text.startsWith(': ')) return text
  return splitLines(Buffer.from(text))
    .map((line) => `: ${line}\n`)
    .join('')
}
