import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
import type { Received } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf, timeOf } from '../position.js'
import { poll, request } from '../transports/http.js'
import type { CloseReason, Position } from '../types.js'
import type { Requests } from './requests.js'

/** The longest wait for the position of new channels, in ms: a connection is worth more. */
const primeDeadline = 2000

/** What a poll tells. */
export interface PollResult {
  readonly messages: readonly Received[]
  /** Why there is no answer. */
  readonly ending: CloseReason | undefined
}

/** What checks need of the connection. */
export interface CheckEvents {
  message(message: Received): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
}

/** Short requests beside the connection: where channels stand, whether anything was missed, which channel is refused. */
export class Checks {
  /** Whether the server answers polls. `undefined` until it is known. */
  possible: boolean | undefined
  readonly #settings: Settings
  readonly #ledger: Ledger
  readonly #requests: Requests
  readonly #events: CheckEvents
  readonly #running = new Map<AbortController, unknown>()

  constructor(settings: Settings, ledger: Ledger, requests: Requests, events: CheckEvents) {
    this.#settings = settings
    this.possible = settings.protocol.polls === 'poll' ? undefined : false
    this.#ledger = ledger
    this.#requests = requests
    this.#events = events
  }

  /** Ends everything that is under way. */
  stop(): void {
    for (const [abort, timer] of this.#running) {
      abort.abort()
      this.#settings.environment.clearTimeout(timer)
    }
    this.#running.clear()
  }

  /**
   * Finds out where channels stand of which nothing is known: the last stored message of each, or as many as were asked
   * for. So the first connection already resumes from a position, and nothing is missed by losing it early.
   */
  async prime(): Promise<CloseReason | undefined> {
    // Where to begin is known of a channel that goes on after an event.
    const placed = this.#settings.lastEventId !== undefined
    const channels = this.#ledger.all.filter(
      (channel) => this.#ledger.unknown(channel) && (channel.backtrack > 0 || !placed),
    )
    if (channels.length === 0 || this.possible === false) return undefined
    const before = this.#ledger.newest
    const { messages, ending } = await this.poll(
      channels,
      undefined,
      primeDeadline,
      (channel) => channel.backtrack || 1,
      Number.POSITIVE_INFINITY,
    )
    if (ending !== undefined) return ending
    let newest: Position = -1
    for (const channel of channels) {
      if (this.#ledger.get(channel.name) !== channel || !this.#ledger.unknown(channel)) continue
      for (const message of messages) {
        if (message.channel !== channel.name) continue
        if (message.position > newest) newest = message.position
        if (channel.backtrack > 0) this.#events.message(message)
        else this.#ledger.anchor(channel, message)
      }
    }
    // What is empty now is complete up to now: a second before the newest message of the answer is surely that, and
    // with no message at all everything there will ever be is new.
    const upTo = Math.max(before, newest < 0 ? 0 : positionOf(timeOf(newest) - 1000, 0))
    this.#ledger.witness(channels, upTo)
    for (const channel of channels) {
      channel.complete ??= upTo
      channel.sequence.empty = channel.sequence.last === undefined
    }
    return undefined
  }

  /** Whether the server can be asked what a connection should have brought. */
  get auditable(): boolean {
    return this.possible !== false || this.#settings.protocol.polls === 'longpolling'
  }

  /** Asks for what these channels should have brought by now. The ending, if it was not answered. */
  async audit(channels: readonly Channel[]): Promise<CloseReason | undefined> {
    const position = this.#requests.begin(channels)
    const before = this.#ledger.newest
    const holes = this.#ledger.holes()
    for (const channel of holes.keys()) if (!channels.includes(channel)) holes.delete(channel)
    // Where polls are not possible a long-poll does, if it has something to bring: it begins with what is known.
    const weak = this.possible === false
    if (weak && position === undefined) return { kind: 'lost' }
    const deadline = weak ? primeDeadline : this.#settings.timeout
    const { messages, ending } = await this.poll(channels, position, deadline, () => 0)
    if (ending !== undefined) return ending
    for (const message of messages) this.#events.message(message)
    this.#ledger.settle(holes)
    this.#ledger.witness(channels, before)
    return undefined
  }

  /** Whether the server answers at all. OPTIONS is answered at once, where a GET may be a poll that hangs. */
  async knock(channels: readonly Channel[]): Promise<boolean> {
    const { environment, timeout } = this.#settings
    const abort = new AbortController()
    const timer = environment.setTimeout(() => abort.abort(), timeout)
    this.#running.set(abort, timer)
    let patience: unknown
    const exchange = await this.#requests.make('eventsource', channels, undefined, () => 0).catch(() => undefined)
    const ask = async (method: string) => {
      if (exchange === undefined) return false
      const { status } = await request(exchange, abort.signal, environment, method)
      return status < 500
    }
    try {
      return await ask('OPTIONS').catch((cause) => {
        if (abort.signal.aborted) throw cause
        // Another origin's server may not let a page ask that. Then it has to do that a GET is not refused.
        const notRefused = new Promise<boolean>((resolve) => {
          patience = environment.setTimeout(() => resolve(!abort.signal.aborted), timeout / 5)
        })
        return Promise.race([ask('GET'), notRefused])
      })
    } catch {
      return false
    } finally {
      abort.abort()
      environment.clearTimeout(timer)
      environment.clearTimeout(patience)
      this.#running.delete(abort)
    }
  }

  /** Asks what is stored. Never rejects. */
  async poll(
    channels: readonly Channel[],
    position: Position | undefined,
    deadline: number,
    backtrack: (channel: Channel) => number,
    from: Position = Number.NEGATIVE_INFINITY,
  ): Promise<PollResult> {
    const { environment, protocol } = this.#settings
    const abort = new AbortController()
    const timer = environment.setTimeout(() => abort.abort(), deadline)
    this.#running.set(abort, timer)
    const messages: Received[] = []
    const kind = protocol.polls ?? 'longpolling'
    const decoder = protocol.decoder(
      { kind, liveFrom: from, channels: channels.map(({ name }) => name) },
      {
        message: (message) => messages.push(message),
        ping() {},
        deleted: (channel, text) => this.#events.deleted(channel, text),
        dead: (raw, reason) => this.#events.deadletter(raw, reason),
        over() {},
      },
    )
    try {
      const exchange = await this.#requests.make(kind, channels, position, backtrack)
      if (abort.signal.aborted) return { messages, ending: { kind: 'lost' } }
      const ending = await poll(exchange, abort.signal, environment, {
        frame: (text, meta) => decoder.frame(text, meta),
        answered: () => decoder.finish(),
      })
      if (ending === undefined) this.possible ??= true
      else if (protocol.verdict(ending) === 'mode') this.possible = false
      return { messages, ending }
    } catch (cause) {
      return { messages, ending: { kind: 'lost', cause } }
    } finally {
      environment.clearTimeout(timer)
      this.#running.delete(abort)
    }
  }
}
