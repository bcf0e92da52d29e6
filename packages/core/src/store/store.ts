import type { Client } from '../client.js'
import { hears } from '../emitter.js'
import type { ErrorCode, PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import type { Message } from '../message.js'
import { createGrace, type Timers } from './grace.js'

/** Any client: a store doesn't inspect the data of messages. */
// biome-ignore lint/suspicious/noExplicitAny: any type parameter will do
export type AnyClient = Client<any>

/** An unused channel stays subscribed for at least this long, in ms, and at most twice as long. */
const grace = 1000

/** A channel in use. */
interface Used {
  users: number
  /** The application added it itself, so the store must not remove it. */
  readonly foreign: boolean
  /** The latest messages, for later users. */
  recent: readonly Message[]
  /** How many of them are kept: the largest `backtrack` so far, but at least one. */
  keep: number
  /** Why the server refused it. */
  error: PushStreamError | undefined
}

/**
 * Counts the users of a client's channels. The first user of a channel subscribes, and some time after the last one has
 * left, the channel is unsubscribed. Each client has one store.
 */
export interface Store {
  readonly client: AnyClient
  /** The status on a server, and in a page until it is hydrated. Always the same object. */
  readonly idle: Status
  /** Calls back when the client's status has changed. Returns a function that stops it. */
  watch(changed: () => void): () => void
  /**
   * Connects the client. If the client is the store's `own`, it is disconnected some time after the last use has ended.
   */
  connect(own: boolean): () => void
  /** Uses a channel. Throws like `addChannel`. Returns its latest messages, and a function that ends the use. */
  use(name: string, backtrack: number): { recent: readonly Message[]; end: () => void }
  /** The latest messages of a channel that were kept, oldest first. */
  recentOf(name: string): readonly Message[]
  /** Why the server refused a channel. */
  errorOf(name: string): PushStreamError | undefined
  /** Calls back some time later, together with all that are due. Returns a function that cancels it. */
  later(end: () => void): () => void
}

/** Errors after which the client gives a channel up. */
const refusals: readonly ErrorCode[] = ['forbidden', 'unauthorized', 'bad-request']

const stores = new WeakMap<AnyClient, Store>()

/**
 * The store of a client, created on first use.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { storeOf } from '@pushstream/core/store'
 *
 * const store = storeOf(new PushStream())
 * const disconnect = store.connect(true)
 * const stop = store.watch(() => console.log(store.client.status.state))
 * ```
 */
export function storeOf(client: AnyClient): Store {
  const found = stores.get(client)
  if (found !== undefined) return found
  const made = createStore(client)
  stores.set(client, made)
  return made
}

/** Creates a store. Only for tests: otherwise call {@link storeOf}. */
export function createStore(client: AnyClient, timers: Timers = globalThis): Store {
  const channels = new Map<string, Used>()
  // Called as methods, because a browser's timers must be called on the window.
  const { after: later } = createGrace(grace, {
    setTimeout: (callback, ms) => timers.setTimeout(callback, ms),
    clearTimeout: (timer) => timers.clearTimeout(timer),
  })
  let connections = 0

  client.on('message', (message) => {
    const used = channels.get(message.channel)
    if (used !== undefined) used.recent = [...used.recent, message].slice(-used.keep)
  })
  const refused = (error: PushStreamError) => {
    const used = channels.get(error.channel ?? '')
    if (used !== undefined && refusals.includes(error.code)) used.error = error
  }
  hears.set(refused, () => false)
  client.on('error', refused)

  return {
    client,
    idle: {
      ...client.status,
      state: 'closed',
      mode: undefined,
      attempt: 0,
      retryAt: undefined,
      error: undefined,
      since: 0,
    },
    later,
    watch(changed) {
      try {
        client.on('status', changed)
      } catch {
        // The client is closed, so its status no longer changes.
      }
      return () => client.off('status', changed)
    },
    connect(own) {
      connections++
      client.connect()
      return () => {
        connections--
        if (own) {
          later(() => {
            if (connections === 0) client.disconnect()
          })
        }
      }
    },
    use(name, backtrack) {
      let used = channels.get(name)
      if (used === undefined) {
        const foreign = client.channels.includes(name)
        client.addChannel(name, { backtrack })
        used = { users: 0, foreign, recent: [], keep: 1, error: undefined }
        channels.set(name, used)
      } else if (used.error !== undefined) {
        // A new user retries a refused channel.
        used.error = undefined
        client.addChannel(name, { backtrack })
      }
      const { recent } = used
      used.users++
      used.keep = Math.max(used.keep, backtrack)
      return {
        recent,
        end() {
          if (--used.users > 0) return
          channels.delete(name)
          if (!used.foreign) client.removeChannel(name)
        },
      }
    },
    recentOf: (name) => channels.get(name)?.recent ?? [],
    errorOf: (name) => channels.get(name)?.error,
  }
}
