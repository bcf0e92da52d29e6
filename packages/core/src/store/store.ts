import type { Client } from '../client.js'
import { hears } from '../emitter.js'
import type { ErrorCode, PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import type { Message } from '../message.js'
import { createGrace, type Timers } from './grace.js'

/** Any client: a store doesn't look at what channels bring. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it is typed with
export type AnyClient = Client<any>

/** How long a channel that nobody uses stays subscribed, in ms, at least; and twice that at most. */
const grace = 1000

/** A channel that is used. */
interface Used {
  users: number
  /** The application added it itself, so it isn't ours to remove. */
  readonly foreign: boolean
  /** The latest messages, for who comes later. */
  recent: readonly Message[]
  /** How many are kept: as many as anybody asked for, and one. */
  keep: number
  /** The server refused it. */
  error: PushStreamError | undefined
}

/**
 * Counts who uses the channels of a client: the first user subscribes, and some time after the last one has left it is
 * unsubscribed. One for a client, whoever asks.
 */
export interface Store {
  readonly client: AnyClient
  /** What a server renders, and a page until it is alive: the same object always. */
  readonly idle: Status
  /** Calls back when the client's status has changed. Returns what ends that. */
  watch(changed: () => void): () => void
  /** Connects, for as long as it is used. `own`: nobody else has the client, so it is disconnected some time after. */
  connect(own: boolean): () => void
  /** Uses a channel; throws what `addChannel` throws. Returns what is known of it, and what ends the use. */
  use(name: string, backtrack: number): { recent: readonly Message[]; end: () => void }
  /** The latest messages of a channel, oldest first, as far as they are kept. */
  recentOf(name: string): readonly Message[]
  /** Why the server refused a channel. */
  errorOf(name: string): PushStreamError | undefined
  /** Calls back some time later, and all that is due at once. Returns what takes it back. */
  later(end: () => void): () => void
}

/** Errors after which the client has given a channel up. */
const refusals: readonly ErrorCode[] = ['forbidden', 'unauthorized', 'bad-request']

const stores = new WeakMap<AnyClient, Store>()

/** The store of a client, made when it is first asked for. */
export function storeOf(client: AnyClient): Store {
  const found = stores.get(client)
  if (found !== undefined) return found
  const made = createStore(client)
  stores.set(client, made)
  return made
}

/** Makes a store. For tests: everybody else asks for {@link storeOf}. */
export function createStore(client: AnyClient, timers: Timers = globalThis): Store {
  const channels = new Map<string, Used>()
  // By its own name: a browser's timers must be called on the window.
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
        // A closed client: its status changes no more.
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
        // Who comes anew tries anew.
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
