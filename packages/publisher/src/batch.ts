import { untilAborted } from './aborts.js'
import type { PublisherError } from './errors.js'

/** What became of a message of `publishAll`. */
export interface Failed<M> {
  readonly message: M
  readonly error: PublisherError
}

/** How to publish many messages. */
export interface BatchOptions<M> {
  /** Takes no more, and gives up what waits. What was sent already may have come through: its error says so. */
  signal?: AbortSignal | undefined
  /**
   * Told at once of each message that failed. They are not collected then: `failed` of the result is empty. For more
   * messages than fit into memory. When it throws, no more is taken, and `publishAll` rejects with that.
   */
  onFailed?: ((failed: Failed<M>) => void) | undefined
}

/** Takes messages as they come, no more than `most` at a time, and waits for all that it took. */
export async function publishEach<M>(
  messages: Iterable<M> | AsyncIterable<M>,
  most: number,
  publish: (message: M) => Promise<unknown>,
  { signal, onFailed }: BatchOptions<M>,
): Promise<{ readonly published: number; readonly failed: readonly Failed<M>[] }> {
  const failed: Failed<M>[] = []
  const tell = onFailed ?? ((one: Failed<M>) => void failed.push(one))
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
          (error: PublisherError) => tell({ message, error }),
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
