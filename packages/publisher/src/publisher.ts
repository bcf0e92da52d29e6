import type { Channels, DataOf } from '@pushstream/core'
import { either } from './aborts.js'
import { type BatchMessage, type BatchOptions, type Failed, publishEach } from './batch.js'
import { badOption, PublisherError } from './errors.js'
import { combined } from './failures.js'
import { checkMessageOptions, type PublisherOptions, settingsOf } from './options.js'
import { parcels } from './parcels.js'
import { ChannelQueue } from './queue.js'
import { aborted, Sender, type SendOptions } from './sender.js'
import type { ChannelStats, Server, ServerStats } from './servers/server.js'
import { repeatedly, Statistics } from './statistics.js'
import type { CallOptions, ChannelFilter, DataOfEach, PublishOptions, TypeOf, WatchOptions } from './types.js'

/**
 * Publishes messages: to each channel in the order of the calls, one request at a time, and to several channels in
 * parallel. A failed call rejects only its own promise. Later messages on the channel continue.
 *
 * @typeParam C the channels, the types of their messages, and the data of each type: the same as for the page's
 * `PushStream`.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * interface Shop {
 *   [user: `user-${number}`]: { answer: { type: 'answer'; value: number } }
 * }
 * const publisher = new Publisher<Shop>({ url: 'http://127.0.0.1:9080' })
 * await publisher.publish('user-42', { type: 'answer', value: 42 })
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class Publisher<C extends Channels<C> = Record<string, Record<string, any>>> {
  readonly #server: Server
  readonly #sender: Sender
  readonly #statistics: Statistics
  readonly #repeat: 'never' | 'with-event-id' | 'always'
  readonly #concurrency: number
  readonly #maxPending: number
  readonly #queue = new ChannelQueue()
  readonly #opened = new Set<string>()

  /** Throws a `bad-option` error for options that are unknown or not of their type. Connects to nothing yet. */
  constructor(options: PublisherOptions) {
    const settings = settingsOf(options)
    this.#server = settings.server
    this.#sender = new Sender(settings)
    this.#statistics = new Statistics(this.#server, this.#sender)
    this.#repeat = settings.retry.repeat
    this.#concurrency = settings.concurrency
    this.#maxPending = settings.maxPending
  }

  /** The channels that were opened by `open` and not deleted since. */
  get opened(): readonly (keyof C & string)[] {
    return [...this.#opened] as (keyof C & string)[]
  }

  /** The number of calls that wait or are under way, at most `maxPending`. */
  get pending(): number {
    return this.#queue.size
  }

  /**
   * Publishes one message. An object becomes JSON at once, so later changes of it have no effect. A text is sent as it
   * is, and encoded if it would break the server's template. Resolves with the server's statistics of the channel.
   *
   * Several channels take one request if the server supports it, otherwise one each. If only some of them fail, the
   * error's `channels` names these.
   *
   * @throws PublisherError as a rejection. `outcome` says whether the message may have been published nevertheless.
   *
   * @example
   * ```ts
   * import { Publisher } from '@pushstream/publisher'
   *
   * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
   * const { subscribers } = await publisher.publish('user-42', { type: 'answer', value: 42 }, { eventId: 'answer-7' })
   * await publisher.publish(['news', 'user-42'], { type: 'item', title: 'Open' })
   * ```
   */
  publish<N extends keyof C & string>(
    channel: N,
    data: DataOf<C, N>,
    options?: PublishOptions<TypeOf<C, N>>,
  ): Promise<ChannelStats>
  publish<N extends keyof C & string>(
    channels: readonly N[],
    data: DataOfEach<C, N>,
    options?: PublishOptions<TypeOf<C, N>>,
  ): Promise<ChannelStats[]>
  async publish(
    channel: string | readonly string[],
    data: unknown,
    options: PublishOptions = {},
  ): Promise<ChannelStats | ChannelStats[]> {
    if (typeof channel === 'string') return (await this.#publish([channel], data, options))[0] as ChannelStats
    if (!Array.isArray(channel)) throw badOption('Publish to a channel, or to an array of them.')
    return this.#publish([...new Set(channel)], data, options)
  }

  /**
   * Publishes the messages of an iterable, which may be longer than fits into memory, a few at a time and to each
   * channel in their order. Resolves when all are settled. A failed message does not stop the others; an aborted signal
   * does. If the iterable throws, the call rejects with that error when all are settled.
   */
  publishAll<M extends BatchMessage<C>>(
    messages: Iterable<M> | AsyncIterable<M>,
    options: BatchOptions<M> = {},
  ): Promise<{ readonly published: number; readonly failed: readonly Failed<M>[] }> {
    const publish = async (message: M) => {
      const { channel, data, options: own } = message as { channel: string; data: unknown; options?: PublishOptions }
      return this.#publish([channel], data, { ...own, signal: either(own?.signal, options.signal) })
    }
    return publishEach(messages, this.#concurrency * 16, publish, options)
  }

  /**
   * Publishes to all channels that this publisher opened. With `matching`, to all channels of the server that have this
   * prefix, match this RegExp or satisfy this function. Only the push stream module supports that.
   *
   * @example
   * ```ts
   * import { Publisher } from '@pushstream/publisher'
   *
   * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
   * await publisher.broadcast({ type: 'reload' }, { matching: 'user-' })
   * ```
   */
  async broadcast(
    data: DataOf<C, keyof C>,
    options: PublishOptions & { matching?: string | RegExp | ((channel: string) => boolean) } = {},
  ): Promise<ChannelStats[]> {
    const { matching, ...rest } = options
    let channels: readonly string[] = this.opened
    if (matching !== undefined) {
      const prefix = typeof matching === 'string' ? matching : ''
      const there = (await this.#statistics.ofChannels(prefix, rest.signal)).map(({ channel }) => channel)
      // Not every name that is there can be asked for.
      const names = there.filter((name) => !name.includes('\ufffd') && this.#takes(name))
      const wanted =
        typeof matching === 'function'
          ? matching
          : typeof matching === 'string'
            ? (name: string) => name.startsWith(matching)
            : (name: string) => new RegExp(matching.source, matching.flags.replace(/[gy]/g, '')).test(name)
      channels = names.filter(wanted)
    }
    return this.#publish([...new Set(channels)], data, rest)
  }

  /**
   * Creates a channel, for servers on which pages may only subscribe to existing ones. If the server has no other way,
   * it publishes the `opening` message, unless the channel stores a message already. Resolves with whether it was
   * created.
   */
  open(channel: keyof C & string, options: CallOptions = {}): Promise<boolean> {
    return this.#inTurn(channel, options, async (one) => {
      const server = this.#server
      const create = server.create(channel)
      const before = await this.#statistics.ofChannel(channel, options.signal)
      const there = before !== undefined && (create !== undefined || before.stored !== 0)
      if (!there) {
        // Twice is once: it says nothing but that there is a channel.
        const request = create ?? server.publish([channel], server.opening, {})
        this.#statistics.ofTaken(await this.#sender.send(request, one(true, true)), [channel])
      }
      this.#opened.add(channel)
      return !there
    })
  }

  /** Whether the server has the channel. */
  async exists(channel: keyof C & string, options: CallOptions = {}): Promise<boolean> {
    return (await this.stats(channel, options)) !== undefined
  }

  /**
   * Deletes a channel with all its messages, after earlier calls for it. Subscribers are informed; those of the push
   * stream module also get `text`. Resolves with whether it existed.
   */
  delete(channel: keyof C & string, options: CallOptions & { text?: string } = {}): Promise<boolean> {
    return this.#inTurn(channel, options, async (one) => {
      const request = this.#server.remove(channel, options.text)
      const answer = await this.#sender.send(request, { ...one(true, true), takes: [404] })
      const { status, repeated } = answer
      if (status !== 404) this.#statistics.ofTaken(answer, [channel])
      else this.#statistics.checkMissing(answer, channel)
      this.#opened.delete(channel)
      // Gone at the second attempt may mean that the first one did it.
      return status !== 404 || repeated > 0
    })
  }

  /** The same as `delete`. */
  close(channel: keyof C & string, options: CallOptions & { text?: string } = {}): Promise<boolean> {
    return this.delete(channel, options)
  }

  /**
   * The server's statistics of a channel (`undefined` if there is none), of several (`{ prefix }` or `{ all: true }`,
   * only for the push stream module), or of the whole server.
   */
  stats(options?: CallOptions): Promise<ServerStats>
  stats(channel: keyof C & string, options?: CallOptions): Promise<ChannelStats | undefined>
  stats(which: { readonly prefix: string } | { readonly all: true }, options?: CallOptions): Promise<ChannelStats[]>
  async stats(
    which?: ChannelFilter<C> | CallOptions,
    options: CallOptions = {},
  ): Promise<ServerStats | ChannelStats | ChannelStats[] | undefined> {
    const statistics = this.#statistics
    if (typeof which === 'string') return statistics.ofChannel(which, options.signal)
    if (which !== undefined && 'prefix' in which) return statistics.ofChannels(which.prefix, options.signal)
    if (which !== undefined && 'all' in which) return statistics.ofChannels('', options.signal)
    return statistics.ofServer(((which ?? options) as CallOptions).signal)
  }

  /**
   * Statistics every `interval` ms (default 1000), for `for await`, until the loop is left or the signal is aborted.
   * Throws if a request still fails after the retries.
   */
  watch(options?: WatchOptions): AsyncGenerator<ServerStats, void, undefined>
  watch(channel: keyof C & string, options?: WatchOptions): AsyncGenerator<ChannelStats | undefined, void, undefined>
  watch(
    which: { readonly prefix: string } | { readonly all: true },
    options?: WatchOptions,
  ): AsyncGenerator<ChannelStats[], void, undefined>
  async *watch(
    which?: ChannelFilter<C> | WatchOptions,
    options: WatchOptions = {},
  ): AsyncGenerator<ServerStats | ChannelStats | ChannelStats[] | undefined, void, undefined> {
    const of = typeof which === 'string' || (which !== undefined && ('prefix' in which || 'all' in which))
    const { interval = 1000, signal } = of ? options : ((which ?? options) as WatchOptions)
    const ask = (): Promise<ServerStats | ChannelStats | ChannelStats[] | undefined> =>
      // biome-ignore lint/suspicious/noExplicitAny: the overloads say what goes together
      of ? this.stats(which as any, { signal }) : this.stats({ signal })
    yield* repeatedly(ask, interval, signal)
  }

  /** Resolves when all earlier calls are settled. */
  flush(): Promise<void> {
    return this.#queue.settled()
  }

  async #publish(names: readonly string[], data: unknown, options: PublishOptions): Promise<ChannelStats[]> {
    const server = this.#server
    checkMessageOptions(options)
    for (const name of names) server.check(name)
    const { signal, repeat, ...message } = options
    const always = this.#repeat === 'always' || (this.#repeat === 'with-event-id' && message.eventId !== undefined)
    // Written now: whoever changes the object later doesn't change the message.
    const work = parcels(names, server.together).map((channels) => ({
      channels,
      request: server.publish(channels, data, message),
    }))
    const all = await Promise.allSettled(
      work.map(({ channels, request }) =>
        this.#enqueue(channels, signal, async () => {
          const how: SendOptions = { channels, repeatable: repeat ?? always, changes: true, signal }
          const answer = await this.#sender.send(request, how)
          return this.#statistics.ofTaken(answer, channels)
        }),
      ),
    )
    const failed = all.flatMap((one) => (one.status === 'rejected' ? [one.reason as PublisherError] : []))
    if (failed.length > 0) throw failed.length === 1 ? failed[0] : combined(failed)
    return all.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  #takes(name: string): boolean {
    try {
      this.#server.check(name)
      return true
    } catch {
      return false
    }
  }

  #enqueue<T>(channels: readonly string[], signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (this.#queue.size >= this.#maxPending) {
      const message = `${this.#maxPending} changes are waiting already: is the server away, or too slow? 'maxPending' is the limit.`
      return Promise.reject(new PublisherError('busy', message, { channels }))
    }
    return this.#queue.run(channels, work, signal, () => aborted(channels, 'no', signal as AbortSignal))
  }

  async #inTurn<T>(
    channel: string,
    { signal }: CallOptions,
    work: (one: (changes: boolean, repeatable: boolean) => SendOptions) => Promise<T>,
  ): Promise<T> {
    this.#server.check(channel)
    const one = (changes: boolean, repeatable: boolean) => ({ channels: [channel], changes, repeatable, signal })
    return this.#enqueue([channel], signal, () => work(one))
  }
}
