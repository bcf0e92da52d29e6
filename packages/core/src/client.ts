import { Announcer } from './announcer.js'
import { type Process, Processors } from './delivery/processors.js'
import { onAbort } from './environment.js'
import { bad, PushStreamError } from './errors.js'
import type { Channels, ClientEvents, Processor, Stats, Status } from './events.js'
import { type Internals, lend } from './internals.js'
import { type IncomingMessage, messageOf } from './message.js'
import { idle, onBlocked, slow, uncertain } from './notices.js'
import { backtrackOf, type Options, type Settings, settingsOf } from './options.js'
import { positionOf } from './position.js'
import { type Carrier, carrierOf, type NewCarrier } from './session/carrier.js'
import { Pool } from './session/pool.js'
import { nextStatus } from './status.js'
import type { Guarantees, NamedTransports } from './types.js'
import { checkEvent, checkProcessor, refuseClassic } from './validate.js'

/**
 * A {@link PushStream} that ships only the transports it is given.
 *
 * @typeParam C the channels, the types of their messages, and the data of each type. Default: any channel brings any data.
 *
 * @example
 * ```ts
 * import { Client, eventsource, nativeWebSocket } from '@pushstream/core'
 * const stream = new Client({ modes: [nativeWebSocket, eventsource] })
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class Client<C extends Channels<C> = Record<string, Record<string, any>>> {
  static {
    const internals = (client: Client): Internals => {
      client.#alive()
      return {
        settings: client.#settings,
        pool: client.#pool,
        endings: client.#endings,
        emit: (event, value) => client.#announcer.emit(event, value),
        failed: (cause, message) => client.#announcer.threw('A processor', cause, message.channel),
      }
    }
    lend(internals, (client: Client) => client.#delivered as IncomingMessage)
    refuseClassic(Client.prototype)
  }

  /** Never set: a subclass shows its type parameter by it. */
  declare readonly '~channels'?: C

  readonly #settings: Settings
  readonly #announcer: Announcer<C>
  readonly #processors = new Processors((cause, { channel }) => this.#announcer.threw('A processor', cause, channel))
  readonly #pool: Carrier
  readonly #endings = new Set<() => void>()
  #guarantees: Guarantees | undefined
  #delivered: IncomingMessage | undefined
  readonly #counts = { received: 0, gaps: 0 }
  #wanted = false
  #unwatch: (() => void) | undefined
  #closed = false
  #everOpen = false
  #changing = false
  #renewing = false
  #status: Status

  /**
   * Makes a client that is not connected yet.
   *
   * @param named what the names in `modes` stand for. Default: none, so `modes` has to be transports.
   * @throws PushStreamError `bad-option` for an option that is unknown, of the wrong type or only for the classic client.
   */
  constructor(options?: Options, named?: NamedTransports)
  constructor(options: Options = {}, named: NamedTransports = {}, Carried: NewCarrier = Pool) {
    this.#settings = settingsOf(options, named)
    const announcer = new Announcer<C>(this.#settings.environment, () => this.#wanting())
    this.#announcer = announcer
    this.#pool = carrierOf(Carried, this.#settings, {
      deliver: (message) => this.#deliver(message),
      gap: (channel, first, last, reason) => {
        this.#counts.gaps++
        announcer.emit('gap', { channel, first, last, reason })
      },
      changed: () => this.#update(),
      opened: () => announcer.emit('open', this.#status),
      refused: announcer.error,
      deleted: (channel, text) => announcer.emit('channeldeleted', { channel, text }),
      deadletter: (raw, reason) => announcer.deadletter(raw, reason),
      failed: announcer.error,
    })
    this.#status = nextStatus(undefined, this.#pool.status, this.#settings)
    this.#pool.restore = options.persist?.(this)
    this.#endings.add(onAbort(options.signal, () => this.close()))
  }

  /** How the client is. The object stays the same until something changes. The event `status` reports every change. */
  get status(): Status {
    return this.#status
  }

  /** Counters since the client was made. A new object at every access. */
  get stats(): Stats {
    return { ...this.#counts, duplicates: this.#pool.duplicates, reconnects: this.#pool.reconnects }
  }

  /** The names of the channels, in the order they were added. */
  get channels(): readonly string[] {
    return this.#pool.channels
  }

  /**
   * Subscribes to a channel, at once or with `connect`. A working connection is replaced without loss, once for all calls
   * of one tick. Adding a channel twice changes nothing. One that the server refused goes on where it was.
   *
   * @param options.backtrack how many stored messages to begin with (`.bN` of push_stream_channels_path). The server must store
   * them (push_stream_store_messages). Default 0.
   * @throws PushStreamError `bad-channel` if the server can't be asked for this name, `bad-option` if `backtrack` is not a whole
   * number or the server has no such thing, `closed` if the client is closed.
   */
  addChannel(name: keyof C & string, options: { backtrack?: number } = {}): this {
    this.#alive()
    const backtrack = backtrackOf(options)
    this.#settings.protocol.check(name, backtrack)
    if (!this.#wanted && this.channels.length === 0) this.#announcer.notices.begin(this.#announcer.error)
    const after = this.#everOpen || backtrack > 0 ? undefined : this.#settings.publishedAfter
    if (this.#pool.add(name, backtrack, after === undefined ? undefined : positionOf(after, 0))) this.#change()
    return this
  }

  /** Unsubscribes from a channel. None of its messages is delivered after this call. */
  removeChannel(name: keyof C & string): this {
    if (this.#pool.remove(name)) this.#change()
    return this
  }

  /** Unsubscribes from all channels. The client connects again when one is added. */
  removeAllChannels(): this {
    this.#pool.removeAll()
    this.#change()
    return this
  }

  /**
   * Starts receiving. A client that waits for its next attempt tries at once.
   *
   * @throws PushStreamError `bad-option` without `url` where there is no page, as on a server; `closed` if the client is.
   */
  connect(): this {
    this.#alive()
    if (this.#settings.hosts.count === 0) throw bad(`There is no page to take the server's address from: set 'url'.`)
    this.#wanted = true
    this.#unwatch ??= onBlocked(this.#settings, this.#announcer.error)
    this.#announcer.notices.begin(this.#announcer.error)
    this.#pool.connect()
    return this
  }

  /** Stops receiving. The next `connect` fetches the messages that were published meanwhile, if the server stores them. */
  disconnect(): this {
    this.#wanted = false
    this.#announcer.notices.end()
    this.#pool.disconnect()
    return this
  }

  /**
   * Replaces the connection by one with other credentials, without a loss: `params` and `headers` are asked anew. All calls of
   * one tick are one change. A client that is not connected does nothing: its next attempt asks anyway.
   *
   * @throws PushStreamError `closed` if the client is closed.
   *
   * @example
   * ```ts
   * import { PushStream } from '@pushstream/core'
   * const stream = new PushStream({ params: () => ({ token: localStorage.getItem('token') ?? '' }) })
   * addEventListener('storage', () => stream.refresh()) // another tab has signed in
   * ```
   */
  refresh(): this {
    this.#alive()
    this.#change(true)
    return this
  }

  /** Ends the client for good. It leaves no connection, timer or listener behind and delivers nothing more. */
  close(): void {
    if (this.#closed) return
    this.disconnect()
    this.#closed = true
    this.#announcer.close()
    this.#unwatch?.()
    for (const end of this.#endings) end()
    this.#processors.clear()
  }

  /**
   * Calls back for every event of a kind. Adding a listener twice changes nothing. One that throws is reported as an
   * `error` and does not disturb the others.
   *
   * @throws PushStreamError `bad-option` for an event that there is not, `closed` if the client is closed.
   */
  on<K extends keyof ClientEvents<C> & string>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    return this.#listen(event, listener)
  }

  /** Removes a listener that `on` or `once` added. */
  off<K extends keyof ClientEvents<C> & string>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    this.#announcer.emitter.off(event, listener)
    return this
  }

  /** Calls back for the next event of a kind only. */
  once<K extends keyof ClientEvents<C> & string>(event: K, listener: (event: ClientEvents<C>[K]) => void): this {
    return this.#listen(event, listener, true)
  }

  /**
   * Calls back for the messages of a channel with a type: the `type` of the JSON body, else the `Event-Type` it was published
   * with. Processors are called in the order of their registration, which may come before `addChannel`. One that throws is
   * reported as an `error` and disturbs no other. {@link registerWithSchema} checks the data first.
   *
   * @param channel the name of a channel, or `'*'` for any.
   * @param type the type of the messages, or `'*'` for any.
   * @returns a function that removes the processor.
   * @throws PushStreamError `bad-option` if the processor is not a function, `closed` if the client is closed.
   *
   * @example
   * ```ts
   * import { PushStream } from '@pushstream/core'
   * const stop = new PushStream().registerProcessor('user-42', 'answer', ({ value }) => console.log(value))
   * ```
   */
  registerProcessor<
    N extends (keyof C & string) | '*',
    T extends (N extends keyof C ? keyof C[N] & string : string) | '*',
  >(channel: N, type: T, process: Processor<C, N, T>): () => void {
    this.#alive()
    checkProcessor(process)
    return this.#processors.add(channel, type, process as Process)
  }

  #alive(): void {
    if (this.#closed) throw new PushStreamError('closed', 'This client is closed. Make a new one.')
  }

  #listen<K extends keyof ClientEvents<C>>(event: K, call: (event: ClientEvents<C>[K]) => void, once = false): this {
    this.#alive()
    checkEvent(event)
    this.#announcer.emitter.on(event, call, once)
    return this
  }

  /** Changes of one tick are one change of the connection. `renewing`: there are other credentials. */
  #change(renewing = false): void {
    if (!this.#wanted) return
    this.#renewing ||= renewing
    if (this.#changing) return
    this.#changing = true
    queueMicrotask(() => {
      const anew = this.#renewing
      this.#changing = this.#renewing = false
      if (this.#wanted) this.#pool.change(anew)
    })
  }

  #deliver(received: IncomingMessage): void {
    const { channel, dead } = received
    if (dead !== undefined) return this.#announcer.deadletter(received.text, dead, channel)
    this.#counts.received++
    const { guarantees, capabilities } = this.#settings.protocol
    // The first message shows what the template has.
    if (guarantees !== this.#guarantees) {
      this.#guarantees = guarantees
      this.#update()
      if (capabilities.lastMessage && (guarantees.resume !== 'position' || guarantees.gaps !== 'exact')) {
        this.#announcer.error(uncertain())
      }
    }
    const message = messageOf(received)
    this.#processors.route(message)
    this.#delivered = received
    this.#announcer.emit('message', message as ClientEvents<C>['message'])
  }

  /** What keeps messages from coming, if something does. */
  #wanting(): boolean | PushStreamError {
    const { stuck } = this.#pool
    if (this.#wanted && stuck) return slow(stuck)
    // A server that renders may make a client that only the page connects.
    const { count } = this.#settings.hosts
    return (this.#wanted ? this.channels.length === 0 : !this.#everOpen && count > 0) && idle()
  }

  #update(): void {
    const before = this.#status
    this.#status = nextStatus(before, this.#pool.status, this.#settings)
    if (this.#status === before) return
    this.#everOpen ||= this.#status.state === 'open'
    if (this.#status.state === 'waiting' && this.#status.attempt > 0) this.#announcer.notices.failed()
    this.#announcer.emit('status', this.#status)
  }
}
