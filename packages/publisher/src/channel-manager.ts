import type { Channels, DataOf } from '@pushstream/core'
import { badOption } from './errors.js'
import type { CallOptions, Publisher, PublishOptions } from './publisher.js'
import type { ChannelStats } from './servers/server.js'
import type { TypeOf } from './types.js'

type Eventually<T> = T | Promise<T>

/** Where it is kept who has which channel: for several processes a database of theirs. Default: this process' memory. */
export interface ChannelStore {
  /** The channel of a key. */
  get(key: string): Eventually<string | undefined>
  /**
   * Keeps a channel for a key that has none, and gives the one that is kept: another one where somebody was quicker
   * (`SET key channel NX`, `INSERT … ON CONFLICT DO NOTHING`).
   */
  add(key: string, channel: string): Eventually<string>
  /** Forgets a key. */
  delete(key: string): Eventually<void>
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
  readonly #busy = new Map<string, Promise<unknown>>()

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
    return this.#alone(key, async () => {
      const channel = (await this.#store.get(key)) ?? (await this.#store.add(key, this.#prefix + unguessable()))
      await this.#publisher.open(channel as keyof C & string, options)
      return channel as Beginning<C, P>
    })
  }

  /** The channel of a key, if it has one. Asks the store alone. */
  async channelOf(key: string): Promise<Beginning<C, P> | undefined> {
    return (await this.#store.get(key)) as Beginning<C, P> | undefined
  }

  /** Whether a key has a channel, and the server has it, too. */
  async isOpen(key: string, options: CallOptions = {}): Promise<boolean> {
    const channel = await this.#store.get(key)
    return channel !== undefined && (await this.#publisher.exists(channel as keyof C & string, options))
  }

  /**
   * Publishes to the channel of a key, if it is open: else nobody is there to read it, and nothing is made by it.
   * Resolves with `undefined` then.
   *
   * @param options.check whether the server is asked before. Default true; `false` saves a request, and a channel that the
   * server forgot is made again by the message.
   */
  async push(
    key: string,
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> & { check?: boolean } = {},
  ): Promise<ChannelStats | undefined> {
    const { check = true, ...rest } = options
    const channel = (await this.#store.get(key)) as Beginning<C, P> | undefined
    if (channel === undefined) return undefined
    if (check && !(await this.#publisher.exists(channel, rest))) return undefined
    return this.#publisher.publish(channel, data, rest)
  }

  /** Publishes to the channels of all keys, whether the server has them or not. */
  async broadcast(
    data: DataOf<C, Beginning<C, P>>,
    options: PublishOptions<TypeOf<C, Beginning<C, P>>> = {},
  ): Promise<ChannelStats[]> {
    const channels: string[] = []
    for await (const [, channel] of this.#store.entries()) channels.push(channel)
    // biome-ignore lint/suspicious/noExplicitAny: all of them begin so
    return this.#publisher.publish(channels as any, data as any, options as any) as unknown as Promise<ChannelStats[]>
  }

  /** At the sign-out: deletes the channel, and forgets it. Resolves with whether the key had one. */
  close(key: string, options: CallOptions & { text?: string } = {}): Promise<boolean> {
    return this.#alone(key, async () => {
      const channel = await this.#store.get(key)
      if (channel === undefined) return false
      // Deleted before it is forgotten: what fails can be tried again.
      await this.#publisher.delete(channel as keyof C & string, options)
      await this.#store.delete(key)
      return true
    })
  }

  /** Closes all. */
  async closeAll(options: CallOptions & { text?: string } = {}): Promise<void> {
    const keys: string[] = []
    for await (const [key] of this.#store.entries()) keys.push(key)
    await Promise.all(keys.map((key) => this.close(key, options)))
  }

  /** One after the other for a key: a login and a sign-out at a time end as the later of them says. */
  async #alone<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (typeof key !== 'string' || key === '') throw badOption('A key is a text: the id of a user or of a login.')
    const before = this.#busy.get(key)
    const mine = (async () => {
      await before?.catch(() => {})
      return work()
    })()
    this.#busy.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#busy.get(key) === mine) this.#busy.delete(key)
    }
  }
}

/** 128 random bits in letters that need no encoding, and that end no name in `.b5`. */
function unguessable(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
