import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { PushStreamError } from '../errors.js'
import type { IncomingMessage } from '../message.js'
import type { Settings } from '../options.js'
import { timeOf } from '../position.js'
import type { Classified } from '../protocols/protocol.js'
import { troubled } from '../symptoms.js'
import type { CloseReason, Position } from '../types.js'
import type { Connection } from './connection.js'
import type { Health, Silence } from './health.js'
import type { PollEvents } from './poll.js'
import type { Names } from './rejection.js'
import { failureOf, saidBySelf, shown } from './reports.js'

/** How long ago a message came that a server surely still has, in ms. */
const recent = 5000

/** What an intake reports. */
export interface IntakeEvents {
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  failed(error: PushStreamError): void
}

/** What a session reports. */
export interface SessionEvents extends IntakeEvents {
  changed(): void
  opened(): void
  /** The server rejected a request for these channels, so it refuses at least one of them. */
  rejected(channels: readonly Channel[], ending: CloseReason): void
  /** A round failed in modes that do not show whether the server refuses these channels. */
  suspected(channels: readonly Channel[], ending: CloseReason): void
}

/** What an intake needs of its session. */
interface Surroundings {
  current(): Connection | undefined
  renew(): void
  readonly parts: { readonly health: Health }
}

/** Takes in what connections and answers bring, and reports what fails. */
export class Intake implements PollEvents {
  /** The last failure, until a connection is accepted. */
  error: PushStreamError | undefined
  /** How much the page's clock is ahead of the server's, in ms, at most. */
  clockOffset = Number.POSITIVE_INFINITY
  /** It was looked into whether the server knows `lastEventId`. */
  eventIdChecked = false
  readonly #settings: Settings
  readonly #store: ChannelStore
  readonly #events: IntakeEvents
  readonly #names: Names
  readonly #session: Surroundings

  constructor(settings: Settings, store: ChannelStore, events: IntakeEvents, names: Names, session: Surroundings) {
    this.#settings = settings
    this.#store = store
    this.#events = events
    this.#names = names
    this.#session = session
  }

  message(message: IncomingMessage, connection?: Connection): void {
    if (connection !== undefined) {
      const age = connection.lastLife - timeOf(message.position)
      if (age < this.clockOffset) this.clockOffset = age
      if (message.position > this.#store.newest) connection.advanced()
    }
    const outcome = this.#store.receive(message, connection?.replay, connection?.lastLife)
    if (outcome === 'dropped' || outcome === undefined) return
    const { health } = this.#session.parts
    if (connection !== undefined) {
      connection.worked = true
      health.news(connection)
    }
    if (outcome === 'buffered') health.missing()
  }

  deleted(name: string, text: string, connection?: Connection): void {
    const channel = this.#store.get(name)
    if (channel === undefined) return
    this.#store.forget(channel)
    this.#events.deleted(name, text)
    // The server doesn't deliver a channel of that name to this connection when it is made again.
    if (connection !== undefined && !connection.transport.polls && this.#store.size > 1) this.#session.renew()
  }

  deadletter(raw: string, reason: string): void {
    this.#events.deadletter(raw, reason)
  }

  /** The server repeats nothing, although a message came just now: it stores none, or takes no position. */
  unrepeated(position: Position | undefined): void {
    const { environment, protocol } = this.#settings
    // Not of a channel that is gone, which nothing brings again.
    const newest = Math.max(...this.#store.all.map(({ sequence }) => sequence.position ?? -1))
    const age = environment.now() - this.clockOffset - timeOf(newest)
    // A position that was kept across a page load tells nothing of the clocks, and may be older than what the server stores.
    const soon = Math.abs(age) <= recent
    const expected = protocol.capabilities.lastMessage && position !== undefined && position <= newest && soon
    if (expected) this.#unstored('position')
  }

  resumed(): void {
    this.#names.resumed = true
  }

  /** The server has messages, and sends nothing from `lastEventId` on. */
  unresumed(): void {
    if (!this.#names.resumed) this.#unstored('lastEventId')
  }

  #unstored(what: string): void {
    if (this.#names.told) return
    this.#names.told = true
    const { mode, asked } = this.#session.current() ?? {}
    this.#events.failed(troubled('setup', what, { mode, url: shown(asked?.url), symptom: 'unstored' }))
  }

  buffered({ asked, mode }: Connection): void {
    this.trouble(`${mode} opened, and nothing follows`, { kind: 'lost', asked, symptom: 'buffered' })
  }

  /** A connection ended. The server may have lost what it stored. */
  ended({ brought }: Connection, reason: CloseReason, { historyLost }: Classified): void {
    if (historyLost) this.#store.suspectLoss(!saidBySelf(reason))
    // A connection that closes before its first message may have been closed because of its resume position.
    else if (reason.kind === 'lost' && brought === 0) this.#store.suspectLoss(true)
  }

  /** A connection shows no sign of life. */
  silent({ asked, mode }: Connection, why: Silence): void {
    this.failed(troubled('silent', why, { mode, url: shown(asked?.url) }))
  }

  /** An attempt failed, or a connection was lost. */
  trouble(what: string, reason: CloseReason, classified: Pick<Classified, 'status'> = {}): void {
    this.failed(failureOf(what, reason, classified, this.#settings.environment.location))
  }

  failed(error: PushStreamError): void {
    this.error = error
    this.#events.failed(error)
  }
}
