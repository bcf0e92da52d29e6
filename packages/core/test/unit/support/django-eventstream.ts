import { readFileSync } from 'node:fs'
import { ChannelStore } from '../../../src/delivery/channel-store.js'
import { newReplay } from '../../../src/delivery/order.js'
import type { IncomingMessage } from '../../../src/message.js'
import { type DjangoEventStreamSettings, djangoEventStream } from '../../../src/protocols/django-eventstream.js'
import type { Endpoint, Protocol } from '../../../src/protocols/protocol.js'
import { createSseParser } from '../../../src/transports/sse.js'
import type { CloseReason, Exchange } from '../../../src/types.js'

export const make = (settings: DjangoEventStreamSettings = {}, endpoint: Partial<Endpoint> = {}): Protocol =>
  djangoEventStream(settings)({ base: 'http://h/base', credentials: 'same-origin', sameOrigin: true, ...endpoint })

/** What an application sees, in order. */
export type Told =
  | [channel: string, id: number | undefined, text: string]
  | { gap: string; first: number | 'unknown'; last: number | 'unknown'; reason: string }
  | { dead: string }

/** One event stream of a session. */
export interface Stream {
  readonly exchange: Exchange
  /** Where each channel is asked for: `a:4,b:2`. */
  readonly asked: string | null
  readonly pings: number
  readonly over: CloseReason | undefined
  /** What the network brings. */
  feed(text: string): Promise<void>
  finish(): void
}

/** The protocol, its decoder and its order together, without a network: what several event streams bring to an application. */
export function session(channels: readonly string[], settings: DjangoEventStreamSettings = {}, lastEventId?: string) {
  const told: Told[] = []
  const messages: IncomingMessage[] = []
  const protocol = make(settings, lastEventId === undefined ? {} : { options: { lastEventId } })
  const channelStore = new ChannelStore(protocol.order, () => 0, {
    deliver(message) {
      messages.push(message)
      told.push(message.dead === undefined ? [message.channel, message.id, message.text] : { dead: message.text })
    },
    gap: (gap, first, last, reason) => void told.push({ gap, first, last, reason }),
  })
  for (const name of channels) channelStore.add(name, 0, undefined)
  const refresh = (name: string) => {
    channelStore.remove(name)
    channelStore.add(name, 0, undefined)
  }
  const add = (name: string) => channelStore.add(name, 0, undefined)
  function connect(): Stream {
    const wanted = channelStore.all
    const position = channelStore.lowWatermark(wanted)
    const exchange = protocol.exchange('eventsource', {
      channels: wanted.map((channel) => ({ name: channel.name, after: channelStore.watermark(channel) })),
      position,
      eventId: undefined,
      params: {},
      headers: {},
    })
    const replay = newReplay()
    const stream = { pings: 0, over: undefined as CloseReason | undefined }
    const decoder = protocol.decoder(
      { kind: 'eventsource', liveFrom: 0, channels: wanted.map(({ name }) => name) },
      {
        message: (message) => void channelStore.receive(message, replay),
        ping: () => void stream.pings++,
        deleted: () => undefined,
        dead: (raw) => void told.push({ dead: raw }),
        over: (ending) => {
          stream.over ??= ending
        },
      },
    )
    const parse = createSseParser({
      // A piece is read to its end, whatever came of its beginning.
      event: (event) => (event.data === undefined ? decoder.pulse('') : decoder.frame(event.data, event)),
      comment: (text) => decoder.pulse(text),
    })
    return Object.assign(stream, {
      exchange,
      asked: new URL(exchange.url).searchParams.get('lastEventId'),
      finish: () => decoder.finish(),
      async feed(text: string) {
        parse(text)
        await undefined
        await undefined
      },
    })
  }
  return { told, messages, protocol, channelStore, connect, refresh, add }
}

/**
 * What a transcript holds, by the titles of its parts. Whatever isn't of an event stream (headers, sizes of chunks, remarks)
 * is no field of one, and so passes a parser by.
 */
export function transcript(name: string): string[] {
  const path = new URL(`../../fixtures/django-eventstream/${name}.txt`, import.meta.url)
  return readFileSync(path, 'utf8')
    .replaceAll('\r', '')
    .split(/^(?======|-- )/m)
}

/** The part of a transcript whose title has this in it. */
export function part(name: string, title: string): string {
  const found = transcript(name).find((text) => text.split('\n', 1)[0]?.includes(title))
  if (found === undefined) throw new Error(`no '${title}' in ${name}`)
  return found
}

const field = (name: string, text: string) =>
  text
    .split('\n')
    .map((line) => `${name}: ${line}\n`)
    .join('')
/** An event as the server writes it. */
export const event = (type: string, id: string | undefined, data: string): string =>
  `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}${field('data', data)}\n`
/** How a stream begins. */
export const opening = `:${' '.repeat(2048)}\n\nevent: stream-open\ndata:\n\n`
/** The server goes on from here, for these channels. */
export const reset = (ids: string, ...channels: string[]): string =>
  event('stream-reset', ids, JSON.stringify({ channels }))
