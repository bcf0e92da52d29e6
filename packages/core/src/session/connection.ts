import { newReplay, type Replay } from '../delivery/order.js'
import { type IncomingMessage, isPlaced } from '../message.js'
import type { Settings } from '../options.js'
import { positionOf } from '../position.js'
import type { CutTransport, Decoder, DecoderEvents } from '../protocols/protocol.js'
import type { Answer, CloseReason, ModeName, NextExchange, OpenTransport, Position, TransportEvents } from '../types.js'
import { takeStored } from './bootstrap.js'
import { createHeartbeat, type Heartbeat } from './heartbeat.js'
import { createTimers, type Timers } from './timers.js'

/** How long a connection that shows nothing by itself must go without a rejection to count as accepted, in ms. */
export const acceptDelay = 150
/**
 * How long stored messages of new channels are waited for, in ms, since the server answered or the last one came. The
 * server writes them together with its answer.
 */
const historyWindow = 50
/** How long a connection must last to count as having worked, in ms. */
const lasting = 5000
/** A timer that is late by so many ms shows that the page was busy. */
const busy = 20
/** How long the first byte may follow its headers, in ms: a server sends them together. */
const firstByte = 2000
/** How long nothing comes, in ms, before what looks like the end of a frame is taken for one. */
const idleTime = 100
/** What comes this long after the opening, in ms, was not stored before it. */
const backlogTime = 500

/** What a connection reports. */
export interface ConnectionEvents {
  /** It opened and was not rejected. */
  accepted(): void
  ended(ending: CloseReason): void
  /** The server proved that nothing is under way. */
  ping(): void
  /** `history`: published before the application listened to this channel, which asked for no stored messages. */
  message(message: IncomingMessage, history: boolean): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  answered(answer: Answer): void
  /** The server answered, and nothing of its answer comes. */
  buffered(): void
  closed?(): void
}

/** What a connection is for. */
export interface ConnectionTask {
  /** The channels it is opened for. */
  readonly names: ReadonlySet<string>
  /** A channel of another connection that is named as well. What comes of it is not wanted. */
  readonly companion?: string | undefined
  /** Those of which nothing is known, each with the number of stored messages that it begins with. */
  readonly newcomers: ReadonlyMap<string, number>
  /** How much the page's clock is ahead of the server's, in ms, at most. */
  readonly clockOffset: number
  /** How long it may take to be accepted, in ms. */
  readonly timeout: number
}

/** One transport, its decoder and its heartbeat. */
export class Connection {
  readonly transport: CutTransport
  readonly names: ReadonlySet<string>
  accepted = false
  /** The transport is open. */
  opened = false
  /** Messages it brought, known ones too. */
  brought = 0
  /** It brought something that was published after it began to listen. */
  live = false
  /** It brought something new. */
  worked = false
  /** The newest position it brought. */
  newest: Position = -1
  /** When a message came last, in ms since 1970. */
  heardAt: number
  /** Ends the long-poll that hangs and sends the next one. Returns whether that is known to be answered at once. */
  repoll: (() => boolean) | undefined
  /** The request that it made last, and the position that it began with. */
  asked: CloseReason['asked']
  from: Position | undefined
  /** Only an answer can show whether it is well, however late. */
  patient = false
  /** When it began to listen, as far as that is known: what comes right after that was stored. */
  since: number
  readonly openedAt: number
  replay: Replay
  readonly heartbeat: Heartbeat
  /** New channels, each with the stored messages that may still come before the connection is accepted. */
  readonly newcomers: Map<string, number>
  readonly #open: OpenTransport
  readonly #settings: Settings
  readonly #timers: Timers
  readonly #events: ConnectionEvents
  #closed = false

  constructor(
    transport: CutTransport,
    { names, companion, newcomers, clockOffset, timeout }: ConnectionTask,
    next: NextExchange,
    settings: Settings,
    events: ConnectionEvents,
  ) {
    const { environment, protocol } = settings
    this.transport = transport
    this.names = names
    const stored = new Map(newcomers)
    this.newcomers = stored
    this.#settings = settings
    this.#events = events
    this.#timers = createTimers(environment)
    this.openedAt = this.since = this.heardAt = environment.now()
    this.replay = newReplay(this.openedAt)
    this.heartbeat = createHeartbeat(environment, settings.pingtimeout, protocol.capabilities.keepAlive)
    this.after(timeout, () => {
      if (this.accepted || this.patient) return
      const symptom = this.opened ? 'buffered' : 'slow'
      this.end({ kind: 'refused', explain: `no answer within ${timeout} ms`, symptom })
    })
    const live = positionOf(this.openedAt - clockOffset, 0)
    const decoder = protocol.decoder(
      {
        kind: transport.name,
        // What comes before a new channel is accepted was stored, whatever the clocks say.
        get liveFrom() {
          return stored.size > 0 ? Number.POSITIVE_INFINITY : live
        },
        channels: companion === undefined ? [...names] : [...names, companion],
        cut: transport.cut,
      },
      this.#decoderEvents(),
    )
    const ask = async () => {
      const exchange = await next()
      this.asked = { ...exchange, mode: transport.name }
      return exchange
    }
    this.#open = transport.open(ask, this.#reports(decoder), environment)
  }

