import { Received } from '../message.js'
import { positionOf } from '../position.js'
import type { FrameMeta, Position, Promises } from '../types.js'
import { Batch } from './batch.js'
import type { Decoder, DecoderContext, Inlet } from './protocol.js'
import { escaped, type Fields, type Shape, type TemplateKeys, usualFrame } from './template.js'

// A frame that is still incomplete after this many characters never will be.
const longest = 2 ** 25

/** What a frame says, whichever way it was read. */
interface Frame {
  id: number | undefined
  channel: string | undefined
  body: unknown
  /** The body as JSON that the server wrote. */
  written?: string | undefined
  tag: unknown
  time: unknown
  eventId: unknown
  type?: string | undefined
}

const told = ({ tag, time }: { tag?: unknown; time?: unknown }): number =>
  Number(tag !== undefined) + Number(time !== undefined)

const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isInteger(number) ? number : undefined
}

/** What shows that a frame is complete: the `next` one, the `end` of what came so far, or that this is `all` there is. */
type Seen = 'next' | 'end' | 'all'

/** Reads the frames that one server's message template makes, and learns from them what can be promised. */
export class Frames {
  promises: Promises = { resume: 'position', gaps: 'exact' }
  readonly #keys: TemplateKeys
  readonly #shape: Shape
  readonly #readText: (text: string) => string
  readonly #told: boolean
  readonly #json: boolean
  readonly #start: RegExp
  readonly #opening: RegExp
  /** Where one frame may end and the next begin. `undefined`: nothing tells. */
  readonly #boundary: RegExp | undefined
  /** What a frame has behind its text. */
  readonly #after: readonly string[]
  readonly #tail: string
  readonly #usual: RegExp
  #timeText = ''
  #timePosition: Position = Number.NaN

