import { PushStream } from '../client.js'
import { PushStreamError } from '../errors.js'
import type { ChannelDeleted, Channels, DeadLetter, Gap, Name, Routed, TypeOn } from '../events.js'
import type { Message } from '../message.js'
import { bad, type ClientOptions } from '../options.js'
import { Reader, type ReaderSettings } from './reader.js'
import { createRelay } from './relay.js'
import { Router } from './router.js'

/** What `createUpdates` can be told. All of it is optional. */
export interface UpdatesOptions<C extends Channels>
  extends Pick<
    ClientOptions,
    | 'headers'
    | 'params'
    | 'timeout'
    | 'pingtimeout'
    | 'reconnectOnTimeoutInterval'
    | 'reconnectOnChannelUnavailableInterval'
    | 'signal'
    | 'logger'
    | 'environment'
  > {
  /**
   * A client whose messages go to the same processors, by the names of its channels. It stays yours: `close()` leaves it
   * open. Default: none.
   */
  client?: Pick<PushStream<C>, 'on' | 'off'>
  /**
   * Whether cookies go to other origins. Default `include`, as django-pushserver's script had it: such a server must answer
   * with the page's origin and Allow-Credentials. `same-origin` for servers that allow any origin (`*`).
   */
  credentials?: RequestCredentials
  /**
   * What answers at the addresses: `relay` for Nchan and other Basic HTTP Push Relays, `push-stream` for a long-polling
   * location of the push stream module. Default: what the first answer shows; say it where nobody but you is to decide that.
   */
  server?: 'relay' | 'push-stream'
  /**
   * push_stream_message_template as nginx has it. Only needed where it has no `~time~`, or other keys than the usual; and
   * `'~text~'` where a publisher must not be able to send what looks like a frame.
   */
  messageTemplate?: string
}

/** What `on` can be asked for, and what its listeners get. `channel` is the name. */
export interface UpdatesEvents {
  /** Trouble, and what is done about it. Default, when nobody listens: a warning on the console. */
  error: PushStreamError
  /** Messages that can't be had any more, before the one that follows them. Default: a warning on the console. */
  gap: Gap
  /** What came and is no JSON, or no message at all. Default: a warning on the console, unless a catch-all got it. */
  deadletter: DeadLetter
  /** The channel was deleted on the server. It stays subscribed. */
  channeldeleted: ChannelDeleted
}

/** Messages by channel and type, as django-pushserver's `$.updates` had them. No method needs `this`. */
export interface Updates<C extends Channels> {
  /** The names subscribed, in their order. */
  readonly names: readonly string[]
  /**
   * Subscribes names to addresses, beginning with everything that is stored. An address may be relative to the page, or of
   * another origin. A name that is subscribed already is left as it is, an empty address is ignored.
   *
   * @throws PushStreamError `bad-option` for what is no address; nothing is subscribed then.
   */
  subscribe(channels: { readonly [N in keyof C & string]?: string | null | undefined }): void
  /** Ends the subscription of a name, or all of them. Processors stay; the name can be subscribed anew. */
  unsubscribe(name?: keyof C & string): void
  /**
   * Calls back for the messages of a name with a type, in the order of registration, before or after `subscribe`; what came
   * before is not brought again. `'*'` stands for any name, or any type: a catch-all gets every message, also those
   * without a type, and a text that is no JSON as it is. One that throws is reported as an `error` and disturbs nobody.
   *
   * @returns what takes the processor back.
   */
  registerProcessor<N extends Name<C>, T extends TypeOn<C, N>>(
    name: N,
    type: T,
    process: (data: Routed<C, N, T>, message: Message<Routed<C, N, T>>) => void,
  ): () => void
  /** Calls back for every event of this kind. Returns what takes the listener back. */
  on<K extends keyof UpdatesEvents>(event: K, listener: (event: UpdatesEvents[K]) => void): () => void
  /** Ends everything for good: nothing is left behind, and no processor is called any more. */
  close(): void
}

type Kind = keyof UpdatesEvents
type Listener = (event: never) => void

/** One client for each origin, so that its requests share the few connections a browser makes. */
interface Site {
  readonly client: PushStream
  readonly readers: Map<string, Reader>
}

/** Options that are the client's own. */
const passed: readonly string[] = [
  'headers',
  'params',
  'timeout',
  'pingtimeout',
  'reconnectOnTimeoutInterval',
  'reconnectOnChannelUnavailableInterval',
  'logger',
]

