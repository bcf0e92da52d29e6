import type { Channels, DataOf } from '@pushstream/core'
import { badOption } from './errors.js'
import type { Publisher } from './publisher.js'
import { ChannelQueue } from './queue.js'
import { aborted } from './sender.js'
import type { ChannelStats } from './servers/server.js'
import type { CallOptions, PublishOptions, TypeOf } from './types.js'

type Eventually<T> = T | Promise<T>

/** Stores which key has which channel. With several processes, use a shared database. Default: the process's memory. */
export interface ChannelStore {
  /** The channel of a key, or `undefined` or `null` if it has none. */
  get(key: string): Eventually<string | undefined | null>
  /**
   * Stores a channel for a key that has none (`SET key channel NX`, `INSERT … ON CONFLICT DO NOTHING`). Returns the
   * stored channel, which is another one if a concurrent call was faster.
   */
  add(key: string, channel: string): Eventually<string>
  /** Forgets a key. */
  delete(key: string): Eventually<unknown>
  /** All keys and channels, for `broadcast` and `closeAll`. */
  entries(): Iterable<readonly [key: string, channel: string]> | AsyncIterable<readonly [key: string, channel: string]>
}

/**
 * Keeps channels in memory until the process ends.
 *
 * @example
 * ```ts
 * import { ChannelManager, memoryStore, Publisher } from '@pushstream/publisher'
 *
 * const store = memoryStore()
 * const channels = new ChannelManager({ publisher: new Publisher({ url: 'http://127.0.0.1:9080' }), store })
 * ```
 */
export function memoryStore(): ChannelStore {
  const channels = new Map<string, string>()
  return {
    get: (key) => channels.get(key),
    add(key, channel) {
      const there = channels.get(key)
      if (there === undefined) channels.set(key, channel)
      return there ?? channel
    },
    delete(key) {
      channels.delete(key)
    },
    entries: () => [...channels],
  }
}

/**
 * The options of `new ChannelManager`.
 *
 * @example
 * ```ts
 * import { ChannelManager, Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * const carts = new ChannelManager({ publisher, prefix: 'cart-' })
 * ```
 */
export interface ChannelManagerOptions<C extends Channels<C>> {
  publisher: Publisher<C>
  /** The prefix of channel names. Default `user-`. */
  prefix?: string
  store?: ChannelStore
}

/** The channels of a publisher that begin with this prefix. */
export type Beginning<C extends Channels<C>, P extends string> = keyof C & `${P}${string}`

/**
 * Gives each user or each session a channel of its own. No one can guess its name, and it is open from login to
 * sign-out. A key is the application's id of a user or a session.
 *
 * @typeParam P the prefix of the channels' names.
 *
 * @example
 * ```ts
 * import { ChannelManager, Publisher } from '@pushstream/publisher'
 *
 * const channels = new ChannelManager({ publisher: new Publisher({ url: 'http://127.0.0.1:9080' }) })
 * const name = await channels.allocate('session-1') // 'user-5f0c…': give it to the page
 * await channels.push('session-1', { type: 'answer', value: 42 })
 * await channels.close('session-1') // at the sign-out
 * ```
 */
export class ChannelManager<C extends Channels<C>, P extends string = 'user-'> {
  readonly #publisher: Publisher<C>
  readonly #prefix: string
  readonly #store: ChannelStore
  /** The calls for each key, one after the other. */
  readonly #queue = new ChannelQueue()

  /** Throws `bad-option`. */
  constructor(options: ChannelManagerOptions<C> & { prefix?: P }) {
    const { publisher, prefix = 'user-', store = memoryStore(), ...others } = options
    for (const name of Object.keys(others)) throw badOption(`There is no option '${name}'.`)
    if (typeof publisher?.publish !== 'function') throw badOption(`'publisher' must be a Publisher.`)
    // A slash separates channels, and other characters have a meaning in a URL or a configuration.
    if (!/^[\w.-]*$/.test(prefix)) throw badOption(`'prefix' may contain only letters, digits, '_', '-' and '.'.`)
    this.#publisher = publisher
    this.#prefix = prefix
    this.#store = store
  }