  #decoderEvents(): DecoderEvents {
    const events = this.#events
    return {
      message: (message) => {
        this.brought++
        this.heardAt = this.heartbeat.last
        if (message.position > this.newest) this.newest = message.position
        const history = takeStored(this.newcomers, message)
        // More of them may be on their way. What may be a header template does not put off the end of the wait.
        if (history && isPlaced(message) && this.newcomers.size > 0 && this.#timers.when('history'))
          this.#awaitHistory()
        // New channels are the first of the request, so what comes of any other follows their stored messages.
        if (!history) this.accept()
        events.message(message, history)
        if (history && this.newcomers.size === 0) this.accept()
      },
      ping: () => {
        // A header template may look like a ping. It comes before what is stored.
        this.#greeted()
        this.heartbeat.ping()
        events.ping()
      },
      deleted: (channel, text) => {
        this.accept()
        events.deleted(channel, text)
      },
      dead: (raw, reason) => events.deadletter(raw, reason),
      over: (ending) => this.end(ending),
    }
  }

  #reports(decoder: Decoder): TransportEvents {
    const { keepAlive } = this.#settings.protocol.capabilities
    const { acceptedBy, polls } = this.transport
    return {
      open: () => {
        this.opened = true
        if (!polls) this.since = this.#settings.environment.now()
        if (acceptedBy === 'time') {
          this.acceptIn(acceptDelay)
          this.#awaitHistory()
        } else if (acceptedBy === 'opening' && !polls) this.#greeted()
        else if (acceptedBy === 'byte') this.after(firstByte, () => this.accepted || this.#events.buffered())
      },
      activity: () => {
        this.heartbeat.beat()
        if (this.opened && acceptedBy === 'byte' && !keepAlive) this.#greeted()
      },
      comment: (text) => decoder.pulse(text),
      frame: (text, meta) => {
        // A poll opens with its answer.
        this.opened ||= Boolean(polls)
        decoder.frame(text, meta)
        if (decoder.idle) this.after(idleTime, decoder.idle)
      },
      answered: (answer) => {
        decoder.finish()
        // Every push server's answer says where it stands.
        if (answer.status === 200 && this.brought === 0 && this.#settings.protocol.positionOf(answer) === undefined)
          return this.end({ kind: 'invalid' })
        this.accept()
        if (!this.#closed) this.#events.answered(answer)
      },
      closed: (reason) => {
        if (reason.kind === 'end') decoder.finish()
        // A stream that is over before anything came of it is no stream.
        const over = reason.kind === 'end' && acceptedBy !== 'time' && !polls && !this.accepted
        this.end(over ? { kind: 'invalid', explain: 'it ended at once' } : reason)
      },
    }
  }

  /** The server answered. Stored messages of new channels follow at once. */
  #greeted(): void {
    if (this.newcomers.size === 0) this.accept()
    else if (!this.#timers.when('history')) this.#awaitHistory()
  }

  #awaitHistory(): void {
    // Where only time shows that it is accepted, that takes longer.
    const over = () => (this.transport.acceptedBy === 'time' ? this.newcomers.clear() : this.accept())
    this.#unhurried(historyWindow, over, 'history')
  }

  /** Waits. A page that was busy for longer has not handled yet what arrived meanwhile, so it gets that time again. */
  #unhurried(ms: number, callback: () => void, name: string): void {
    const { now } = this.#settings.environment
    const due = now() + ms
    this.after(ms, () => (now() - due < busy ? callback() : this.after(ms, callback, name)), name)
  }

  get closed(): boolean {
    return this.#closed
  }

  get mode(): ModeName {
    return this.transport.name
  }

  /** Whether its end is no failure. */
  get succeeded(): boolean {
    return this.accepted && (this.worked || this.#settings.environment.now() - this.openedAt > lasting)
  }

  /** When something last came, in ms since 1970. */
  get lastLife(): number {
    return this.heartbeat.last
  }

  accept(): void {
    if (this.accepted || this.#closed) return
    this.accepted = true
    this.newcomers.clear()
    this.#events.accepted()
  }

  /** Accepts it, unless it is rejected until then. */
  acceptIn(ms: number): void {
    this.#unhurried(ms, () => this.accept(), 'accept')
  }

  /** It brought something newer than everything known: by now that was published while it listened. */
  advanced(): void {
    const live = this.lastLife - this.since > backlogTime
    // Each poll of a chain is a subscription of its own.
    this.live = this.repoll === undefined ? this.live || live : live
  }

  send(text: string): boolean {
    return this.#open.send?.(text) ?? false
  }

  /** Something to do later, unless the connection is closed by then. The same again puts it off. */
  after(ms: number, callback: () => void, name: unknown = callback): void {
    if (!this.#closed) this.#timers.in(name, ms, callback)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#timers.clear()
    this.#open.close()
    this.#events.closed?.()
  }

  /** Ends it as the transport would. */
  end(ending: CloseReason): void {
    if (this.#closed) return
    this.close()
    this.#events.ended({ ...ending, asked: this.asked })
  }
}
