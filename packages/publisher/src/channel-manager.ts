import type { Channels, DataOf } from '@pushstream/core'
import { badOption } from './errors.js'
import type { CallOptions, Publisher, PublishOptions } from './publisher.js'
import { ChannelQueue } from './queue.js'
import { aborted } from './sender.js'
import type { ChannelStats } from './servers/server.js'
import type { TypeOf } from './types.js'

type Eventually<T> = T | Promise<T>

/** Where it is kept who has which channel: for several processes a database of theirs. Default: this process' memory. */
export interface ChannelStore {
  /** The channel of a key; `undefined` or `null`: it has none. */
  get(key: string): Eventually<string | undefined | null>
  /**
   * Keeps a channel for a key that has none, and gives the one that is kept: another one where somebody was quicker
   * (`SET key channel NX`, `INSERT … ON CONFLICT DO NOTHING`).
   */
  add(key: string, channel: string): Eventually<string>
  /** Forgets a key. */
  delete(key: string): Eventually<unknown>
  /** All keys and channels, for `broadcast` and `closeAll`. */
  entries(): Iterable<readonly [key: string, channel: string]> | AsyncIterable<readonly [key: string, channel: string]>
}

/** Keeps channels as long as the process lives. */
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

/** What `new ChannelManager` takes. */
export interface ChannelManagerOptions<C extends Channels> {
  publisher: Publisher<C>
  /** How the names of its channels begin. Default `user-`. */
  prefix?: string
  store?: ChannelStore
}

/** The channels of a publisher that begin so. */
export type Beginning<C extends Channels, P extends string> = keyof C & `${P}${string}`

/**
 * A channel of their own for each user, or each login: named so that nobody can guess it, open from the login until the
 * sign-out. A key is whatever the application knows them by: the id of a user, or of a session.
 *
 * @typeParam P how the channels' names begin.
 */
export class ChannelManager<C extends Channels, P extends string = 'user-'> {
  readonly #publisher: Publisher<C>
  readonly #prefix: string
  readonly #store: ChannelStore
  /** What is being done for a key: one after the other. */
  readonly #queue = new ChannelQueue()

  /** Throws `bad-option`. */
  constructor(options: ChannelManagerOptions<C> & { prefix?: P }) {
    const { publisher, prefix = 'user-', store = memoryStore(), ...others } = options
    for (const name of Object.keys(others)) throw badOption(`There is no option '${name}'.`)
    if (typeof publisher?.publish !== 'function') throw badOption(`'publisher' is a Publisher.`)
    // A slash separates channels, and the rest has a meaning somewhere on the way.
    if (!/^[\w.-]*$/.test(prefix)) throw badOption(`'prefix' is made of letters, digits, '_', '-' and '.'.`)
    this.#publisher = publisher
    this.#prefix = prefix
    this.#store = store
  }

  /**
   * The channel of a key: the one it has, or a new one, which the server has then, too. To be called at each login and each
   * page, since it also opens a channel again that the server lost. 128 bits of its name are random.
   */
  allocate(key: string, options: CallOptions = {}): Promise<Beginning<C, P>> {
    return this.#inTurn(key, options, async () => {
      const channel = (await this.channelOf(key)) ?? (await this.#add(key))
      await this.#publisher.open(channel, options)
      return channel
    })
  }

  /** The channel of a key, if it has one. Asks the store alone. */
  async channelOf(key: string): Promise<Beginning<C, P> | undefined> {
    // What databases say of what they don't have is null.
    return ((await this.#store.get(key)) ?? undefined) as Beginning<C, P> | undefined
  }

  /** Whether a key has a channel, and the server has it, too. */
  async isOpen(key: string, options: CallOptions = {}): Promise<boolean> {
    const channel = await this.channelOf(key)
    return channel !== undefined && (await this.#publisher.exists(channel, options))
  }

  /**
   * Publishes to the channel of a key, if it is open: else nobody is there to read it, and nothing is made by it.
   * Resolves with `undefined` then.
   *
   * @param options.check whether the server is asked before. Default true; `false` saves a request, and a channel that the
   * server forgot is made again by the message.
   */
  push(
    key: string,
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> & { check?: boolean } = {},
  ): Promise<ChannelStats | undefined> {
    const { check = true, ...rest } = options
    // Between its question and its message no sign-out of this process comes: that channel would be made again.
    return this.#inTurn(key, options, async () => {
      const channel = await this.channelOf(key)
      if (channel === undefined) return undefined
      if (check && !(await this.#publisher.exists(channel, rest))) return undefined
      return this.#publisher.publish(channel, data, rest)
    })
  }

  /** Publishes to the channels of all keys, whether the server has them or not. */
  async broadcast(
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> = {},
  ): Promise<ChannelStats[]> {
    return this.#inTurn([...(await this.#entries()).keys()], options, async (keys) => {
      // Some may have signed out before it was this one's turn.
      const now = await this.#entries()
      const channels = keys.flatMap((key) => now.get(key) ?? [])
      // biome-ignore lint/suspicious/noExplicitAny: all of them begin so
      return this.#publisher.publish(channels as any, data as any, options as any) as unknown as ChannelStats[]
    })
  }

  /** At the sign-out: deletes the channel, and forgets it. Resolves with whether the key had one. */
  close(key: string, options: CallOptions & { text?: string } = {}): Promise<boolean> {
    return this.#inTurn(key, options, async () => {
      const channel = await this.channelOf(key)
      if (channel === undefined) return false
      // Deleted before it is forgotten: what fails can be tried again.
      await this.#publisher.delete(channel, options)
      await this.#store.delete(key)
      return true
    })
  }

  /** Closes all. Rejects with the first failure, when all are settled. */
  async closeAll(options: CallOptions & { text?: string } = {}): Promise<void> {
    await all([...(await this.#entries()).keys()].map((key) => this.close(key, options)))
  }

  /**
   * Forgets the keys whose channels the server has no more: of who left without a sign-out, after the server's
   * `push_stream_message_ttl` or `nchan_message_timeout`. To be called now and then, or the store only grows. Who is still
   * there gets another channel with the next `allocate`. Resolves with how many were forgotten.
   */
  async prune(options: CallOptions = {}): Promise<number> {
    const gone = await all(
      [...(await this.#entries()).keys()].map((key) =>
        this.#inTurn(key, options, async () => {
          const channel = await this.channelOf(key)
          if (channel === undefined || (await this.#publisher.exists(channel, options))) return false
          // So that the publisher doesn't keep its name, either.
          await this.#publisher.delete(channel, options)
          await this.#store.delete(key)
          return true
        }),
      ),
    )
    return gone.filter(Boolean).length
  }

  /** One after the other for a key: a login and a sign-out at a time end as the later of them says. */
  #inTurn<K extends string | readonly string[], T>(
    keys: K,
    { signal }: CallOptions,
    work: (keys: K) => Promise<T>,
  ): Promise<T> {
    const each = typeof keys === 'string' ? [keys] : keys
    if (!Array.isArray(each) || each.some((key) => typeof key !== 'string' || key === '')) {
      return Promise.reject(badOption('A key is a text: the id of a user or of a login.'))
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
    // A store that answers something else, like the 'OK' of Redis, would give everybody the same channel.
    if (kept !== made && (typeof kept !== 'string' || kept !== (await this.#store.get(key)))) {
      throw badOption(
        `'store.add' resolves with the channel that is kept for the key, not with ${JSON.stringify(kept)}.`,
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

/** All results, or the first failure when all are settled. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** 128 random bits in letters that need no encoding, and that end no name in `.b5`. */
function unguessable(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
