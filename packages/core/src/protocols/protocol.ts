import type { Order } from '../delivery/order.js'
import type { IncomingMessage } from '../message.js'
import type { SentCredentials } from '../platform.js'
import type {
  Answer,
  CloseReason,
  CommonOptions,
  Environment,
  Exchange,
  FrameMeta,
  Guarantees,
  ModeName,
  Position,
  Transport,
} from '../types.js'

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
export interface DecoderEvents {
  message(message: IncomingMessage): void
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
  /** Nothing has come for a moment: what looks like the end of a frame is one. */
  idle?(): void
  /** One answer or the whole transport ended in good order: what is still incomplete stays so. */
  finish(): void
}

/**
 * Cuts what a transport delivers into frames, where nothing delimits them. What it takes is its protocol's own: the
 * transports that deliver like that bring it along.
 */
export type Cut = (reading: never) => Pick<Decoder, 'frame' | 'idle' | 'finish'>

/** A transport that brings along how its frames are cut, if nothing delimits them. */
export interface CutTransport extends Transport {
  readonly cut?: Cut
}

/** How a decoder tells old from new. */
export interface DecoderContext {
  readonly kind: RequestKind
  /** Messages before this second were published before the connection. */
  readonly liveFrom: Position
  /** The channels asked for, in the order of the request. */
  readonly channels: readonly string[]
  readonly cut?: Cut | undefined
}

/** A connection that may be used for polls, one after the other. */
export interface Slot {
  /** Aborted when others wait: the poll is to be asked again later. */
  readonly until: AbortSignal
  /** Whether another poll may leave, when the one before it was answered. */
  again(): boolean
  release(): void
}

/** Shares few connections among the polls of many channels. */
export interface PollScheduler {
  /** Resolves when there is a connection to use. */
  take(): Promise<Slot>
  /** How many connections there are. */
  limit(): number
  /** A request was answered after so many ms. */
  answered(ms: number): void
  /** The environment whose requests tell how long answers take. */
  readonly timed: Environment
}

/** What a server can do. The session and the pool decide by this data, never by which server it is. */
export interface Capabilities {
  /** The modes the server has, the most wanted first. */
  readonly modes: readonly ModeName[]
  /** How many channels one connection takes. 1 where the server can't resume several at once. */
  readonly channelsPerConnection: number
  /** How sessions share the few connections to an origin by taking turns with their long-polls. */
  readonly schedulePolls?: ((environment: Environment, origin: string) => PollScheduler) | undefined
  /**
   * How the location of a mode answers a one-shot request: a `poll` at once, a `longpolling` one at once if it has
   * something to bring. Empty: not at all.
   */
  readonly oneShot: Partial<Record<ModeName, 'poll' | 'longpolling'>>
  /** Whether a request can ask for the last stored messages of one channel, and for what follows on the others. */
  readonly lastMessage: boolean
  /** A method that is answered at once where a long-poll hangs. `HEAD`: with 405, which nothing but the server says. */
  readonly probe?: 'HEAD' | 'OPTIONS'
  /**
   * For servers that begin every event stream with an event of their own, and are never silent for this long, in ms. Only
   * that event (a `ping` of the decoder) shows that a connection is accepted, and a longer silence that it is dead.
   */
  readonly keepAlive?: number
}

/** What the end of a connection means. */
export interface Classified {
  /**
   * `reconnect`: it ended in good order, come back at once. `backoff`: try later. `unsupported`: this mode does not work
   * here. `rejected`: the server refuses (one of) the channels.
   */
  readonly action: 'reconnect' | 'backoff' | 'unsupported' | 'rejected'
  /** The HTTP status and the server's explanation, wherever it put them. */
  readonly status?: number | undefined
  readonly explain?: string | undefined
  /** The server takes these channels next to others alone, or fewer of them. */
  readonly wantsCompany?: boolean
  /** The server may have lost what it stored. */
  readonly historyLost?: boolean
}

/** Knows a server. Does no I/O and holds no timer. */
export interface Protocol {
  readonly capabilities: Capabilities
  readonly guarantees: Guarantees
  /** How messages are put in order, and from where a channel is asked for again. */
  readonly order: Order
  /**
   * Throws a `bad-channel` error if the server can't be asked for this name, `bad-option` if it can't begin with so many
   * stored messages.
   */
  check(channel: string, backtrack?: number): void
  /** The request. */
  exchange(kind: RequestKind, subscription: Subscription): Exchange
  decoder(context: DecoderContext, events: DecoderEvents): Decoder
  classify(ending: CloseReason): Classified
  /** The position an answer's headers tell. */
  positionOf(answer: Answer): Position | undefined
  /** How a text is published: by a POST, and as a websocket frame where the server takes one. */
  publish(channels: readonly string[], text: string): { url: string; body: string; frame: string | undefined }
}

/** Where the server is. */
export interface Endpoint {
  /** Origin and path prefix, without a slash at the end. */
  readonly base: string
  readonly credentials: SentCredentials
  /** Whether headers can be sent without a preflight. */
  readonly sameOrigin: boolean
  /** What was said to the client, for a protocol to refuse what its server doesn't have. */
  readonly options?: CommonOptions
}

/** Makes the protocol of a client, once it is known where the server is. */
export interface ProtocolFactory {
  (endpoint: Endpoint): Protocol
  /** What tells it from others: clients share a connection only if it is the same. */
  readonly settings?: unknown
}
