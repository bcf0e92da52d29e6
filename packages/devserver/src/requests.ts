import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { admit, corsHeaders, EXPLAIN_HEADER } from './admission.js'
import { argument, decodePath, parseChannels, type RequestedChannel, unescapeUri } from './channel-names.js'
import type { Clock } from './clock.js'
import { findLocation, type Location } from './location.js'
import type { Passthrough } from './passthrough.js'
import { answerPoll, hasBacklog, LongPollingSubscriber } from './polling.js'
import { readPosition } from './position.js'
import { handlePublisher } from './publisher.js'
import { NO_CACHE, type Reply } from './reply.js'
import type { Summary } from './statistics.js'
import { handleStatistics } from './statistics-handler.js'
import type { Store } from './store.js'
import { StreamingSubscriber } from './streaming.js'
import type { SubscriberContext } from './subscriber.js'
import { checkHandshake, WebSocketSubscriber } from './websocket.js'

/** A request whose path is one of our locations. */
export interface Routed {
  location: Location
  channels: RequestedChannel[]
  /** The query, not decoded. */
  query: string
}

/** What answering a request takes. */
export interface RequestContext {
  store: Store
  clock: Clock
  summary: () => Summary
}

/** Finds the location of a request, or null. */
export function route(locations: Location[], url: string): Routed | null {
  const [rawPath = '', ...queries] = url.split('?')
  const path = decodePath(rawPath)
  const found = path === null ? null : findLocation(locations, path)
  if (found === null) return null
  const query = queries.join('?')
  const { location, rest } = found
  // The channels path: what follows the location, else the argument. A path is decoded twice, an argument once.
  const raw = rest === '' ? (argument(query, location.channelsArgument) ?? '') : rest
  // One path for all: `shop_$1` is put before the first of several channels alone.
  const named = raw === '' ? '' : location.settings.channelsPath.replace('$1', () => raw)
  return { location, query, channels: parseChannels(unescapeUri(named)) }
}

/** Answers a request at its location. */
export function answer(context: RequestContext, reply: Reply, routed: Routed): void {
  const { store, summary } = context
  const { location, channels } = routed
  switch (location.mode) {
    case 'publisher-admin':
    case 'publisher':
      handlePublisher({ store, location, facts: summary }, reply, channels).catch((error: Error) => {
        // A fault of ours must not take the page's own server down with it.
        process.emitWarning(error)
        reply.abort()
      })
      break
    case 'statistics':
      handleStatistics({ store, location, facts: summary }, reply, channels, summary)
      break
    case 'websocket': {
      // Only a handshake that is none comes here; the others come by `acceptWebSocket`.
      const bad = checkHandshake(reply.request)
      reply.forceClose = true
      reply.headOnly(bad?.status ?? 400, bad?.headers ?? [...NO_CACHE])
      break
    }
    default:
      if (location.passthrough === null || reply.request.method !== 'GET') subscribe(context, reply, routed)
      else void subscribeIfTaken(location.passthrough, context, reply, routed)
  }
}

/** The names as text. */
const namesOf = ({ channels }: Routed) => channels.map(({ id }) => Buffer.from(id, 'latin1').toString())

/** Asks the application first. */
async function subscribeIfTaken(
  passthrough: Passthrough,
  context: RequestContext,
  reply: Reply,
  routed: Routed,
): Promise<void> {
  const refused = await passthrough.subscribe(reply.request, namesOf(routed), (gone) => reply.onClose(gone))
  if (reply.closed) return
  if (refused === undefined) subscribe(context, reply, routed)
  else reply.headOnly(refused, [...corsHeaders(routed.location), ...NO_CACHE])
}

/** Takes over the socket of a handshake that `checkHandshake` let pass. */
export async function acceptWebSocket(
  context: RequestContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  routed: Routed,
): Promise<void> {
  const { location, query, channels } = routed
  const { passthrough } = location
  if (passthrough !== null) {
    const reset = () => socket.destroy()
    socket.on('error', reset)
    const refused = await passthrough.subscribe(request, namesOf(routed), (gone) => socket.once('close', gone))
    socket.off('error', reset)
    if (socket.destroyed) return
    // As nginx's auth_request does it, before the module sees the handshake.
    if (refused !== undefined) {
      const status = `HTTP/1.1 ${refused} ${STATUS_CODES[refused] ?? ''}`
      return void socket.end(`${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    }
  }
  const subscriber = new WebSocketSubscriber(subscriberContext(context, location, request), socket)
  subscriber.start(request, head, channels, readPosition(location.settings, query, request.headers))
}

function subscribe(context: RequestContext, reply: Reply, { location, channels, query }: Routed): void {
  const { request } = reply
  const cors = corsHeaders(location)
  const headers = [...cors, ...NO_CACHE]
  if (request.method === 'OPTIONS') {
    reply.headOnly(200, cors)
    return
  }
  if (request.method !== 'GET') {
    reply.headOnly(405, [...headers, ['Allow', 'GET']])
    return
  }
  const admitted = admit(context.store, location, channels)
  if ('status' in admitted) {
    reply.headOnly(admitted.status, [...headers, [EXPLAIN_HEADER, admitted.explain]])
    return
  }
  const subscriber = subscriberContext(context, location, request)
  const position = readPosition(location.settings, query, request.headers)
  const mode = String(request.headers['x-nginx-pushstream-mode'] ?? '').toLowerCase()
  const longPolling = location.mode === 'long-polling' || mode === 'long-polling'
  if (!longPolling && location.mode !== 'polling' && mode !== 'polling') {
    new StreamingSubscriber(subscriber, reply).start(admitted, position)
    return
  }
  const named = argument(query, 'callback')
  const callback = named === undefined ? null : unescapeUri(named)
  if (longPolling && !hasBacklog(admitted, position)) {
    new LongPollingSubscriber(subscriber, reply, callback).start(admitted)
    return
  }
  answerPoll(subscriber, reply, admitted, position, callback)
}

function subscriberContext(owner: RequestContext, location: Location, request: IncomingMessage): SubscriberContext {
  const { store, clock } = owner
  return { owner, store, location, clock, userAgent: request.headers['user-agent'] ?? '' }
}
