import type { Channel } from '../delivery/channel.js'
import { Echo, type EchoEvents } from '../delivery/echo.js'
import { numbered, type Order } from '../delivery/order.js'
import { textOf } from '../delivery/text.js'
import { unnumbered } from '../delivery/unnumbered.js'
import type { Received } from '../message.js'
import { secondOf } from '../position.js'

const hasNumbers = ({ sequence }: Channel) => sequence.last !== undefined

/** Numbers show by themselves what is missing. */
class RelayEcho extends Echo {
  readonly #channel: Channel
  readonly #deliver: EchoEvents['message']

  constructor(channel: Channel, events: EchoEvents) {
    super(channel, {
      now: events.now,
      farewell: events.farewell,
      after: (ms, callback) => events.after(ms, callback),
      ask: (after) => events.ask(after),
      message: (message) => events.message(message),
      doubt(ending) {
        if (!hasNumbers(channel)) events.doubt(ending)
      },
    })
    this.#channel = channel
    this.#deliver = events.message
  }

  override sent(exact: boolean): void {
    super.sent(exact && !hasNumbers(this.#channel))
  }

  override message(message: Received): void {
    if (message.id === undefined) super.message(message)
    else this.#deliver(message)
  }
}

/**
 * The order of messages that may have numbers or not: which it is, the first of a channel shows.
 *
 * @param counted messages whose tag the server doesn't tell: of these, what has the time and the text of a known one is that one.
 */
export function relayOrder(counted: WeakSet<Received>): Order {
  const plain = unnumbered(false)
  return {
    receive(channel, message, replay, now) {
      if (message.id !== undefined) {
        replay.proven.add(channel)
        replay.past.add(channel)
        return numbered.receive(channel, message, replay, now)
      }
      if (counted.has(message)) {
        const text = textOf(message)
        const second = secondOf(message.position)
        for (const [at, known] of channel.known) {
          if (known !== text || typeof at !== 'number' || secondOf(at) !== second) continue
          replay.proven.add(channel)
          return 'dropped'
        }
      }
      return plain.receive(channel, message, replay, now)
    },
    known: (channel, newest, now) => (hasNumbers(channel) ? numbered : plain).known(channel, newest, now),
    echo: (channel, events) => new RelayEcho(channel, events),
  }
}
