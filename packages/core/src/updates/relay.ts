import { IncomingMessage } from '../message.js'
import { positionOf, tagOf } from '../position.js'
import { nchan } from '../protocols/nchan.js'
import { placeOf } from '../protocols/nchan-ids.js'
import type { DecoderContext, DecoderEvents, ProtocolFactory } from '../protocols/protocol.js'
import type { Position } from '../types.js'
import { relayOrder } from './order.js'
import { counted as countedHeader, type Part, type Reader, told } from './reader.js'

/** What was asked for by a request, known by its headers. */
interface Asked {
  readonly reader: Reader
  readonly second: number
  readonly tag: number
}

const unplacedBodies =
  'several messages whose place is not told: let the server expose the Etag, or have time and tag in its message template'

/**
 * The protocol of whoever answers long-polls with `Last-Modified` and `Etag`: Basic HTTP Push Relays, Nchan, and the
 * push stream module. Which of them it is, the first answer shows; until then the position goes with every request in the
 * headers and in the query. The module's tags are kept as relays count theirs: both take one that is none as the end of
 * its second.
 *
 * @param readers the addresses, by the names of their channels.
 * @param retry whether an address that refuses is asked again.
 * @param unplaced an answer doesn't tell its Etag, so that exactness can't be promised.
 */
export function createRelay(
  readers: ReadonlyMap<string, Reader>,
  fetch: typeof globalThis.fetch,
  retry: boolean,
  unplaced: (reader: Reader) => void,
): { protocol: ProtocolFactory; fetch: typeof globalThis.fetch } {
  const asked = new WeakMap<object, Asked>()
  const counted = new WeakSet<IncomingMessage>()
  const urlOf = ([name]: readonly string[]) => readers.get(name as string)?.url ?? ''

  const protocol: ProtocolFactory = (endpoint) => {
    const base = nchan({ url: urlOf, position: 'headers', retry })(endpoint)
    return {
      ...base,
      name: 'relay',
      order: relayOrder(counted),
      // Names are the page's own: no server sees them.
      check() {},

      exchange(kind, subscription) {
        // Whoever answers: the decoder looks at the headers itself.
        const { foreign: _, ...exchange } = base.exchange(kind, subscription)
        const reader = readers.get(subscription.channels[0]?.name ?? '')
        const time = exchange.headers['If-Modified-Since']
        const tag = exchange.headers['If-None-Match']
        if (reader === undefined || time === undefined || tag === undefined) return exchange
        asked.set(exchange.headers, { reader, second: Date.parse(time) / 1000, tag: Number(tag) })
        return reader.kind === 'relay' ? exchange : { ...exchange, url: withArguments(exchange.url, { time, tag }) }
      },

      decoder(context, events) {
        const reader = readers.get(context.channels[0] ?? '')
        let uncertain = false
        const plain = base.decoder(context, {
          ...events,
          message(message) {
            if (uncertain) counted.add(message)
            events.message(message)
          },
        })
        return {
          frame(text: string, { headers = new Headers() } = {}) {
            const { second, tag } = told(headers)
            if (Number.isNaN(second) || tag === undefined) {
              const what = Number.isNaN(second) ? 'Last-Modified' : 'Etag that is a number'
              return events.over({
                kind: 'invalid',
                explain: `an answer without ${what}, which is none of a push server`,
              })
            }
            const reading = reader?.read(text, headers)
            uncertain = headers.has(countedHeader)
            if (reading === undefined || reading.kind === 'relay') return plain.frame(text, { headers })
            if (reading.kind === 'frames') {
              return deliver(reading.parts, reading.several, placeOf(second, tag), context, events)
            }
            if (uncertain) return events.over({ kind: 'invalid', explain: unplacedBodies })
            const { length } = reading.bodies
            const contentType = headers.get('Content-Type') ?? undefined
            for (const [index, body] of reading.bodies.entries()) {
              // Only where the last one stands is told.
              const last = index === length - 1
              const place = last ? placeOf(second, tag) : Number.NaN
              events.message(made(context, body, place, { tag: last ? tag : undefined, contentType, last }))
            }
          },
          pulse() {},
          finish() {},
        }
      },

      classify(ending) {
        const classified = base.classify(ending)
        // A channel may be made later, and a login page may go away.
        const later = ending.kind === 'invalid' || (retry && ending.status === 404)
        return later ? { ...classified, action: 'backoff' } : classified
      },

      positionOf(answer) {
        const { second, tag, module } = told(answer.headers)
        // The module's clock, when nothing was published: nothing of that second is known.
        if (module && tag === 0) return positionOf(second * 1000, 0)
        return base.positionOf(answer)
      },
    }
  }

  return {
    protocol,
    /** Fills in what a page is not shown of an answer, as an Etag of another origin. */
    async fetch(input, init) {
      const response = await fetch(input, init)
      const request = asked.get((init?.headers as object | undefined) ?? {})
      if (request === undefined || response.status !== 200 || told(response.headers).module !== undefined)
        return response
      const headers = new Headers(response.headers)
      const { second } = told(headers)
      if (Number.isNaN(second)) return response
      const text = await response.text()
      const reading = request.reader.read(text, headers)
      const newest = reading.kind === 'frames' ? newestTag(reading.parts, second) : undefined
      if (newest !== undefined) headers.set('Etag', `W/${newest}`)
      else {
        // At least so far: who is asked from a message that is known brings it again, and none is skipped.
        headers.set('Etag', String(second === request.second ? request.tag + 1 : 0))
        headers.set(countedHeader, '1')
        unplaced(request.reader)
      }
      return new Response(text, { status: 200, headers })
    },
  }
}

