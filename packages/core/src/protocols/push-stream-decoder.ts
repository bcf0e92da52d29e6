import type { FrameMeta } from '../types.js'
import { Batch } from './batch.js'
import { type Frame, isBlank, told } from './frame.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'
import type { Frames, Seen } from './push-stream-frames.js'

// A frame that is still incomplete after this many characters never will be.
const longest = 2 ** 25
const unreadable = 'no frame of the message template'
/** What may be the beginning of a frame, cut by the network. */
const cut = /^\s*\{\s*("[^"]*"?)?\s*$/

/** Takes the frames of one transport apart. Where nothing delimits them, their form shows where each ends. */
export function createDecoder(frames: Frames, context: DecoderContext, outer: DecoderEvents): Decoder {
  const { kind } = context
  const { boundary, tail } = frames
  const events = kind === 'longpolling' ? new Batch(outer) : outer
  // What is still incomplete, where its last part begins, and how far it was looked through.
  let rest = ''
  let segment = 0
  let scanned = 0
  /** How much of it may be the header template. */
  let header = 0
  /** Frames were read in it. */
  let read = false
  let learned = false
  /** How many of tag and time the frames have, once one was read: one with less is not whole. */
  let fields: number | undefined

  const emit = (frame: Frame, meta?: FrameMeta) => {
    if (!learned || frames.unnamed !== (frame.channel === undefined)) {
      learned = frames.learn(frame)
      if (learned) fields = told(frame)
    }
    read = !frames.texts
    frames.emit(frame, context, events, meta)
  }
  const dead = (raw: string, reason: string) => frames.dead(raw, reason, context, events)
  const one = (text: string, meta?: FrameMeta) => {
    // A header template that only makes the answer begin.
    if (text && isBlank(text)) return events.ping()
    const frame = frames.whole(text, fields, context)
    if (frame === undefined) dead(text, unreadable)
    // Where nothing delimits them, several messages may look like one.
    else emit(boundary ? frame : { ...frame, written: text }, meta)
  }
  const forget = () => {
    rest = ''
    segment = scanned = header = 0
    read = false
  }

  /** Takes a candidate for a frame out of an undelimited text; `false` if it isn't one (yet). */
  const take = (candidate: string, seen: Seen): boolean => {
    // A long frame that comes in pieces is not looked through for each of them.
    const usual = candidate.endsWith(tail) ? frames.match(candidate) : undefined
    if (usual !== undefined) {
      emit(usual)
      return true
    }
    if (candidate.trim() === '') return true
    if (seen === 'end' && !candidate.trimEnd().endsWith(tail.trimEnd())) return false
    // What stands before the first frame is the header template.
    const text = candidate.slice(Math.max(0, candidate.search(frames.opening)))
    const frame = frames.read(text) ?? (frames.ends(text, seen, fields) ? frames.recover(text, fields) : undefined)
    if (!frames.fits(frame, context) || told(frame) < (fields ?? 0)) return false
    emit(frame)
    return true
  }

  /** Takes all that is there as one frame, however it ends; `false` if it isn't one. */
  const complete = (): boolean => {
    const end = rest.lastIndexOf(tail)
    return end >= 0 && take(rest.slice(0, end + tail.length), 'all')
  }

  const until = (start: number, end: number, seen: Seen): boolean => {
    if (take(rest.slice(start, end), seen)) return true
    if (segment <= start) return false
    const last = rest.slice(segment, end)
    const alone = frames.promises.gaps === 'none' || frames.starts(last) ? frames.read(last) : undefined
    if (!frames.fits(alone, context) || told(alone) < (fields ?? 0)) return false
    // A good frame: what stands before it is complete, readable or not.
    const before = rest.slice(start, segment)
    if (!take(before, 'all')) dead(before, unreadable)
    emit(alone)
    return true
  }

  function undelimited(piece: string): void {
    if (boundary === undefined) return one(piece)
    rest += piece
    if (!frames.begins(rest) && !read) return texts(piece)
    let start = 0
    for (let at = scanned; at < rest.length; at++) {
      at = rest.indexOf(tail, at)
      if (at < 0) break
      // Set anew each time: what a message sets off may use the same expression.
      boundary.lastIndex = at
      if (!boundary.test(rest)) continue
      const next = boundary.lastIndex
      if (until(start, at + tail.length, 'next')) start = next
      segment = next
      at = Math.max(at, next - 1)
    }
    const mark = segment
    if (until(start, rest.length, 'end')) start = rest.length
    segment = Math.max(0, (start === rest.length ? start : mark) - start)
    rest = rest.slice(start)
    scanned = Math.max(segment, rest.lastIndexOf(tail))
    if (rest.length > longest) {
      dead(rest, 'a frame without an end')
      forget()
    }
  }

  /** Takes in what no frame begins in. */
  const texts = (piece: string) => {
    if (kind === 'longpolling') return
    // What comes with the opening of a stream may be its header template.
    if (context.liveFrom === Number.POSITIVE_INFINITY) {
      header = rest.length
      return frames.aside(piece, context, events)
    }
    // A ping of such a stream is a space, and may have come together with what follows it.
    rest = rest.slice(header).replace(/^ (?=[^])/, '')
    header = 0
    if (!cut.test(rest)) finish()
  }

  const finish = () => {
    const begins = rest.search(frames.opening)
    if (begins < 0 || !frames.begins(rest)) {
      // What follows the last frame is the footer template.
      const footer = read || header > 0 || (frames.begins(rest) && kind === 'stream')
      if (!footer && rest !== '') one(rest)
    } else if (rest.trim() !== '' && !complete()) {
      const frame = frames.text(rest)
      if (frame) emit(frame)
      else dead(rest.slice(begins), 'half a frame')
    }
    forget()
    if (events instanceof Batch) events.flush()
  }

  return {
    frame: kind === 'stream' || kind === 'longpolling' ? undelimited : one,
    pulse(text) {
      if (text.trim() === '-1') events.ping()
    },
    ...(kind === 'stream' && {
      idle() {
        if (!frames.begins(rest)) {
          if (header === 0) finish()
        } else if (rest.trimEnd().endsWith(tail.trimEnd()) && complete()) forget()
      },
    }),
    finish,
  }
}
