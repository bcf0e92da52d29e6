import type { Gate } from '../delivery/echo.js'
import { newReplay } from '../delivery/order.js'
import type { Slot } from '../protocols/protocol.js'
import type { Exchange } from '../types.js'
import { LongPollChain } from './longpoll.js'
import { reloadGrace } from './state.js'
import type { Polling, PollingTask } from './transport.js'

/** What a poll repeats comes within this time, in ms. */
const repetition = 1000
/** How long a server may take to notice that a poll was given up, in ms: before that it counts a second subscriber. */
const closing = 50

/** Makes one poll after the other. */
export function createPolling({ parts, wanted, make, connection }: PollingTask): Polling {
  const { settings, store, requests, turns, intake, poller, health } = parts
  const { environment, protocol } = settings
  const chain = new LongPollChain(store, requests, protocol, environment.now)
  const [only, ...others] = wanted()
  /** Holds back what polls bring, where the protocol has such a thing and there is one channel. */
  const echo: Gate | undefined =
    only && others.length === 0
      ? protocol.order.echo?.(only, {
          now: environment.now,
          farewell: reloadGrace,
          after: (ms, callback) => connection().after(ms, callback),
          ask: (after, deadline) => poller.ask('longpolling', [only], after, deadline),
          interrupt,
          message: (message) => intake.message(message, connection()),
          doubt: (reason) => connection().end(reason),
        })
      : undefined
  let slot: Slot | undefined
  let hanging: AbortController | undefined
  let closed = false
  /** A poll was given up for the next one, which was not answered yet. */
  let interrupted = false

  /** Ends the poll that hangs. The next one follows. */
  function interrupt(): void {
    interrupted = echo?.verifies === true
    hanging?.abort()
  }

  async function next(): Promise<Exchange> {
    // What is stored comes one message an answer: it is not to wait for its turn with each of them.
    if (!turns?.scarce || !slot?.again()) {
      slot?.release()
      slot = undefined
      if (turns?.scarce) slot = await turns.take()
    }
    // Closed while it waited: nobody else would give the connection back.
    if (closed) slot?.release()
    const pause = Math.max(chain.pause, interrupted ? closing : 0)
    if (pause > 0) await new Promise<void>((resolve) => connection().after(pause, resolve))
    await echo?.before?.()
    // The application is not asked for credentials any more.
    if (closed) return new Promise(() => {})
    const channels = wanted()
    const position = chain.next(channels)
    echo?.sent(chain.exact)
    const exchange = await make(channels, position)
    connection().since = environment.now()
    hanging = new AbortController()
    return { ...exchange, until: slot?.until ?? hanging.signal }
  }

  function repoll(): boolean {
    const taking = turns?.scarce
    // Who takes turns polls again anyway, and so does who has something to see first.
    if ((taking && !echo?.verifies) || echo?.busy) return false
    const { echoed } = chain
    chain.restart()
    if (!taking) interrupt()
    if (!echo?.verifies) {
      connection().after(repetition, () => chain.echoed || intake.unrepeated(connection().from))
      return echoed
    }
    // As with a new connection, what comes has to follow something known.
    if (!echo.blind) connection().replay = newReplay(environment.now())
    return false
  }

  // Of several channels without numbers, what is repeated proves too little: another connection has to show how it is.
  const repolls = echo?.verifies || Object.keys(protocol.capabilities.oneShot).length > 0
  return {
    next,
    repoll: repolls ? repoll : undefined,
    message: (message) => (echo ? echo.message(message) : intake.message(message, connection())),
    answered(answer) {
      echo?.answered?.(protocol.positionOf(answer))
      interrupted = false
      if (chain.answered(answer, wanted())) health.verifySoon(connection(), () => chain.calm())
    },
    // The server still counts the poll that was given up for this one.
    ended: (reason) => (reason.status === 403 && interrupted ? { kind: 'end', status: 408 } : reason),
    stop() {
      closed = true
      slot?.release()
      echo?.end()
    },
  }
}
