import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { Settings } from '../options.js'
import type { Position } from '../types.js'
import type { Connection } from './connection.js'
import { Missing } from './missing.js'
import type { Poller } from './poll.js'
import { Silence } from './silence.js'
import type { Timers } from './timers.js'

/** How long a connection may take to bring what an answer found, in ms. */
const deafWait = 1000
/** How long an unusually silent connection may take to be proven well, in ms. */
const unusualDeadline = 1500
/** A new connection is verified this long after it was accepted, in ms, and up to twice as long. */
const firstCheck = 1000
/** The same, where that takes another connection. */
const firstReplacement = 3000
/** How often the server is asked at least while it is known to deliver nothing, in ms. */
const deafRhythm = 4000
/** For how long a connection is kept that is as deaf as the one before it, in ms. It doubles each time, up to the second. */
const deafPatience = 10_000
const mostPatient = 60_000
const gone = 'The server no longer answers.'
/** How often a server that can't be reached is asked about a connection that was not silent for long. */
const tries = 3

/** What health can ask of its session. */
export interface HealthActions {
  /** The connection that counts. */
  current(): Connection | undefined
  /** Opens another connection, which takes over when it is accepted. */
  replace(): void
  dead(connection: Connection, why: string): void
  /** Puts a mode last for a while. */
  penalize(connection: Connection): void
  /** Whether the session shares few connections with others: then it is silent while it is not its turn. */
  takesTurns(): boolean
}

/** Why a connection is verified. `quiet`: no message for a while. `silent`: nothing at all, `unusual` if it is rarely so. */
type Reason = 'silent' | 'unusual' | 'quiet' | 'missing'

/**
 * Watches the connection that counts. One deadline, the earliest wins: pings that stop, a silence that is unusual for this
 * connection, and no message for a while. A server may accept a connection, send pings and deliver nothing, so only
 * messages and answers prove that a connection delivers.
 */
export class Health {
  readonly #settings: Settings
  readonly #store: ChannelStore
  readonly #poller: Poller
  readonly #timers: Timers
  readonly #actions: HealthActions
  readonly #missing: Missing
  readonly #silence: Silence
  readonly #keepAlive: number | undefined
  /** A server that numbers messages is verified early, even where that takes another connection. */
  readonly #early: boolean
  #verifying = false
  /** No message for this long calls for a check, in ms. It doubles with every check. */
  #patience = 0
  /** How often in a row a connection was found deaf, and until when the present one is kept. */
  #deaf = 0
  #keptUntil = 0
  /** A replacement is on its way that has to show whether the connection was well. */
  #replacing = false
  /** The connection that has to show it. */
  #proving: Connection | undefined
  /** The sign of life that the one that is waited for follows, and until when it has to come, both in ms since 1970. */
  #expected = 0
  #due = 0
  /** The server may have reloaded: where only replacements can show how it is, they follow each other sooner. */
  #dense = false

