import type { Transport } from '../types.js'
import { openSocket } from './socket.js'

/**
 * The browser's own WebSocket, for pages that ship only what they use: about 2 KB less than reconnecting-websocket.
 *
 * @example
 * ```ts
 * import { Client, longpolling, nativeWebSocket } from '@pushstream/core'
 *
 * const stream = new Client({ modes: [nativeWebSocket, longpolling] })
 * ```
 */
export const nativeWebSocket: Transport = {
  name: 'websocket',
  acceptedBy: 'time',
  uncounted: true,
  opaque: true,
  available: (environment) => environment.WebSocket !== undefined,
  open: (next, events, environment) =>
    openSocket(next, events, environment, (make, url, subprotocols) => make(url, subprotocols)),
}
