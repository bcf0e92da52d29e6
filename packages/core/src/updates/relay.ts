import { bad } from '../errors.js'
import type { IncomingMessage } from '../message.js'
import { everything, positionOf } from '../position.js'
import { addressOf, argumentsOf } from '../protocols/address.js'
import { classify } from '../protocols/nchan-endings.js'
import { idAfter, placeIn } from '../protocols/nchan-ids.js'
import { createPollScheduler } from '../protocols/poll-scheduler.js'
import type { ProtocolFactory } from '../protocols/protocol.js'
import { relayOrder } from './order.js'
import { counted as countedHeader, type Part, type Reader, told } from './reader.js'
import { createRelayDecoder } from './relay-decoder.js'

/** What was asked for by a request, known by its headers. */
interface Asked {
  readonly reader: Reader
  readonly second: number
  readonly tag: number
}

/**
 * The protocol of whoever answers long-polls with `Last-Modified` and `Etag`: Basic HTTP Push Relays, Nchan, and the
 * push stream module. Which of them it is, the first answer shows; until then the position goes with every request in the
 * headers and in the query. The module's tags are kept as relays count theirs: both take one that is none as the end of
 * its second.
 *
 * @param readers the addresses, by the names of their channels.
 * @param retry whether an address that refuses is asked again.
 * @param unplaced is called once for an address whose answers don't tell their Etag, so that exactness can't be promised.
 */
export function createRelay(
  readers: ReadonlyMap<string, Reader>,
  fetch: typeof globalThis.fetch,
  retry: boolean,
  unplaced: (name: string) => void,
): { protocol: ProtocolFactory; fetch: typeof globalThis.fetch } {
  const asked = new WeakMap<object, Asked>()
  const counted = new WeakSet<IncomingMessage>()

  const protocol: ProtocolFactory = (endpoint) => ({
    capabilities: {
      modes: ['longpolling'],
      channelsPerConnection: 1,
      schedulePolls: createPollScheduler,
      oneShot: {},
      lastMessage: false,
      probe: 'OPTIONS',
    },
    guarantees: { resume: 'second', gaps: 'possible' },
    order: relayOrder(counted),
    // Names are the page's own: no server sees them.
    check() {},

    exchange(_, { channels: [channel], position, params, headers }) {
      const reader = readers.get(channel?.name ?? '')
      const exchange = { credentials: endpoint.credentials, framing: 'message', timeoutStatus: 408 } as const
      const url = reader?.url ?? ''
      const from = position ?? (channel?.backtrack ? everything : undefined)
      if (reader === undefined || from === undefined) {
        return { ...exchange, url: addressOf(endpoint.base, url, argumentsOf(params)), headers }
      }
      const [second, tag] = idAfter(from).split(':') as [string, string]
      const time = new Date(Number(second) * 1000).toUTCString()
      const head = { ...headers, 'If-Modified-Since': time, 'If-None-Match': tag }
      asked.set(head, { reader, second: Number(second), tag: Number(tag) })
      const args = { ...params }
      if (reader.kind !== 'relay') {
        const { searchParams } = new URL(url)
        for (const [name, value] of Object.entries({ time, tag })) {
          if (!(name in args || searchParams.has(name))) args[name] = value
        }
      }
      return { ...exchange, url: addressOf(endpoint.base, url, argumentsOf(args)), headers: head }
    },

    decoder: (context, events) => createRelayDecoder(readers.get(context.channels[0] ?? ''), context, events, counted),

    classify(ending) {
      const classified = classify(ending, retry)
      // A channel may be made later, and a login page may go away.
      const later = ending.kind === 'invalid' || (retry && ending.status === 404)
      return later ? { ...classified, action: 'backoff' } : classified
    },

    positionOf({ headers }) {
      const { second, tag, module } = told(headers)
      // The module's clock, when nothing was published: nothing of that second is known.
      return module && tag === 0 ? positionOf(second * 1000, 0) : placeIn(headers)
    },

    publish() {
      throw bad('Pages publish no updates.')
    },
  })

  return { protocol, fetch: completing(fetch, asked, unplaced) }
}

/** Fills in what a page is not shown of an answer, as an Etag of another origin. */
const completing =
  (fetch: typeof globalThis.fetch, asked: WeakMap<object, Asked>, unplaced: (name: string) => void): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init)
    const request = asked.get((init?.headers as object | undefined) ?? {})
    const { second, module } = told(response.headers)
    if (request === undefined || response.status !== 200 || module !== undefined || Number.isNaN(second)) {
      return response
    }
    const { reader } = request
    const headers = new Headers(response.headers)
    const text = await response.text()
    const reading = reader.read(text, headers)
    const newest = reading.kind === 'frames' ? newestTag(reading.parts, second) : undefined
    if (newest !== undefined) headers.set('Etag', `W/${newest}`)
    else {
      // At least so far: who is asked from a message that is known brings it again, and none is skipped.
      headers.set('Etag', String(second === request.second ? request.tag + 1 : 0))
      headers.set(countedHeader, '1')
      if (!reader.reported) unplaced(reader.name)
      reader.reported = true
    }
    return new Response(text, { status: 200, headers })
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
