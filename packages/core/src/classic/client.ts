import { deliveredBy, PushStream } from '../client.js'
import { PushStreamError } from '../errors.js'
import type { Gap, Status } from '../events.js'
import type { Received } from '../message.js'
import { timeOf } from '../position.js'
import type { Position } from '../types.js'
import { ClassicError } from './error.js'
import { type LogLevel, log } from './log.js'
import { ServerNames } from './names.js'
import { baseOf, beginningOf, optionsOf, paramsOf, serverOf } from './options.js'
import { type Failure, guarded, post, type Success } from './post.js'
import { ClassicProperties, type ClassicSettings, modeOf, wrapperOf, wrappersOf } from './properties.js'
import { classicProtocol } from './protocol.js'

/** All clients of the page, each at the place that its `id` says. */
export const PushStreamManager: ClassicPushStream[] = []

const refusals: readonly string[] = ['forbidden', 'unauthorized', 'bad-request']
/** How long a poll must go without a refusal to count as a connection, in ms, where nothing else is known of the server. */
const patience = 500
/** As many stored messages as there are. */
const all = 2 ** 31 - 1

const wrong = (code: 'bad-option' | 'bad-channel', message: string, channel?: string) =>
  new PushStreamError(code, message, { channel })

/**
 * The class of the module's own pushstream.js: its settings, callbacks and states, over the client of today, which
 * connects, resumes and puts in order.
 */
export class ClassicPushStream extends ClassicProperties {
  static readonly CLOSED = 0
  static readonly CONNECTING = 1
  static readonly OPEN = 2
  /** `error`, `info` or `debug`. */
  static LOG_LEVEL = 'error'
  /** The id of an element that shows what is logged, if the page has one. */
  static LOG_OUTPUT_ELEMENT_ID = 'Log4jsLogOutput'

  /** Publishes a text at an address. `success` gets the answer, `error` its status. */
  static sendMessage(url: string, text: string, success?: Success | null, error?: Failure | null): void {
    post((...request) => fetch(...request), url, text, success, error)
  }

  /** Its place in `PushStreamManager`. */
  readonly id: number
  /** 0 CLOSED, also while it waits to try again; 1 CONNECTING; 2 OPEN. */
  readyState = 0
  #wanted = false
  #client: PushStream | undefined
  /** What the client was made of. */
  #made = ''
  #begin = ''
  #madeModes: string
  #names = new ServerNames()
  /** How far each channel has come. */
  readonly #last = new Map<string, Position>()
  /** What is known of channels that are asked for anew, and comes again. */
  #known = new Map<string, Position>()
  /** Channels that the server refused, and when they are asked for again. */
  readonly #refused = new Map<string, unknown>()
  /** The client's. */
  #state: Status['state'] = 'closed'
  /** The timer after which a poll without an answer counts as one that waits for messages. */
  #patience: unknown
  /** What went wrong just now. */
  #trouble: PushStreamError | undefined

  constructor(settings?: ClassicSettings | null) {
    super(settings ?? {})
    this.#madeModes = String(this.modes)
    this.id = PushStreamManager.push(this) - 1
  }