function withArguments(url: string, position: Record<string, string>): string {
  const { searchParams } = new URL(url)
  const more = Object.entries(position)
    .filter(([name]) => !searchParams.has(name))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return more.length === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${more.join('&')}`
}

function newestTag(parts: readonly Part[], second: number): number | undefined {
  let newest: number | undefined
  for (const part of parts) {
    if (!('message' in part)) continue
    const { position, tag } = part.message
    if (tag !== undefined && position - tag === positionOf(second * 1000, 0)) newest = Math.max(newest ?? 0, tag)
  }
  return newest
}

/** What is known of a message besides its body and place. */
interface More {
  id?: number | undefined
  tag?: number | undefined
  eventId?: string | undefined
  eventType?: string | undefined
  contentType?: string | undefined
  last: boolean
}

function made({ channels, liveFrom }: DecoderContext, body: unknown, place: Position, more: More): IncomingMessage {
  const { id, tag, eventId, eventType, contentType, last } = more
  const name = channels[0] as string
  const replayed = place < liveFrom
  const message = new IncomingMessage(
    id,
    name,
    body,
    place,
    tag,
    eventId,
    eventType,
    'longpolling',
    replayed,
    undefined,
    contentType,
  )
  message.last = last
  return message
}

/** Hands on what stood in frames, under the name that the page gave the channel. */
function deliver(
  parts: readonly Part[],
  several: boolean,
  end: Position,
  context: DecoderContext,
  events: DecoderEvents,
): void {
  const last = parts.reduce((found, part, index) => ('message' in part ? index : found), -1)
  for (const [index, part] of parts.entries()) {
    if ('dead' in part) events.dead(part.dead, part.reason)
    else if ('deleted' in part) events.deleted(context.channels[0] as string, part.deleted)
    else {
      const { id, body, position, tag, eventId, eventType } = part.message
      const own = position + Number(tagOf(position) > 0)
      const place = Number.isNaN(position) && index === last ? end : own
      const known = { id: several ? undefined : id, tag, eventId, eventType, last: index === last }
      events.message(made(context, body, place, known))
    }
  }
}
