import { defaultEnvironment } from '../../../src/environment.js'
import { IncomingMessage } from '../../../src/message.js'
import { longpolling, stream } from '../../../src/modes.js'
import { type NchanSettings, nchan } from '../../../src/protocols/nchan.js'
import type { DecoderEvents, Endpoint, Protocol, RequestKind } from '../../../src/protocols/protocol.js'
import { eventsource } from '../../../src/transports/http.js'
import type { CloseReason, Exchange, FrameMeta } from '../../../src/types.js'
import { wanted } from './wanted.js'

export const make = (settings: NchanSettings = {}, endpoint: Partial<Endpoint> = {}): Protocol =>
  nchan(settings)({ base: 'http://h:8080/base', credentials: 'same-origin', sameOrigin: true, ...endpoint })

/** What came of frames, in order. */
export type Seen =
  | IncomingMessage
  | { ping: true }
  | { dead: string; reason: string }
  | { over: CloseReason }
  | { deleted: string }

export interface Reading {
  readonly seen: Seen[]
  readonly messages: IncomingMessage[]
  frame(text: string, meta?: FrameMeta): void
  pulse(text: string): void
}

export interface ReadingOptions {
  settings?: NchanSettings
  channels?: readonly string[]
  liveFrom?: number
}

/** Reads frames of one transport. */
export function reading(
  kind: RequestKind,
  { settings = {}, channels = ['a'], liveFrom = 0 }: ReadingOptions = {},
): Reading {
  const seen: Seen[] = []
  const messages: IncomingMessage[] = []
  const events: DecoderEvents = {
    message(message) {
      messages.push(message)
      seen.push(message)
    },
    ping: () => void seen.push({ ping: true }),
    deleted: (deleted) => void seen.push({ deleted }),
    dead: (dead, reason) => void seen.push({ dead, reason }),
    over: (over) => void seen.push({ over }),
  }
  const decoder = make(settings).decoder({ kind, channels, liveFrom }, events)
  return {
    seen,
    messages,
    frame: (text, meta) => decoder.frame(text, meta),
    pulse: (text) => decoder.pulse(text),
  }
}

/** A message in short: id, body, content type, event type. */
export const brief = (message: Seen) =>
  message instanceof IncomingMessage
    ? [message.eventId, message.body, message.contentType, message.eventType].slice(
        0,
        message.eventType === undefined ? 3 : 4,
      )
    : message

const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text)

/** An answer whose body comes in these pieces. */
function response(headers: Record<string, string>, pieces: readonly Uint8Array[], status = 200): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) if (piece.length > 0) controller.enqueue(piece)
      controller.close()
    },
  })
  return new Response(status === 304 ? null : body, { status, headers })
}

/** Cuts bytes at these places. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

/**
 * What a response brings, through the mode that reads it and the decoder: as the client gets it. How the mode says that
 * it ended comes last.
 */
export async function through(
  kind: 'eventsource' | 'stream' | 'longpolling',
  headers: Record<string, string>,
  body: string | Uint8Array,
  options: ReadingOptions & { cuts?: readonly number[]; status?: number } = {},
): Promise<Reading & { ended: CloseReason }> {
  const read = reading(kind, options)
  const transport = { eventsource, stream, longpolling }[kind]
  let asked = 0
  const answer = () => {
    if (asked++ > 0) return Promise.reject(new Error('one is enough'))
    return Promise.resolve(response(headers, cut(bytesOf(body), options.cuts ?? []), options.status))
  }
  const exchange: Exchange = make(options.settings).exchange(kind, wanted())
  const ended = await new Promise<CloseReason>((resolve) => {
    transport.open(
      () => Promise.resolve(exchange),
      {
        open() {},
        activity() {},
        answered() {},
        comment: (text) => read.pulse(text),
        frame: (text, meta) => read.frame(text, meta),
        closed: resolve,
      },
      { ...defaultEnvironment(), fetch: answer as typeof fetch },
    )
  })
  return Object.assign(read, { ended })
}