  /** Subscribes, now or with `connect`. Throws for a name that would have to be encoded, and for one that is there. */
  addChannel(channel: string, options?: { backtrack?: number | string } | null): void {
    if (typeof channel !== 'string' || channel === '' || channel === '__proto__' || encoded(channel) !== channel) {
      throw wrong('bad-channel', `Invalid channel name! It is made of letters, digits and -_.!~*'() alone.`, channel)
    }
    if (Object.hasOwn(this.channels, channel)) {
      throw wrong('bad-channel', `Cannot add channel ${channel}: already subscribed`, channel)
    }
    this.#log('info', 'adding channel', channel, options ?? {})
    this.channels[channel] = options ?? {}
    this.channelsCount++
    if (this.#wanted && this.#client !== undefined) this.#add(this.#client, channel)
  }

  /** Unsubscribes: nothing of it comes any more. */
  removeChannel(channel: string): void {
    if (!Object.hasOwn(this.channels, channel)) return
    this.#log('info', 'removing channel', channel)
    delete this.channels[channel]
    this.channelsCount--
    this.#forget(channel)
  }

  /** Unsubscribes from everything. */
  removeAllChannels(): void {
    this.#log('info', 'removing all channels')
    for (const channel of Object.keys(this.channels)) this.#forget(channel)
    this.channels = {}
    this.channelsCount = 0
  }

  /**
   * Starts receiving. While it waits to try again, it tries now. Throws where there is no host, no port, no channel or no
   * mode.
   */
  connect(): void {
    if (!this.host) throw wrong('bad-option', `PushStream host not specified: set 'host'.`)
    if (Number.isNaN(Number(this.port))) throw wrong('bad-option', `PushStream port not specified: set 'port'.`)
    if (!this.channelsCount) throw wrong('bad-option', 'No channels specified: call addChannel first.')
    const modes = String(this.modes)
    if (modes !== this.#madeModes) {
      this.#madeModes = modes
      this.wrappers = wrappersOf(modes.split(/[|,]/), this.environment)
    }
    if (this.wrappers.length === 0) {
      throw wrong('bad-option', `No available support for this browser: it has none of the modes ${modes}.`)
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

  /** Stops receiving. What is published until the next `connect` comes then, as far as the server stores it. */
  disconnect(): void {
    this.#wanted = false
    this.#calm()
    this.#client?.disconnect()
    // The page may have connected again when it was told.
    if (!this.#wanted) this.#setState(ClassicPushStream.CLOSED)
    this.#log('info', 'disconnected')
  }

  /** Publishes a text to all channels: by the websocket where one is open, else by POST to `urlPrefixPublisher`. */
  sendMessage(text: string, success?: Success | null, error?: Failure | null): void {
    const client = this.#client
    if (client?.status.mode === 'websocket') {
      client.sendMessage(text).then(
        () => guarded(success),
        ({ status }: PushStreamError) => guarded(error, status ?? 0),
      )
      return
    }
    const names = Object.keys(this.channels).map(encodeURIComponent).join('/')
    const url = `${baseOf(this)}/${this.urlPrefixPublisher.replace(/^\/+/, '')}?id=${names}`
    post(this.environment.fetch, url, text, success, error)
  }

  #log(level: LogLevel, ...values: unknown[]): void {
    log(ClassicPushStream, level, ...values)
  }

  /** The client for the settings of now. The one there is goes on where it was, unless they were changed. */
  #ready(): PushStream {
    const { lastEventId } = this
    const after = beginningOf(this)
    const options = optionsOf(this)
    const server = serverOf(this)
    const made = JSON.stringify([options, server])
    const begin = JSON.stringify([after, lastEventId])
    // Once something has come, where to begin is known.
    const begun = this.#last.size > 0 || begin === this.#begin
    if (this.#client !== undefined && made === this.#made && begun) return this.#client
    this.#made = made
    this.#begin = begin
    const before = this.#client
    this.#client = undefined
    this.#state = 'closed'
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
      protocol: classicProtocol(server, names, () => mine(() => this.#polling())),
      environment: this.environment,
      logger: { debug: (...values) => this.#log('debug', ...values) },
    })
    const mine = (listener: () => void) => {
      if (client === this.#client) listener()
    }
    client
      .on('message', () => mine(() => this.#deliver(deliveredBy(client))))
      .on('channeldeleted', ({ channel }) => mine(() => this.onchanneldeleted?.(names.of(channel))))
      .on('gap', (gap) => mine(() => this.#gap(names.of(gap.channel), gap)))
      .on('deadletter', ({ reason, raw }) => this.#log('error', 'a frame can not be read:', reason, raw.slice(0, 200)))
      .on('status', (status) => mine(() => this.#follow(status)))
      .on('error', (error) => mine(() => this.#failed(error)))
    this.#client = client
    if (before !== undefined) this.#setState(ClassicPushStream.CLOSED)
    return client
  }

  #add(client: PushStream, name: string): void {
    const asked = Number(this.channels[name]?.backtrack)
    const positioned = this.messagesControlByArgument && Boolean(beginningOf(this) ?? this.lastEventId)
    const backtrack = positioned || !(asked > 0) ? 0 : Math.floor(asked)
    client.addChannel(name, { backtrack: this.#known.has(name) ? 0 : backtrack })
  }

  /** Nothing is known of a channel any more. */
  #forget(name: string): void {
    this.#client?.removeChannel(name)
    this.environment.clearTimeout(this.#refused.get(name))
    this.#refused.delete(name)
    this.#last.delete(name)
    this.#known.delete(name)
  }

  /** Refused channels are asked for by the next `connect`. */
  #calm(): void {
    this.environment.clearTimeout(this.#patience)
    for (const timer of this.#refused.values()) this.environment.clearTimeout(timer)
    this.#refused.clear()
  }

  #deliver(message: Received): void {
    const { channel, position, body, id, eventId, last } = message
    if (position <= (this.#known.get(channel) ?? Number.NEGATIVE_INFINITY)) return
    if (!Number.isNaN(position)) this.#last.set(channel, position)
    // Only an answer to a poll has more than one.
    const alone = this.wrapper?.type !== 'LongPolling' || last
    const time = Number.isNaN(position) ? undefined : new Date(timeOf(position)).toUTCString()
    const values = [body, id, this.#names.of(channel), eventId ?? '', alone, time] as const
    this.#log('debug', 'message', ...values)
    this.onmessage?.(...values)
  }

  #gap(channel: string, { first, last, reason }: Gap): void {
    this.#log('info', 'messages are lost:', channel, first, last, reason)
    this.ongap?.(channel, first, last, reason)
  }

  #setState(state: number): void {
    if (this.readyState === state) return
    this.readyState = state
    this.#log('info', 'status changed', state)
    guarded(this.onstatuschange, state)
  }

  /** Shows the client's state as the classic one. */
  #follow({ state, mode }: Status): void {
    if (mode !== undefined) this.wrapper = this.wrappers.find((one) => modeOf(one) === mode) ?? wrapperOf(mode)
    const before = this.#state
    this.#state = state
    if (state === before) return
    const { environment } = this
    environment.clearTimeout(this.#patience)
    if (state === 'open') return this.#setState(ClassicPushStream.OPEN)
    const type = this.readyState === ClassicPushStream.OPEN ? 'timeout' : 'load'
    const trouble = this.#trouble
    const lost = this.#wanted && (type === 'timeout' || state !== 'connecting') && this.readyState !== 0
    if (lost || state !== 'connecting') this.#setState(ClassicPushStream.CLOSED)
    // A page that is left is no trouble, nor a client that has no channels; a refusal is told of by itself.
    const told = state !== 'closed' || (!this.autoReconnect && this.channelsCount > 0)
    if (lost && told && !refusals.includes(trouble?.code ?? '')) {
      const gone = new PushStreamError('unreachable', 'The connection was lost. The client connects again by itself.')
      this.#tell(new ClassicError(type, trouble ?? gone))
    }
    if (state !== 'connecting' || this.#client?.status.state !== state) return
    this.#setState(ClassicPushStream.CONNECTING)
  }

  /**
   * A long-poll leaves. Not earlier than that may the page be OPEN: until then the position of its channels may be unknown,
   * and what is published would be taken for old.
   */
  #polling(): void {
    if (this.readyState !== ClassicPushStream.CONNECTING) return
    if (this.wrappers.some((wrapper) => modeOf(wrapper) !== 'longpolling')) return
    const { environment } = this
    environment.clearTimeout(this.#patience)
    this.#patience = environment.setTimeout(() => this.#setState(ClassicPushStream.OPEN), patience)
  }

  #tell(error: ClassicError): void {
    this.#log('info', 'error', error.type, error.message)
    guarded(this.onerror, error)
  }

  #failed(error: PushStreamError): void {
    if (error.code === 'listener') {
      // As if nobody stood between the page's function and the browser.
      return guarded(() => {
        throw error.cause
      })
    }
    this.#trouble = error
    const { channel } = error
    const refused = refusals.includes(error.code) && channel !== undefined
    if (refused && this.autoReconnect) this.#again(channel)
    // What follows from it has happened by then.
    queueMicrotask(() => {
      if (this.#trouble === error) this.#trouble = undefined
      if (refused && this.#wanted) this.#tell(new ClassicError('load', error))
    })
  }

  /** Asks for a refused channel later: whoever may see it may change. */
  #again(name: string): void {
    const { environment } = this
    const interval = Number(this.reconnectOnChannelUnavailableInterval) || 60_000
    environment.clearTimeout(this.#refused.get(name))
    const timer = environment.setTimeout(() => {
      this.#refused.delete(name)
      if (this.#client === undefined || !Object.hasOwn(this.channels, name)) return
      const last = this.#last.get(name)
      if (last === undefined) return this.#add(this.#client, name)
      // It had come so far: all that is stored is asked for, and what is known is left out.
      this.#known.set(name, last)
      this.#client.addChannel(name, { backtrack: all })
    }, interval)
    this.#refused.set(name, timer)
  }
}

function encoded(name: string): string | undefined {
  try {
    return encodeURIComponent(name)
  } catch {
    return undefined
  }
}