  constructor(settings: Settings, store: ChannelStore, poller: Poller, timers: Timers, actions: HealthActions) {
    this.#settings = settings
    this.#store = store
    this.#poller = poller
    this.#timers = timers
    this.#actions = actions
    this.#keepAlive = settings.protocol.capabilities.keepAlive
    this.#early = Object.keys(settings.protocol.capabilities.oneShot).length > 0
    this.#silence = new Silence(settings, actions.takesTurns)
    this.#missing = new Missing(store, poller, timers, settings.timeout, {
      current: actions.current,
      replace: actions.replace,
      verify: (connection) => void this.#verify(connection, 'missing'),
    })
  }

  /** The channels that a connection was opened for, as far as they are still wanted. */
  covered(connection: Connection | undefined): Channel[] {
    return this.#store.all.filter((channel) => connection?.names.has(channel.name))
  }

  /** Up to where a ping of this connection proves its channels complete: a deaf connection has pings as well. */
  provenBy(connection: Connection): Position {
    return connection.verifiedAt !== undefined || !this.#poller.possible ? connection.newest : -1
  }

  /** Looks now, as the page or the network came back. */
  check(connection: Connection): void {
    void this.#verify(connection, 'silent')
  }

  /** A message came above one that is missing. */
  missing(): void {
    this.#missing.wait()
  }

  /** Messages may have been missed. `then` is called when the check begins. */
  verifySoon(connection: Connection, then: () => void): void {
    // A successor would begin with the same second again, and bring the next burst: it would never get beyond that.
    if (!this.#poller.possible) return then()
    if (this.#timers.has('soon')) return
    this.#timers.in('soon', firstCheck, () => {
      then()
      this.#patience = this.#soon()
      void this.#verify(connection, 'quiet')
    })
  }

  /**
   * A connection was accepted. `predecessor`: the one that it replaces. `reloading`: the one before it may have been ended
   * by a server that reloads, and this one taken in by a worker that never delivers anything.
   */
  accepted(connection: Connection, predecessor: Connection | undefined, reloading: boolean): void {
    const { pingtimeout } = this.#settings
    this.#replacing &&= predecessor !== undefined
    this.#timers.cancel('deaf')
    if (this.#store.missing().size > 0) this.#missing.wait()
    this.#proving = this.#replacing ? connection : undefined
    if (reloading) this.#dense = true
    else if (!this.#replacing) this.#dense = this.#deaf > 0
    const { from, opened, repoll: polls } = connection
    // The first answer of a long-polling chain may still bring what is stored.
    const unanswered = polls !== undefined && !opened && from === undefined && !this.#poller.immediate
    if (!unanswered && (this.#poller.possible || (this.#early && polls))) this.#patience = this.#soon()
    else if (this.#deaf > 0) this.#patience = deafRhythm
    else if (!this.#replacing) this.#patience = this.#early ? Math.min(firstReplacement, pingtimeout) : pingtimeout
    this.#replacing = false
    this.#watch()
    if (reloading && this.#keepAlive === undefined) this.#renew(connection)
  }

  /** A connection brought something new. */
  news(connection: Connection): void {
    if (connection.live) {
      this.#deaf = 0
      this.#dense = false
      this.#proving = undefined
    } else if (connection === this.#proving) {
      // It was published while the connection before this one was deaf.
      this.#proving = undefined
      this.#deaf = Math.max(1, this.#deaf)
      this.#dense = true
      this.#patience = Math.min(deafRhythm, this.#settings.pingtimeout)
      return this.#watch()
    }
    // The next poll may go into a worker that is on its way out.
    if (!connection.repoll || !this.#early || this.#deaf > 0 || this.#patience <= 2 * firstCheck) return
    this.#patience = this.#soon()
    this.#watch()
  }

  /** A time before the first check, at random so that the clients of a server don't ask together. */
  #soon(): number {
    const { environment, pingtimeout } = this.#settings
    return Math.min(firstCheck * (1 + environment.random()), pingtimeout)
  }

  /** No message came for a while. A server with keep-alives of its own is known to deliver. */
  #quietAt(connection: Connection): number {
    if (this.#keepAlive !== undefined) return Number.POSITIVE_INFINITY
    return Math.max(connection.verifiedAt ?? connection.heardAt, connection.heardAt) + this.#patience
  }

  #watch(): void {
    const connection = this.#actions.current()
    if (connection === undefined) return
    const dead = this.#silence.deadAt(connection)
    const next = this.#verifying ? dead : Math.min(dead, this.#silence.unusualAt(connection), this.#quietAt(connection))
    if (next === Number.POSITIVE_INFINITY) return this.#timers.cancel('health')
    this.#timers.in('health', Math.max(0, next - this.#settings.environment.now()), () => this.#look(connection))
  }

  #look(connection: Connection): void {
    if (connection !== this.#actions.current()) return this.#watch()
    const time = this.#settings.environment.now()
    if (time >= this.#silence.deadAt(connection))
      return this.#actions.dead(connection, 'The pings of the server stopped.')
    if (this.#verifying) return this.#watch()
    if (time >= this.#silence.unusualAt(connection)) {
      void this.#verify(connection, connection.heartbeat.usual === undefined ? 'silent' : 'unusual')
    } else if (time >= this.#quietAt(connection)) void this.#verify(connection, 'quiet')
    else this.#watch()
  }

  /** Asks what the connection should have brought. */
  async #verify(connection: Connection, reason: Reason, attempt = 1): Promise<void> {
    if (this.#verifying || connection !== this.#actions.current()) return
    if (connection.repoll !== undefined && !this.#poller.immediate && reason !== 'missing') {
      return this.#repoll(connection, reason)
    }
    const { environment, pingtimeout, timeout } = this.#settings
    const { now } = environment
    const { brought, heartbeat, lastLife } = connection
    const { newest } = this.#store
    const silentFrom = this.#silence.unusualAt(connection)
    // Where its rhythm is known, a connection is given up soon after the silence has become unusual.
    const rest = heartbeat.usual === undefined ? timeout : Math.max(0, silentFrom - now()) + unusualDeadline
    const deadline = Math.min(rest, timeout)
    const about = reason === 'missing' ? [...this.#store.missing().keys()] : this.covered(connection)
    this.#verifying = true
    this.#watch()
    const result = await this.#poller.verify(about, deadline)
    this.#verifying = false
    if (connection !== this.#actions.current()) return this.#watch()
    const alive = connection.lastLife !== lastLife
    const found = this.#store.newest > newest && connection.brought === brought
    if (reason === 'missing') {
      if (result !== 'answered') this.#missing.askReplacement()
    } else if (result === 'answered') {
      this.#proven(connection, reason === 'quiet')
      if (found) this.#missed(connection, brought)
    } else if (result === 'failed' && !alive) {
      // A question that waits in the browser's queue says nothing about a connection that shows life, and one that was
      // sent on a dead connection of the browser's nothing about any other.
      const doubtful = heartbeat.usual === undefined ? now() - lastLife >= pingtimeout : now() >= silentFrom
      if (!doubtful && attempt < tries) return this.#verify(connection, reason, attempt + 1)
      return this.#actions.dead(connection, gone)
    } else if (result === 'unknown' && (reason !== 'quiet' || !this.#poller.possible)) {
      return this.#replace(connection, deadline)
    } else this.#proven(connection, reason === 'quiet')
    if (found) this.#patience = this.#soon()
    this.#watch()
  }

  /** A long-poll is checked by the next one, which needs no other request. */
  #repoll(connection: Connection, reason: Reason): void {
    this.#proven(connection, reason === 'quiet')
    this.#proving = connection
    const deadline = reason === 'unusual' ? unusualDeadline : this.#settings.timeout
    const answers = connection.repoll?.()
    this.#expect(connection, connection.lastLife, deadline)
    if (!answers) void this.#ask(connection, deadline)
    this.#watch()
  }

  /** Asks whether the server is there. If a page may not see the answer, another connection has to show it. */
  async #ask(connection: Connection, deadline: number): Promise<void> {
    const known = await this.#poller.reachable(connection.mode, this.covered(connection), deadline)
    if (known === false || connection !== this.#actions.current()) return
    this.#timers.cancel('deaf')
    if (known === undefined) this.#replace(connection, deadline)
  }

  /** Without a sign of life until then the connection is dead. */
  #expect(connection: Connection, lastLife: number, deadline: number): void {
    const due = this.#settings.environment.now() + deadline
    if (this.#expects(connection) && this.#due <= due) return
    this.#expected = lastLife
    this.#due = due
    this.#timers.in('deaf', deadline, () => {
      if (connection.lastLife === lastLife) this.#actions.dead(connection, gone)
    })
  }

  /** Whether a sign of life is waited for, and none came yet. */
  #expects({ lastLife }: Connection): boolean {
    return this.#timers.has('deaf') && this.#expected === lastLife
  }

  /** The connection was checked. */
  #proven(connection: Connection, quiet: boolean): void {
    const { environment, pingtimeout } = this.#settings
    connection.heartbeat.check()
    connection.verifiedAt = environment.now()
    if (!quiet) return
    // A long-poll is checked by two requests: the one that repeats what is known, and the next.
    const twice = connection.repoll !== undefined && !this.#poller.immediate && !this.#dense
    const longer = twice ? pingtimeout : 2 * this.#patience
    this.#patience = Math.min(longer, this.#deaf > 0 ? deafRhythm : pingtimeout, pingtimeout)
  }

  /** An answer brought what the connection did not. */
  #missed(connection: Connection, brought: number): void {
    const { now } = this.#settings.environment
    // Its successors were no better: what comes is asked for, and only now and then another connection is tried.
    if (this.#timers.has('deaf') || now() < this.#keptUntil) return
    this.#timers.in('deaf', deafWait, () => {
      if (connection !== this.#actions.current() || connection.brought !== brought) return
      this.#keptUntil = now() + Math.min(mostPatient, deafPatience * 2 ** this.#deaf++)
      if (brought === 0) this.#actions.penalize(connection)
      this.#actions.dead(connection, 'The connection delivers nothing.')
    })
  }

  /** No location answers a question, so a replacement has to show whether the connection was well. */
  #replace(connection: Connection, deadline: number): void {
    // What never brought a byte may hang on a dead link.
    const dense = this.#dense || !connection.opened
    this.#proven(connection, dense)
    if (!dense) this.#patience = this.#settings.pingtimeout
    const expected = this.#expects(connection)
    this.#expect(connection, connection.lastLife, deadline)
    if (expected) return this.#watch()
    this.#replacing = true
    this.#actions.replace()
    this.#watch()
  }

  /** Unless something live shows that a connection delivers, it is replaced once more, or polls again a few times. */
  #renew(connection: Connection, times = 3): void {
    this.#timers.in('renew', firstCheck * (1 + this.#settings.environment.random()), () => {
      if (connection !== this.#actions.current() || connection.live) return
      if (this.#early || !connection.repoll) {
        this.#replacing = true
        return this.#actions.replace()
      }
      // A chain that has something to see first does not poll again for this.
      this.#repoll(connection, 'quiet')
      if (times > 1) this.#renew(connection, times - 1)
    })
  }
}
