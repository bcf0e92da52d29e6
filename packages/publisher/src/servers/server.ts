/**
 * How a message is published, where it isn't the usual way.
 *
 * @example
 * ```ts
 * import { Publisher } from '@pushstream/publisher'
 *
 * const publisher = new Publisher({ url: 'http://127.0.0.1:9080' })
 * await publisher.publish('news', 'The shop is open.', { eventId: 'news-17', eventType: 'item' })
 * ```
 */
export interface MessageOptions<Type extends string = string> {
  /**
   * The id of the message for the application (`Event-Id`, an eventsource's `id:`). Printable ASCII without quotes and
   * backslashes, because it stands in the template as it is. Only for the push stream module.
   */
  eventId?: string | undefined
  /** The type of the message where the body has none (`Event-Type`; Nchan: `X-EventSource-Event`). Printable ASCII likewise. */
  eventType?: Type | undefined
  /** The `Content-Type`. Nchan tells it to subscribers. Default: `application/json` for objects, none for text. */
  contentType?: string | undefined
  /** How long the server keeps the message, in seconds. Only for Nchan, with a location for it: `ttlArgument`. */
  ttl?: number | undefined
}

/** A channel as the server describes it. What it doesn't tell is `undefined`. */
export interface ChannelStats {
  readonly channel: string
  /** Messages published to it since it is there. The push stream module: also the id of the last one. */
  readonly published: number | undefined
  /** Messages it keeps now. */
  readonly stored: number | undefined
  readonly subscribers: number | undefined
  /** The id of its last message (Nchan). */
  readonly lastMessageId: string | undefined
}

/** A server as it describes itself. What it doesn't tell is `undefined`. */
export interface ServerStats {
  readonly channels: number | undefined
  readonly published: number | undefined
  readonly stored: number | undefined
  readonly subscribers: number | undefined
  /** Seconds since it was started. */
  readonly uptime: number | undefined
}

/** A request, below the publisher's address. */
export interface ServerRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path and query, encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
}

/** Knows how a server is published to. Does no I/O. */
export interface Server {
  readonly name: string
  /** How many channels one request may name. */
  readonly together: boolean
  /** Throws a `bad-channel` error for a name the server can't be asked for. */
  check(channel: string): void
  publish(channels: readonly string[], data: unknown, options: MessageOptions): ServerRequest
  /** How a channel is made without a message; `undefined`: by one. */
  create(channel: string): ServerRequest | undefined
  /** The message that makes a channel, where only a message does. */
  readonly opening: unknown
  remove(channel: string, text: string | undefined): ServerRequest
  info(channel: string): ServerRequest
  /** Lists channels whose names begin so. */
  list(prefix: string): ServerRequest
  summary(): ServerRequest
  /** Reads descriptions of channels. `undefined`: that is none. */
  channelsOf(body: string, asked: readonly string[]): ChannelStats[] | undefined
  serverOf(body: string): ServerStats | undefined
  /** Whether it describes every channel that it is asked about. */
  readonly tells: boolean
  /** Whether an answer without a description may be from it: that it did something, or that a channel is not there. */
  silent(body: string): boolean
}
