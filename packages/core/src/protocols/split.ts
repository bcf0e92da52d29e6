import type { EchoEvents, Gate } from '../delivery/echo.js'
import type { IncomingMessage } from '../message.js'
import { secondOf, tagOf } from '../position.js'
import type { FrameMeta, Position } from '../types.js'
import { unreadable } from './frame.js'
import type { DecoderContext, DecoderEvents } from './protocol.js'

/** How long the server may take to tell what it has stored, in ms: a poll after something stored is answered at once. */
const patience = 1000
/** How many requests one answer is worth. */
const most = 64
/** How far a search goes at once where it is not known how many messages a second has. */
const stride = 8

/** Reads frames. */
export interface FrameReader<Frame> {
  whole(text: string, least: number | undefined, context: DecoderContext): Frame | undefined
  emit(frame: Frame, context: DecoderContext, events: DecoderEvents, meta?: FrameMeta): void
}

/** Hands on one part of an answer. `unclear`: it may be several messages, and nothing shows where each ends. */
function pass<Frame>(
  answer: IncomingMessage,
  part: string,
  { last, unclear }: { last: boolean; unclear: boolean },
  frames: FrameReader<Frame>,
  events: EchoEvents,
): void {
  const { channel, replayed, mode } = answer
  const liveFrom = replayed ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  const context: DecoderContext = { kind: mode, channels: [channel], liveFrom }
  const message = (made: IncomingMessage) => events.message(Object.assign(made, { last }))
  const nothing = () => {}
  const frame = unclear ? undefined : frames.whole(part, undefined, context)
  if (frame) frames.emit(frame, context, { message, ping: nothing, deleted: nothing, dead: nothing, over: nothing })
  else message(unreadable(undefined, channel, part, mode, 'messages with nothing between them'))
}

/** What is stored after a position, up to `to`; empty where nothing is. Rejects if the server does not tell. */
async function storedAfter(position: Position, to: Position, { ask }: EchoEvents): Promise<string> {
  let { messages, told } = await ask(position, patience)
  for (let tries = 0; messages[0] && told !== to && tries < 10; tries++) {
    // More was published meanwhile, and ends it: the same is asked for alone, at the same time.
    const [both, newer] = await Promise.all([ask(position, patience), ask(to, patience)])
    const [found, more] = [both.messages[0]?.written, newer.messages[0]?.written]
    if (both.told === newer.told && found && more) return found.slice(0, -more.length)
    ;({ messages, told } = both)
  }
  if (messages[0] && told !== to) throw new Error('not told')
  return messages[0]?.written ?? ''
}

/**
 * The messages of positions after `from` up to `to`, which make this text; none if the server stores nothing. Rejects if
 * they can't be told apart.
 */
async function messagesOf(text: string, from: Position, to: Position, events: EchoEvents): Promise<string[]> {
  let asked = 0

  /** The same for a part. `behind`: how much there is behind it. */
  async function between(low: Position, high: Position, part: string, behind: number): Promise<string[]> {
    if (part === '') return []
    if (high - low <= 1) return [part]
    if (asked++ > most) throw new Error('too many')
    const second = secondOf(high - 1)
    const middle = low < second ? second : low + Math.min(Math.ceil((high - low) / 2), stride)
    const later = await storedAfter(middle, to, events)
    const at = part.length + behind - later.length
    return [
      ...(await between(low, middle, part.slice(0, at), later.length)),
      ...(await between(middle, high, part.slice(at), behind)),
    ]
  }

  const last = await storedAfter(to - 1, to, events)
  if (last === '') return []
  return [...(await between(from, to - 1, text.slice(0, -last.length), last.length)), last]
}

/**
 * Takes the answers to long-polls apart whose messages have nothing between them. What is stored after a position within an
 * answer is the end of that answer, so it shows where a message begins.
 */
export function createSplitter<Frame>(events: EchoEvents, frames: FrameReader<Frame>): Gate {
  let ended = false
  /** The server stores nothing, so an answer is one message. */
  let unstored = false
  let waiting: IncomingMessage | undefined
  /** The position of the answer before. */
  let before: Position = 0
  let queue = Promise.resolve()

  async function take(answer: IncomingMessage, from: Position, to: Position): Promise<void> {
    const text = answer.written as string
    let parts = [text]
    let unclear = false
    if (!unstored && to - from !== 1) {
      try {
        parts = await messagesOf(text, from, to, events)
        unstored = parts.length === 0
      } catch {
        unclear = true
      }
      if (unstored) parts = [text]
    }
    for (const [i, part] of parts.entries()) {
      if (!ended) pass(answer, part, { last: i === parts.length - 1, unclear }, frames, events)
    }
  }

  return {
    sent() {},
    message(message) {
      waiting = message
    },
    answered(told) {
      const answer = waiting
      waiting = undefined
      const from = before
      // Pages of another origin can't read the number within the second, and an answer without a message has none.
      const to = told !== undefined && tagOf(told) > 0 ? told : undefined
      if (to !== undefined) before = to
      if (answer === undefined) return
      queue = queue.then(() =>
        to === undefined
          ? pass(answer, answer.written as string, { last: true, unclear: false }, frames, events)
          : take(answer, from, to),
      )
    },
    end() {
      ended = true
    },
  }
}
