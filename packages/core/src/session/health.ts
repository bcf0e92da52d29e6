import type { Ledger } from '../delivery/ledger.js'
import type { Settings } from '../options.js'
import type { Connection } from './connection.js'
import { createMissing } from './missing.js'
import type { Poller } from './poll.js'
import type { Timers } from './timers.js'

/** How long a connection may take to bring what an answer found, in ms. */
const deafWait = 1000
/** The silence, in ms, that is never unusual. */
const leastSilence = 3000
/** How many times the usual silence is unusual. */
const unusual = 3
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

/**
 * Watches the connection that counts. One deadline, the earliest wins: pings that stop, a silence that is unusual for this
 * connection, and no message for a while. A server may accept a connection, send pings and deliver nothing, so only
 * messages and answers prove that a connection delivers.
 */
export function createHealth(
  settings: Settings,
  ledger: Ledger,
  poller: Poller,
  timers: Timers,
  actions: HealthActions,
) {
  const { environment, pingtimeout, protocol, timeout } = settings
  const { keepAlive, oneShot } = protocol.capabilities
  /** A server that numbers messages is verified early, even where that takes another connection. */
  const early = Object.keys(oneShot).length > 0
  const { now, random } = environment
  const missing = createMissing(ledger, poller, timers, timeout, {
    ...actions,
    verify: (connection) => void verify(connection, 'missing'),
  })
  let verifying = false
  /** No message for this long calls for a check, in ms. It doubles with every check. */
  let patience = 0
  /** How often in a row a connection was found deaf, and until when the present one is kept. */
  let deaf = 0
  let keptUntil = 0
  /** A replacement is on its way that has to show whether the connection was well. */
  let replacing = false
  /** The connection that has to show it. */
  let proving: Connection | undefined
  /** The server may have reloaded: where only replacements can show how it is, they follow each other sooner. */
  let dense = false

  /** The channels that a connection was opened for, as far as they are still wanted. */
  const covered = (connection: Connection | undefined) =>
    ledger.all.filter((channel) => connection?.names.has(channel.name))

  const soon = () => Math.min(firstCheck * (1 + random()), pingtimeout)

  /** No message came for a while. A server with keep-alives of its own is known to deliver. */
  function quietAt(connection: Connection): number {
    if (keepAlive !== undefined) return Number.POSITIVE_INFINITY
    return Math.max(connection.verifiedAt ?? connection.heardAt, connection.heardAt) + patience
  }

  function deadAt({ heartbeat, lastLife }: Connection): number {
    return lastLife + (keepAlive ?? heartbeat.deadAfter ?? Number.POSITIVE_INFINITY)
  }

  function silentAt({ heartbeat }: Connection): number {
    if (keepAlive !== undefined) return Number.POSITIVE_INFINITY
    const { deadAfter, well } = heartbeat
    const usual = actions.takesTurns() ? undefined : heartbeat.usual
    const limit = usual === undefined ? pingtimeout : Math.max(leastSilence, unusual * usual)
    // Where the pings are known, they say when the connection is dead.
    if (usual === undefined && deadAfter !== undefined) return Number.POSITIVE_INFINITY
    return well + Math.min(limit, pingtimeout)
  }

  function watch(): void {
    const connection = actions.current()
    if (connection === undefined) return
    const dead = deadAt(connection)
    const next = verifying ? dead : Math.min(dead, silentAt(connection), quietAt(connection))
    if (next === Number.POSITIVE_INFINITY) return timers.cancel('health')
    timers.in('health', Math.max(0, next - now()), () => look(connection))
  }

  function look(connection: Connection): void {
    if (connection !== actions.current()) return watch()
    const time = now()
    if (time >= deadAt(connection)) return actions.dead(connection, 'The pings of the server stopped.')
    if (verifying) return watch()
    if (time >= silentAt(connection)) {
      void verify(connection, connection.heartbeat.usual === undefined ? 'silent' : 'unusual')
    } else if (time >= quietAt(connection)) void verify(connection, 'quiet')
    else watch()
  }

  /** Asks what the connection should have brought. */
  async function verify(
    connection: Connection,
    reason: 'silent' | 'unusual' | 'quiet' | 'missing',
    attempt = 1,
  ): Promise<void> {
    if (verifying || connection !== actions.current()) return
    if (connection.repoll !== undefined && !poller.immediate && reason !== 'missing') return repoll(connection, reason)
    const { brought, heartbeat, lastLife } = connection
    const { newest } = ledger
    const time = now()
    const silentFrom = silentAt(connection)
    // Where its rhythm is known, a connection is given up soon after the silence has become unusual.
    const deadline = heartbeat.usual === undefined ? timeout : Math.max(0, silentFrom - time) + unusualDeadline
    const about = reason === 'missing' ? [...ledger.holes().keys()] : covered(connection)
    verifying = true
    watch()
    const result = await poller.verify(about, Math.min(deadline, timeout))
    verifying = false
    if (connection !== actions.current()) return watch()
    const alive = connection.lastLife !== lastLife
    const found = ledger.newest > newest && connection.brought === brought
    if (reason === 'missing') {
      if (result !== 'answered') missing.askReplacement()
    } else if (result === 'answered') {
      proven(connection, reason === 'quiet')
      if (found) missed(connection, brought)
    } else if (result === 'failed' && !alive) {
      // A question that waits in the browser's queue says nothing about a connection that shows life, and one that was
      // sent on a dead connection of the browser's nothing about any other.
      const doubtful = heartbeat.usual === undefined ? now() - lastLife >= pingtimeout : now() >= silentFrom
      if (!doubtful && attempt < tries) return verify(connection, reason, attempt + 1)
      return actions.dead(connection, gone)
    } else if (result === 'unknown' && (reason !== 'quiet' || !poller.possible)) {
      return replace(connection, Math.min(deadline, timeout))
    } else proven(connection, reason === 'quiet')
    if (found) patience = soon()
    watch()
  }

  /** A long-poll is checked by the next one, which needs no other request. */
  function repoll(connection: Connection, reason: 'silent' | 'unusual' | 'quiet'): void {
    const { lastLife } = connection
    proven(connection, reason === 'quiet')
    proving = connection
    if (connection.repoll?.()) {
      expect(connection, lastLife, reason === 'unusual' ? unusualDeadline : timeout, gone)
    }
    watch()
  }

  /** Without a sign of life until then the connection is dead. */
  function expect(connection: Connection, lastLife: number, deadline: number, why: string): void {
    if (timers.has('deaf')) return
    timers.in('deaf', deadline, () => {
      if (connection === actions.current() && connection.lastLife === lastLife) actions.dead(connection, why)
    })
  }

  /** The connection was checked. */
  function proven(connection: Connection, quiet: boolean): void {
    connection.heartbeat.check()
    connection.verifiedAt = now()
    if (!quiet) return
    // A long-poll is checked by two requests: the one that repeats what is known, and the next.
    const longer = connection.repoll !== undefined && !poller.immediate && !dense ? pingtimeout : 2 * patience
    patience = Math.min(longer, deaf > 0 ? deafRhythm : pingtimeout, pingtimeout)
  }

  /** An answer brought what the connection did not. */
  function missed(connection: Connection, brought: number): void {
    // Its successors were no better: what comes is asked for, and only now and then another connection is tried.
    if (timers.has('deaf') || now() < keptUntil) return
    timers.in('deaf', deafWait, () => {
      if (connection !== actions.current() || connection.brought !== brought) return
      keptUntil = now() + Math.min(mostPatient, deafPatience * 2 ** deaf++)
      if (brought === 0) actions.penalize(connection)
      actions.dead(connection, 'The connection delivers nothing.')
    })
  }

  /** No location answers a question, so a replacement has to show whether the connection was well. */
  function replace(connection: Connection, deadline: number): void {
    proven(connection, dense)
    if (!dense) patience = pingtimeout
    // It is on its way.
    if (timers.has('deaf')) return watch()
    replacing = true
    const { lastLife } = connection
    expect(connection, lastLife, deadline, gone)
    actions.replace()
    watch()
  }

  return {
    covered,
    /** Up to where a ping of this connection proves its channels complete: a deaf connection has pings as well. */
    provenBy: (connection: Connection) =>
      connection.verifiedAt !== undefined || !poller.possible ? connection.newest : -1,
    /** Looks now, as the page or the network came back. */
    check(connection: Connection) {
      void verify(connection, 'silent')
    },
    /** A message came above one that is missing. */
    missing: missing.wait,
    /** Messages may have been missed. `then` is called when the check begins. */
    verifySoon(connection: Connection, then: () => void) {
      // A successor would begin with the same second again, and bring the next burst: it would never get beyond that.
      if (!poller.possible) return then()
      if (timers.has('soon')) return
      timers.in('soon', firstCheck, () => {
        then()
        patience = soon()
        void verify(connection, 'quiet')
      })
    },
    /**
     * A connection was accepted. `reloading`: the one before it may have been ended by a server that reloads, and this
     * one taken in by a worker that never delivers anything.
     */
    accepted(connection: Connection, reloading: boolean) {
      timers.cancel('deaf')
      if (ledger.holes().size > 0) missing.wait()
      proving = replacing ? connection : undefined
      if (reloading) dense = true
      else if (!replacing) dense = deaf > 0
      const { opened, repoll: polls } = connection
      // The first answer of a long-polling chain may still bring what is stored.
      const unanswered = polls !== undefined && !opened && !poller.immediate
      if (!unanswered && (poller.possible || polls !== undefined)) patience = soon()
      else if (deaf > 0) patience = deafRhythm
      else if (!replacing) patience = Math.min(early ? firstReplacement : pingtimeout, pingtimeout)
      replacing = false
      watch()
      if (!reloading || keepAlive !== undefined) return
      // Unless something live shows that it delivers, the connection is replaced once more.
      timers.in('renew', firstCheck * (1 + random()), () => {
        if (connection !== actions.current() || connection.live) return
        replacing = true
        actions.replace()
      })
    },
    /** A connection brought something new. */
    news(connection: Connection) {
      if (connection.live) {
        deaf = 0
        dense = false
      } else if (connection === proving) {
        // It was published while the connection before this one was deaf.
        proving = undefined
        deaf = Math.max(1, deaf)
        dense = true
        patience = Math.min(deafRhythm, pingtimeout)
        return watch()
      }
      // The next poll may go into a worker that is on its way out.
      if (connection.repoll === undefined || deaf > 0 || patience <= 2 * firstCheck) return
      patience = soon()
      watch()
    },
  }
}

export type Health = ReturnType<typeof createHealth>
