import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
import { bad, PushStreamError } from '../errors.js'
import type { Received } from '../message.js'
import { eventsource, nativeEventsource } from '../modes/eventsource.js'
import { longpolling } from '../modes/longpolling.js'
import type { Mode } from '../modes/mode.js'
import { stream } from '../modes/stream.js'
import { websocket } from '../modes/websocket.js'
import type { Settings } from '../options.js'
import type { Ending, ModeName } from '../types.js'
import { Checks } from './checks.js'
import { createDoubts } from './doubts.js'
import { LongPollChain } from './longpoll.js'
import { type Context, type Effect, type Event, farewell, initial, step } from './machine.js'
import { ModeMemory } from './memory.js'
import { Requests } from './requests.js'
import { createSifting } from './sifting.js'
import type { Slot } from './slots.js'
import { ageOf, grace, Source } from './source.js'
import { createTimers } from './timers.js'

/** What comes this long after the opening, in ms, is no backlog. */
const backlog = 500
/** How long a connection must last to count as having worked, in ms. */
const lasting = 5000
/** How long a mode that brought nothing is put last, in ms. */
const demotion = 5 * 60_000

/** What the connection tells its client. */
export interface ConnectionEvents {
  changed(): void
  opened(): void
  /** A channel is given up: the server doesn't want it. */
  refused(error: PushStreamError): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  failed(error: PushStreamError): void
}

/** Where connections are few, and others want some too. */
export interface Share {
  /** Whether there are fewer connections than channels, so that none can be kept open. */
  readonly scarce: boolean
  /** Waits for a connection to use. */
  take(): Promise<Slot>
}

