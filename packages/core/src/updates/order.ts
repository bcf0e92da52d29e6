import type { Channel } from '../delivery/channel.js'
import { Echo, type EchoEvents } from '../delivery/echo.js'
import { numbered, type Order } from '../delivery/order.js'
import { textOf } from '../delivery/text.js'
import { unnumbered } from '../delivery/unnumbered.js'
import type { IncomingMessage } from '../message.js'
import { secondOf } from '../position.js'

const hasNumbers = ({ sequence }: Channel) => sequence.last !== undefined

/**
 * A page is one subscriber at any time, as relays count them: what is to be asked is asked between two polls. Numbers
 * show by themselves what is missing.
 */
class RelayEcho extends Echo {
  protected override readonly serial = true
  protected override readonly expiry = 5000
  readonly #channel: Channel
  readonly #events: EchoEvents
  #rested = 0

  constructor(channel: Channel, events: EchoEvents) {
    super(channel, {
      now: events.now,
      farewell: events.farewell,
      after: (ms, callback) => events.after(ms, callback),
      ask: (after) => events.ask(after),
      interrupt: () => events.interrupt(),
      message: (message) => events.message(message),
      doubt(ending) {
        if (!hasNumbers(channel)) events.doubt(ending)
      },
    })
    this.#channel = channel
    this.#events = events
  }

  override sent(exact: boolean): void {
    super.sent(exact && !hasNumbers(this.#channel))
  }

  override message(message: IncomingMessage): void {
    if (message.id === undefined) super.message(message)
    else this.#events.message(message)
  }

  /** Called before a poll leaves. */
  before(): Promise<void> | undefined {
    return this.#due() <= 0 ? this.ask() : undefined
  }

  protected override async ask(): Promise<void> {
    const asked = this.#events.now()
    await super.ask()
    // What is stored comes one message an answer: most of the time is for that.
    this.#rested = this.#events.now() + 5 * (this.#events.now() - asked)
  }

  /** In how many ms what is held is to be proven. */
  #due(): number {
    const [first] = this.held
    const at = first === undefined ? Number.POSITIVE_INFINITY : first.sentAt + this.#events.farewell
    return Math.max(at, this.#rested) - this.#events.now()
  }

  /** What a poll brought that was answered at once waits while the next one hangs. */
  protected override plan(): void {
    if (this.planned || this.held.length === 0) return
    this.planned = true
    this.#events.after(Math.max(0, this.#due()), () => {
      this.planned = false
      if (this.#due() > 0) this.plan()
      else this.#events.interrupt()
    })
  }
}

/**
 * The order of messages that may have numbers or not: which it is, the first of a channel shows.
 *
 * @param counted messages whose tag the server doesn't tell: of these, what has the time and the text of a known one is that one.
 */
export function relayOrder(counted: WeakSet<IncomingMessage>): Order {
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
    watermark: (channel, newest, now) => (hasNumbers(channel) ? numbered : plain).watermark(channel, newest, now),
    echo: (channel, events) => new RelayEcho(channel, events),
  }
}
