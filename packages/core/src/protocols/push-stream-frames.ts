import { IncomingMessage } from '../message.js'
import { positionOf } from '../position.js'
import type { FrameMeta, Guarantees, Position } from '../types.js'
import { escaped, type Form, key, parsed, type TemplateKeys, told, usualForm, usualFrame } from './form.js'
import { type Frame, modeOf, nameOf, numberOf, textOf, unescaped, unreadable } from './frame.js'
import type { DecoderContext, DecoderEvents } from './protocol.js'
import type { MessageTemplate } from './template.js'

/** What shows that a frame is complete: the `next` one, the `end` of what came so far, or that this is `all` there is. */
export type Seen = 'next' | 'end' | 'all'

export const noFrame = 'no frame of the message template'

/** How far the frames of one connection were read, and what takes in what comes. */
export interface Reading {
  readonly frames: Frames
  readonly context: DecoderContext
  readonly events: DecoderEvents
  /** How many of tag and time the frames have, once one was read: one with less is not whole. */
  fields: number | undefined
  /** Frames were read in what came. */
  read: boolean
  /** Hands a frame on; `false` if there is none. */
  emit(frame: Frame | undefined, meta?: FrameMeta): boolean
  dead(raw: string, reason: string): void
  /** What came as one piece. */
  whole(text: string, meta?: FrameMeta): void
  /** What may be a frame; `false` if it isn't one (yet). */
  cut(candidate: string, seen: Seen): boolean
}

/**
 * Reads the frames that one server's message template makes, and learns from them what can be promised. Without being told
 * the template, what can be read decides: JSON that names a channel is a frame, and until one came, what is no frame is a
 * text, as the module's default template (`~text~`) brings it.
 */
