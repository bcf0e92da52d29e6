import type { Channel } from '../delivery/channel.js'
import type { Ledger } from '../delivery/ledger.js'
import type { Received } from '../message.js'
import type { Settings } from '../options.js'
import type { RequestKind } from '../protocols/protocol.js'
import { poll as pollOnce, request } from '../transports/http.js'
import type { CloseReason, Position } from '../types.js'
import type { Requests } from './requests.js'

/**
 * How long a long-poll may hang that was sent to learn what is stored, in ms: if there is something, the server answers
 * at once.
 */
const longPollPatience = 2000

/** What a one-shot request brought. */
export interface Polled {
  readonly messages: readonly Received[]
  /** Why it was not answered. */
  readonly ending: CloseReason | undefined
}

/**
 * What is known after a question. `answered`: everything that is stored has come. `unknown`: the server is there, and
 * did not say. `failed`: the server could not be reached.
 */
export type Verified = 'answered' | 'unknown' | 'failed'

/** What an answer may bring besides messages. */
export interface PollEvents {
  message(message: Received): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
}

/** One-shot requests, made only to locations of modes that the application listed. */
export function createPoller(settings: Settings, ledger: Ledger, requests: Requests, events: PollEvents) {
  const { environment, protocol, timeout } = settings
  const { oneShot } = protocol.capabilities
  const offered = settings.transports.map(({ name }) => oneShot[name]).filter((kind) => kind !== undefined)
  /** The best first: a `poll` is always answered at once. What fails is not asked again. */
  const ways = new Set<RequestKind>([...offered.filter((kind) => kind === 'poll'), ...offered])
  const running = new Map<AbortController, unknown>()

  const way = (): RequestKind | undefined => ways.values().next().value

  /** Runs a request that ends by itself, by its deadline or by `stop`. */
  async function limited<T>(deadline: number, run: (abort: AbortController) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const timer = environment.setTimeout(() => abort.abort(), deadline)
    running.set(abort, timer)
    try {
      return await run(abort)
    } finally {
      abort.abort()
      environment.clearTimeout(timer)
      running.delete(abort)
    }
  }

  /** Asks what is stored after a position. Never rejects. */
  function ask(
    kind: RequestKind,
    channels: readonly Channel[],
    position: Position | undefined,
    deadline = timeout,
  ): Promise<Polled> {
    const messages: Received[] = []
    const decoder = protocol.decoder(
      { kind, liveFrom: Number.NEGATIVE_INFINITY, channels: channels.map(({ name }) => name) },
      {
        message: (message) => messages.push(message),
        ping() {},
        deleted: (channel, text) => events.deleted(channel, text),
        dead: (raw, reason) => events.deadletter(raw, reason),
        over() {},
      },
    )
    return limited(deadline, async ({ signal }) => {
      try {
        const exchange = await requests.make(kind, channels, position)
        if (signal.aborted) return { messages, ending: { kind: 'lost' } }
        const ending = await pollOnce(exchange, signal, environment, {
          frame: (text, meta) => decoder.frame(text, meta),
          answered: () => decoder.finish(),
        })
        return { messages, ending: signal.aborted ? { kind: 'lost' } : ending }
      } catch (cause) {
        return { messages, ending: signal.aborted ? { kind: 'lost' } : { kind: 'lost', cause } }
      }
    })
  }

  return {
    /** Whether there is a location to ask. */
    get possible(): boolean {
      return ways.size > 0
    },
    /** Whether its answer comes at once, even if nothing is stored. */
    get immediate(): boolean {
      return way() === 'poll'
    },
    ask,

    /**
     * Asks what these channels should have brought by now, and takes it in. What is still missing then is gone for good.
     */
    async verify(channels: readonly Channel[], deadline: number): Promise<Verified> {
      const kind = way()
      const position = requests.begin(channels)
      if (kind === undefined || (kind !== 'poll' && position === undefined)) return 'unknown'
      const before = ledger.newest
      const missing = ledger.holes()
      for (const channel of missing.keys()) if (!channels.includes(channel)) missing.delete(channel)
      const patience = kind === 'poll' ? deadline : Math.min(deadline, longPollPatience)
      const { messages, ending } = await ask(kind, channels, position, patience)
      if (ending !== undefined) {
        const { action } = protocol.classify(ending)
        // Only an answer to the subscription itself says something about a channel. This one says: ask elsewhere.
        if (action === 'unsupported' || action === 'rejected') {
          ways.delete(kind)
          return this.verify(channels, deadline)
        }
        return ending.kind === 'lost' && (kind === 'poll' || ending.cause !== undefined) ? 'failed' : 'unknown'
      }
      for (const message of messages) events.message(message)
      ledger.settle(missing)
      ledger.witness(channels, before)
      return 'answered'
    },

    /** Whether the server answers at all. OPTIONS is answered at once, where a GET may be a poll that hangs. */
    reachable(kind: RequestKind, channels: readonly Channel[]): Promise<boolean> {
      return limited(timeout, async ({ signal }) => {
        try {
          const exchange = await requests.make(kind, channels, requests.begin(channels))
          return (await request(exchange, signal, environment, 'OPTIONS')).status < 500
        } catch {
          return false
        }
      })
    },

    /** Ends everything that is under way. */
    stop() {
      for (const [abort, timer] of running) {
        abort.abort()
        environment.clearTimeout(timer)
      }
      running.clear()
    },
  }
}

export type Poller = ReturnType<typeof createPoller>
