import { Client } from './client.js'
import type { Channels } from './events.js'
import { longpolling, stream } from './modes.js'
import type { Options } from './options.js'
import { eventsource } from './transports/http.js'
import { websocket } from './transports/websocket.js'
import type { NamedTransports } from './types.js'

const named: NamedTransports = { websocket, eventsource, stream, longpolling }

/**
 * Receives the messages of channels, each once and in order, whatever the network does. If messages are no longer
 * available, a `gap` event says so before the next message.
 *
 * It ships every transport, so that `modes` can name them. {@link Client} does without.
 *
 * @typeParam C the channels, the types of their messages, and the data of each type. Default: any channel brings any data.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 *
 * const stream = new PushStream({ url: 'https://push.example.org' })
 * stream.addChannel('news').addChannel('user-42', { backtrack: 5 }).connect()
 * stream.on('message', ({ channel, data }) => console.log(channel, data))
 * stream.on('gap', ({ channel, first, last }) => console.warn(`${channel}: ${first} to ${last} are lost`))
 * stream.on('error', (error) => console.warn(error.message))
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class PushStream<C extends Channels<C> = Record<string, Record<string, any>>> extends Client<C> {
  /**
   * Makes a client that is not connected yet.
   *
   * @throws PushStreamError `bad-option` for an option that is unknown, of the wrong type or only for the classic client.
   */
  constructor(options: Options = {}) {
    super(options, named)
  }
}
