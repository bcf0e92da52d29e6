import { Client } from '../client.js'
import { bad, PushStreamError } from '../errors.js'
import type { Channels } from '../events.js'
import type { Message } from '../message.js'
import { longpolling } from '../modes.js'
import { Reader } from './reader.js'
import { createRelay } from './relay.js'
import type { Reports } from './reports.js'
import type { UpdatesOptions } from './types.js'

/** Requests to one origin share the few connections that a browser makes. */
interface Site {
  readonly origin: string
  readonly client: Client
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

const exposed =
  'Let the server expose it (Access-Control-Expose-Headers: Etag), or equal messages of a second can be taken for one.'

/** Addresses by the names that the page gives them. */
export interface Sites {
  readonly names: readonly string[]
  /** An address of http or https, which may be relative to the page. */
  addressOf(name: string, url: unknown): URL
  /** Follows an address, beginning with everything that is stored. */
  add(name: string, address: URL): void
  /** Forgets a name, and closes the client that no name needs any more. */
  drop(name: string): void
}

/** Follows addresses with one client for each origin. Throws a `bad-option` error for an option that can't be used. */
export function createSites<C extends Channels<C>>(
  options: UpdatesOptions<C>,
  { emit }: Reports,
  received: (message: Message) => void,
): Sites {
  const { client: own, server, messageTemplate, credentials = 'include', environment = {}, ...more } = options
  const { retry = true, signal: _, ...rest } = more
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

  const readers = new Map<string, Reader>()
  /** The site of each name. */
  const sites = new Map<string, Site>()
  const { fetch = (input, init) => globalThis.fetch(input, init) } = environment

  function open(origin: string): Site {
    const relay = createRelay(readers, fetch, retry, (channel) => {
      emit('error', new PushStreamError('http', `The answers for '${channel}' tell no Etag. ${exposed}`, { channel }))
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
    for (const kind of ['gap', 'deadletter', 'channeldeleted'] as const) {
      client.on(kind, (event) => emit(kind, event as never))
    }
    client.on('error', (error) => {
      // A channel that was refused is given up: its name can be subscribed anew.
      if (error.channel !== undefined && error.code !== 'listener') drop(error.channel)
      emit('error', error)
    })
    return { origin, client }
  }

  function drop(name: string): void {
    const site = sites.get(name)
    if (site === undefined) return
    sites.delete(name)
    readers.delete(name)
    site.client.removeChannel(name)
    if (![...sites.values()].includes(site)) site.client.close()
  }

  return {
    get names() {
      return [...sites.keys()]
    },
    addressOf(name, url) {
      const { location } = environment
      const page = location
        ? `${location.protocol}//${location.hostname}:${location.port}`
        : globalThis.document?.baseURI
      try {
        const address = new URL(String(url), page ?? globalThis.location?.href)
        if (/^https?:$/.test(address.protocol)) return address
      } catch {
        // Said below.
      }
      throw bad(
        `The url of '${name}' is no address of http or https that a page can ask for: ${String(url).slice(0, 200)}`,
      )
    },
    add(name, { origin, href }) {
      const site = [...sites.values()].find((one) => one.origin === origin) ?? open(origin)
      sites.set(name, site)
      readers.set(name, new Reader(name, href, options))
      site.client.addChannel(name, { backtrack: 1 }).connect()
    },
    drop,
  }
}
