// What `createFakeClient` of @pushstream/testkit is made of. It is not for applications: it may change in any release.
import { Client } from './client.js'
import type { Channels } from './events.js'
import type { Options } from './options.js'
import { pushStream } from './protocols/push-stream.js'
import { PushStream } from './push-stream.js'
import type { Carrier, NewCarrier } from './session/carrier.js'
import type { PoolEvents } from './session/pool.js'
import type { Environment, ModeName, Transport } from './types.js'

export type { PushStreamError } from './errors.js'
export type { Channels, DataOf, Gap, Status } from './events.js'
export { IncomingMessage } from './message.js'
export { positionOf } from './position.js'
export type { PushStream } from './push-stream.js'
export type { PoolStatus } from './session/member.js'
export { refusalOf } from './session/reports.js'
export type { GapReason, ModeName } from './types.js'
export type { Carrier, PoolEvents }

/** What a client that is fed by hand is made of. */
export interface Feed {
  /** The mode that it claims to use. */
  readonly mode: ModeName
  /** What takes the place of connections to a server. */
  carry(events: PoolEvents): Carrier
  /** A text that the client published without a websocket. */
  published(channels: readonly string[], text: string): void
}

/** Nothing happens by itself: no timer, no request, no socket, no page. */
const quiet: Omit<Environment, 'fetch'> = {
  now: () => Date.now(),
  setTimeout: () => 0,
  clearTimeout() {},
  random: () => 0.5,
  WebSocket: undefined,
  EventSource: undefined,
  location: undefined,
  page: undefined,
  memory: undefined,
}

/** A client in every respect, but for the server: what it receives is fed by hand. */
export function createFedClient<C extends Channels<C>>({ mode, carry, published }: Feed): PushStream<C> {
  const transport: Transport = {
    name: mode,
    acceptedBy: 'opening',
    available: () => true,
    open: () => ({ close() {} }),
  }
  const options: Options = {
    url: 'http://fake',
    modes: [transport],
    protocol: (endpoint) => ({
      ...pushStream({})(endpoint),
      publish: (channels, text) => ({ url: JSON.stringify(channels), body: text, frame: text }),
    }),
    environment: {
      ...quiet,
      async fetch(url, init) {
        published(JSON.parse(String(url)), String(init?.body))
        return { ok: true } as Response
      },
    },
  }
  // A function, because an arrow takes no `new`.
  function Fed(_: unknown, events: PoolEvents): Carrier {
    return carry(events)
  }
  return Reflect.construct(Client, [options, {}, Fed as unknown as NewCarrier], PushStream)
}
