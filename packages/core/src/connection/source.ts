import { newReplay, type Replay } from '../delivery/order.js'
import type { Received } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf, timeOf } from '../position.js'
import type { Decoder, Inlet } from '../protocols/protocol.js'
import type { Answer, CloseReason, ModeName, NextExchange, OpenTransport, Position, Transport } from '../types.js'
import { Liveness } from './liveness.js'

/** How long a connection that shows nothing by itself must go without a rejection to count as accepted, in ms. */
export const grace = 250

/** What a source tells the connection. */
export interface SourceEvents {
  /** It opened and was not rejected. */
  accepted(): void
  ended(ending: CloseReason): void
  /** Silence that nothing explains. */
  idle(): void
  /** Silence where there should be pings. */
  dead(): void
  /** The server proved that nothing is under way. */
  ping(): void
  message(message: Received): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  answered(answer: Answer): void
  closed?(): void
}

/** One transport, its decoder and its watchdog. */
export class Source {
  readonly transport: Transport
  /** The channels it was opened for. */
  readonly names: ReadonlySet<string>
  accepted = false
  /** The transport is open. */
  opened = false
  /** Messages it brought, known ones too. */
  brought = 0
  /** It brought something that was published after it was opened. */
  live = false
  /** It brought something new. */
  worked = false
  readonly openedAt: number
  readonly replay: Replay = newReplay()
  readonly #open: OpenTransport
  readonly #settings: Settings
  readonly #timers = new Set<unknown>()
  readonly #liveness: Liveness
  readonly #events: SourceEvents
  #closed = false

  constructor(
    transport: Transport,
    names: ReadonlySet<string>,
    skew: number,
    next: NextExchange,
    settings: Settings,
    events: SourceEvents,
  ) {
    const { environment, protocol } = settings
    this.transport = transport
    this.names = names
    this.#settings = settings
    this.#events = events
    this.openedAt = environment.now()
    this.#liveness = new Liveness(
      environment,
      settings.pingtimeout,
      { dead: () => events.dead(), idle: () => events.idle() },
      protocol.silence,
    )
    this.after(settings.timeout, () => {
      if (!this.accepted) this.end({ kind: 'refused', explain: `no answer within ${settings.timeout} ms` })
    })
    const inlet: Inlet = {
      message: (message) => {
        this.brought++
        this.accept()
        events.message(message)
      },
      ping: () => {
        this.accept()
        this.#liveness.ping()
        events.ping()
      },
      deleted: (channel, text) => {
        this.accept()
        events.deleted(channel, text)
      },
      dead: (raw, reason) => events.deadletter(raw, reason),
      over: (ending) => this.end(ending),
    }
    const decoder: Decoder = protocol.decoder(
      {
        kind: transport.name,
        liveFrom: liveFrom(this.openedAt, skew),
        channels: [...names],
      },
      inlet,
    )
    this.#open = transport.open(
      next,
      {
        open: () => {
          this.opened = true
          if (transport.acceptedBy === 'time') this.after(grace, () => this.accept())
          else if (transport.acceptedBy === 'opening' || !protocol.greets) this.accept()
        },
        activity: () => {
          this.#liveness.life()
          if (this.opened && transport.acceptedBy === 'byte' && !protocol.silence) this.accept()
        },
        comment: (text) => decoder.pulse(text),
        frame: (text, meta) => decoder.frame(text, meta),
        answered: (answer) => {
          decoder.finish()
          if (!this.#closed) events.answered(answer)
        },
        closed: (ending) => {
          if (ending.kind === 'end') decoder.finish()
          this.end(ending)
        },
      },
      environment,
    )
  }

  get mode(): ModeName {
    return this.transport.name
  }

  /** When something last came, in ms since 1970. */
  get lastLife(): number {
    return this.#liveness.last
  }

  accept(): void {
    if (this.accepted || this.#closed) return
    this.accepted = true
    this.#events.accepted()
  }

  /** It was checked, and is well. */
  checked(): void {
    this.#liveness.checked()
  }

  send(text: string): boolean {
    return this.#open.send?.(text) ?? false
  }

  /** Something to do later, unless it is closed by then. */
  after(ms: number, callback: () => void): void {
    if (this.#closed) return
    const { environment } = this.#settings
    const timer = environment.setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, ms)
    this.#timers.add(timer)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#liveness.stop()
    for (const timer of this.#timers) this.#settings.environment.clearTimeout(timer)
    this.#timers.clear()
    this.#open.close()
    this.#events.closed?.()
  }

  /** Ends it as the transport would. */
  end(ending: CloseReason): void {
    if (this.#closed) return
    this.close()
    this.#events.ended(ending)
  }
}

/** The second before which messages are older than a connection. `skew`: how much the page's clock is ahead, in ms. */
export function liveFrom(openedAt: number, skew: number): Position {
  return Number.isFinite(skew) ? positionOf(openedAt - skew, 0) : Number.NEGATIVE_INFINITY
}

/** How old a message is by the page's clock, in ms. The least of many is the difference of the clocks. */
export const ageOf = (message: Received, now: number): number => now - timeOf(message.position)
