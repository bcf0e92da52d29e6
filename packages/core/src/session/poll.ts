import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { type IncomingMessage, isPlaced } from '../message.js'
import type { Settings } from '../options.js'
import type { CutTransport, RequestKind } from '../protocols/protocol.js'
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
  readonly messages: readonly IncomingMessage[]
  /** Why it was not answered. */
  readonly ending: CloseReason | undefined
  /** The position that the answer's headers tell. */
  readonly told?: Position | undefined
}

/**
 * What is known after a question. `answered`: everything that is stored has come. `unknown`: the server is there, and
 * did not say. `failed`: the server could not be reached.
 */
export type Verified = 'answered' | 'unknown' | 'failed'

/** What an answer may bring besides messages. */
export interface PollEvents {
  message(message: IncomingMessage): void
  deleted(channel: string, text: string): void
  deadletter(raw: string, reason: string): void
  /** Nothing came from this position on, not even what is known. */
  unrepeated(position: Position | undefined): void
}

/** One-shot requests, made only to locations of modes that the application listed. */
export class Poller {
  readonly #settings: Settings
  readonly #store: ChannelStore
  readonly #requests: Requests
  readonly #events: PollEvents
  /** The best first: a `poll` is always answered at once. What fails is not asked again. */
  readonly #ways: Set<RequestKind>
  /** Each ends a request that is under way. */
  readonly #running = new Set<() => void>()

  constructor(settings: Settings, store: ChannelStore, requests: Requests, events: PollEvents) {
    this.#settings = settings
    this.#store = store
    this.#requests = requests
    this.#events = events
    const { oneShot } = settings.protocol.capabilities
    const offered = settings.transports.map(({ name }) => oneShot[name]).filter((kind) => kind !== undefined)
    this.#ways = new Set([...offered.filter((kind) => kind === 'poll'), ...offered])
  }

  /** Whether there is a location to ask. */
  get possible(): boolean {
    return this.#ways.size > 0
  }

  /** Whether its answer comes at once, even if nothing is stored. */
  get immediate(): boolean {
    return this.#way === 'poll'
  }

  get #way(): RequestKind | undefined {
    return this.#ways.values().next().value
  }

  /** Asks what is stored after a position. Never rejects. */
  ask(
    kind: RequestKind,
    channels: readonly Channel[],
    position: Position | undefined,
    deadline = this.#settings.timeout,
  ): Promise<Polled> {
    const { environment, protocol, transports } = this.#settings
    const messages: IncomingMessage[] = []
    const decoder = protocol.decoder(
      {
        kind,
        liveFrom: Number.NEGATIVE_INFINITY,
        cut: (transports.find(({ name }) => name === kind) as CutTransport | undefined)?.cut,
        channels: [
          ...channels.map(({ name }) => name),
          ...(this.#store.companion === undefined ? [] : [this.#store.companion]),
        ],
      },
      {
        message: (message) => messages.push(message),
        ping() {},
        deleted: (channel, text) => this.#events.deleted(channel, text),
        dead: (raw, reason) => this.#events.deadletter(raw, reason),
        over() {},
      },
    )
    return this.#limited(deadline, async (signal) => {
      let told: Position | undefined
      let ending: CloseReason | undefined
      try {
        const exchange = await this.#requests.make(kind, channels, position)
        if (!signal.aborted) {
          ending = await pollOnce(exchange, signal, environment, {
            frame: (text, meta) => decoder.frame(text, meta),
            answered(answer) {
              decoder.finish()
              told = protocol.positionOf(answer)
            },
          })
        }
      } catch (cause) {
        ending = { kind: 'lost', cause }
      }
      return { messages, ending: signal.aborted ? { kind: 'lost' } : ending, told }
    })
  }

  /** Asks what these channels should have brought by now, and takes it in. What is still missing then is gone for good. */
  async verify(channels: readonly Channel[], deadline: number): Promise<Verified> {
    const kind = this.#way
    const position = this.#requests.begin(channels)
    if (kind === undefined || (kind !== 'poll' && position === undefined)) return 'unknown'
    const before = this.#store.newest
    const missing = this.#store.missing()
    for (const channel of missing.keys()) if (!channels.includes(channel)) missing.delete(channel)
    const patience = kind === 'poll' ? deadline : Math.min(deadline, longPollPatience)
    const { messages, ending } = await this.ask(kind, channels, position, patience)
    if (ending !== undefined) {
      const { action } = this.#settings.protocol.classify(ending)
      // Only an answer to the subscription itself says something about a channel. This one says: ask elsewhere.
      if (action === 'unsupported' || action === 'rejected') {
        this.#ways.delete(kind)
        return this.verify(channels, deadline)
      }
      return ending.kind === 'lost' && (kind === 'poll' || ending.cause !== undefined) ? 'failed' : 'unknown'
    }
    for (const message of messages) {
      // The connection brings this as well, and nothing would show that it is the same.
      if (isPlaced(message)) this.#events.message(message)
    }
    if (messages.length === 0) this.#events.unrepeated(position)
    this.#store.skipMissing(missing)
    this.#store.advanceWatermark(channels, before)
    return 'answered'
  }

  /** Whether the server answers at all, where a GET may hang. `undefined`: a page may not see what it answers. */
  reachable(kind: RequestKind, channels: readonly Channel[], deadline: number): Promise<boolean | undefined> {
    const { environment, protocol } = this.#settings
    const { probe } = protocol.capabilities
    return this.#limited(deadline, async (signal) => {
      try {
        const exchange = await this.#requests.make(kind, channels, this.#requests.begin(channels))
        const { status } = await request(exchange, signal, environment, probe)
        return probe === 'HEAD' ? status === 405 : status < 500
      } catch {
        return signal.aborted ? false : undefined
      }
    })
  }

  /** Ends everything that is under way. */
  stop(): void {
    for (const stop of this.#running) stop()
  }

  /** Runs a request that ends by itself, by its deadline or by `stop`. */
  async #limited<T>(deadline: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { environment } = this.#settings
    const abort = new AbortController()
    const stop = () => {
      abort.abort()
      environment.clearTimeout(timer)
      this.#running.delete(stop)
    }
    const timer = environment.setTimeout(stop, deadline)
    this.#running.add(stop)
    try {
      return await run(abort.signal)
    } finally {
      stop()
    }
  }
}
