import type { Channel } from '../delivery/channel.js'
import type { Gate } from '../delivery/echo.js'
import { newReplay } from '../delivery/order.js'
import type { Slot } from '../protocols/protocol.js'
import type { CloseReason, Exchange, Position, Transport } from '../types.js'
import { newcomersOf, placeLate, placeNewcomers } from './bootstrap.js'
import { Connection } from './connection.js'
import { checkEventId } from './event-id.js'
import { LongPollChain } from './longpoll.js'
import type { Parts } from './parts.js'
import { reloadGrace } from './state.js'

/** What a poll repeats comes within this time, in ms. */
const repetition = 1000
/** How long a server may take to notice that a poll was given up, in ms: before that it counts a second subscriber. */
const closing = 50

/** How a subscription is made. */
export interface SubscriptionTask {
  /** How long it may take to be accepted, in ms. */
  readonly timeout: number
  /** Whether channels are asked for by their names alone, be it only to see whether the server takes them so. */
  readonly plain: boolean | 'trying'
  /** Where a connection begins that is not a chain of polls. */
  beginning(channels: readonly Channel[]): Position | undefined
  accepted(): void
  ended(reason: CloseReason): void
}

/** A connection for some channels. */
export interface Subscription {
  readonly connection: Connection
  readonly channels: readonly Channel[]
  /** Whether it asks for messages that the application does not want, to learn where channels stand. */
  readonly asksLast: boolean
}

/** Opens a connection for all channels of a session. */
export function subscribe(parts: Parts, transport: Transport, task: SubscriptionTask): Subscription {
  const { settings, store, requests, intake, poller, health } = parts
  const { protocol, environment } = settings
  const newcomers = newcomersOf(store, settings, Boolean(task.plain))
  // The new ones first: what comes of any other shows that their stored messages have come.
  const channels = [...store.all].sort((a, b) => Number(newcomers.has(b.name)) - Number(newcomers.has(a.name)))
  const wanted = () => channels.filter((channel) => store.get(channel.name) === channel)
  const chain = transport.polls ? new LongPollChain(store, requests, protocol, environment.now) : undefined
  const only = channels.length === 1 ? channels[0] : undefined
  const echo: Gate | undefined =
    chain &&
    only &&
    protocol.order.echo?.(only, {
      now: environment.now,
      farewell: reloadGrace,
      after: (ms, callback) => connection.after(ms, callback),
      ask: (after, deadline) => poller.ask('longpolling', [only], after, deadline),
      interrupt: () => asking.interrupt(),
      message: (message) => intake.message(message, connection),
      doubt: (reason) => connection.end(reason),
    })
  const asking = createAsking(parts, transport, task, chain, echo, wanted, newcomers, () => connection)
  const before = store.newest
  /** Accepted without an answer: the first one may bring something stored after all. */
  let overdue = false
  let endCheck: (() => void) | undefined
  const connection: Connection = new Connection(
    transport,
    {
      names: new Set(channels.map(({ name }) => name)),
      newcomers,
      clockOffset: intake.clockOffset,
      timeout: task.timeout,
      companion: store.companion,
    },
    asking.next,
    settings,
    {
      accepted() {
        const joined = connection.opened || task.plain !== 'trying'
        overdue = !connection.opened
        placeNewcomers(store, connection.openedAt, wanted(), newcomers, before, joined)
        endCheck = checkEventId(connection, parts)
        task.accepted()
      },
      ended(reason) {
        // The server still counts the poll that was given up for this one.
        const own = reason.status === 403 && asking.interrupted
        task.ended(own ? { kind: 'end', status: 408 } : reason)
      },
      ping: () => store.advanceWatermark(wanted(), health.provenBy(connection)),
      message(message, history) {
        const channel = history ? store.get(message.channel) : undefined
        if (overdue) placeLate(store, message)
        // What the application did not ask for only shows where the channel stands.
        if (channel?.backtrack === 0) store.startAfter(channel, message)
        else if (echo === undefined) intake.message(message, connection)
        else echo.message(message)
      },
      deleted: (channel, text) => intake.deleted(channel, text, connection),
      deadletter: (raw, reason) => intake.deadletter(raw, reason),
      buffered: () => intake.buffered(connection),
      closed() {
        endCheck?.()
        asking.stop()
        echo?.end()
      },
      answered(answer) {
        echo?.answered?.(protocol.positionOf(answer))
        overdue = false
        asking.interrupted = false
        if (chain?.answered(answer, wanted())) health.verifySoon(connection, () => chain.calm())
      },
    },
  )
  // Of several channels without numbers, what is repeated proves too little: another connection has to show how it is.
  const repolls = echo?.verifies || Object.keys(protocol.capabilities.oneShot).length > 0
  if (chain && repolls) connection.repoll = asking.repoll
  return { connection, channels, asksLast: channels.some((one) => one.backtrack === 0 && newcomers.has(one.name)) }
}

/** Makes the requests of a connection: the one that opens it, or one poll after the other. */
function createAsking(
  { settings, requests, share, intake }: Parts,
  transport: Transport,
  { beginning }: SubscriptionTask,
  chain: LongPollChain | undefined,
  echo: Gate | undefined,
  wanted: () => Channel[],
  newcomers: ReadonlyMap<string, number>,
  connection: () => Connection,
) {
  let slot: Slot | undefined
  let hanging: AbortController | undefined
  let closed = false
  const backtrackOf = ({ name, backtrack }: Channel) => newcomers.get(name) ?? backtrack

  async function next(): Promise<Exchange> {
    // What is stored comes one message an answer: it is not to wait for its turn with each of them.
    if (!share?.scarce || !slot?.again()) {
      slot?.release()
      slot = undefined
      if (chain !== undefined && share?.scarce) slot = await share.take()
    }
    // Closed while it waited: nobody else would give the connection back.
    if (closed) slot?.release()
    const pause = Math.max(chain?.pause ?? 0, asking.interrupted ? closing : 0)
    if (pause > 0) await new Promise<void>((resolve) => connection().after(pause, resolve))
    await echo?.before?.()
    const channels = wanted()
    const position = chain === undefined ? beginning(channels) : chain.next(channels)
    if (chain !== undefined) echo?.sent(chain.exact)
    const exchange = await requests.make(transport.name, channels, position, backtrackOf)
    connection().from = position
    if (chain === undefined) return exchange
    connection().since = settings.environment.now()
    hanging = new AbortController()
    return { ...exchange, until: slot?.until ?? hanging.signal }
  }

  const asking = {
    next,
    /** A poll was given up for the next one, which was not answered yet. */
    interrupted: false,
    /** Ends the poll that hangs. The next one follows. */
    interrupt() {
      asking.interrupted = echo?.verifies === true
      hanging?.abort()
    },
    /** Sends the next poll at once. Returns whether the server is known to answer it at once. */
    repoll(): boolean {
      const taking = share?.scarce
      // Who takes turns polls again anyway, and so does who has something to see first.
      if (chain === undefined || (taking && !echo?.verifies) || echo?.busy) return false
      const { echoed } = chain
      chain.restart()
      if (!taking) asking.interrupt()
      if (!echo?.verifies) {
        connection().after(repetition, () => chain.echoed || intake.unrepeated(connection().from))
        return echoed
      }
      // As with a new connection, what comes has to follow something known.
      if (!echo.blind) connection().replay = newReplay(settings.environment.now())
      return false
    },
    stop() {
      closed = true
      slot?.release()
    },
  }
  return asking
}
