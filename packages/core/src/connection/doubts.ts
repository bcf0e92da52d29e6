import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
import type { Settings } from '../options.js'
import type { Checks } from './checks.js'
import { grace, type Source } from './source.js'
import type { Timers } from './timers.js'

/** How long a hole is waited for before the server is asked, in ms: workers deliver out of order by a few. */
const holeWait = 200
/** How long after a burst of long-poll answers it is checked, in ms. */
const burstWait = 1000
/** How long a connection may take to bring what an audit found, in ms. */
const deafWait = 1000
/** How often the server is asked when nobody answers, about a connection that was not silent for long. */
const attempts = 3
/** How long after the server ended a connection its successor is replaced once more, in ms, at least. */
const renewal = 1000

/** What doubts can ask for. */
export interface DoubtActions {
  /** The connection that counts. */
  current(): Source | undefined
  /** A successor, make before break. */
  change(): void
  /** The connection is dead. */
  dead(source: Source, why: string): void
  /** A mode is put last for a while. */
  demote(source: Source): void
}

/** Doubts about a connection that looks open: silence, holes, channels left behind, servers on their way out. */
export function createDoubts(
  settings: Settings,
  ledger: Ledger,
  checks: Checks,
  timers: Timers,
  actions: DoubtActions,
) {
  let auditing = false
  /** Holes for which a successor was opened. */
  let doubted = new Map<Channel, number | undefined>()

  /** The channels a source was opened for, as far as they are still wanted. */
  const covered = (source: Source | undefined) => ledger.all.filter((channel) => source?.names.has(channel.name))

  /** Of these channels, those that are known less far than the newest message; all, if none is. */
  const stale = (channels: Channel[]) => {
    const behind = channels.filter((channel) => (ledger.known(channel) ?? -1) < ledger.newest)
    return behind.length > 0 ? behind : channels
  }

  /** Asks what the connection should have brought. `forHoles`: only about the channels with holes. */
  async function audit(source: Source, forHoles = false, attempt = 1): Promise<void> {
    if (auditing || source !== actions.current()) return
    if (!checks.auditable) return replace(source)
    const channels = forHoles ? [...ledger.holes().keys()] : stale(covered(source))
    const { brought, lastLife } = source
    const before = ledger.newest
    auditing = true
    const ending = await checks.audit(channels)
    auditing = false
    if (source !== actions.current()) return
    if (ending !== undefined && forHoles) return askSuccessor()
    if (ending !== undefined) {
      // A question that waits in the browser's queue says nothing about a connection that shows life meanwhile, and
      // one that was sent on a dead connection of the browser's nothing about any other.
      if (source.lastLife !== lastLife) return
      const lately = settings.environment.now() - lastLife < settings.pingtimeout
      if (lately && checks.possible && attempt < attempts) return audit(source, false, attempt + 1)
      // The first poll of all may fail because polls are not possible, which says nothing about the connection.
      checks.possible ??= false
      if (!checks.auditable || !checks.possible) return replace(source)
      return actions.dead(source, 'The connection was silent, and asking the server failed.')
    }
    source.checked()
    if (!forHoles && ledger.newest > before && source.brought === brought && !timers.has('deaf')) {
      timers.set('deaf', deafWait, () => {
        if (source !== actions.current() || source.brought !== brought) return
        if (brought === 0) actions.demote(source)
        actions.dead(source, 'The connection did not bring what the server has.')
      })
    }
  }

  /** There is no way to ask beside the connection, so a successor has to show whether it was well. */
  function replace(source: Source): void {
    // It is on its way.
    if (timers.has('deaf')) return
    source.checked()
    const { lastLife } = source
    timers.set('deaf', settings.timeout, () => {
      if (source === actions.current() && source.lastLife === lastLife) {
        actions.dead(source, 'The connection was silent, and no other came about.')
      }
    })
    actions.change()
  }

  function waitForHoles(): void {
    timers.set('hole', holeWait, () => {
      const source = actions.current()
      if (ledger.holes().size === 0 || source === undefined) return
      if (checks.possible !== false) void audit(source, true)
      else askSuccessor()
    })
  }

  /** Nobody answers about the holes: a successor is asked, and what that one did not bring either is gone. */
  function askSuccessor(): void {
    ledger.settle(doubted)
    doubted = ledger.holes()
    if (doubted.size > 0) actions.change()
  }

  /**
   * A silent channel beside a busy one is known to an ever older position, unless it is asked about. Where nobody can be
   * asked, a connection that brings only pings may be deaf: a server may have forgotten who listens.
   */
  function watchStale(before?: Source, brought?: number): void {
    timers.set('stale', settings.pingtimeout, () => {
      const source = actions.current()
      const silent = source !== undefined && source === before && source.brought === brought
      if (silent && settings.protocol.polls === undefined && !settings.protocol.silence) replace(source)
      const channels = covered(source)
      if (source !== undefined && checks.possible && stale(channels).length < channels.length) void audit(source)
      watchStale(source, source?.brought)
    })
  }

  return {
    covered,
    audit,
    /** A message came above a hole. */
    held() {
      if (!timers.has('hole')) waitForHoles()
    },
    /** Long-poll answers came quickly one after the other, and several workers may have made them miss something. */
    burst(source: Source, calm: () => void) {
      // A successor would begin with the same second again, and bring the next burst: it would never get beyond that.
      if (settings.protocol.polls === undefined) return calm()
      if (timers.has('burst')) return
      timers.set('burst', burstWait, () => {
        calm()
        void audit(source)
      })
    },
    /** Accepts a source that can't show by itself that it is well: an answer beside it shows it, else time has to. */
    async prove(source: Source) {
      if (settings.protocol.polls === undefined) {
        // The poll itself may be rejected a little later: by whoever authorises it, for example, who is not asked here.
        if (await checks.knock(covered(source))) source.after(grace, () => source.accept())
        return
      }
      if (checks.possible && (await checks.audit(covered(source))) === undefined) return source.accept()
      if (!checks.possible) source.after(settings.timeout / 5, () => source.accept())
    },
    /**
     * A source was accepted. `failing`: after failures. `dismissed`: the server ended the one before it in good order.
     */
    accepted(source: Source, failing: boolean, dismissed: boolean) {
      for (const channel of covered(source)) {
        if (ledger.unknown(channel)) channel.joined ??= source.openedAt
      }
      if (ledger.holes().size > 0) waitForHoles()
      watchStale(source, source.brought)
      // What ended the connections before may be something that this mode can't take: a poll may bring it.
      if (failing && checks.possible) void audit(source)
      if (!dismissed || source.transport.polls || settings.protocol.silence) return
      // A server that reloads may take the next connection into a worker on its way out, which looks open and delivers
      // nothing. Unless something live shows that it isn't so, the connection is replaced once more.
      timers.set('renew', renewal * (1 + settings.environment.random()), () => {
        if (source === actions.current() && !source.live) actions.change()
      })
    },
  }
}
