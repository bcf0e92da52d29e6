import type { Channels, DataOf } from '@pushstream/core'
import type { MessageOptions } from './servers/server.js'

/** The data of a message to several channels: it must be valid for each of them. */
export type DataOfEach<C extends Channels<C>, N extends keyof C> = (
  N extends keyof C
    ? (data: DataOf<C, N>) => void
    : never
) extends (data: infer Data) => void
  ? Data
  : never

/** The types of messages on these channels. */
export type TypeOf<C extends Channels<C>, N extends keyof C> = N extends keyof C ? keyof C[N] & string : never

/**
 * The options of every method.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * const there = await publisher.exists('user-42', { signal: AbortSignal.timeout(1000) })
 * ```
 */
export interface CallOptions {
  /** Ends the call. What was already sent may have arrived: then the error's `outcome` is `unknown`. */
  signal?: AbortSignal | undefined
}

/**
 * The options of `publish`.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * const options = { repeat: true, signal: AbortSignal.timeout(5000) }
 * await publisher.publish('user-42', { type: 'answer', value: 42 }, options)
 * ```
 */
export type PublishOptions<Type extends string = string> = MessageOptions<Type> &
  CallOptions & {
    /** Whether to publish this message again if the server may have accepted it. Default: as `retry.repeat` says. */
    repeat?: boolean | undefined
  }

/** Which channels: one name, all names with a prefix, or all. */
export type ChannelFilter<C extends Channels<C>> =
  | (keyof C & string)
  | { readonly prefix: string }
  | { readonly all: true }

/**
 * The options of `watch`.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * for await (const stats of publisher.watch('news', { interval: 5000 })) console.log(stats?.subscribers)
 * ```
 */
export interface WatchOptions extends CallOptions {
  /** The time between an answer and the next request, in ms. Default 1000. */
  interval?: number
}
