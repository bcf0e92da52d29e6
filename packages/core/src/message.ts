import { timeOf } from './position.js'
import type { ModeName, Position, Sequenced } from './types.js'

/**
 * A message as the application sees it: a plain object with these fields.
 *
 * @typeParam Data the body.
 * @typeParam Channel the name of the channel. Default: any.
 * @typeParam Type the type. Default: any, or none.
 */
export interface Message<
  Data = unknown,
  Channel extends string = string,
  Type extends string | undefined = string | undefined,
> {
  /** The channel it was published to. */
  readonly channel: Channel
  /** The channel's running number, from 1; it begins anew when the server restarts. `undefined` where the template has no id. */
  readonly id: number | undefined
  /** The body as text. A body that came as raw JSON (`"text":~text~`) is that JSON. */
  readonly text: string
  /** The body parsed, when it is JSON; else the text. Binary data is a `Uint8Array`. */
  readonly data: Data
  /** The body's `type`, where the body is an object with one; else the `Event-Type` it was published with, where the mode shows it. */
  readonly type: Type
  /** The `Event-Id` it was published with. */
  readonly eventId: string | undefined
  /** The `Content-Type` it was published with, where the server tells it: Nchan does, except to an eventsource. */
  readonly contentType: string | undefined
  /** When the server took it, to the second. */
  readonly time: Date | undefined
  /** The server's counter within that second. */
  readonly tag: number | undefined
  /** The mode that brought it. */
  readonly mode: ModeName
  /** Whether it was published before the connection that brought it (backtrack, or catching up after a loss). To the second. */
  readonly replayed: boolean
}

/** What a protocol makes of a frame, with what only the client needs to know of it. {@link messageOf} is the rest. */
export class IncomingMessage implements Sequenced {
  readonly id: number | undefined
  readonly channel: string
  /** The body as it came: decoded text, or what a raw template brought. */
  readonly body: unknown
  readonly position: Position
  readonly tag: number | undefined
  readonly eventId: string | undefined
  readonly eventType: string | undefined
  readonly mode: ModeName
  readonly replayed: boolean
  readonly contentType: string | undefined
  /** A body that is no string, as the JSON that the server wrote, where that is known. */
  readonly written: string | undefined
  /** Why the application gets it as a `deadletter`, where its text can't be trusted. */
  readonly dead: string | undefined
  /** Whether it is the last message of a long-poll answer; alone it is. */
  last = true

  constructor(
    id: number | undefined,
    channel: string,
    body: unknown,
    position: Position,
    tag: number | undefined,
    eventId: string | undefined,
    eventType: string | undefined,
    mode: ModeName,
    replayed: boolean,
    dead?: string,
    contentType?: string,
    written?: string,
  ) {
    this.id = id
    this.channel = channel
    this.body = body
    this.position = position
    this.tag = tag
    this.eventId = eventId
    this.eventType = eventType
    this.mode = mode
    this.replayed = replayed
    this.dead = dead
    this.contentType = contentType
    this.written = written
  }

  get text(): string {
    const { body, written } = this
    if (typeof body === 'string') return body
    if (written !== undefined) return written
    return body instanceof Uint8Array ? new TextDecoder().decode(body) : (JSON.stringify(body) ?? '')
  }

  get fingerprint(): string {
    return this.text
  }
}

/** Whether a message says where it stands. */
export const isPlaced = ({ id, position }: IncomingMessage): boolean => id !== undefined || !Number.isNaN(position)

/** The message for the application: a plain object without getters, so that spreading, logging and cloning keep it whole. */
export function messageOf(received: IncomingMessage): Message {
  const { id, channel, body, position, tag, eventId, eventType, mode, replayed, contentType } = received
  const data = typeof body === 'string' ? parsed(body) : body
  return {
    channel,
    id,
    text: received.text,
    data,
    type: typeOf(data) ?? eventType,
    eventId,
    contentType,
    time: Number.isNaN(position) ? undefined : new Date(timeOf(position)),
    tag,
    mode,
    replayed,
  }
}

function typeOf(data: unknown): string | undefined {
  const type = (data as { type?: unknown } | null | undefined)?.type
  // Not what an array, a text or the prototype of all objects may have of that name.
  return typeof type === 'string' && typeof data === 'object' && Object.hasOwn(data as object, 'type')
    ? type
    : undefined
}

function parsed(text: string): unknown {
  // Only what can be JSON is tried: an exception per plain text would cost more than all the rest.
  if (!/^([\s{["\d-]|(true|false|null)$)/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
