import { IncomingMessage } from '../message.js'
import { positionOf } from '../position.js'
import type { FrameMeta, ModeName, Position, Promises } from '../types.js'
import { digits, type Frame, isBlank, nameOf, numberOf, told, unescaped, unplaced } from './frame.js'
import type { DecoderContext, DecoderEvents } from './protocol.js'
import { escaped, type MessageTemplate, parsed, type TemplateKeys, usualFrame, usualShape } from './template.js'

/** What shows that a frame is complete: the `next` one, the `end` of what came so far, or that this is `all` there is. */
export type Seen = 'next' | 'end' | 'all'

/**
 * Reads the frames that one server's message template makes, and learns from them what can be promised. Without being told
 * the template, what can be read decides: JSON that names a channel is a frame, and until one came, what is no frame is a
 * text, as the module's default template (`~text~`) brings it.
 */
export class Frames {
  promises: Promises = { resume: 'position', gaps: 'exact' }
  /** Messages don't say which channel they are of: then the connection does. */
  unnamed: boolean
  /** Texts came that are no frames. */
  texts = false
  readonly tail: string
  readonly opening: RegExp
  /** Where one frame may end and the next begin. `undefined`: nothing tells. */
  readonly boundary: RegExp | undefined
  readonly #keys: TemplateKeys
  readonly #template: MessageTemplate | undefined
  readonly #shape: MessageTemplate['shape']
  readonly #json: boolean
  readonly #readText: (text: string) => string
  readonly #start: RegExp
  readonly #usual: RegExp
  /** The form of frames is known. */
  #certain: boolean
  #timeText = ''
  #timePosition: Position = Number.NaN

  constructor(keys: TemplateKeys, template: MessageTemplate | undefined, readText: (text: string) => string) {
    this.#keys = keys
    this.#template = template
    this.#shape = template?.shape ?? usualShape(keys)
    this.#readText = readText
    this.#certain = template !== undefined
    this.#json = template?.json ?? true
    this.unnamed = template !== undefined && !/~channel~/i.test(template.text)
    const head = template?.literals[0] ?? ''
    this.tail = (this.#json ? template?.text.trim().at(-1) : template?.literals.at(-1)) ?? '}'
    const key = (name: string) => `"${escaped(name)}"\\s*:\\s*`
    this.#start = new RegExp(
      `^\\s*\\{\\s*${key(keys.id)}"?(-?\\d+)"?\\s*,\\s*${key(keys.channel)}"((?:[^"\\\\]|\\\\.)*)"`,
    )
    this.#usual = usualFrame(keys)
    const opening =
      template === undefined
        ? // Fields of one's own may come first.
          `\\{(?:[^{}]{0,99}${key(keys.id)}"?-?\\d+"?\\s*,\\s*${key(keys.channel)}|\\s*"(?:${Object.values(keys).map(escaped).join('|')})"\\s*:)`
        : escaped(head.trim()).replace(/\s+/g, '\\s*')
    this.opening = new RegExp(opening)
    if (this.tail + head.trim() !== '') this.boundary = new RegExp(`${escaped(this.tail)}\\s*(?=${opening})`, 'y')
  }

  /** Whether a frame begins in a text, be it that it is not complete. `false`: all of it is a text. */
  begins(text: string): boolean {
    return this.#certain || (this.texts ? this.#start : this.opening).test(text)
  }

  /** A frame begins with its number and its channel. */
  starts(text: string): boolean {
    return this.#start.test(text)
  }

