import { hears } from '../emitter.js'
import { bad, type PushStreamError } from '../errors.js'
import type { Gap } from '../events.js'
import { deliveredBy } from '../internals.js'
import type { IncomingMessage } from '../message.js'
import { timeOf } from '../position.js'
import { PushStream } from '../push-stream.js'
import { sendMessage } from '../send-message.js'
import type { Position } from '../types.js'
import { checkChannel, checkComplete } from './checks.js'
import { type LogLevel, log } from './log.js'
import { ServerNames } from './names.js'
import { baseOf, beginningOf, ms, optionsOf, paramsOf, serverOf } from './options.js'
import { type Failure, guarded, post, type Success } from './post.js'
import { ClassicProperties, wrappersOf } from './properties.js'
import { classicProtocol } from './protocol.js'
import type { ClassicSettings } from './settings.js'
import { ClassicStates, closed, connecting, open } from './states.js'

/**
 * All classic clients of the page. `PushStreamManager[client.id]` is the client.
 *
 * @example
 * ```ts
 * import { PushStream, PushStreamManager } from '@pushstream/core/classic'
 *
 * const { id } = new PushStream()
 * PushStreamManager[id]?.disconnect()
 * ```
 */
export const PushStreamManager: ClassicPushStream[] = []

/**
 * The class of the module's own pushstream.js, with the same settings, callbacks and states. The modern client does the
 * rest: it connects, resumes and orders messages.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core/classic'
 *
 * const pushstream = new PushStream({ host: 'push.example.org', modes: 'websocket|longpolling' })
 * pushstream.onmessage = (text, id, channel) => console.log(channel, id, text)
 * pushstream.addChannel('news')
 * pushstream.connect()
 * ```
 */
export class ClassicPushStream extends ClassicProperties {
  /** `readyState` of a client that is not connected, or waits for its next attempt. */
  static readonly CLOSED = closed
  /** `readyState` of a client that connects. */
  static readonly CONNECTING = connecting
  /** `readyState` of a client that receives. */
  static readonly OPEN = open
  /** How much every client logs: `error` (default), `info` or `debug`. */
  static LOG_LEVEL = 'error'
  /** The id of an element that shows the last 100 lines of the log, if the page has one. */
  static LOG_OUTPUT_ELEMENT_ID = 'Log4jsLogOutput'

  /**
   * Publishes a text by POST to a push_stream_publisher location, percent-encoded.
   *
   * @param url with the channel, as in `/pub?id=news`.
   * @param success gets the text of the answer.
   * @param error gets the status of an answer other than 200, or 0 if there was none.
   */
  static sendMessage(url: string, text: string, success?: Success | null, error?: Failure | null): void {
    void post((...request) => fetch(...request), url, text, success, error)
  }

  /** Its place in `PushStreamManager`. */
  readonly id: number
  /** 0 CLOSED, also while it waits to try again; 1 CONNECTING; 2 OPEN. */
  readyState = 0
  #wanted = false
  #client: PushStream | undefined
  /** The options of the current client as text, to notice changed settings. */
  #made = ''
  #begin = ''
  #madeModes: string
  #names = new ServerNames()
  /** The position of the latest message, by channel. */
  readonly #last = new Map<string, Position>()
  /** Messages up to this position are dropped as repetitions, by channel: set when a channel is asked for again. */
  #known = new Map<string, Position>()
  /** Refused channels, and the timer until each is asked for again. */
  readonly #refused = new Map<string, unknown>()
  readonly #states: ClassicStates