export class Frames {
  guarantees: Guarantees = { resume: 'position', gaps: 'exact' }
  /** Messages don't say which channel they are of: then the connection does. */
  unnamed: boolean
  /** Texts came that are no frames. */
  texts = false
  readonly form: Form
  /** Where one frame may end and the next begin. `undefined`: nothing tells. */
  readonly boundary: RegExp | undefined
  readonly #keys: TemplateKeys
  readonly #template: MessageTemplate | undefined
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
    this.#readText = readText
    this.form = template ?? usualForm(keys)
    this.#certain = template !== undefined
    this.unnamed = template?.unnamed ?? false
    const { tail, opening } = this.form
    this.#start = new RegExp(
      `^\\s*\\{\\s*${key(keys.id)}"?(-?\\d+)"?\\s*,\\s*${key(keys.channel)}"((?:[^"\\\\]|\\\\.)*)"`,
    )
    this.#usual = usualFrame(keys)
    if (!template?.createSplitter) this.boundary = new RegExp(`${escaped(tail)}\\s*(?=${opening.source})`, 'y')
  }

  /** Whether a frame begins in a text, be it that it is not complete. `false`: all of it is a text. */
  begins(text: string): boolean {
    return this.#certain || (this.texts ? this.#start : this.form.opening).test(text)
  }

  /** Takes in what came as one piece. `undefined`: it can't be read. */
  whole(text: string, least: number | undefined, context: DecoderContext): Frame | undefined {
    const frame = this.read(text) ?? this.#lines(text, least, context) ?? this.recover(text, least)
    // Where nothing delimits them, several messages may look like one.
    if (frame && this.#fitting(frame, context)) return this.boundary ? frame : { ...frame, written: text }
    // Half a frame is none.
    return this.#certain || (!frame && this.#start.test(text)) ? undefined : this.text(text)
  }

  /** A text without a frame around it, as it came. */
  text(body: string): Frame | undefined {
    if (this.#certain || body === '') return undefined
    this.texts = true
    return { body }
  }

  /** The frame, if that is what one looks like here, with so many of tag and time at least. */
  #fitting(frame: Frame | undefined, { channels }: DecoderContext, least = 0): Frame | undefined {
    if (frame === undefined) return undefined
    const { channel, id } = frame
    // Among texts, one that looks like a frame of a channel that nobody asked for is a text.
    const named = channel !== undefined && (channels.includes(channel) || (id !== undefined && !this.texts))
    this.#certain ||= named
    return (this.#certain || !(this.texts || frame.odd)) && told(frame) >= least ? frame : undefined
  }

  /** A frame of the documented template. */
  #documented(text: string): Frame | undefined {
    const found = this.#usual.exec(text)
    if (found === null) return undefined
    // Taking the array apart by its iterator would be slower.
    const written = found[4]
    const body = written === undefined ? found[3] : parsed(written)
    if (body === undefined) return undefined
    this.#certain = true
    const id = Number(found[1])
    const tag = Number(found[5])
    return { id, channel: found[2], body, written, tag, time: found[6], eventId: found[7] }
  }

  /** A frame that is what its template makes of a harmless body. */
  read(text: string): Frame | undefined {
    if (!this.form.json) return undefined
    const usual = this.#documented(text)
    if (usual !== undefined) return usual
    const json = parsed(text) as Record<string, unknown>
    if (typeof json !== 'object' || json === null) return undefined
    const shaped = this.#template && this.recover(text)
    const keys = this.#keys
    if (shaped || json[keys.text] === undefined) return shaped
    const id = numberOf(json[keys.id])
    let channel = textOf(json[keys.channel])
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
      time: textOf(json[keys.time]),
      eventId: textOf(json[keys.eventid]),
      type: textOf(json.type),
      odd:
        channel === undefined &&
        Object.keys(json).some((name) => name !== 'type' && !Object.values(keys).includes(name)),
    }
  }

  /** A frame by its shape: its body may have broken its JSON. */
  recover(text: string, least?: number, seen: Seen = 'all'): Frame | undefined {
    const fields = this.form.shape(text)
    // Less than the others have: then the text is not all that is in it.
    if (fields === undefined || told(fields) < (least ?? 0)) return undefined
    if (seen !== 'all' && !this.form.isWhole(text, seen === 'next', least)) return undefined
    const { text: written = '', channel, tag, time, eventid: eventId, type } = fields
    const body = this.form.bodyOf(written) ?? written
    return { id: numberOf(fields.id), channel, body, written, tag, time, eventId, type }
  }

  /**
   * A frame in a text where nothing delimits them. `undefined`: it isn't one (yet), as an end inside the body looks like
   * the frame's own.
   */
  cut(candidate: string, seen: Seen, least: number | undefined, context: DecoderContext): Frame | undefined {
    // A long frame that comes in pieces is not looked through for each of them.
    if (seen === 'end' && !this.isClosed(candidate)) return undefined
    // What stands before the first frame is the header template.
    const text = candidate.slice(Math.max(0, candidate.search(this.form.opening)))
    return this.#fitting(this.read(text) ?? this.recover(text, least, seen), context, least)
  }

  /** A frame that shows by itself that it is complete. */
  alone(text: string, least: number | undefined, context: DecoderContext): Frame | undefined {
    return this.guarantees.gaps === 'none' || this.#start.test(text)
      ? this.#fitting(this.read(text), context, least)
      : undefined
  }

  /** Whether a text ends as a frame does. */
  isClosed(text: string): boolean {
    return text.trimEnd().endsWith(this.form.tail.trimEnd())
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

  #position(time: string | undefined, tag = 0): Position {
    if (!time) return Number.NaN
    if (time !== this.#timeText) {
      this.#timeText = time
      this.#timePosition = positionOf(Date.parse(time), 0)
    }
    return this.#timePosition + Math.max(0, tag)
  }

  emit(frame: Frame, { channels, kind, liveFrom }: DecoderContext, events: DecoderEvents, meta?: FrameMeta): void {
    const { id } = frame
    const channel =
      frame.channel === undefined ? (channels.length === 1 ? channels[0] : undefined) : nameOf(frame.channel, channels)
    if (id === undefined && frame.channel === undefined && typeof frame.body === 'string' && frame.body.trim() === '')
      return events.ping()
    if (id !== undefined && id <= 0) {
      if (id === -2) events.deleted(channel ?? '', String(frame.body))
      else if (id === -1) events.ping()
      return
    }
    if (channel === undefined) {
      return events.dead(String(frame.body), 'the template names no channel, and there are several')
    }
    const body = typeof frame.body === 'string' ? this.#readText(frame.body) : frame.body
    const tag = numberOf(frame.tag)
    const position = this.#position(frame.time, tag)
    events.message(
      new IncomingMessage(
        id,
        channel,
        body,
        position,
        tag,
        frame.eventId || meta?.id,
        meta?.event || frame.type || undefined,
        modeOf(kind),
        position < liveFrom,
        undefined,
        undefined,
        frame.written,
      ),
    )
  }

  /** What may be a header template, or stored texts of any channel: those are known by then, and not to come again. */
  aside(text: string, { kind, channels }: DecoderContext, events: DecoderEvents): void {
    if (/^\s*(<|$)/.test(text)) return
    for (const channel of channels) {
      events.message(unreadable(undefined, channel, text, kind, 'a text, or the header template'))
    }
  }

  /** An unreadable frame keeps its place among the others where its number can be read, so that it is not waited for. */
  dead(raw: string, reason: string, { kind, channels }: DecoderContext, events: DecoderEvents): void {
    const start = this.#start.exec(raw)
    if (start === null || Number(start[1]) <= 0) return events.dead(raw, reason)
    events.message(unreadable(Number(start[1]), nameOf(start[2] as string, channels), raw, kind, reason))
  }

  /** Learns what can be promised; `false` if this one does not show it. */
  learn({ id, channel, time, tag, eventId }: Frame): boolean {
    if (id !== undefined && id <= 0) return false
    const timed = numberOf(tag) === undefined ? 'second' : 'position'
    const untimed = eventId === undefined ? 'none' : 'event-id'
    const resume = this.#position(time) > 0 ? timed : untimed
    const gaps = id === undefined ? 'none' : 'exact'
    const { guarantees } = this
    if (resume !== guarantees.resume || gaps !== guarantees.gaps) this.guarantees = { resume, gaps }
    this.unnamed = channel === undefined
    return true
  }
}
