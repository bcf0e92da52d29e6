import type { Channel } from '../delivery/channel.js'
import type { CloseReason, Position } from '../types.js'
import { newcomersOf, placeLate, placeNewcomers, unplaceNewcomers } from './bootstrap.js'
import { Connection } from './connection.js'
import { checkEventId } from './event-id.js'
import type { Parts } from './parts.js'
import type { SessionTransport } from './transport.js'

/** How a subscription is made. */
export interface SubscriptionTask {
  /** How long it may take to be accepted, in ms. */
  readonly timeout: number
  /** Whether channels are asked for by their names alone. */
  readonly plain: boolean
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
  /** It was never subscribed: what it seemed to show of its new channels is forgotten. */
  unplace(): void
}

/** Opens a connection for all channels of a session. */
export function subscribe(parts: Parts, transport: SessionTransport, task: SubscriptionTask): Subscription {
  const { settings, store, requests, intake, health } = parts
  const newcomers = newcomersOf(store, settings, task.plain)
  // The new ones first: what comes of any other shows that their stored messages have come.
  const channels = [...store.all].sort((a, b) => Number(newcomers.has(b.name)) - Number(newcomers.has(a.name)))
  const wanted = () => channels.filter((channel) => store.get(channel.name) === channel)
  const make = async (asked: readonly Channel[], position: Position | undefined) => {
    const backtrackOf = ({ name, backtrack }: Channel) => newcomers.get(name) ?? backtrack
    const exchange = await requests.make(transport.name, asked, position, backtrackOf)
    connection.from = position
    return exchange
  }
  const polling = transport.polling?.({ parts, wanted, make, connection: () => connection })
  const next = () => make(wanted(), task.beginning(wanted()))
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
    polling?.next ?? next,
    settings,
    {
      accepted() {
        overdue = !connection.opened
        placeNewcomers(store, connection.openedAt, wanted(), newcomers, before)
        endCheck = checkEventId(connection, parts)
        task.accepted()
      },
      ended: (reason) => task.ended(polling?.ended(reason) ?? reason),
      ping: () => store.advanceWatermark(wanted(), health.provenBy(connection)),
      message(message, history) {
        const channel = history ? store.get(message.channel) : undefined
        if (overdue) placeLate(store, message)
        // What the application did not ask for only shows where the channel stands.
        if (channel?.backtrack === 0) store.startAfter(channel, message)
        else if (polling === undefined) intake.message(message, connection)
        else polling.message(message)
      },
      deleted: (channel, text) => intake.deleted(channel, text, connection),
      deadletter: (raw, reason) => intake.deadletter(raw, reason),
      buffered: () => intake.buffered(connection),
      closed() {
        endCheck?.()
        polling?.stop()
      },
      answered(answer) {
        overdue = false
        polling?.answered(answer)
      },
    },
  )
  connection.repoll = polling?.repoll
  return {
    connection,
    channels,
    asksLast: channels.some((one) => one.backtrack === 0 && newcomers.has(one.name)),
    unplace: () => unplaceNewcomers(connection.openedAt, wanted(), newcomers),
  }
}
