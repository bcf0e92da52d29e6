import { Connection } from './connection.js'
import type { Parts } from './parts.js'

/** How long what follows `lastEventId` may take to come, in ms. */
const patience = 1000

/**
 * A server that ignores `lastEventId`, or no longer knows it, sends nothing stored and looks like one that has nothing. Asks
 * it once for the last message of each channel, next to a connection that brought nothing. Returns what ends that.
 */
export function checkEventId(connection: Connection, parts: Parts): (() => void) | undefined {
  const { settings, store, requests, intake, health } = parts
  const { lastEventId, protocol } = settings
  const channels = health.covered(connection).filter(({ backtrack }) => backtrack === 0)
  const asks = lastEventId !== undefined && protocol.capabilities.lastMessage && !intake.eventIdChecked
  if (!asks || channels.length === 0) return undefined
  const ids: (string | undefined)[] = []
  const nothing = () => {}
  let other: Connection | undefined
  const look = () => {
    intake.eventIdChecked = true
    if (store.newest >= 0) return intake.resumed()
    const ask = () => requests.make(connection.mode, channels, undefined, () => 1, true)
    const newcomers = new Map(channels.map(({ name }) => [name, 1]))
    const task = {
      names: new Set(newcomers.keys()),
      newcomers,
      clockOffset: Number.POSITIVE_INFINITY,
      timeout: settings.timeout,
    }
    other = new Connection(connection.transport, task, ask, settings, {
      accepted() {
        other?.close()
        if (ids.includes(lastEventId)) intake.resumed()
        // A message that was published just now may be the last one of its channel, and another session may know the id.
        else if (ids.some(Boolean)) connection.after(patience, () => store.newest < 0 && intake.unresumed())
      },
      message(message) {
        ids.push(message.eventId)
        const channel = message.eventId === lastEventId && store.get(message.channel)
        // Now it is known where the channel stands.
        if (channel && channel.sequence.last === undefined) store.startAfter(channel, message)
      },
      ended: nothing,
      ping: nothing,
      deleted: nothing,
      deadletter: nothing,
      answered: nothing,
      buffered: nothing,
    })
  }
  connection.after(patience, look)
  return () => other?.close()
}
