import { undelimited } from './protocols/push-stream-undelimited.js'
import { prove } from './session/acceptance.js'
import { createPolling } from './session/polling.js'
import type { SessionTransport } from './session/transport.js'
import { stream as endless, longpolling as polls } from './transports/http.js'
import type { Transport } from './types.js'

const bringing = (transport: Transport, parts: Partial<SessionTransport>): Transport => ({ ...transport, ...parts })

/**
 * HTTP streaming over `fetch` (push_stream_subscriber streaming). Frames have no delimiter; the protocol finds their
 * ends.
 *
 * @example
 * ```ts
 * import { Client, longpolling, stream } from '@pushstream/core'
 *
 * const client = new Client({ modes: [stream, longpolling] })
 * ```
 */
export const stream = /* @__PURE__ */ bringing(endless, { cut: undelimited, prove })

/**
 * Long-polling over `fetch`: a request stays open until there is a message.
 *
 * @example
 * ```ts
 * import { Client, longpolling, websocket } from '@pushstream/core'
 *
 * const stream = new Client({ modes: [websocket, longpolling] })
 * ```
 */
export const longpolling = /* @__PURE__ */ bringing(polls, {
  cut: undelimited,
  prove,
  polling: createPolling,
})