  /**
   * Returns the channel of a key, or creates one, and opens it on the server. Call it at each login and for each page,
   * because it also reopens a channel that the server has lost. The name has 128 random bits.
   */
  allocate(key: string, options: CallOptions = {}): Promise<Beginning<C, P>> {
    return this.#inTurn(key, options, async () => {
      const channel = (await this.channelOf(key)) ?? (await this.#add(key))
      await this.#publisher.open(channel, options)
      return channel
    })
  }

  /** The channel of a key, if it has one. Only asks the store, not the server. */
  async channelOf(key: string): Promise<Beginning<C, P> | undefined> {
    // Databases return null for a missing key.
    return ((await this.#store.get(key)) ?? undefined) as Beginning<C, P> | undefined
  }

  /** Whether a key has a channel that exists on the server. */
  async isOpen(key: string, options: CallOptions = {}): Promise<boolean> {
    const channel = await this.channelOf(key)
    return channel !== undefined && (await this.#publisher.exists(channel, options))
  }

  /**
   * Publishes to the channel of a key, if it is open. Otherwise it resolves with `undefined` and does not create the
   * channel, because no one can read it.
   *
   * @param options.check whether to ask the server first. Default true. `false` saves a request, but the message
   * creates a channel that the server has forgotten.
   */
  push(
    key: string,
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> & { check?: boolean } = {},
  ): Promise<ChannelStats | undefined> {
    const { check = true, ...rest } = options
    // No sign-out of this process runs between the check and the message, which would create the channel again.
    return this.#inTurn(key, options, async () => {
      const channel = await this.channelOf(key)
      if (channel === undefined) return undefined
      if (check && !(await this.#publisher.exists(channel, rest))) return undefined
      return this.#publisher.publish(channel, data, rest)
    })
  }

  /** Publishes to the channels of all keys, whether or not they exist on the server. */
  async broadcast(
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> = {},
  ): Promise<ChannelStats[]> {
    return this.#inTurn([...(await this.#entries()).keys()], options, async (keys) => {
      // Some keys may have signed out while this call was waiting.
      const now = await this.#entries()
      const channels = keys.flatMap((key) => now.get(key) ?? [])
      // biome-ignore lint/suspicious/noExplicitAny: all of them have the prefix
      return this.#publisher.publish(channels as any, data as any, options as any) as unknown as ChannelStats[]
    })
  }

  /** Deletes the channel of a key at sign-out, and forgets the key. Resolves with whether it had a channel. */
  close(key: string, options: CallOptions & { text?: string } = {}): Promise<boolean> {
    return this.#inTurn(key, options, async () => {
      const channel = await this.channelOf(key)
      if (channel === undefined) return false
      // Delete it first, so that a failed call can be repeated.
      await this.#publisher.delete(channel, options)
      await this.#store.delete(key)
      return true
    })
  }

  /** Closes all channels. Rejects with the first error after all calls are settled. */
  async closeAll(options: CallOptions & { text?: string } = {}): Promise<void> {
    await all([...(await this.#entries()).keys()].map((key) => this.close(key, options)))
  }

  /**
   * Forgets the keys whose channels no longer exist on the server: of users who left without a sign-out, after the
   * server's `push_stream_message_ttl` or `nchan_message_timeout`. Call it regularly, or the store grows forever. A
   * user who is still there gets another channel from the next `allocate`. Resolves with the number of forgotten keys.
   */
  async prune(options: CallOptions = {}): Promise<number> {
    const gone = await all(
      [...(await this.#entries()).keys()].map((key) =>
        this.#inTurn(key, options, async () => {
          const channel = await this.channelOf(key)
          if (channel === undefined || (await this.#publisher.exists(channel, options))) return false
          // The publisher must forget the name, too.
          await this.#publisher.delete(channel, options)
          await this.#store.delete(key)
          return true
        }),
      ),
    )
    return gone.filter(Boolean).length
  }

  /** Calls for a key run one after the other. Of a concurrent login and sign-out, the later one decides. */
  #inTurn<K extends string | readonly string[], T>(
    keys: K,
    { signal }: CallOptions,
    work: (keys: K) => Promise<T>,
  ): Promise<T> {
    const each = typeof keys === 'string' ? [keys] : keys
    if (!Array.isArray(each) || each.some((key) => typeof key !== 'string' || key === '')) {
      return Promise.reject(badOption('A key must be a non-empty string: the id of a user or a session.'))
    }
    return this.#queue.run(
      each,
      () => work(keys),
      signal,
      () => aborted([], 'no', signal as AbortSignal),
    )
  }

  async #add(key: string): Promise<Beginning<C, P>> {
    const made = this.#prefix + unguessable()
    const kept = await this.#store.add(key, made)
    // A store that returns something else, such as the 'OK' of Redis, would give everyone the same channel.
    if (kept !== made && (typeof kept !== 'string' || kept !== (await this.#store.get(key)))) {
      throw badOption(
        `'store.add' must resolve with the channel that is stored for the key, not with ${JSON.stringify(kept)}.`,
      )
    }
    return kept as Beginning<C, P>
  }

  async #entries(): Promise<Map<string, string>> {
    const entries = new Map<string, string>()
    for await (const [key, channel] of this.#store.entries()) entries.set(key, channel)
    return entries
  }
}

/** All results, or the first error after all are settled. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** 128 random bits in characters that need no encoding, and never end a name in `.b5`. */
function unguessable(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
