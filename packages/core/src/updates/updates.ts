import { type Process, Processors } from '../delivery/processors.js'
import { onAbort } from '../environment.js'
import { bad, PushStreamError } from '../errors.js'
import type { Channels } from '../events.js'
import type { Message } from '../message.js'
import { createReports, type Kind, kinds } from './reports.js'
import { createSites } from './sites.js'
import type { Updates, UpdatesEvents, UpdatesOptions } from './types.js'

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

/**
 * Long-polls addresses of a Basic HTTP Push Relay, Nchan or the push stream module, and calls functions for their
 * messages by channel and type. Each message is delivered once and in order. A `gap` reports messages that are no
 * longer available. Nothing happens until you subscribe.
 *
 * @typeParam C the names, the types of their messages, and the data of each type. Default: any name brings any data.
 * @throws PushStreamError `bad-option` for an option that is unknown or contradictory.
 *
 * @example
 * ```ts
 * import { createUpdates } from '@pushstream/core'
 *
 * const updates = createUpdates()
 * updates.registerProcessor('main', 'answer', ({ value }) => console.log(value))
 * updates.on('gap', ({ channel }) => console.warn(`${channel} has missed something`))
 * updates.subscribe({ main: '/updates/some_id' })
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export function createUpdates<C extends Channels<C> = Record<string, Record<string, any>>>(
  options: UpdatesOptions<C> = {},
): Updates<C> {
  const { client, signal } = options
  const reports = createReports()
  const processors = new Processors((cause, { channel }) => {
    const what = `A processor of '${channel}' threw. The others go on.`
    reports.emit('error', new PushStreamError('listener', what, { channel, cause }))
  })
  const route = (message: Message) => processors.route(message, typeOf)
  const sites = createSites(options, reports, (message) => {
    const called = route(message)
    // What a page subscribed to is JSON.
    if (!isPlain(message)) return
    const { channel, text: raw } = message
    reports.emit('deadletter', { channel, raw, reason: 'it is no JSON', message, issues: undefined }, called > 0)
  })
  /** What is to be done when this ends. */
  const endings: (() => void)[] = []
  let closed = false

  const alive = () => {
    if (closed) throw new PushStreamError('closed', 'These updates are closed. Make new ones.')
  }

  if (client !== undefined) {
    const follow = (event: Kind | 'message', listener: (event: never) => void) => {
      client.on(event as 'error', listener as never)
      endings.push(() => client.off(event as 'error', listener as never))
    }
    follow('message', route)
    // Whoever made the client listens to its errors there.
    for (const kind of kinds) follow(kind, (event: UpdatesEvents[Kind]) => reports.emit(kind, event as never, true))
  }

  const drop = (names: readonly string[]) => {
    for (const name of names) sites.drop(name)
  }

  function close(): void {
    if (closed) return
    closed = true
    drop(sites.names)
    for (const end of endings) end()
    processors.clear()
    reports.clear()
  }

  endings.push(onAbort(signal, close))

  return {
    get names() {
      return sites.names
    },

    subscribe(channels) {
      alive()
      if (typeof channels !== 'object' || channels === null) throw bad(`'subscribe' takes an object { name: url }.`)
      const wanted = Object.entries(channels as Record<string, unknown>)
        .filter(([name, url]) => url && !sites.names.includes(name))
        .map(([name, url]) => [name, sites.addressOf(name, url)] as const)
      for (const [name, address] of wanted) sites.add(name, address)
    },

    unsubscribe: (name) => drop(name === undefined ? sites.names : [name]),

    registerProcessor(name, type, process) {
      alive()
      if (typeof process !== 'function') throw bad('A processor is a function.')
      return processors.add(String(name), String(type), process as Process)
    },

    on(event, listener) {
      alive()
      return reports.on(event, listener)
    },

    close,
  }
}
