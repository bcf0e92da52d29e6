import { Client, type Options } from './client.js'
import type { Channels } from './events.js'
import { eventsource, longpolling, stream } from './transports/http.js'
import { websocket } from './transports/websocket.js'
import type { NamedTransports } from './types.js'

const named: NamedTransports = { websocket, eventsource, stream, longpolling }

/**
 * Receives what is published to channels, each message once and in order, whatever the network does; what can't be had
 * any more is announced with a `gap` event before the next message.
 *
 * It ships every transport, so that `modes` can name them. {@link Client} does without.
 *
 * @typeParam C which types of messages come on which channels.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type parameter, data is whatever the application says it is
export class PushStream<C extends Channels = Record<string, Record<string, any>>> extends Client<C> {
  /** Throws a `bad-option` error for options that are unknown, contradictory or not of their type. Connects to nothing yet. */
  constructor(options: Options = {}) {
    super(options, named)
  }
}