  /** Whether a text that is no JSON may be a whole frame: an end inside the body looks like the frame's own. */
  ends(text: string, seen: Seen, fields = 2): boolean {
    if (seen === 'all') return true
    const end = text.slice(-1000)
    const parts = this.#template?.after ?? [`"${this.#keys.tag}"`, `"${this.#keys.time}"`]
    const found = parts.filter((part) => end.includes(part)).length
    if (this.#template) return found === parts.length && (seen === 'next' || found > 1)
    // Where frames have neither, only the next one shows an end.
    return seen === 'next' ? found > 0 || fields === 0 : found > 0 && found >= fields
  }

  /** Takes in what came as one piece. `undefined`: it can't be read. */
  whole(text: string, least: number | undefined, context: DecoderContext): Frame | undefined {
    const frame = this.read(text) ?? this.#lines(text, least, context) ?? this.recover(text, least)
    if (this.fits(frame, context)) return frame
    // Half a frame is none.
    return this.#certain || this.#start.test(text) ? undefined : this.text(text)
  }

  /** A text without a frame around it, as it came. */
  text(body: string): Frame | undefined {
    if (this.#certain || body === '') return undefined
    this.texts = true
    return { body }
  }

  /** Whether that is what a frame looks like here. */
  fits(frame: Frame | undefined, { channels }: DecoderContext): frame is Frame {
    if (frame === undefined) return false
    const { channel, id } = frame
    if (channel !== undefined && (id !== undefined || channels.includes(channel))) this.#certain = true
    return this.#certain || !(this.texts || frame.odd)
  }

  /** A frame of the documented template. */
  match(text: string): Frame | undefined {
    const found = this.#json ? this.#usual.exec(text) : null
    if (found === null) return undefined
    // Taking the array apart by its iterator would be slower.
    const written = found[4]
    const body = written === undefined ? found[3] : parsed(written)
    if (body === undefined) return undefined
    const id = digits(found[1] as string)
    const tag = digits(found[5] as string)
    this.#certain = true
    return { id, channel: found[2], body, written, tag, time: found[6], eventId: found[7] }
  }

  /** A frame that is what its template makes of a harmless body. */
  read(text: string): Frame | undefined {
    const usual = this.match(text)
    if (usual !== undefined || !this.#json) return usual
    const json = parsed(text) as Record<string, unknown>
    if (typeof json !== 'object' || json === null) return undefined
    const shaped = this.#template && this.recover(text)
    const keys = this.#keys
    if (shaped || json[keys.text] === undefined) return shaped
    const id = numberOf(json[keys.id])
    let channel = typeof json[keys.channel] === 'string' ? (json[keys.channel] as string) : undefined
    const type = json.type
    if (channel !== undefined && id !== undefined) {
      // Later keys win in JSON: a body may have brought its own. What the server wrote stands at the beginning.
      const start = this.#start.exec(text)
      if (start !== null && (Number(start[1]) !== id || unescaped(start[2] as string) !== channel)) return undefined
      channel = start?.[2] ?? channel
    }
    return {
      id,
      channel,
      body: json[keys.text],
      tag: json[keys.tag],
      time: json[keys.time],
      eventId: json[keys.eventId],
      type: typeof type === 'string' && type !== '' ? type : undefined,
      odd:
        channel === undefined && Object.keys(json).some((key) => key !== 'type' && !Object.values(keys).includes(key)),
    }
  }

  /** A frame by its shape: its body may have broken its JSON. */
  recover(text: string, least = 0): Frame | undefined {
    const fields = this.#shape(text)
    // Less than the others have: then the text is not all that is in it.
    if (fields === undefined || (!this.#template && told(fields) < least)) return undefined
    const { text: written = '', channel, tag, time, eventid: eventId, type } = fields
    const form = this.#template?.body
    const body = (form && parsed(form === 'raw' ? written : `"${written}"`)) ?? written
    return { id: numberOf(fields.id), channel, body, written, tag, time, eventId, type: type || undefined }
  }

  /** An eventsource message of several lines: the server wrote the whole template around each of them. */
  #lines(text: string, least: number | undefined, { kind }: DecoderContext): Frame | undefined {
    if (kind === 'websocket' || !text.includes('\n')) return undefined
    let first: Frame | undefined
    const bodies: string[] = []
    for (const line of text.split('\n')) {
      const frame = this.read(line) ?? this.recover(line, least)
      if (frame === undefined) return undefined
      first ??= frame
      if (frame.id !== first.id || frame.channel !== first.channel) return undefined
      bodies.push(typeof frame.body === 'string' ? frame.body : JSON.stringify(frame.body))
    }
    return first && { ...first, body: bodies.join('\n') }
  }

  #position(time: unknown, tag = 0): Position {
    if (typeof time !== 'string' || time === '') return Number.NaN
    if (time !== this.#timeText) {
      this.#timeText = time
      this.#timePosition = positionOf(Date.parse(time), 0)
    }
    return this.#timePosition + Math.max(0, tag)
  }

  emit(frame: Frame, context: DecoderContext, events: DecoderEvents, meta: FrameMeta | undefined): void {
    const { id } = frame
    const { channels, kind } = context
    const channel =
      frame.channel === undefined ? (channels.length === 1 ? channels[0] : undefined) : nameOf(frame.channel, channels)
    if (id === undefined && frame.channel === undefined && isBlank(frame.body)) return events.ping()
    if (id !== undefined && id <= 0) {
      if (id === -2) events.deleted(channel ?? '', String(frame.body))
      else if (id === -1) events.ping()
      return
    }
    if (channel === undefined) {
      return events.dead(String(frame.body), 'the template names no channel, and there are several')
    }
    const tag = numberOf(frame.tag)
    const eventId = typeof frame.eventId === 'string' && frame.eventId !== '' ? frame.eventId : meta?.id
    const body = typeof frame.body === 'string' ? this.#readText(frame.body) : frame.body
    const position = this.#position(frame.time, tag)
    events.message(
      new IncomingMessage(
        id,
        channel,
        body,
        position,
        tag,
        eventId,
        meta?.event ?? frame.type,
        kind === 'poll' ? 'longpolling' : kind,
        position < context.liveFrom,
        undefined,
        undefined,
        frame.written,
      ),
    )
  }

  /** What may be a header template, or stored texts of any channel: those are known by then, and not to come again. */
  aside(text: string, { kind, channels }: DecoderContext, events: DecoderEvents): void {
    if (/^\s*(<|$)/.test(text)) return
    const reason = 'a text, or the header template'
    for (const channel of channels) {
      events.message(unplaced(channel, text, kind as ModeName, reason))
    }
  }

  /** An unreadable frame keeps its place among the others where its number can be read, so that it is not waited for. */
  dead(raw: string, reason: string, { kind, channels }: DecoderContext, events: DecoderEvents): void {
    const start = this.#start.exec(raw)
    const id = start === null ? 0 : Number(start[1])
    if (start === null || id <= 0) return events.dead(raw, reason)
    const mode = kind === 'poll' ? 'longpolling' : kind
    const channel = nameOf(start[2] as string, channels)
    events.message(
      new IncomingMessage(id, channel, raw, Number.NaN, undefined, undefined, undefined, mode, false, reason),
    )
  }

  /** Learns what can be promised; `false` if this one does not show it. */
  learn({ id, channel, time, tag, eventId }: Frame): boolean {
    if (id !== undefined && id <= 0) return false
    const known = this.#position(time) > 0
    const resume =
      known && numberOf(tag) !== undefined
        ? 'position'
        : known
          ? 'second'
          : typeof eventId === 'string'
            ? 'event-id'
            : 'none'
    const gaps = id === undefined ? 'none' : 'exact'
    const { promises } = this
    if (resume !== promises.resume || gaps !== promises.gaps) this.promises = { resume, gaps }
    this.unnamed = channel === undefined
    return true
  }
}
