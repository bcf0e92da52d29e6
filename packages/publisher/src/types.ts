import type { Channels, DataOf } from '@pushstream/core'
import type { MessageOptions } from './servers/server.js'

/** What is published to several channels has to fit each of them. */
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
 * What every method takes.
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
  /** Gives up. What was sent already may have come through: the error's `outcome` says so. */
  signal?: AbortSignal | undefined
}

/**
 * How to publish.
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
    /** Whether this message may be published again where nobody knows if the server took it. Default: as `retry.repeat` says. */
    repeat?: boolean | undefined
  }

/** A message for `publishAll`. */
export type Outgoing<C extends Channels<C>> = {
  [N in keyof C & string]: {
    readonly channel: N
    readonly data: DataOf<C, N>
    readonly options?: PublishOptions<TypeOf<C, N>>
  }
}[keyof C & string]

/** Which channels: one by its name, all that begin so, all there are. */
export type Which<C extends Channels<C>> = (keyof C & string) | { readonly prefix: string } | { readonly all: true }

/**
 * How to watch.
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
  /** From one answer to the next question, in ms. Default 1000. */
  interval?: number
}
