import { createLanes, type Lanes } from './connection/lanes.js'
import { type Process, Processors } from './delivery/processors.js'
import { Emitter } from './emitter.js'
import { bad, PushStreamError } from './errors.js'
import type { Channels, ClientEvents, Name, Routed, Stats, Status, TypeOn } from './events.js'
import type { Message, Received } from './message.js'
import { type ClientOptions, type Settings, settingsOf } from './options.js'
import { positionOf } from './position.js'
import type { PushStreamSettings } from './protocols/push-stream.js'
import type { Promises } from './types.js'
import { classicCallbacks, classicOnly } from './validate.js'

/** Everything `new PushStream` takes. */
export type Options = ClientOptions & PushStreamSettings

const same: readonly (keyof Status)[] = ['state', 'mode', 'attempt', 'retryAt', 'error', 'resume', 'gaps']

/** What a client lends to functions that are imported apart. */
export interface Internals {
  readonly settings: Settings
  /** Sends a text by the websocket of a channel. `false`: it has none. */
  send(channel: string, text: string): boolean
  /** Called when the client is closed. */
  readonly endings: Set<() => void>
  emit<K extends keyof ClientEvents<Channels>>(event: K, value: ClientEvents<Channels>[K]): void
  /** Reports what a processor threw. */
  failed(cause: unknown, message: Message): void
}

/** Throws a `closed` error for a client that is closed. */
// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
export let internalsOf: (client: PushStream<any>) => Internals

/**
 * Receives what is published to channels, each message once and in order, whatever the network does; what can't be had
 * any more is announced with a `gap` event before the next message.
 *
 * @typeParam C which types of messages come on which channels.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class PushStream<C extends Channels = Record<string, Record<string, any>>> {
  static {
    internalsOf = (client) => {
      client.#alive()
      return {
        settings: client.#settings,
        send: client.#lanes.send,
        endings: client.#endings,
        emit: (event, value) => client.#emit(event, value),
        failed: (cause, message) => client.#processorFailed(cause, message),
      }
    }
    // Assigned, they would be kept and never called.
    for (const name of classicCallbacks) {
      Object.defineProperty(PushStream.prototype, name, {
        set() {
          throw classicOnly(name)
        },
      })
    }
  }

  readonly #settings: Settings
  readonly #emitter = new Emitter<ClientEvents<C>>((event, cause) =>
    // An error listener that throws would be told of its own error for ever.
    event === 'error' ? this.#report(cause) : this.#listenerFailed(`A listener of '${event}'`, cause),
  )
  readonly #processors: Processors
  readonly #lanes: Lanes
  readonly #endings = new Set<() => void>()
  #promises: Promises | undefined
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
    this.#processors = new Processors({
      failed: (cause, message) => this.#processorFailed(cause, message),
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
      refused: (error) => this.#emit('error', error),
      deleted: (channel, text) => this.#emit('channeldeleted', { channel, text }),
      deadletter: (raw, reason) => this.#deadletter(raw, reason),
      failed: (error) => this.#emit('error', error),
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
      throw bad(`There is no page to take the server's address from: set 'url'.`)
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
    this.#emitter.clear()
    this.#processors.clear()
  }

  /** Calls back for every event of this kind. A listener that throws is reported as an `error` and disturbs nobody. */
  on<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    this.#alive()
    this.#emitter.on(event, listener)
    return this
  }

  /** Takes a listener back. */
  off<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    this.#emitter.off(event, listener)
    return this
  }

  /** Calls back once. */
  once<K extends keyof ClientEvents<C>>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    this.#alive()
    this.#emitter.on(event, listener, true)
    return this
  }

  /**
   * Calls back for the messages of a channel with a type: the `type` of the JSON body, else the `Event-Type` it was published
   * with. Processors are called in the order of their registration, which may come before `addChannel`. One that throws is
   * reported as an `error` and disturbs no other. {@link registerWithSchema} checks the data first.
   *
   * @param channel the name of a channel, or `'*'` for any.
   * @param type the type of the messages, or `'*'` for any.
   * @returns a function that takes the processor back.
   * @throws PushStreamError `bad-option` if the processor is not a function, `closed` if the client is closed.
   */
  registerProcessor<N extends Name<C>, T extends TypeOn<C, N>>(
    channel: N,
    type: T,
    process: (data: Routed<C, N, T>, message: Message<Routed<C, N, T>>) => void,
  ): () => void {
    this.#alive()
    if (typeof process !== 'function') throw bad('A processor is a function.')
    return this.#processors.add(channel, type, process as Process)
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

  #deliver(message: Received): void {
    if (message.dead !== undefined) return this.#deadletter(message.text, message.dead, message.channel)
    this.#received++
    if (this.#settings.protocol.promises !== this.#promises) {
      // The first message shows what the template has.
      this.#promises = this.#settings.protocol.promises
      this.#update()
    }
    this.#processors.route(message)
    this.#emit('message', message as ClientEvents<C>['message'])
  }

  #deadletter(raw: string, reason: string, channel?: string): void {
    this.#emit('deadletter', { channel, raw, reason, message: undefined, issues: undefined })
  }

  #processorFailed(cause: unknown, { channel }: Message): void {
    this.#listenerFailed('A processor', cause, channel)
  }

  #listenerFailed(who: string, cause: unknown, channel?: string): void {
    const what = `${who} of the application threw. The message counts as delivered.`
    this.#emit('error', new PushStreamError('listener', what, { cause, channel }))
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
  }
}
