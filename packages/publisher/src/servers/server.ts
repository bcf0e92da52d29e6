/**
 * The options of a message.
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
  /** The `Content-Type`. Nchan passes it on to subscribers. Default: `application/json` for objects, none for text. */
  contentType?: string | undefined
  /** How long the server keeps the message, in seconds. Only for Nchan, and only with `ttlArgument`. */
  ttl?: number | undefined
}

/** A server's statistics of a channel. A field that it does not report is `undefined`. */
export interface ChannelStats {
  readonly channel: string
  /**
   * Messages published to it since it was created. With the push stream module, this is also the id of the last one.
   */
  readonly published: number | undefined
  /** Messages it keeps now. */
  readonly stored: number | undefined
  readonly subscribers: number | undefined
  /** The id of its last message (Nchan). */
  readonly lastMessageId: string | undefined
}

/** A server's statistics of itself. A field that it does not report is `undefined`. */
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

/** Makes the requests to one kind of server and reads its answers. Does no I/O. */
export interface Server {
  readonly name: string
  /** Whether one request may name several channels. */
  readonly together: boolean
  /** Throws a `bad-channel` error for a name the server can't be asked for. */
  check(channel: string): void
  publish(channels: readonly string[], data: unknown, options: MessageOptions): ServerRequest
  /** Creates a channel without a message. `undefined`: only a message creates it. */
  create(channel: string): ServerRequest | undefined
  /** The message that creates a channel, if only a message does. */
  readonly opening: unknown
  remove(channel: string, text: string | undefined): ServerRequest
  info(channel: string): ServerRequest
  /** Lists the channels with this prefix. */
  list(prefix: string): ServerRequest
  summary(): ServerRequest
  /** Reads the statistics of channels. `undefined`: the body contains none. */
  channelsOf(body: string, asked: readonly string[]): ChannelStats[] | undefined
  serverOf(body: string): ServerStats | undefined
  /** Whether its answers contain the statistics of every channel. */
  readonly tells: boolean
  /**
   * Whether this server may send such an answer without statistics: for a success, or for a channel that does not
   * exist.
   */
  silent(body: string): boolean
}
