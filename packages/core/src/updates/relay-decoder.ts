import { IncomingMessage } from '../message.js'
import { tagOf } from '../position.js'
import { createDeliver, longpolling } from '../protocols/nchan-answers.js'
import { placeOf } from '../protocols/nchan-ids.js'
import type { Decoder, DecoderContext, DecoderEvents } from '../protocols/protocol.js'
import type { Position } from '../types.js'
import { counted as countedHeader, type Part, type Reader, told } from './reader.js'

const unplacedBodies =
  'several messages whose place is not told: let the server expose the Etag, or have time and tag in its message template'

/**
 * Reads answers as their server means them.
 *
 * @param counted gets the messages whose tag the server does not tell.
 */
export function createRelayDecoder(
  reader: Reader | undefined,
  context: DecoderContext,
  events: DecoderEvents,
  counted: WeakSet<IncomingMessage>,
): Decoder {
  const { channels, liveFrom } = context
  const [channel = ''] = channels
  let uncertain = false
  const marking: DecoderEvents = {
    ...events,
    message(message) {
      if (uncertain) counted.add(message)
      events.message(message)
    },
  }
  const relay = longpolling(createDeliver(context, marking), events, channels)

  /** Hands a message on under the name that the page gave the channel. */
  const deliver = (body: unknown, place: Position, last: boolean, known: Partial<IncomingMessage>) => {
    const { id, tag, eventId, eventType, contentType } = known
    const replayed = place < liveFrom
    const message = new IncomingMessage(
      id,
      channel,
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
    events.message(message)
  }

  const deliverFrames = (parts: readonly Part[], several: boolean, end: Position) => {
    const last = parts.reduce((found, part, index) => ('message' in part ? index : found), -1)
    for (const [index, part] of parts.entries()) {
      if ('dead' in part) events.dead(part.dead, part.reason)
      else if ('deleted' in part) events.deleted(channel, part.deleted)
      else {
        const { id, body, position, tag, eventId, eventType } = part.message
        const own = position + Number(tagOf(position) > 0)
        const place = Number.isNaN(position) && index === last ? end : own
        // Of several channels, each has its own numbers.
        deliver(body, place, index === last, { id: several ? undefined : id, tag, eventId, eventType })
      }
    }
  }

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
      if (reading === undefined || reading.kind === 'relay') return relay(text, { headers })
      const end = placeOf(second, tag)
      if (reading.kind === 'frames') return deliverFrames(reading.parts, reading.several, end)
      if (uncertain) return events.over({ kind: 'invalid', explain: unplacedBodies })
      const contentType = headers.get('Content-Type') ?? undefined
      reading.bodies.forEach((body, index, { length }) => {
        // Only where the last one stands is told.
        if (index === length - 1) deliver(body, end, true, { tag, contentType })
        else deliver(body, Number.NaN, false, { contentType })
      })
    },
    pulse() {},
    finish() {},
  }
}
