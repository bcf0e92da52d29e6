import type { IncomingMessage } from 'node:http'
import { allowedMethods, corsHeaders, EXPLAIN_HEADER, NO_CHANNEL, refuseName, TOO_MANY_CHANNELS } from './admission.js'
import type { Channel } from './channel.js'
import type { RequestedChannel } from './channel-names.js'
import type { Location } from './location.js'
import { NO_CACHE, type Reply } from './reply.js'
import { describeChannel, describeChannels, negotiate, type ServerFacts } from './statistics.js'
import { type Store, TooManyChannels } from './store.js'

const INTERNAL_ONLY = 'Only internal routines can change events channel.'

/** What a publisher or statistics request works with. */
export interface PublisherContext {
  store: Store
  location: Location
  facts: () => ServerFacts
}

/** Publishes, describes and deletes channels. */
export async function handlePublisher(
  context: PublisherContext,
  reply: Reply,
  requested: RequestedChannel[],
): Promise<void> {
  const { store, location } = context
  const { request } = reply
  const method = request.method ?? ''
  const headers = [...NO_CACHE, ...corsHeaders(location)]
  const refuse = (status: number, explain: string) => reply.headOnly(status, [...headers, [EXPLAIN_HEADER, explain]])
  if (method === 'OPTIONS') return reply.headOnly(200, headers)
  const allowed = allowedMethods(location)
  if (!allowed.split(', ').includes(method)) return reply.headOnly(405, [...headers, ['Allow', allowed]])
  if (requested.length === 0) return refuse(NO_CHANNEL.status, NO_CHANNEL.explain)
  const publishes = method === 'POST' || method === 'PUT'
  const channels: Channel[] = []
  for (const { id } of requested) {
    const refusal = refuseName(store, id)
    if (refusal !== null) return refuse(refusal.status, refusal.explain)
    const channel = publishes ? openOrNull(store, id) : store.find(id)
    if (channel === null) return refuse(TOO_MANY_CHANNELS.status, TOO_MANY_CHANNELS.explain)
    if (channel === undefined) continue
    if (method !== 'GET' && channel.forEvents) return refuse(403, INTERNAL_ONLY)
    channels.push(channel)
  }
  if (method === 'GET') return describe(context, reply, channels, headers)
  const body = await readBody(request, location.settings.clientMaxBodySize)
  if (body === 'aborted') return
  if (body === 'too-large') return tooLarge(reply)
  if (method === 'DELETE') {
    const deleted = channels.filter((channel) => store.delete(channel, body.length > 0 ? body : undefined))
    return deleted.length > 0 ? refuse(200, 'Channel deleted.') : reply.headOnly(404, headers)
  }
  if (body.length === 0) return refuse(400, 'Empty post requests are not allowed.')
  const eventId = header(request, 'event-id')
  const eventType = header(request, 'event-type')
  store.delivery.hold(() => {
    for (const channel of channels)
      store.publish(channel, body, { eventId, eventType }, location.settings.storeMessages)
    if (location.settings.channelInfoOnPublish) describe(context, reply, channels, headers)
    else reply.headOnly(200, headers)
  })
}

/** One channel, several, or 404 for none. */
export function describe(
  context: PublisherContext,
  reply: Reply,
  channels: Channel[],
  headers: Array<[string, string]>,
): void {
  const [first] = channels
  if (first === undefined) {
    reply.headOnly(404, headers)
    return
  }
  const { format, contentType } = negotiate(reply.request.headers.accept)
  const body =
    channels.length === 1 ? describeChannel(format, first) : describeChannels(format, channels, context.facts())
  reply.body(200, contentType, body, headers)
}

function openOrNull(store: Store, id: string): Channel | null {
  try {
    return store.open(id)
  } catch (error) {
    if (error instanceof TooManyChannels) return null
    throw error
  }
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

function tooLarge(reply: Reply): void {
  const page = '<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>\r\n'
  reply.forceClose = true
  reply.body(413, 'text/html', Buffer.from(page), [])
}

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too-large' | 'aborted'> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length
      if (size > limit) return 'too-large'
      parts.push(part)
    }
  } catch {
    return 'aborted'
  }
  return Buffer.concat(parts)
}
