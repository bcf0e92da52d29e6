import type { Decoder } from './protocol.js'
import { noFrame, type Reading, type Seen } from './push-stream-frames.js'

/** A frame that is still incomplete after this many characters never will be. */
const longest = 2 ** 25
/** What may be the beginning of a frame, cut by the network. */
const cut = /^\s*\{\s*("[^"]*"?)?\s*$/

/** Takes texts apart in which nothing delimits the frames: their form shows where each ends. */
export function undelimited(reading: Reading): Pick<Decoder, 'frame' | 'idle' | 'finish'> {
  const { frames, context, events } = reading
  const { kind } = context
  const { boundary, form } = frames
  const { tail } = form
  // What is still incomplete, where its last part begins, and how far it was looked through.
  let rest = ''
  let segment = 0
  let scanned = 0
  /** How much of it may be the header template. */
  let header = 0

  const forget = () => {
    rest = ''
    segment = scanned = header = 0
    reading.read = false
  }

  /** Takes all that is there as one frame, however it ends; `false` if it isn't one. */
  const complete = (): boolean => {
    const end = rest.lastIndexOf(tail)
    return end >= 0 && reading.cut(rest.slice(0, end + tail.length), 'all')
  }

  const until = (start: number, end: number, seen: Seen): boolean => {
    if (reading.cut(rest.slice(start, end), seen)) return true
    const alone = segment > start ? frames.alone(rest.slice(segment, end), reading.fields, context) : undefined
    // A good frame: what stands before it is complete, readable or not.
    const before = rest.slice(start, segment)
    if (alone && !reading.cut(before, 'all')) reading.dead(before, noFrame)
    return reading.emit(alone)
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

  function frame(piece: string): void {
    if (boundary === undefined) return reading.whole(piece)
    rest += piece
    if (!frames.begins(rest) && !reading.read) return texts(piece)
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
    if (until(start, rest.length, 'end')) start = rest.length
    segment = Math.max(0, segment - start)
    rest = rest.slice(start)
    scanned = Math.max(segment, rest.lastIndexOf(tail))
    if (rest.length > longest) {
      reading.dead(rest, 'a frame without an end')
      forget()
    }
  }

  function finish(): void {
    const begins = rest.search(form.opening)
    if (begins < 0 || !frames.begins(rest)) {
      // What follows the last frame is the footer template.
      const footer = reading.read || header > 0 || (frames.begins(rest) && kind === 'stream')
      if (!footer && rest !== '') reading.whole(rest)
    } else if (rest.trim() !== '' && !complete() && !reading.emit(frames.text(rest))) {
      reading.dead(rest.slice(begins), 'half a frame')
    }
    forget()
  }

  return {
    frame,
    finish,
    ...(kind === 'stream' && {
      idle() {
        if (!frames.begins(rest)) {
          if (header === 0) finish()
        } else if (frames.isClosed(rest) && complete()) forget()
      },
    }),
  }
}
