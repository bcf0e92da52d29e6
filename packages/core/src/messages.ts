import type { Client } from './client.js'
import type { Channels, DataOf } from './events.js'
import { internalsOf } from './internals.js'
import type { Message } from './message.js'

/**
 * The messages from now on, of one channel or of all, for `for await`. The loop ends when the client is closed.
 * Messages that arrive while the loop is busy are queued without a limit.
 *
 * @param channel the name of a channel. Default: every channel of the client.
 * @throws PushStreamError `closed` if the client is closed.
 *
 * @example
 * ```ts
 * import { messages, PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream().addChannel('news').connect()
 * for await (const { data } of messages(stream, 'news')) console.log(data)
 * ```
 */
export function messages<C extends Channels<C>, N extends keyof C & string>(
  client: Client<C>,
  channel?: N,
): AsyncIterableIterator<Message<DataOf<C, N>>> {
  type Item = Message<DataOf<C, N>>
  const { endings } = internalsOf(client)
  const waiting: Item[] = []
  let wake: (() => void) | undefined
  let ended = false
  const listener = (message: Message) => {
    if (channel !== undefined && message.channel !== channel) return
    waiting.push(message as Item)
    wake?.()
  }
  const end = () => {
    ended = true
    client.off('message', listener)
    endings.delete(end)
    wake?.()
  }
  client.on('message', listener)
  endings.add(end)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const value = waiting.shift()
      return value === undefined ? { done: true, value: undefined } : { done: false, value }
    },
    async return() {
      waiting.length = 0
      end()
      return { done: true, value: undefined }
    },
  }
}
