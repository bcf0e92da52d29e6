import type { Client } from '../client.js'
import type { PushStreamError } from '../errors.js'
import type { ChannelDeleted, Channels, DeadLetter, Gap, Processor } from '../events.js'
import type { ClientOptions } from '../options.js'
import type { SentCredentials } from '../platform.js'

/**
 * The options of `createUpdates`. All are optional.
 *
 * @example
 * ```ts
 * import { createUpdates, PushStream } from '@pushstream/core'
 *
 * const client = new PushStream().addChannel('news').connect()
 * const updates = createUpdates({ client, server: 'relay', retry: false })
 * ```
 */
export interface UpdatesOptions<C extends Channels<C>>
  extends Pick<
    ClientOptions,
    | 'headers'
    | 'params'
    | 'timeout'
    | 'pingtimeout'
    | 'reconnectOnTimeoutInterval'
    | 'reconnectOnChannelUnavailableInterval'
    | 'signal'
    | 'logger'
    | 'environment'
  > {
  /**
   * A client whose messages go to the same processors, by the names of its channels. It stays yours: `close()` leaves it
   * open. Default: none.
   */
  client?: Pick<Client<C>, 'on' | 'off'>
  /**
   * Whether to send cookies to other origins. Default `include`, as in django-pushserver's script: such a server must
   * answer with the page's origin and Allow-Credentials. Set `same-origin` for servers that allow any origin (`*`).
   */
  credentials?: SentCredentials
  /**
   * The server at the addresses: `relay` for Nchan and other Basic HTTP Push Relays, `push-stream` for a long-polling
   * location of the push stream module. Default: recognised by the first answer. Set it if strangers publish there.
   */
  server?: 'relay' | 'push-stream'
  /**
   * Whether to ask again, with back-off, after 403 or 404: a channel may be opened later, or have room again. Default
   * true, as in django-pushserver's script. With `false`, such a refusal ends the subscription.
   */
  retry?: boolean
  /**
   * push_stream_message_template as nginx has it. Set it if the template has no `~time~` or unusual keys. Set it to
   * `'~text~'` if that is the template and strangers publish: otherwise their text could pass for a frame.
   */
  messageTemplate?: string
}

/** The events of `on`, and the arguments of their listeners. `channel` is the name. */
export interface UpdatesEvents {
  /** An error. Its message says what the client does about it. Without a listener: a warning on the console. */
  error: PushStreamError
  /**
   * Messages that are no longer available, before the one that follows them. Without a listener: a warning on the
   * console.
   */
  gap: Gap
  /**
   * Data that is not JSON, or not a message. Without a listener: a warning on the console, unless a catch-all got it.
   */
  deadletter: DeadLetter
  /** The channel was deleted on the server. It stays subscribed. */
  channeldeleted: ChannelDeleted
}

/** Calls functions for messages by channel and type, like `$.updates` of django-pushserver. No method needs `this`. */
export interface Updates<C extends Channels<C>> {
  /** The names that are subscribed, in the order they were added. */
  readonly names: readonly string[]
  /**
   * Subscribes names to addresses, beginning with everything that is stored. An address may be relative to the page, or of
   * another origin. A name that is subscribed already is left as it is, an empty address is ignored.
   *
   * @throws PushStreamError `bad-option` for an invalid address; then nothing is subscribed.
   */
  subscribe(channels: { readonly [N in keyof C & string]?: string | null | undefined }): void
  /** Ends the subscription of a name, or all of them. Processors stay; the name can be subscribed anew. */
  unsubscribe(name?: keyof C & string): void
  /**
   * Calls back for the messages of a name with a type. Processors are called in the order of their registration, which
   * may come before `subscribe`. Earlier messages are not repeated. `'*'` stands for any name, or any type: a catch-all
   * gets every message, also without a type, and a text that is not JSON as it is. One that throws is reported as an
   * `error` and disturbs no other.
   *
   * @returns a function that removes the processor.
   */
  registerProcessor<
    N extends (keyof C & string) | '*',
    T extends (N extends keyof C ? keyof C[N] & string : string) | '*',
  >(name: N, type: T, process: Processor<C, N, T>): () => void
  /** Calls back for every event of this kind. Returns a function that removes the listener. */
  on<K extends keyof UpdatesEvents>(event: K, listener: (event: UpdatesEvents[K]) => void): () => void
  /** Ends everything for good. It leaves no request or timer behind and calls no processor any more. */
  close(): void
}
