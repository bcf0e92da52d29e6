import { Client } from '../client.js'
import { type Process, Processors } from '../delivery/processors.js'
import { onAbort } from '../environment.js'
import { bad, PushStreamError } from '../errors.js'
import type { Channels } from '../events.js'
import type { Message } from '../message.js'
import { longpolling } from '../transports/http.js'
import { Reader, type ReaderSettings } from './reader.js'
import { createRelay } from './relay.js'
import type { Updates, UpdatesEvents, UpdatesOptions } from './types.js'

type Kind = keyof UpdatesEvents
type Listener = (event: never) => void

/** One client for each origin, so that its requests share the few connections a browser makes. */
interface Site {
  readonly client: Client
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

/** The `type` of a body: what is a number there is registered as that number, or as text. */
function typeOf(message: Message): string | undefined {
  const { data } = message
  if (typeof data === 'object' && data !== null && Object.hasOwn(data, 'type')) {
    const { type } = data as { type: unknown }
    if (typeof type === 'number' || typeof type === 'boolean') return String(type)
  }
  return message.type
}

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
  const { credentials = 'include', environment = {}, retry = true, signal, ...rest } = more
  if (server !== undefined && server !== 'relay' && server !== 'push-stream') {
    throw bad(`'server' is 'relay' or 'push-stream'.`)
  }
  if (messageTemplate !== undefined && (server === 'relay' || typeof messageTemplate !== 'string')) {
    throw bad(`'messageTemplate' is the text of push_stream_message_template: no relay has one.`)
  }
  if (typeof retry !== 'boolean') throw bad(`'retry' is true or false.`)
  if (own !== undefined && typeof own?.on !== 'function') throw bad(`'client' is a PushStream.`)
  for (const name of Object.keys(rest))
    if (!passed.includes(name)) throw bad(`Unknown option '${name}' of createUpdates.`)
  const settings: ReaderSettings = { server, messageTemplate }
  const processors = new Processors({
    failed(cause, { channel }) {
      const what = `A processor of '${channel}' threw. The others go on.`
      emit('error', new PushStreamError('listener', what, { channel, cause }))
    },
  })
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

  const route = (message: Message) => processors.route(message, typeOf)

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
    const relay = createRelay(readers, fetch, retry, (reader) => {
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
    const client = new Client({
      ...rest,
      url: origin,
      credentials,
      modes: [longpolling],
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
    processors.clear()
    listeners.clear()
  }

  endings.push(onAbort(signal, close))

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
      return processors.add(String(name), String(type), process as Process)
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