  constructor(settings?: ClassicSettings | null) {
    super(settings ?? {})
    this.#madeModes = String(this.modes)
    this.id = PushStreamManager.push(this) - 1
    this.#states = new ClassicStates(this, {
      wanted: () => this.#wanted,
      engine: () => this.#client?.status.state,
      retry: (channel) => this.#again(channel),
      log: (...values) => this.#log(...values),
    })
  }

  /**
   * Subscribes to a channel, at once or with `connect`.
   *
   * @param options.backtrack how many stored messages to begin with (`.bN` of push_stream_channels_path). Default 0.
   * @throws PushStreamError `bad-channel` if the name has other characters than letters, digits and `-_.!~*'()`, or if
   * it is subscribed already.
   */
  addChannel(channel: string, options?: { backtrack?: number | string } | null): void {
    checkChannel(channel, this)
    this.#log('info', 'adding channel', channel, options ?? {})
    this.channels[channel] = options ?? {}
    this.channelsCount++
    if (this.#wanted && this.#client !== undefined) this.#add(this.#client, channel)
  }

  /** Unsubscribes from a channel. None of its messages is delivered after this call. */
  removeChannel(channel: string): void {
    if (!Object.hasOwn(this.channels, channel)) return
    this.#log('info', 'removing channel', channel)
    delete this.channels[channel]
    this.channelsCount--
    this.#forget(channel)
  }

  /** Unsubscribes from all channels. */
  removeAllChannels(): void {
    this.#log('info', 'removing all channels')
    for (const channel of Object.keys(this.channels)) this.#forget(channel)
    this.channels = {}
    this.channelsCount = 0
  }

  /**
   * Starts receiving, with the current settings. A client that waits for its next attempt tries at once.
   *
   * @throws PushStreamError `bad-option` if the host, the port or a channel is missing, or the browser has none of the
   * modes.
   */
  connect(): void {
    checkComplete(this)
    const modes = String(this.modes)
    if (modes !== this.#madeModes) {
      this.#madeModes = modes
      this.wrappers = wrappersOf(modes.split(/[|,]/), this.environment)
    }
    if (this.wrappers.length === 0) {
      throw bad(`No available support for this browser: it has none of the modes ${modes}.`)
    }
    this.#wanted = true
    this.#calm()
    const client = this.#ready()
    const wanted = Object.keys(this.channels)
    for (const name of client.channels) if (!wanted.includes(name)) client.removeChannel(name)
    for (const name of wanted) if (!client.channels.includes(name)) this.#add(client, name)
    this.wrapper ??= this.wrappers[0] ?? null
    client.connect()
  }

  /**
   * Stops receiving. The next `connect` fetches the messages that were published meanwhile, if the server stores them
   * (push_stream_store_messages).
   */
  disconnect(): void {
    this.#wanted = false
    this.#calm()
    this.#client?.disconnect()
    // A callback of the page may have connected again.
    if (!this.#wanted) this.#states.set(closed)
    this.#log('info', 'disconnected')
  }

  /**
   * Publishes a text to all channels: by the websocket if one is open (push_stream_websocket_allow_publish), else by
   * POST to `urlPrefixPublisher`.
   *
   * @param success is called when the text was sent. After a POST, it gets the text of the answer.
   * @param error gets the status of an answer other than 200, or 0 if there was none.
   */
  sendMessage(text: string, success?: Success | null, error?: Failure | null): void {
    const client = this.#client
    if (client?.status.mode === 'websocket') {
      sendMessage(client, text).then(
        () => guarded(success),
        ({ status }: PushStreamError) => guarded(error, status ?? 0),
      )
      return
    }
    const names = Object.keys(this.channels).map(encodeURIComponent).join('/')
    const path = this.urlPrefixPublisher.replace(/^\/+/, '')
    const url = `${baseOf(this)}/${path}${path.includes('?') ? '&' : '?'}id=${names}`
    void post(this.environment.fetch, url, text, success, error)
  }

  #log(level: LogLevel, ...values: unknown[]): void {
    log(ClassicPushStream, level, ...values)
  }

  /** The client for the current settings: the existing one, unless they have changed. */
  #ready(): PushStream {
    const { lastEventId } = this
    const after = beginningOf(this)
    const options = optionsOf(this)
    const server = serverOf(this)
    const made = JSON.stringify([options, server])
    const begin = JSON.stringify([after, lastEventId])
    // After the first message, the settings of the beginning no longer matter.
    const begun = this.#last.size > 0 || begin === this.#begin
    if (this.#client !== undefined && made === this.#made && begun) return this.#client
    this.#made = made
    this.#begin = begin
    const before = this.#client
    this.#client = undefined
    this.#states.begin()
    before?.close()
    this.#known = new Map(this.#last)
    const first = Math.min(...this.#last.values())
    const names = new ServerNames()
    this.#names = names
    const from = Number.isFinite(first) ? new Date(timeOf(first)) : after
    const client: PushStream = new PushStream({
      ...options,
      ...(from !== undefined && { messagesPublishedAfter: from }),
      ...(lastEventId && { lastEventId }),
      params: () => paramsOf(this),
      headers: async () => (typeof this.headers === 'function' ? this.headers() : (this.headers ?? {})),
      protocol: classicProtocol(server, names),
      environment: this.environment,
      logger: { debug: (...values) => this.#log('debug', ...values) },
    })
    const mine = (listener: () => void) => {
      if (client === this.#client) listener()
    }
    const failed = (error: PushStreamError) => mine(() => this.#states.failed(error))
    hears.set(failed, () => this.onerror !== null)
    client
      .on('message', () => mine(() => this.#deliver(deliveredBy(client))))
      .on('channeldeleted', ({ channel }) => mine(() => guarded(this.onchanneldeleted?.bind(this), names.of(channel))))
      .on('gap', (gap) => mine(() => this.#gap(names.of(gap.channel), gap)))
      .on('deadletter', ({ reason, raw }) => this.#log('error', 'a frame can not be read:', reason, raw.slice(0, 200)))
      .on('status', (status) => mine(() => this.#states.follow(status)))
      .on('error', failed)
    this.#client = client
    if (before !== undefined) this.#states.set(closed)
    return client
  }

  #add(client: PushStream, name: string): void {
    const asked = Number(this.channels[name]?.backtrack)
    const positioned = this.messagesControlByArgument && Boolean(beginningOf(this) ?? this.lastEventId)
    const backtrack = positioned || !(asked > 0) ? 0 : Math.floor(asked)
    client.addChannel(name, { backtrack: this.#known.has(name) ? 0 : backtrack })
  }

  /** Drops all state of a channel. */
  #forget(name: string): void {
    this.#client?.removeChannel(name)
    this.environment.clearTimeout(this.#refused.get(name))
    this.#refused.delete(name)
    this.#last.delete(name)
    this.#known.delete(name)
  }

  /** Stops the timers of refused channels: the next `connect` asks for them. */
  #calm(): void {
    for (const timer of this.#refused.values()) this.environment.clearTimeout(timer)
    this.#refused.clear()
  }

  #deliver(message: IncomingMessage): void {
    const { channel, position, body, id, eventId, last } = message
    if (position <= (this.#known.get(channel) ?? Number.NEGATIVE_INFINITY)) return
    if (!Number.isNaN(position)) this.#last.set(channel, position)
    // Only the answer to a poll has several messages.
    const alone = this.wrapper?.type !== 'LongPolling' || last
    const time = Number.isNaN(position) ? undefined : new Date(timeOf(position)).toUTCString()
    const values = [body, id, this.#names.of(channel), eventId ?? '', alone, time] as const
    this.#log('debug', 'message', ...values)
    guarded(this.onmessage?.bind(this), ...values)
  }

  #gap(channel: string, { first, last, reason }: Gap): void {
    this.#log('info', 'messages are lost:', channel, first, last, reason)
    guarded(this.ongap?.bind(this), channel, first, last, reason)
  }

  /** Asks for a refused channel later, because permissions may change. */
  #again(name: string): void {
    const { environment } = this
    environment.clearTimeout(this.#refused.get(name))
    const timer = environment.setTimeout(
      () => {
        this.#refused.delete(name)
        if (this.#client !== undefined && Object.hasOwn(this.channels, name)) this.#add(this.#client, name)
      },
      ms(this, 'reconnectOnChannelUnavailableInterval'),
    )
    this.#refused.set(name, timer)
  }
}
