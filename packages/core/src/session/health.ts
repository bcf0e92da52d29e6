import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { Settings } from '../options.js'
import type { Position } from '../types.js'
import type { Connection } from './connection.js'
import { createMissing, type MissingActions } from './missing.js'
import type { Poller } from './poll.js'
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
/** How often a server that can't be reached is asked about a connection that was not silent for long. */
const tries = 3

/** How a connection died: the server answers nothing, or the connection brings nothing. */
export type Silence = 'gone' | 'deaf'

/** What health can ask of its session. `replace` opens another connection, which takes over when it is accepted. */
export interface HealthActions extends MissingActions {
  dead(connection: Connection, why: Silence): void
  penalize(connection: Connection): void
  /** Whether the session shares few connections with others: then it is silent while it is not its turn. */
  takesTurns(): boolean
}

/** Why a connection is verified. `quiet`: no message for a while. `silent`: nothing at all, `unusual` if it is rarely so. */
type Reason = 'silent' | 'unusual' | 'quiet'

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
  /** A message may have come above one that is missing. */
  readonly missing: () => void
  /** A server that numbers messages is verified early, even where that takes another connection. */
  readonly #early: boolean
  #verifying = false
  /** No message for this long calls for a check, in ms. It doubles with every check. */
  #patience = 0
  /** How often in a row a connection was found deaf, and until when the present one is kept. */
  #deaf = 0
  #keptUntil = 0
  /** A replacement is on its way that has to show whether the connection was well, and which one that is. */
  #replacing = false
  #proving: Connection | undefined
  /** The sign of life that the one that is waited for follows, in ms since 1970. */
  #expected = 0
  /** The server may have reloaded: where only replacements can show how it is, they follow each other sooner. */
  #dense = false

  constructor(settings: Settings, store: ChannelStore, poller: Poller, timers: Timers, actions: HealthActions) {
    this.#settings = settings
    this.#store = store
    this.#poller = poller
    this.#timers = timers
    this.#actions = actions
    this.#early = Object.keys(settings.protocol.capabilities.oneShot).length > 0
    this.missing = createMissing(store, poller, timers, settings.timeout, actions)
  }

  /** The channels that a connection was opened for, as far as they are still wanted. */
  covered({ names }: Connection): Channel[] {
    return this.#store.all.filter(({ name }) => names.has(name))
  }

  /** Up to where a ping of this connection proves its channels complete: a deaf connection has pings as well. */
  provenBy(connection: Connection): Position {
    return connection.heartbeat.checked > 0 || !this.#poller.possible ? connection.newest : -1
  }

  /** Looks now, as the page came back, or the network (`lost`). Returns whether another connection has to take over. */
  check(connection: Connection, lost: unknown, deadline: number): true | undefined {
    const { heartbeat, repoll } = connection
    if ((!lost && !heartbeat.silent) || this.#actions.takesTurns()) return void this.#verify(connection, 'silent')
    // A server that allows one subscriber sees one poll at a time.
    if (repoll && !this.#early) return void this.#repoll(connection, 'silent', deadline)
    heartbeat.spare()
    // What was missed meanwhile does not show that a connection was deaf.
    this.#replacing = false
    this.#watch()
    return true
  }

  /** Messages may have been missed. `then` is called when the check begins. */
  verifySoon(connection: Connection, then: () => void): void {
    // A successor would begin with the same second again, and bring the next burst: it would never get beyond that.
    if (!this.#poller.possible) return then()
    if (this.#timers.when('soon')) return
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
    this.#timers.cancel('deaf')
    this.missing()
    this.#replacing &&= predecessor !== undefined
    this.#proving = this.#replacing ? connection : undefined
    this.#dense = reloading || (this.#replacing ? this.#dense : this.#deaf > 0)
    const { from, opened, repoll: polls } = connection
    // The first answer of a long-polling chain may still bring what is stored.
    const unanswered = polls !== undefined && !opened && from === undefined && !this.#poller.immediate
    if (!unanswered && (this.#poller.possible || (this.#early && polls))) this.#patience = this.#soon()
    else if (this.#deaf > 0) this.#patience = deafRhythm
    else if (!this.#replacing) this.#patience = this.#early ? firstReplacement : this.#settings.pingtimeout
    this.#replacing = false
    this.#watch()
    if (reloading && this.#settings.protocol.capabilities.keepAlive === undefined) this.#renew(connection)
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
      this.#patience = deafRhythm
      return this.#watch()
    }
    // The next poll may go into a worker that is on its way out.
    if (!connection.repoll || !this.#early || this.#deaf > 0 || this.#patience <= 2 * firstCheck) return
    this.#patience = this.#soon()
    this.#watch()
  }

  /** A time before the first check, at random so that the clients of a server don't ask together. */
  #soon(): number {
    return firstCheck * (1 + this.#settings.environment.random())
  }

  /** The deadlines of the current connection, in ms since 1970, each with what follows. The worst come first. */
  #deadlines(): [when: number, then: () => void][] {
    const connection = this.#actions.current()
    if (connection === undefined) return []
    const { heartbeat, heardAt } = connection
    const deadlines: [number, () => void][] = [[heartbeat.deadAt, () => this.#actions.dead(connection, 'gone')]]
    // A server with keep-alives of its own is known to deliver.
    if (this.#verifying || this.#settings.protocol.capabilities.keepAlive !== undefined) return deadlines
    const verify = (reason: Reason) => () => void this.#verify(connection, reason)
    return [
      ...deadlines,
      [heartbeat.unusualAt(this.#actions.takesTurns()), verify(heartbeat.usual() === undefined ? 'silent' : 'unusual')],
      [Math.max(heardAt, heartbeat.checked) + Math.min(this.#patience, this.#settings.pingtimeout), verify('quiet')],
    ]
  }

  #watch(): void {
    const next = Math.min(...this.#deadlines().map(([when]) => when))
    this.#timers.at('health', Number.isFinite(next) ? next : undefined, () => {
      const due = this.#deadlines().find(([when]) => this.#settings.environment.now() >= when)
      return due ? due[1]() : this.#watch()
    })
  }

  /** How long an answer is waited for, in ms. Where the rhythm is known, not much beyond an unusual silence. */
  #deadline({ heartbeat }: Connection): number {
    const { environment, timeout } = this.#settings
    const left = heartbeat.unusualAt(this.#actions.takesTurns()) - environment.now()
    return heartbeat.usual() === undefined ? timeout : Math.min(timeout, Math.max(0, left) + unusualDeadline)
  }

  /** Asks what the connection should have brought. */
  async #verify(connection: Connection, reason: Reason, attempt = 1): Promise<void> {
    if (this.#verifying || connection !== this.#actions.current()) return
    if (connection.repoll !== undefined && !this.#poller.immediate) return this.#repoll(connection, reason)
    const { now } = this.#settings.environment
    const { brought, heartbeat, lastLife } = connection
    const { newest } = this.#store
    const silentFrom = heartbeat.unusualAt(this.#actions.takesTurns())
    const deadline = this.#deadline(connection)
    this.#verifying = true
    this.#watch()
    const result = await this.#poller.verify(this.covered(connection), deadline)
    this.#verifying = false
    if (connection !== this.#actions.current()) return this.#watch()
    const alive = connection.lastLife !== lastLife
    const found = this.#store.newest > newest && connection.brought === brought
    if (result === 'answered') {
      this.#proven(connection, reason === 'quiet')
      if (found) this.#missed(connection, brought)
    } else if (result === 'failed' && !alive) {
      // A question that waits in the browser's queue says nothing about a connection that shows life, and one that was
      // sent on a dead connection of the browser's nothing about any other.
      const dead =
        heartbeat.usual() === undefined ? now() - lastLife >= this.#settings.pingtimeout : now() >= silentFrom
      if (!dead && attempt < tries) return this.#verify(connection, reason, attempt + 1)
      return this.#actions.dead(connection, 'gone')
    } else if (result === 'unknown' && (reason !== 'quiet' || !this.#poller.possible)) {
      return this.#replace(connection, deadline)
    } else this.#proven(connection, reason === 'quiet')
    if (found) this.#patience = this.#soon()
    this.#watch()
  }

  /** A long-poll is checked by the next one. If that may hang, another request or connection shows whether the server is there. */
  async #repoll(connection: Connection, reason: Reason, deadline = this.#deadline(connection)): Promise<void> {
    this.#proven(connection, reason === 'quiet')
    this.#proving = connection
    const answers = connection.repoll?.()
    this.#expect(connection, deadline)
    this.#watch()
    if (answers) return
    const known = await this.#poller.reachable(connection.mode, this.covered(connection), deadline)
    if (known === false || connection !== this.#actions.current()) return
    this.#timers.cancel('deaf')
    // A page may not see the answer.
    if (known === undefined) this.#replace(connection, this.#deadline(connection))
  }

  /** Without a sign of life until then the connection is dead. Returns whether one was waited for already. */
  #expect(connection: Connection, deadline: number): boolean {
    const { lastLife } = connection
    const waiting = this.#expected === lastLife ? this.#timers.when('deaf') : undefined
    this.#expected = lastLife
    const due = Math.min(this.#settings.environment.now() + deadline, waiting ?? Number.POSITIVE_INFINITY)
    this.#timers.at('deaf', due, () => {
      if (connection.lastLife === lastLife) this.#actions.dead(connection, 'gone')
    })
    return waiting !== undefined
  }

  #proven(connection: Connection, quiet: boolean): void {
    connection.heartbeat.check()
    if (!quiet) return
    // A long-poll is checked by two requests: the one that repeats what is known, and the next.
    const twice = connection.repoll !== undefined && !this.#poller.immediate && !this.#dense
    const longer = twice ? this.#settings.pingtimeout : 2 * this.#patience
    this.#patience = this.#deaf > 0 ? Math.min(longer, deafRhythm) : longer
  }

  /** An answer brought what the connection did not. */
  #missed(connection: Connection, brought: number): void {
    const { now } = this.#settings.environment
    // Its successors were no better: what comes is asked for, and only now and then another connection is tried.
    if (this.#timers.when('deaf') || now() < this.#keptUntil) return
    this.#timers.in('deaf', deafWait, () => {
      if (connection !== this.#actions.current() || connection.brought !== brought) return
      this.#keptUntil = now() + Math.min(mostPatient, deafPatience * 2 ** this.#deaf++)
      if (brought === 0) this.#actions.penalize(connection)
      this.#actions.dead(connection, 'deaf')
    })
  }

  /** No location answers a question, so a replacement has to show whether the connection was well. */
  #replace(connection: Connection, deadline: number): void {
    // What never brought a byte may hang on a dead link.
    const dense = this.#dense || !connection.opened
    this.#proven(connection, dense)
    if (!dense) this.#patience = this.#settings.pingtimeout
    if (!this.#expect(connection, deadline)) {
      this.#replacing = true
      this.#actions.replace()
    }
    this.#watch()
  }

  /** Unless something live shows that a connection delivers, it is replaced once more, or polls again a few times. */
  #renew(connection: Connection, times = 3): void {
    this.#timers.in('renew', this.#soon(), () => {
      if (connection !== this.#actions.current() || connection.live) return
      if (this.#early || !connection.repoll) {
        this.#replacing = true
        return this.#actions.replace()
      }
      // A chain that has something to see first does not poll again for this.
      void this.#repoll(connection, 'quiet')
      if (times > 1) this.#renew(connection, times - 1)
    })
  }
}
