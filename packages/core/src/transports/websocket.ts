import ReconnectingWebSocket from 'reconnecting-websocket'
import type { Transport } from '../types.js'
import { openSocket } from './socket.js'

const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
const never = 2 ** 31 - 1

/**
 * A WebSocket over reconnecting-websocket. Each connection has an instance of its own that never reconnects, because
 * the session decides when to try again and from where. Its close events are synthetic: the native ones are recorded.
 *
 * @example
 * ```ts
 * import { Client, eventsource, websocket } from '@pushstream/core'
 *
 * const stream = new Client({ modes: [websocket, eventsource] })
 * ```
 */
export const websocket: Transport = {
  name: 'websocket',
  acceptedBy: 'time',
  uncounted: true,
  opaque: true,
  available: (environment) => environment.WebSocket !== undefined,
  open: (next, events, environment) =>
    openSocket(next, events, environment, (make, url, subprotocols) => {
      const socket = new ReconnectingWebSocket(url, subprotocols, {
        WebSocket: Object.assign(make, states),
        maxRetries: 0,
        maxEnqueuedMessages: 0,
        connectionTimeout: never,
        minUptime: never,
      })
      return socket as unknown as WebSocket
    }),
}
