import type { StandardSchemaV1 } from '@standard-schema/spec'
import mitt from 'mitt'
import { createLanes, type Lanes } from './connection/lanes.js'
import { Processors } from './delivery/processors.js'
import { PushStreamError } from './errors.js'
import type { Callbacks, Channels, ClientEvents, DataOf, Name, Routed, Stats, Status, TypeOn } from './events.js'
import { type Message, messageOf, type Received } from './message.js'
import { bad, type ClientOptions, type Settings, settingsOf } from './options.js'
import { positionOf } from './position.js'
import type { PushStreamSettings } from './protocols/push-stream.js'
import type { Promises } from './types.js'

/** Everything `new PushStream` takes. */
export type Options = ClientOptions & PushStreamSettings & Callbacks

const readyStates: Record<Status['state'], number> = { closed: 0, connecting: 1, waiting: 1, open: 2 }
const same: readonly (keyof Status)[] = ['state', 'mode', 'attempt', 'retryAt', 'error', 'resume', 'gaps']

/**
 * The message that a client is delivering right now, as it came. For `classic/`, whose callbacks say more of a message
 * than a {@link Message} does.
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever the client's types are
export let deliveredBy: (client: PushStream<any>) => Received

/**
 * Receives what is published to channels, each message once and in order, whatever the network does; what can't be had
 * any more is announced with a `gap` event before the next message.
 *
 * @typeParam C which types of messages come on which channels.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class PushStream<C extends Channels = Record<string, Record<string, any>>> implements Callbacks {
  static readonly CLOSED = 0
  static readonly CONNECTING = 1
  static readonly OPEN = 2

  static {
    deliveredBy = (client) => client.#delivered as Received
  }

  onmessage: Callbacks['onmessage']
  onerror: Callbacks['onerror']
  onstatuschange: Callbacks['onstatuschange']
  onchanneldeleted: Callbacks['onchanneldeleted']

  readonly #settings: Settings
  readonly #emitter = mitt<ClientEvents<C>>()
  readonly #listeners = new Map<unknown, Map<string, (event: never) => void>>()
  readonly #processors: Processors
  readonly #lanes: Lanes
  readonly #endings = new Set<() => void>()
  #promises: Promises | undefined
  #delivered: Received | undefined
  #received = 0
  #gaps = 0
  #wanted = false
  #closed = false
  #everOpen = false
  #changing = false
  #status: Status
  #abort: (() => void) | undefined

  /** Throws a `bad-option` error for options that are unknown, contradictory or not of their type. Connects to nothing yet. */
  constructor(options: Options = {}) {
    this.#settings = settingsOf(options)
    this.onmessage = options.onmessage
    this.onerror = options.onerror
    this.onstatuschange = options.onstatuschange
    this.onchanneldeleted = options.onchanneldeleted
    this.#processors = new Processors({
      failed: (cause, message) => this.#listenerFailed('A processor', cause, message.channel),
      invalid: (message, issues) =>
        this.#deadletter(
          message.text,
          `the schema refuses it: ${issues[0]?.message}`,
          message.channel,
          message,
          issues,
        ),
    })
    this.#lanes = createLanes(this.#settings, {
      deliver: (message) => this.#deliver(message),
      gap: (channel, first, last, reason) => {
        this.#gaps++
        this.#emit('gap', { channel, first, last, reason })
      },
      changed: () => this.#update(),
      opened: () => {
        this.#everOpen = true
        this.#emit('open', this.#status)
      },
      refused: (error) => this.#error(error),
      deleted: (channel, text) => {
        this.#emit('channeldeleted', { channel, text })
        this.#callback('onchanneldeleted', () => this.onchanneldeleted?.(channel))
      },
      deadletter: (raw, reason) => this.#deadletter(raw, reason),
      failed: (error) => this.#error(error),
    })
    this.#status = this.#snapshot()
    const { signal } = options
    if (signal !== undefined) {
      this.#abort = () => signal.removeEventListener('abort', abort)
      const abort = () => this.close()
      if (signal.aborted) this.close()
      else signal.addEventListener('abort', abort)
    }
  }

  /** 0 CLOSED, 1 CONNECTING, 2 OPEN, as in pushstream.js. `status` says more. */
  get readyState(): number {
    return readyStates[this.#status.state]
  }

  /** A snapshot: the same object until something changes. */
  get status(): Status {
    return this.#status
  }

  /** Counters since the client was made. */
  get stats(): Stats {
    return {
      received: this.#received,
      duplicates: this.#lanes.duplicates,
      gaps: this.#gaps,
      reconnects: this.#lanes.reconnects,
    }
  }

  /** The names of the channels, in the order they were added. */
  get channels(): readonly string[] {
    return this.#lanes.channels
  }

  /**
   * Subscribes to a channel, now or with `connect`. A working connection is replaced without a loss; calls of one tick
   * are one change. Adding a channel twice changes nothing.
   *
   * @param options.backtrack how many stored messages to begin with (`.bN` of push_stream_channels_path). Default 0.
   * @throws PushStreamError `bad-channel` for a name the server can't be asked for, `bad-option` for a `backtrack` that is none
   * or that the server doesn't have.
   */
  addChannel(name: keyof C & string, options: { backtrack?: number } = {}): this {
    this.#alive()
    const { backtrack = 0 } = options
    if (!Number.isInteger(backtrack) || backtrack < 0)
      throw bad(`'backtrack' is a whole number from 0, not ${backtrack}.`)
    this.#settings.protocol.check(name, backtrack)
    const after = this.#everOpen || backtrack > 0 ? undefined : this.#settings.publishedAfter
    if (this.#lanes.add(name, backtrack, after === undefined ? undefined : positionOf(after, 0))) this.#change()
    return this
  }

  /** Unsubscribes. Nothing of the channel is delivered after this call. */
  removeChannel(name: keyof C & string): this {
    if (this.#lanes.remove(name)) this.#change()
    return this
  }

  /** Unsubscribes from everything. The client connects again when a channel is added. */
  removeAllChannels(): this {
    for (const name of this.channels) this.#lanes.remove(name)
    this.#change()
    return this
  }

  /**
   * Starts receiving. While the client waits to try again, it tries now. Throws `bad-option` where neither an option nor
   * a page says where the server is: a client can be made while a page is rendered on a server, but not connected there.
   */
  connect(): this {
    this.#alive()
    if (this.#settings.hosts.count === 0) {
      throw bad(`There is no page to take the host from: set 'url' or 'host'.`)
    }
    this.#wanted = true
    this.#lanes.connect()
    return this
  }

  /** Stops receiving. What is published until the next `connect` is fetched then, as far as the server stores it. */
  disconnect(): this {
    this.#wanted = false
    this.#lanes.disconnect()
    return this
  }

  /** Ends the client for good: nothing is left behind, and nothing is delivered any more. */
  close(): void {
    if (this.#closed) return
    this.disconnect()
    this.#closed = true
    this.#abort?.()
    for (const end of this.#endings) end()
    this.#emitter.all.clear()
    this.#listeners.clear()
    this.#processors.clear()
  }

  /**
   * Publishes a text to all channels of this client: as a websocket frame in that mode (a server without
   * push_stream_websocket_allow_publish drops it, and says nothing), else by POST to `urlPrefixPublisher`, percent-encoded
   * as the server's template needs it; to Nchan by POST to its `publisher`, for each channel. Rejects with a `send` error.
   */
  async sendMessage(text: string): Promise<void> {
    this.#alive()
    const { channels } = this
    if (channels.length === 0) throw new PushStreamError('send', 'There is no channel to publish to: add one first.')
    const together = this.#settings.protocol.apart ? channels.map((name) => [name]) : [channels]
    await Promise.all(together.map((names) => this.#publish(names, text)))
  }

  async #publish(names: readonly string[], text: string): Promise<void> {
    const { environment, protocol, timeout } = this.#settings
    const { url, body, frame } = protocol.publish(names, text)
    if (frame !== undefined && this.#lanes.send(names[0] as string, frame)) return
    const fail = (message: string, details: object) => new PushStreamError('send', message, details)
    let response: Response
    try {
      response = await environment.fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(timeout) })
    } catch (cause) {
      throw fail('The publisher could not be reached. Try again.', { cause })
    }
    if (response.ok) return
    const { status, headers } = response
    const explain = headers.get('X-Nginx-PushStream-Explain')
    throw fail(`The publisher answered ${status}${explain === null ? '' : `: ${explain}`}`, { status })
  }

  /** Calls back for every event of this kind. A listener that throws is reported as an `error` and disturbs nobody. */
  on<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    return this.#listen(event, listener, false)
  }

  #listen<K extends keyof ClientEvents<C>>(
    event: K,
    listener: (event: ClientEvents<C>[K]) => void,
    once: boolean,
  ): this {
    this.#alive()
    const known = this.#listeners.get(listener) ?? new Map<string, (event: never) => void>()
    if (known.has(event)) return this
    const guarded = (value: ClientEvents<C>[K]) => {
      if (once) this.off(event, listener)
      try {
        listener(value)
      } catch (cause) {
        this.#listenerFailed(`A listener of '${event}'`, cause, undefined, event === 'error')
      }
    }
    known.set(event, guarded)
    this.#listeners.set(listener, known)
    this.#emitter.on(event, guarded)
    return this
  }

  /** Takes a listener back. */
  off<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    const known = this.#listeners.get(listener)
    const guarded = known?.get(event)
    if (guarded !== undefined) {
      this.#emitter.off(event, guarded as (value: ClientEvents<C>[K]) => void)
      known?.delete(event)
      if (known?.size === 0) this.#listeners.delete(listener)
    }
    return this
  }

  /** Calls back once. */
  once<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    return this.#listen(event, listener, true)
  }

  /**
   * Calls back for the messages of a channel with a type (the body's `type`, else the `Event-Type`), in the order of
   * registration; before or after `addChannel`. `'*'` stands for any.
   *
   * @param options.schema a Standard Schema (zod, valibot, …): the processor gets what it makes of the data, and what it
   * refuses becomes a `deadletter`.
   * @returns what takes the processor back.
   */
  registerProcessor<N extends Name<C>, T extends TypeOn<C, N>>(
    channel: N,
    type: T,
    process: (data: Routed<C, N, T>, message: Message<Routed<C, N, T>>) => void,
  ): () => void
  registerProcessor<N extends Name<C>, T extends TypeOn<C, N>, S extends StandardSchemaV1>(
    channel: N,
    type: T,
    process: (data: StandardSchemaV1.InferOutput<S>, message: Message) => void,
    options: { schema: S },
  ): () => void
  registerProcessor(
    channel: string,
    type: string,
    // biome-ignore lint/suspicious/noExplicitAny: the overloads say what it gets
    process: (data: any, message: any) => void,
    options: { schema?: StandardSchemaV1 } = {},
  ): () => void {
    this.#alive()
    if (typeof process !== 'function') throw bad('A processor is a function.')
    return this.#processors.add(channel, type, process, options.schema)
  }

  /** The messages from now on, of one channel or of all, for `for await`. Ends when the client is closed; leaving the loop stops it. */
  messages<N extends keyof C & string>(channel?: N): AsyncIterableIterator<Message<DataOf<C, N>>> {
    this.#alive()
    type Item = Message<DataOf<C, N>>
    const waiting: Item[] = []
    let wake: (() => void) | undefined
    let ended = false
    const listener = (message: Message) => {
      if (channel !== undefined && message.channel !== channel) return
      waiting.push(message as Item)
      wake?.()
    }
    const end = () => {
      ended = true
      this.off('message', listener)
      this.#endings.delete(end)
      wake?.()
    }
    this.on('message', listener)
    this.#endings.add(end)
    return {
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        while (waiting.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        const value = waiting.shift()
        return value === undefined ? { done: true, value: undefined } : { done: false, value }
      },
      async return() {
        waiting.length = 0
        end()
        return { done: true, value: undefined }
      },
    }
  }

  #alive(): void {
    if (this.#closed) throw new PushStreamError('closed', 'This client is closed. Make a new one.')
  }

  /** Changes of one tick are one change of the connection. */
  #change(): void {
    if (!this.#wanted || this.#changing) return
    this.#changing = true
    queueMicrotask(() => {
      this.#changing = false
      if (this.#wanted) this.#lanes.change()
    })
  }

  #deliver(received: Received): void {
    const { channel, dead } = received
    if (dead !== undefined) return this.#deadletter(received.text, dead, channel)
    this.#received++
    if (this.#settings.protocol.promises !== this.#promises) {
      // The first message shows what the template has.
      this.#promises = this.#settings.protocol.promises
      this.#update()
    }
    const message = messageOf(received)
    this.#processors.route(message)
    this.#delivered = received
    this.#emit('message', message as ClientEvents<C>['message'])
    const { onmessage } = this
    if (onmessage) {
      const { body, id, eventId = '', last } = received
      this.#callback('onmessage', () => onmessage(body, id, channel, eventId, last, message.time?.toUTCString()))
    }
  }

  #deadletter(
    raw: string,
    reason: string,
    channel?: string,
    message?: Message,
    issues?: readonly StandardSchemaV1.Issue[],
  ): void {
    this.#emit('deadletter', { channel, raw, reason, message, issues })
  }

  #error(error: PushStreamError): void {
    this.#emit('error', error)
    const { onerror } = this
    if (!onerror) return
    try {
      onerror(error)
    } catch (cause) {
      this.#report(cause)
    }
  }

  #callback(name: string, call: () => void): void {
    try {
      call()
    } catch (cause) {
      this.#listenerFailed(name, cause)
    }
  }

  #listenerFailed(who: string, cause: unknown, channel?: string, silent = false): void {
    // An error listener that throws would be told of its own error for ever.
    if (silent) return this.#report(cause)
    this.#error(
      new PushStreamError('listener', `${who} of the application threw. The message counts as delivered.`, {
        cause,
        channel,
      }),
    )
  }

  #report(cause: unknown): void {
    this.#settings.environment.setTimeout(() => {
      throw cause
    }, 0)
  }

  #emit<K extends keyof ClientEvents<C>>(event: K, value: ClientEvents<C>[K]): void {
    if (!this.#closed) this.#emitter.emit(event, value)
  }

  #snapshot(): Status {
    const { status } = this.#lanes
    const { state, mode } = status
    const { resume, gaps } = this.#settings.protocol.promises
    const last = this.#status as Status | undefined
    return {
      ...status,
      since: last?.state === state && last.mode === mode ? last.since : this.#settings.environment.now(),
      resume,
      gaps,
    }
  }

  #update(): void {
    const before = this.#status
    const now = this.#snapshot()
    if (same.every((key) => before[key] === now[key])) return
    this.#status = now
    this.#emit('status', now)
    if (readyStates[before.state] !== readyStates[now.state]) {
      this.#callback('onstatuschange', () => this.onstatuschange?.(this.readyState))
    }
  }
}