/** Keeps one connection to the server for all channels: runs what the machine decides. */
export function createConnection(settings: Settings, ledger: Ledger, events: ConnectionEvents, share?: Share) {
  const { environment, hosts, protocol } = settings
  const modes: Record<ModeName, Mode> = {
    websocket,
    eventsource: settings.nativeEventSource ? nativeEventsource : eventsource,
    stream,
    longpolling,
  }
  const requests = new Requests(settings, ledger)
  const checks = new Checks(settings, ledger, requests, {
    message: receive,
    deleted,
    deadletter: (raw, reason) => events.deadletter(raw, reason),
  })
  const memory = new ModeMemory(environment, settings.origin)
  const timers = createTimers(environment)
  const sifting = createSifting(settings, checks, requests)
  const doubts = createDoubts(settings, ledger, checks, timers, {
    current,
    change: () => dispatch({ type: 'change' }),
    dead,
    demote,
  })
  const sources = new Map<number, Source>()
  const demoted = new Map<ModeName, number>()
  const queue: Event[] = []
  let context: Context = initial
  /** How much the page's clock is ahead of the server's, in ms, at most. */
  let skew = Number.POSITIVE_INFINITY
  let rejection: Ending = { kind: 'lost' }
  /** The same, as it is told if no channel alone is rejected. */
  let rejected: PushStreamError | undefined
  /** The server that this round tries. */
  let host = hosts.current
  let error: PushStreamError | undefined
  let reconnects = -1
  let renewed = false
  let primeFailed = false
  let dismissed = false
  /** What is asked beside the connection counts only while this stays the same. */
  let asking = 0
  let listening: (() => void)[] = []

  function current(): Source | undefined {
    return context.current && sources.get(context.current.key)
  }

  /** The modes wanted, as far as this runtime has them. */
  const usable = (): readonly ModeName[] => {
    const available = settings.modes.filter((mode) => modes[mode].available(environment))
    if (!share?.scarce) return available
    return [...new Set(available.map((mode) => (mode === 'websocket' ? mode : 'longpolling')))]
  }

  /** One event after the other: what a listener sets off waits until the step before it is done. */
  function dispatch(event: Event): void {
    queue.push(event)
    if (queue.length > 1) return
    for (let next: Event | undefined = event; next !== undefined; next = queue[0]) {
      take(next)
      queue.shift()
    }
  }

  function take(event: Event): void {
    const now = environment.now()
    const resting = usable().filter((mode) => (demoted.get(mode) ?? 0) > now)
    const last = (mode: ModeName) => Number(resting.includes(mode))
    const before = context
    const { context: after, effects } = step(before, event, {
      now,
      random: environment.random(),
      autoReconnect: settings.autoReconnect,
      base: settings.backoffBase,
      cap: settings.backoffCap,
      others: hosts.count - 1,
      modes: usable(),
      resting,
      order: [...memory.order(usable())].sort((a, b) => last(a) - last(b)),
    })
    if (after === before) return
    if (after.round !== before.round) host = hosts.current
    if (after.failures > before.failures) hosts.failed(host)
    context = after
    settings.logger?.debug('pushstream', event.type, before.state, after.state, effects)
    const predecessor = before.current && sources.get(before.current.key)
    for (const effect of effects) run(effect)
    // A successor goes on where the one before it was well.
    const successor = current()
    if (predecessor !== undefined && successor !== undefined) successor.worked ||= worked(predecessor)
    events.changed()
    if (before.current === undefined && after.current !== undefined) {
      reconnects++
      events.opened()
    }
  }

  function run(effect: Effect): void {
    if (effect.type === 'prime') void prime()
    else if (effect.type === 'sift') void sift()
    else if (effect.type === 'open') open(effect.key, effect.mode)
    else if (effect.type === 'accept') accepted(effect.mode, effect.lesser)
    else if (effect.type === 'cancel') timers.cancel(effect.name)
    else if (effect.type === 'timer') {
      const { name } = effect
      timers.set(name, effect.ms, () => {
        // Who has opened is about to be accepted or rejected: no reason to start another mode beside it.
        const opening = name === 'headstart' && context.racing.some(({ key }) => sources.get(key)?.opened)
        if (opening) timers.set(name, grace, () => dispatch({ type: name }))
        else dispatch({ type: name })
      })
    } else {
      sources.get(effect.key)?.close()
      sources.delete(effect.key)
    }
  }

  async function prime(): Promise<void> {
    const mine = ++asking
    // Changes of one tick are one change: what is added right after this is primed with it.
    await undefined
    if (mine !== asking) return
    const ending = await checks.prime()
    if (mine !== asking) return
    primeFailed = ending !== undefined
    if (ending === undefined || protocol.verdict(ending) !== 'rejected') return dispatch({ type: 'primed' })
    rejection = ending
    rejected = undefined
    dispatch({ type: 'rejected' })
  }

  function open(key: number, name: ModeName): void {
    const channels = ledger.all
    const wanted = () => channels.filter((channel) => ledger.get(channel.name) === channel)
    const chain = name === 'longpolling' ? new LongPollChain(ledger, requests, protocol, environment.now) : undefined
    const [first] = channels
    const echo =
      chain !== undefined && first !== undefined
        ? protocol.order.echo?.(first, {
            now: environment.now,
            farewell,
            after: (ms, callback) => source.after(ms, callback),
            ask: (after) => checks.poll([first], after, settings.timeout, () => 0),
            message: (message) => receive(message, source),
            doubt: (ending) => source.end(ending),
          })
        : undefined
    let slot: Slot | undefined
    let gone = false
    const next = async () => {
      // What is stored comes one message an answer: it is not to wait for its turn with each of them.
      if (!share?.scarce || !slot?.again()) {
        slot?.release()
        slot = undefined
        if (chain !== undefined && share?.scarce) slot = await share.take()
      }
      // Closed while it waited: nobody else would give the connection back.
      if (gone) slot?.release()
      const pause = chain?.pause ?? 0
      if (pause > 0) await new Promise<void>((resolve) => source.after(pause, resolve))
      const still = wanted()
      const position = chain === undefined ? requests.begin(still) : chain.next(still)
      if (chain !== undefined) echo?.sent(chain.exact)
      const exchange = await requests.make(name, still, position, (channel) => channel.backtrack)
      return slot === undefined ? exchange : { ...exchange, until: slot.until }
    }
    const source: Source = new Source(
      modes[name],
      new Set(channels.map((channel) => channel.name)),
      skew,
      next,
      settings,
      {
        accepted: () => dispatch({ type: 'accepted', key }),
        ended(ending) {
          // A page can't see why a websocket is refused. Where no other mode will be told, an event stream is asked for.
          const blind = ending.kind === 'refused' && settings.modes.every((mode) => mode === 'websocket')
          if (!blind) return ended(key, source, ending)
          const told = sifting.ask(channels, modes.eventsource)
          void told.then((known) => ended(key, source, known?.kind === 'status' ? known : ending))
        },
        idle: () => void doubts.audit(source),
        dead: () => dead(source, 'The pings of the server stopped.'),
        ping: () => ledger.witness(doubts.covered(source), ledger.newest),
        message: (message) => (echo === undefined ? receive(message, source) : echo.message(message)),
        deleted: (channel, text) => deleted(channel, text, source),
        deadletter: (raw, reason) => events.deadletter(raw, reason),
        closed() {
          gone = true
          slot?.release()
          echo?.end()
        },
        answered: (answer) => {
          if (chain?.answered(answer, wanted())) doubts.burst(source, () => chain.calm())
        },
      },
    )
    sources.set(key, source)
    // A request that hangs looks the same on a good network and on none, and so does a stream before its first message.
    const mute = name === 'stream' && protocol.polls !== undefined && settings.modes.length === 1
    if (chain !== undefined || mute) void doubts.prove(source)
  }

  function accepted(mode: ModeName, lesser: boolean): void {
    error = undefined
    renewed = false
    memory.remember(lesser ? mode : undefined)
    if (primeFailed) checks.possible ??= false
    const source = current()
    if (source !== undefined) doubts.accepted(source, context.failures > 0, dismissed)
    dismissed = false
  }

  function ended(key: number, source: Source, ending: Ending): void {
    sources.delete(key)
    // Where the server itself doesn't say so, it may be the network, which says nothing of channels silent so far.
    const said = ending.kind === 'status' || (ending.kind === 'end' && Boolean(ending.status || ending.explain))
    if (protocol.wiped(ending)) ledger.doubt(!said)
    // One that ends before it brings anything may have ended by the position it began with.
    else if (ending.kind === 'lost' && source.brought === 0) ledger.doubt(true)
    let verdict = protocol.verdict(ending)
    const { status, explain } = protocol.explanation(ending)
    if (verdict === 'rejected') {
      rejection = ending
      // Credentials may just have run out: the functions that give them are asked once more.
      const asked = typeof settings.params === 'function' || typeof settings.headers === 'function'
      if (explain === undefined && !renewed && asked) {
        renewed = true
        verdict = 'retry'
      }
    }
    const { cause, kind } = ending
    const what = [source.mode, kind, status, explain && `(${explain})`].filter(Boolean).join(' ')
    const trouble =
      cause instanceof PushStreamError
        ? cause
        : new PushStreamError(status === undefined ? 'unreachable' : 'http', `${what}. The client tries again.`, {
            mode: source.mode,
            status,
            cause,
          })
    // What it was that the server rejected is to be found out first.
    rejected = verdict === 'rejected' ? trouble : undefined
    if (verdict !== 'again' && !rejected) failed(trouble)
    dismissed ||= verdict === 'again' && key === context.current?.key
    const well = worked(source)
    // Again and again accepted, and lost before anything new came: it may be this mode that can't take what comes next.
    if (source.accepted && !well && context.failures > 0) demote(source)
    dispatch({ type: 'ended', key, verdict, worked: well, retryAfter: ending.retryAfter })
    if (rejected && context.state !== 'sifting') failed(rejected)
  }

  /** Whether its end is no failure. */
  function worked(source: Source): boolean {
    return source.accepted && (source.worked || environment.now() - source.openedAt > lasting)
  }

  function failed(trouble: PushStreamError): void {
    error = trouble
    events.failed(trouble)
  }

  function demote({ mode }: Source): void {
    demoted.set(mode, environment.now() + demotion)
  }

  function dead(source: Source, why: string): void {
    if (source !== current()) return
    failed(new PushStreamError('silent', `${why} The client connects anew.`, { mode: source.mode }))
    dispatch({ type: 'dead' })
  }

  function receive(message: Received, source?: Source): void {
    if (source !== undefined) {
      const age = ageOf(message, source.lastLife)
      if (age < skew) skew = age
      if (!source.live && message.position > ledger.newest) source.live = source.lastLife - source.openedAt > backlog
    }
    const outcome = ledger.receive(message, source?.replay)
    if (outcome === 'dropped' || outcome === undefined) return
    if (source !== undefined) source.worked = true
    if (outcome === 'held') doubts.held()
  }

  function deleted(name: string, text: string, source?: Source): void {
    const channel = ledger.get(name)
    if (channel === undefined) return
    ledger.forget(channel)
    events.deleted(name, text)
    // The server doesn't deliver a channel of that name to this connection when it is made again.
    if (source !== undefined && source.mode !== 'longpolling' && ledger.size > 1) dispatch({ type: 'change' })
  }

  /** Gives up the channels that the server rejects, so that the others can go on. */
  async function sift(): Promise<void> {
    const mine = ++asking
    const known = current()?.names
    const candidates = ledger.all.filter((channel) => !known?.has(channel.name))
    const found = await sifting.sift(candidates, rejection, modes[usable()[0] as ModeName])
    if (mine !== asking) return
    if (rejected && found.size === 0) failed(rejected)
    for (const [channel, ending] of found) if (ledger.get(channel.name) === channel) refuse(channel, ending)
    dispatch({ type: 'sifted', left: ledger.size > 0, found: found.size > 0 })
  }

  /** Ends everything that is under way. */
  function rest(): void {
    asking++
    checks.stop()
    dispatch({ type: 'disconnect' })
    timers.clear()
    sifting.stop()
  }

  function refuse({ name }: Channel, ending: Ending): void {
    const { status, explain } = protocol.explanation(ending)
    ledger.remove(name)
    error = new PushStreamError(
      status === 401 ? 'unauthorized' : status === 403 ? 'forbidden' : 'bad-request',
      `The server refuses the channel '${name.slice(0, 80)}' with status ${status}${explain ? ` (${explain})` : ''}. ` +
        'It is given up; the others go on. Check its name and who may subscribe to it, then add it again.',
      { channel: name, status },
    )
    events.refused(error)
  }

  return {
    current,
    get context() {
      return context
    },
    /** The last trouble, until something is accepted. */
    get error() {
      return error
    },
    /** Connections opened after the first. */
    get reconnects() {
      return Math.max(0, reconnects)
    },
    connect() {
      if (usable().length === 0) {
        throw bad(`This runtime has none of the modes ${settings.modes.join(', ')}: use others, or 'environment'.`)
      }
      const { page } = environment
      if (page !== undefined && listening.length === 0) {
        const back = () => {
          const source = current()
          if (source !== undefined) void doubts.audit(source)
          // From the cache it comes back as it was left: closed, and still wanted.
          dispatch({ type: context.state === 'closed' && ledger.size > 0 ? 'connect' : 'back' })
        }
        // Some browsers keep the connections of a page that was left.
        listening = [page.onBack(back), page.onLeave(rest)]
      }
      dispatch({ type: 'connect' })
    },
    /** The mode in use can't be kept: connections have become few. */
    yield() {
      const mode = context.current?.mode
      if (mode !== undefined && !usable().includes(mode)) dispatch({ type: 'change' })
    },
    /** Other channels are wanted now. */
    change: () => dispatch({ type: 'change' }),
    disconnect() {
      for (const stop of listening) stop()
      listening = []
      rest()
    },
  }
}

export type Connection = ReturnType<typeof createConnection>
