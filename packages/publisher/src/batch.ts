import type { Channels, DataOf } from '@pushstream/core'
import { untilAborted } from './aborts.js'
import type { PublisherError } from './errors.js'
import type { PublishOptions, TypeOf } from './types.js'

/** A message for `publishAll`. */
export type BatchMessage<C extends Channels<C>> = {
  [N in keyof C & string]: {
    readonly channel: N
    readonly data: DataOf<C, N>
    readonly options?: PublishOptions<TypeOf<C, N>>
  }
}[keyof C & string]

/** A message of `publishAll` that failed. */
export interface Failed<M> {
  readonly message: M
  readonly error: PublisherError
}

/**
 * How to publish many messages.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * async function* answers() {
 *   for (let id = 1; id <= 10_000; id++) yield { channel: `user-${id}`, data: { type: 'answer', value: id } }
 * }
 * await new Publisher({ url: 'http://127.0.0.1:9080' }).publishAll(answers(), {
 *   onFailed: ({ message, error }) => console.warn(message.channel, error.message),
 * })
 * ```
 */
export interface BatchOptions<M> {
  /**
   * Stops taking messages and aborts those that wait. One that was already sent may have arrived: its error says so.
   */
  signal?: AbortSignal | undefined
  /**
   * Called at once with each message that failed. These messages are not collected, so `failed` of the result is empty.
   * Use it for more messages than fit into memory. If it throws, `publishAll` stops and rejects with that error.
   */
  onFailed?: ((failed: Failed<M>) => void) | undefined
}

/** Publishes messages as they come, at most `most` at a time, and waits for all of them. */
export async function publishEach<M>(
  messages: Iterable<M> | AsyncIterable<M>,
  most: number,
  publish: (message: M) => Promise<unknown>,
  { signal, onFailed }: BatchOptions<M>,
): Promise<{ readonly published: number; readonly failed: readonly Failed<M>[] }> {
  const failed: Failed<M>[] = []
  const report = onFailed ?? ((one: Failed<M>) => void failed.push(one))
  let published = 0
  let broken: { readonly error: unknown } | undefined
  const underway = new Set<Promise<void>>()
  let goOn = () => {}
  try {
    for await (const message of untilAborted(messages, signal)) {
      const one = publish(message)
        .then(
          () => {
            published++
          },
          (error: PublisherError) => report({ message, error }),
        )
        .catch((error) => {
          broken ??= { error }
        })
        .finally(() => {
          underway.delete(one)
          goOn()
        })
      underway.add(one)
      if (underway.size >= most) await new Promise<void>((resolve) => (goOn = resolve))
      if (broken !== undefined) break
    }
  } finally {
    await Promise.all(underway)
  }
  if (broken !== undefined) throw broken.error
  return { published, failed }
}