const kinds: readonly Kind[] = ['error', 'gap', 'deadletter', 'channeldeleted']

/** Whether a message's text is no JSON: its data is the text itself then. */
const isPlain = ({ data, text }: Message) => typeof data === 'string' && data === text

const shortened = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** What an event nobody listens to says on the console. */
const warnings: { [K in Kind]?: (event: UpdatesEvents[K]) => unknown[] } = {
  error: (error) => (error.cause === undefined ? [error.message] : [error.message, error.cause]),
  gap: ({ channel, reason }) => [`Updates of '${channel}' are lost, or may be (${reason}).`],
  deadletter: ({ channel, reason, raw }) => [
    `An update of '${channel ?? '?'}' is dropped, ${reason}: ${shortened(raw)}`,
  ],
}

/**
 * Messages by channel and type from addresses that are long-polled: a Basic HTTP Push Relay, Nchan, the push stream module.
 * Each message once and in order; what can't be had any more is announced with a `gap`. Does nothing until something is
 * subscribed.
 *
 * @typeParam C which types of messages come on which names, and what their data is. Default: anything.
 * @throws PushStreamError `bad-option` for an option that is unknown or contradictory.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export function createUpdates<C extends Channels = Record<string, Record<string, any>>>(
  options: UpdatesOptions<C> = {},
): Updates<C> {
  const { client: own, server, messageTemplate, ...more } = options
  const { credentials = 'include', environment = {}, signal, ...rest } = more
  if (server !== undefined && server !== 'relay' && server !== 'push-stream') {
    throw bad(`'server' is 'relay' or 'push-stream'.`)
  }
  if (messageTemplate !== undefined && (server === 'relay' || typeof messageTemplate !== 'string')) {
    throw bad(`'messageTemplate' is the text of push_stream_message_template: no relay has one.`)
  }
  if (own !== undefined && typeof own?.on !== 'function') throw bad(`'client' is a PushStream.`)
  for (const name of Object.keys(rest))
    if (!passed.includes(name)) throw bad(`Unknown option '${name}' of createUpdates.`)
  const settings: ReaderSettings = { server, messageTemplate }
  const router = new Router()
  const listeners = new Map<Kind, readonly Listener[]>()
  const sites = new Map<string, Site>()
  /** The site of each name. */
  const names = new Map<string, string>()
  let closed = false

  const alive = () => {
    if (closed) throw new PushStreamError('closed', 'These updates are closed. Make new ones.')
  }

  function emit<K extends Kind>(kind: K, event: UpdatesEvents[K], quiet = false): void {
    const all = listeners.get(kind) ?? []
    for (const listener of all) {
      try {
        listener(event as never)
      } catch (cause) {
        // A listener of errors that throws would be told of its own error for ever.
        if (kind === 'error') warn(['A listener of errors threw.', cause])
        else emit('error', new PushStreamError('listener', `A listener of '${kind}' threw.`, { cause }))
      }
    }
    if (all.length === 0 && !quiet) warn(warnings[kind]?.(event))
  }

  function warn(values: readonly unknown[] | undefined): void {
    if (values !== undefined) globalThis.console?.warn(...values)
  }

  /** Says how many processors were called. */
  const route = (message: Message): number =>
    router.route(message, (cause) => {
      const { channel } = message
      const what = `A processor of '${channel}' threw. The others go on.`
      emit('error', new PushStreamError('listener', what, { channel, cause }))
    })

  /** What a page subscribed to is JSON. */
  function received(message: Message): void {
    const called = route(message)
    if (!isPlain(message)) return
    const { channel, text: raw } = message
    emit('deadletter', { channel, raw, reason: 'it is no JSON', message, issues: undefined }, called > 0)
  }

  function make(origin: string): Site {
    const readers = new Map<string, Reader>()
    const { fetch = (input, init) => globalThis.fetch(input, init) } = environment
    const told = new WeakSet<Reader>()
    const relay = createRelay(readers, fetch, (reader) => {
      if (told.has(reader)) return
      told.add(reader)
      const advice =
        'Let the server expose it (Access-Control-Expose-Headers: Etag), or equal messages of a second can be taken for one.'
      emit(
        'error',
        new PushStreamError('http', `The answers for '${reader.name}' tell no Etag. ${advice}`, {
          channel: reader.name,
        }),
      )
    })
    const client = new PushStream({
      ...rest,
      url: origin,
      credentials,
      modes: ['longpolling'],
      protocol: relay.protocol,
      environment: { ...environment, fetch: relay.fetch },
    })
    client.on('message', received)
    client.on('gap', (gap) => emit('gap', gap))
    client.on('deadletter', (letter) => emit('deadletter', letter))
    client.on('channeldeleted', (deleted) => emit('channeldeleted', deleted))
    client.on('error', (error) => {
      // A channel that was refused is given up: its name can be subscribed anew.
      if (error.channel !== undefined && error.code !== 'listener') drop(error.channel)
      emit('error', error)
    })
    return { client, readers }
  }

  /** Forgets a name, and the client that nobody needs any more. */
  function drop(name: string): void {
    const origin = names.get(name)
    const site = origin === undefined ? undefined : sites.get(origin)
    if (origin === undefined || site === undefined) return
    names.delete(name)
    site.client.removeChannel(name)
    site.readers.delete(name)
    if (site.readers.size > 0) return
    sites.delete(origin)
    site.client.close()
  }

  function addressOf(name: string, url: unknown): URL {
    const { location } = environment
    const page = location ? `${location.protocol}//${location.hostname}:${location.port}` : globalThis.document?.baseURI
    try {
      const address = new URL(String(url), page ?? globalThis.location?.href)
      if (/^https?:$/.test(address.protocol)) return address
    } catch {
      // Said below.
    }
    throw bad(
      `The url of '${name}' is no address of http or https that a page can ask for: ${String(url).slice(0, 200)}`,
    )
  }

  const forget = (kind: Kind, listener: Listener) => {
    const left = (listeners.get(kind) ?? []).filter((other) => other !== listener)
    if (left.length === 0) listeners.delete(kind)
    else listeners.set(kind, left)
  }

  /** What is to be done when this ends. */
  const endings: (() => void)[] = []

  if (own !== undefined) {
    // Whoever made the client listens to its trouble there; here it is told to who asks for it.
    const forward = <K extends Kind>(kind: K) => {
      const listener = (event: UpdatesEvents[K]) => emit(kind, event, true)
      own.on(kind, listener as never)
      endings.push(() => own.off(kind, listener as never))
    }
    own.on('message', route as never)
    endings.push(() => own.off('message', route as never))
    for (const kind of kinds) forward(kind)
  }

  function close(): void {
    if (closed) return
    closed = true
    for (const name of [...names.keys()]) drop(name)
    for (const end of endings) end()
    router.clear()
    listeners.clear()
  }

  if (signal !== undefined) {
    if (signal.aborted) close()
    else {
      signal.addEventListener('abort', close)
      endings.push(() => signal.removeEventListener('abort', close))
    }
  }

  return {
    get names() {
      return [...names.keys()]
    },

    subscribe(channels) {
      alive()
      if (typeof channels !== 'object' || channels === null) throw bad(`'subscribe' takes an object { name: url }.`)
      const wanted = Object.entries(channels as Record<string, unknown>)
        .filter(([name, url]) => url && !names.has(name))
        .map(([name, url]) => [name, addressOf(name, url)] as const)
      for (const [name, address] of wanted) {
        const { origin } = address
        const site = sites.get(origin) ?? make(origin)
        sites.set(origin, site)
        site.readers.set(name, new Reader(name, address.href, settings))
        names.set(name, origin)
        // Everything that is stored.
        site.client.addChannel(name, { backtrack: 1 }).connect()
      }
    },

    unsubscribe(name) {
      for (const one of name === undefined ? [...names.keys()] : [name]) drop(one)
    },

    registerProcessor(name, type, process) {
      alive()
      if (typeof process !== 'function') throw bad('A processor is a function.')
      return router.add(String(name), String(type), process)
    },

    on(event, listener) {
      alive()
      if (!kinds.includes(event)) throw bad(`There is no event '${String(event)}'. There are ${kinds.join(', ')}.`)
      if (typeof listener !== 'function') throw bad('A listener is a function.')
      const mine: Listener = (value) => (listener as Listener)(value)
      listeners.set(event, [...(listeners.get(event) ?? []), mine])
      return () => forget(event, mine)
    },

    close,
  }
}
