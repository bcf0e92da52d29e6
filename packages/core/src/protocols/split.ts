import type { EchoEvents, Gate } from '../delivery/echo.js'
import type { Received } from '../message.js'
import { secondOf, tagOf } from '../position.js'
import type { Position } from '../types.js'

/** How long the server may take to tell what it has stored, in ms: a poll after something stored is answered at once. */
const patience = 1000
/** How many requests one answer is worth. */
const most = 64
/** How far a search goes at once where it is not known how many messages a second has. */
const stride = 8

/** Hands on one part of an answer. `unclear`: it may be several messages, and nothing shows where each ends. */
export type PassPart = (answer: Received, part: string, last: boolean, unclear: boolean) => void

/** What is stored after a position, up to `to`. Rejects if the server does not tell. */
async function storedAfter(position: Position, to: Position, { ask }: EchoEvents): Promise<string> {
  let { messages, told } = await ask(position, patience)
  for (let tries = 0; messages[0] && told !== to && tries < 10; tries++) {
    // More was published meanwhile, and ends it: the same is asked for alone, at the same time.
    const [both, newer] = await Promise.all([ask(position, patience), ask(to, patience)])
    const [found, more] = [both.messages[0]?.written, newer.messages[0]?.written]
    if (both.told === newer.told && found && more) return found.slice(0, -more.length)
    ;({ messages, told } = both)
  }
  const found = messages[0]?.written
  if (found === undefined || told !== to) throw new Error('not told')
  return found
}

/** The messages of positions after `from` up to `to`, which make this text. Rejects if they can't be told apart. */
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
  return [...(await between(from, to - 1, text.slice(0, -last.length), last.length)), last]
}

/**
 * Takes the answers to long-polls apart whose messages have nothing between them. What is stored after a position within an
 * answer is the end of that answer, so it shows where a message begins.
 */
export function createSplitter(events: EchoEvents, pass: PassPart): Gate {
  let ended = false
  /** The server stores nothing, so an answer is one message. */
  let unstored = false
  let waiting: Received | undefined
  /** The position of the answer before. */
  let before: Position = 0
  let queue = Promise.resolve()

  async function take(answer: Received, from: Position, to: Position): Promise<void> {
    const text = answer.written as string
    let parts = [text]
    let unclear = false
    if (!unstored && to - from !== 1) {
      try {
        parts = await messagesOf(text, from, to, events)
      } catch {
        // An answer that can't be had again is of a server that stores nothing.
        unclear = (await events.ask(to - 1, patience)).messages.length > 0
        unstored = !unclear
      }
    }
    for (const [i, part] of parts.entries()) if (!ended) pass(answer, part, i === parts.length - 1, unclear)
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
        to === undefined ? pass(answer, answer.written as string, true, false) : take(answer, from, to),
      )
    },
    end() {
      ended = true
    },
  }
}
