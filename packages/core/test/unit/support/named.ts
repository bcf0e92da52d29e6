import { eventsource, longpolling, stream } from '../../../src/transports/http.js'
import { websocket } from '../../../src/transports/websocket.js'

/** What the names of modes stand for. */
export const named = { websocket, eventsource, stream, longpolling }
