import type { IncomingMessage } from '../message.js'
import { everything, positionOf, secondOf } from '../position.js'
import type { Channel } from './channel.js'
import { Echo } from './echo.js'
import type { Order, Replay } from './order.js'
import type { Outcome } from './sequencer.js'
import { textOf } from './text.js'

/**
 * How long after a message its position is still asked for, in ms. Later the server may store nothing of the channel any
 * more, and a position in an empty channel is what some servers can't take. A silent connection that is replaced from time
 * to time hears the last message again, as long as it is stored: so this is longer than that takes.
 */
const fresh = 90_000

/** What is remembered: messages of this many seconds by the server's clock, as what is asked for again is never older. */
const remembered = positionOf(3000, 0)
/** And so many at least. */
const least = 64
/**
 * How much earlier several channels begin that share a connection: in its own second, what is new on one may be repeated
 * before what is known of another.
 */
const earlier = positionOf(1000, 0)

/** Stands for the text of a message of which only the position is known, as that was kept across a page load. */
export const anyText = -1

/**
 * For servers whose messages have a second and a counter within it, and no number: nothing on the wire shows that one is
 * missing. So every connection begins with something known, and its coming again shows that nothing was missed; where
 * nothing known comes, a gap says that something may be missing. A message is known by its position and its text.
 *
 * @param shared whether one connection carries several channels, and repeats them from one position.
 */
export const unnumbered = (shared: boolean): Order => ({
  watermark({ sequence: { position }, completeUpTo, joinedAt, mayHaveLostHistory, heardAt }, newest, now) {
    if (position === undefined && completeUpTo === undefined && joinedAt === undefined) return undefined
    const known = shared && newest >= 0 ? secondOf(newest) - earlier : position
    return known === undefined || mayHaveLostHistory || now - heardAt > fresh ? everything : known
  },

  receive(channel, message, replay) {
    replay.wiped ||= channel.mayHaveLostHistory
    channel.mayHaveLostHistory = false
    if (channel.known.get(message.position) === anyText) channel.known.set(message.position, textOf(message))
    if (Number.isNaN(message.position) && !replay.past.has(channel)) {
      // Parts of an answer that only tells where its last one stands: that one will show which of them are new.
      replay.waiting.push(message)
      return 'buffered'
    }
    const waiting = replay.waiting.splice(0)
    for (const part of waiting.slice(knownOf(channel, waiting, message, replay))) pass(channel, part, replay)
    return place(channel, message, replay)
  },

  ...(shared ? {} : { echo: (channel, events) => new Echo(channel, events) }),
})

/** How many of these parts, which came before `next`, are known. */
function knownOf(channel: Channel, parts: IncomingMessage[], next: IncomingMessage, replay: Replay) {
  const { known } = channel
  const last = channel.sequence.position
  if (parts.length === 0) return 0
  if (known.get(next.position) === textOf(next) || (!replay.wiped && next.position <= (last ?? -1))) return parts.length
  // Where the newest that are known stand among them: the longest run that begins where one of both does.
  const texts = parts.map(textOf)
  const before = [...known.values()]
  let count = 0
  let longest = 0
  for (let end = 0; end < texts.length; end++) {
    let run = 0
    while (run <= end && run < before.length && texts[end - run] === before[before.length - 1 - run]) run++
    if (run <= longest || (run <= end && run < before.length)) continue
    longest = run
    count = end + 1
  }
  if (count > 0) replay.proven.add(channel)
  return count
}

function place(channel: Channel, message: IncomingMessage, replay: Replay): Outcome {
  const { position } = message
  const last = channel.sequence.position
  if (last === undefined && channel.from !== undefined && position <= channel.from) return 'dropped'
  const known = channel.known.get(position)
  if (known === textOf(message)) {
    replay.proven.add(channel)
    return 'dropped'
  }
  if (!replay.past.has(channel) && last !== undefined && position <= last) {
    // Stored before what is known, and still there: so is everything since.
    if (secondOf(position) < secondOf(last)) replay.proven.add(channel)
    // Else the second has something else in it: a store that began anew, or what was before our time.
    if (known === undefined && (replay.proven.has(channel) || !replay.wiped)) return 'dropped'
    replay.proven.delete(channel)
    replay.wiped = true
  }
  return pass(channel, message, replay)
}

/** Hands a message on, after the gap that may be before it. */
function pass(channel: Channel, message: IncomingMessage, replay: Replay): Outcome {
  const { sequence: state, known, events } = channel
  const { position } = message
  const { position: last } = state
  // What one channel brings again proves it for all, as long as they had their positions from one store.
  const proven = replay.wiped ? replay.proven.has(channel) : replay.proven.size > 0 || position === (last ?? 0) + 1
  if (!proven && (last !== undefined || replay.wiped)) {
    events.gap('unknown', 'unknown', replay.wiped ? 'restart' : 'overflow')
    // Positions count anew.
    if (replay.wiped) known.clear()
  }
  replay.proven.add(channel)
  replay.past.add(channel)
  if (Number.isNaN(position)) known.set({}, textOf(message))
  else {
    state.position = position
    known.set(position, textOf(message))
    for (const old of known.keys()) {
      if (known.size <= least || (typeof old === 'number' && secondOf(position) - secondOf(old) < remembered)) break
      known.delete(old)
    }
  }
  events.deliver(message)
  return 'delivered'
}
