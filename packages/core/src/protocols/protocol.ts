import type { Order } from '../delivery/order.js'
import type { Received } from '../message.js'
import type { Answer, CloseReason, CommonOptions, Exchange, FrameMeta, ModeName, Position, Promises } from '../types.js'

/** A channel as one request names it. */
export interface Wanted {
  readonly name: string
  /** How many stored messages to ask for, where no position is known. */
  readonly backtrack?: number | undefined
  /** Up to where this channel is complete: for servers that resume each channel from a point of its own. */
  readonly after?: Position | undefined
}

/** What one request is for. */
export interface Subscription {
  readonly channels: readonly Wanted[]
  /** Everything after this position is asked for. */
  readonly position: Position | undefined
  /** Event id to go on after, where no position is known. */
  readonly eventId: string | undefined
  /** What the application adds to the query. */
  readonly params: Record<string, string>
  /** What the application adds to the headers. */
  readonly headers: Record<string, string>
}

/** `poll` asks for what is stored and is answered at once. */
export type RequestKind = ModeName | 'poll'

/** What a frame may turn out to be. */
export interface Inlet {
  message(message: Received): void
  /** The server's own sign of life. */
  ping(): void
  deleted(channel: string, text: string): void
  /** A frame nobody can read. */
  dead(raw: string, reason: string): void
  /** The server said that this is the end, in a way that only its protocol shows. */
  over(ending: CloseReason): void
}

/** Turns the frames of one transport into messages. Holds what is incomplete. */
export interface Decoder {
  frame(text: string, meta?: FrameMeta): void
  pulse(text: string): void
  /** One answer or the whole transport ended in good order: what is still incomplete stays so. */
  finish(): void
}

/** How a decoder tells old from new. */
export interface DecoderContext {
  readonly kind: RequestKind
  /** Messages before this second were published before the connection. */
  readonly liveFrom: Position
  /** The channels asked for, in the order of the request. */
  readonly channels: readonly string[]
}

/**
 * What an ending means. `again`: in good order, come back at once. `retry`: try later. `mode`: this mode can't work
 * here. `rejected`: the server doesn't want (one of) the channels.
 */
export type Verdict = 'again' | 'retry' | 'mode' | 'rejected'

/** Knows a server. Does no I/O and holds no timer. */
export interface Protocol {
  readonly name: string
  readonly promises: Promises
  /**
   * Throws a `bad-channel` error if the server can't be asked for this name, `bad-option` if it can't begin with so many
   * stored messages.
   */
  check(channel: string, backtrack?: number): void
  /** The request. */
  exchange(kind: RequestKind, subscription: Subscription): Exchange
  decoder(context: DecoderContext, inlet: Inlet): Decoder
  /** How the server can be asked beside the connection: at once, by a long-poll that has something to bring, or not. */
  readonly polls: 'poll' | 'longpolling' | undefined
  /** Whether each channel has a connection of its own, because the server can't resume several at once. */
  readonly apart: boolean
  /** How many channels one connection takes at most, where it takes several. Default: any number. */
  readonly most?: number
  /** The modes the server has, the most wanted first. Default: all. */
  readonly modes?: readonly ModeName[]
  /**
   * For servers that begin every event stream with an event of their own, and never are silent for this long, in ms: only
   * that event (a `ping` of the decoder) shows that a connection is accepted, and silence that it is dead.
   */
  readonly silence?: number
  /** How messages are put in order, and from where a channel is asked for again. */
  readonly order: Order
  /** Whether an event stream must show a byte before it counts as accepted. */
  readonly greets: boolean
  verdict(ending: CloseReason): Verdict
  /** The status and explanation of an ending, wherever the server put them. */
  explanation(ending: CloseReason): { status?: number | undefined; explain?: string | undefined }
  /** Whether the server may have lost what it stored, after an ending like this. */
  wiped(ending: CloseReason): boolean
  /** The position an answer's headers tell. */
  positionOf(answer: Answer): Position | undefined
  /** How a text is published: by a POST, and as a websocket frame where the server takes one. */
  publish(channels: readonly string[], text: string): { url: string; body: string; frame: string | undefined }
}

/** Where the server is. */
export interface Endpoint {
  /** Origin and path prefix, without a slash at the end. */
  readonly base: string
  readonly credentials: RequestCredentials
  /** Whether headers can be sent without a preflight. */
  readonly sameOrigin: boolean
  /** What was said to the client, for a protocol to refuse what its server doesn't have. */
  readonly options?: CommonOptions
}

/** Makes the protocol of a client, once it is known where the server is. */
export type ProtocolFactory = (endpoint: Endpoint) => Protocol