  constructor(keys: TemplateKeys, shape: Shape, readText: (text: string) => string, template: string | undefined) {
    this.#keys = keys
    this.#shape = shape
    this.#readText = readText
    this.#told = template !== undefined
    this.#json = template === undefined || template.trimStart().startsWith('{')
    const literals = (template ?? '').split(/~[a-z-]+~/)
    const head = literals[0] as string
    this.#tail = this.#json ? '}' : (literals.at(-1) as string)
    this.#after =
      template === undefined
        ? [`"${keys.tag}"`, `"${keys.time}"`]
        : (template.trimEnd().split('~text~').at(-1) as string).split(/~[a-z-]+~/)
    const key = (name: string) => `"${escaped(name)}"\\s*:\\s*`
    this.#start = new RegExp(`^\\s*\\{\\s*${key(keys.id)}(-?\\d+)\\s*,\\s*${key(keys.channel)}"((?:[^"\\\\]|\\\\.)*)"`)
    this.#usual = usualFrame(keys)
    const opening =
      template === undefined
        ? `\\{\\s*"(?:${Object.values(keys).map(escaped).join('|')})"\\s*:`
        : escaped(head.trim()).replace(/\s+/g, '\\s*')
    this.#opening = new RegExp(opening)
    if (this.#tail + head !== '') this.#boundary = new RegExp(`${escaped(this.#tail)}\\s*(?=${opening})`, 'y')
  }

  decoder(context: DecoderContext, outer: Inlet): Decoder {
    const { kind } = context
    const inlet = kind === 'longpolling' ? new Batch(outer) : outer
    // What is still incomplete, where its last part begins, and how far it was looked through.
    let rest = ''
    let segment = 0
    let scanned = 0
    let learned = false
    /** How many of tag and time the frames have, once one was read: one with less is not whole. */
    let fields: number | undefined
    const emit = (frame: Frame, meta?: FrameMeta) => {
      if (!learned) {
        learned = this.#learn(frame)
        if (learned) fields = told(frame)
      }
      this.#emit(frame, context, inlet, meta)
    }
    const dead = (raw: string, reason: string) => this.#dead(raw, reason, context, inlet)
    const one = (text: string, meta?: FrameMeta) => {
      const frame =
        this.#read(text) ?? (text.includes('\n') ? this.#lines(text, fields) : undefined) ?? this.#recover(text, fields)
      if (frame === undefined) dead(text, 'no frame of the message template')
      else emit(frame, meta)
    }
    /** Takes a candidate for a frame out of an undelimited text; `false` if it isn't one (yet). */
    const take = (candidate: string, seen: Seen): boolean => {
      // A long frame that comes in pieces is not looked through for each of them.
      const usual = candidate.endsWith(this.#tail) ? this.#match(candidate) : undefined
      if (usual !== undefined) {
        emit(usual)
        return true
      }
      if (candidate.trim() === '') return true
      if (seen === 'end' && !(this.#json ? candidate.trimEnd() : candidate).endsWith(this.#tail)) return false
      // What stands before the first frame is the header template.
      const text = candidate.slice(Math.max(0, candidate.search(this.#opening)))
      const frame = this.#read(text) ?? (this.#ends(text, seen, fields) ? this.#recover(text, fields) : undefined)
      if (frame === undefined || told(frame) < (fields ?? 0)) return false
      emit(frame)
      return true
    }
    const undelimited = (piece: string) => {
      const boundary = this.#boundary
      if (boundary === undefined) return one(piece)
      rest += piece
      let start = 0
      const until = (end: number, next: number, seen: Seen) => {
        if (take(rest.slice(start, end), seen)) start = next
        else if (segment > start) {
          const last = rest.slice(segment, end)
          const alone = this.promises.gaps === 'none' || this.#start.test(last) ? this.#read(last) : undefined
          if (alone !== undefined && told(alone) >= (fields ?? 0)) {
            // A good frame: what stands before it is complete, readable or not.
            const before = rest.slice(start, segment)
            if (!take(before, 'all')) dead(before, 'no frame of the message template')
            emit(alone)
            start = next
          }
        }
        segment = next
      }
      for (let at = scanned; at < rest.length; at++) {
        at = rest.indexOf(this.#tail, at)
        if (at < 0) break
        // Set anew each time: what a message sets off may use the same expression.
        boundary.lastIndex = at
        if (!boundary.test(rest)) continue
        const next = boundary.lastIndex
        until(at + this.#tail.length, next, 'next')
        at = Math.max(at, next - 1)
      }
      const mark = segment
      until(rest.length, rest.length, 'end')
      segment = Math.max(0, (start === rest.length ? start : mark) - start)
      rest = rest.slice(start)
      scanned = Math.max(segment, rest.lastIndexOf(this.#tail))
      if (rest.length > longest) {
        dead(rest, 'a frame without an end')
        rest = ''
        segment = scanned = 0
      }
    }
    return {
      frame: kind === 'stream' || kind === 'longpolling' ? undelimited : one,
      pulse(text) {
        if (text.trim() === '-1') inlet.ping()
      },
      finish: () => {
        // What follows the last frame is the footer template.
        const end = rest.lastIndexOf(this.#tail)
        if (
          rest.trim() !== '' &&
          this.#opening.test(rest) &&
          !(end >= 0 && take(rest.slice(0, end + this.#tail.length), 'all'))
        )
          dead(rest.slice(rest.search(this.#opening)), 'half a frame')
        rest = ''
        segment = scanned = 0
        if (inlet instanceof Batch) inlet.flush()
      },
    }
  }

  /** Whether a text that is no JSON may be a whole frame: an end inside the body looks like the frame's own. */
  #ends(text: string, seen: Seen, fields = 2): boolean {
    if (seen === 'all') return true
    const end = text.slice(-1000)
    if (this.#told)
      return this.#after.every((part) => end.includes(part)) && (seen === 'next' || this.#after.length > 1)
    const found = this.#after.filter((part) => end.includes(part)).length
    return found > 0 && (seen === 'next' || found >= fields)
  }

  /** A frame of the documented template. */
  #match(text: string): Frame | undefined {
    const found = this.#json ? this.#usual.exec(text) : null
    if (found === null) return undefined
    // Taking the array apart by its iterator would be slower.
    const written = found[4]
    const body = written === undefined ? found[3] : parsed(written)
    if (body === undefined) return undefined
    const id = whole(found[1] as string)
    const tag = whole(found[5] as string)
    return { id, channel: found[2], body, written, tag, time: found[6], eventId: found[7] }
  }

  /** A frame that is what its template makes of a harmless body. */
  #read(text: string): Frame | undefined {
    const usual = this.#match(text)
    if (usual !== undefined || !this.#json) return usual
    const json = parsed(text) as Record<string, unknown>
    const keys = this.#keys
    if (typeof json !== 'object' || json === null || json[keys.text] === undefined) return undefined
    const id = numberOf(json[keys.id])
    const channel = json[keys.channel]
    if (typeof channel === 'string' && id !== undefined) {
      // Later keys win in JSON: a body may have brought its own. What the server wrote stands at the beginning.
      const start = this.#start.exec(text)
      if (start !== null && (Number(start[1]) !== id || unescaped(start[2] as string) !== channel)) return undefined
    }
    return {
      id,
      channel: typeof channel === 'string' ? channel : undefined,
      body: json[keys.text],
      tag: json[keys.tag],
      time: json[keys.time],
      eventId: json[keys.eventId],
    }
  }

  /** A frame whose body broke its JSON. */
  #recover(text: string, least = 0): Frame | undefined {
    const fields: Fields | undefined = this.#shape(text)
    // Less than the others have: then the text is not all that is in it.
    if (fields === undefined || (!this.#told && told(fields) < least)) return undefined
    return {
      id: numberOf(fields.id),
      channel: fields.channel,
      body: fields.text ?? '',
      tag: fields.tag,
      time: fields.time,
      eventId: fields.eventid,
      type: fields.type,
    }
  }

  /** An eventsource message of several lines: the server wrote the whole template around each of them. */
  #lines(text: string, least: number | undefined): Frame | undefined {
    let first: Frame | undefined
    const bodies: string[] = []
    for (const line of text.split('\n')) {
      const frame = this.#read(line) ?? this.#recover(line, least)
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

  #emit(frame: Frame, context: DecoderContext, inlet: Inlet, meta: FrameMeta | undefined): void {
    const { id } = frame
    const channel = frame.channel ?? (context.channels.length === 1 ? context.channels[0] : undefined)
    if (id === undefined && frame.channel === undefined && isBlank(frame.body)) return inlet.ping()
    if (id !== undefined && id <= 0) {
      if (id === -2) inlet.deleted(channel ?? '', String(frame.body))
      else if (id === -1) inlet.ping()
      return
    }
    if (channel === undefined)
      return inlet.dead(String(frame.body), 'the template names no channel, and there are several')
    const tag = numberOf(frame.tag)
    const eventId = typeof frame.eventId === 'string' && frame.eventId !== '' ? frame.eventId : meta?.id
    const body = typeof frame.body === 'string' ? this.#readText(frame.body) : frame.body
    const position = this.#position(frame.time, tag)
    inlet.message(
      new Received(
        id,
        channel,
        body,
        position,
        tag,
        eventId,
        meta?.event ?? frame.type,
        context.kind === 'poll' ? 'longpolling' : context.kind,
        position < context.liveFrom,
        undefined,
        undefined,
        frame.written,
      ),
    )
  }

  /** An unreadable frame keeps its place among the others where its number can be read, so that it is not waited for. */
  #dead(raw: string, reason: string, context: DecoderContext, inlet: Inlet): void {
    const start = this.#start.exec(raw)
    const id = start === null ? 0 : Number(start[1])
    if (start === null || id <= 0) return inlet.dead(raw, reason)
    const mode = context.kind === 'poll' ? 'longpolling' : context.kind
    const channel = unescaped(start[2] as string)
    inlet.message(new Received(id, channel, raw, Number.NaN, undefined, undefined, undefined, mode, false, reason))
  }

  #learn(frame: Frame): boolean {
    if (frame.id !== undefined && frame.id <= 0) return false
    const time = this.#position(frame.time) > 0
    const resume =
      time && numberOf(frame.tag) !== undefined
        ? 'position'
        : time
          ? 'second'
          : typeof frame.eventId === 'string'
            ? 'event-id'
            : 'none'
    this.promises = { resume, gaps: frame.id === undefined ? 'none' : 'exact' }
    return true
  }
}

/** Digits as a number, faster than `Number` reads them. */
function whole(digits: string): number {
  let number = 0
  for (let i = 0; i < digits.length; i++) number = number * 10 + digits.charCodeAt(i) - 48
  return number
}

/** JSON; `undefined` if it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isBlank = (body: unknown) => typeof body === 'string' && body.trim() === ''

const unescaped = (text: string) => (text.includes('\\') ? ((parsed(`"${text}"`) as string) ?? text) : text)
