import { longpolling, stream } from '../../../src/modes.js'
import type { SessionTransport } from '../../../src/session/transport.js'
import { eventsource } from '../../../src/transports/http.js'
import { websocket } from '../../../src/transports/websocket.js'

/** What the names of modes stand for. */
export const named = { websocket, eventsource, stream, longpolling }

/** How a decoder takes apart what a mode delivers. */
export const cutOf = (mode: string) => (named as Record<string, SessionTransport>)[mode]?.cut
