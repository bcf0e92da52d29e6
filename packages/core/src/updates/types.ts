import type { Client } from '../client.js'
import type { PushStreamError } from '../errors.js'
import type { ChannelDeleted, Channels, DeadLetter, Gap, Routed } from '../events.js'
import type { Message } from '../message.js'
import type { ClientOptions } from '../options.js'
import type { SentCredentials } from '../platform.js'

/**
 * What `createUpdates` can be told. All of it is optional.
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
   * Whether cookies go to other origins. Default `include`, as django-pushserver's script had it: such a server must answer
   * with the page's origin and Allow-Credentials. `same-origin` for servers that allow any origin (`*`).
   */
  credentials?: SentCredentials
  /**
   * What answers at the addresses: `relay` for Nchan and other Basic HTTP Push Relays, `push-stream` for a long-polling
   * location of the push stream module. Default: what the first answer shows; say it where nobody but you is to decide that.
   */
  server?: 'relay' | 'push-stream'
  /**
   * Whether a name is asked for again, with back-off, whose address answers 403 or 404: a channel may be opened later, or
   * have room again. Default true, as django-pushserver's script had it. `false`: such a refusal ends the subscription.
   */
  retry?: boolean
  /**
   * push_stream_message_template as nginx has it. Only needed where it has no `~time~`, or other keys than the usual; and
   * `'~text~'` where a publisher must not be able to send what looks like a frame.
   */
  messageTemplate?: string
}

/** What `on` can be asked for, and what its listeners get. `channel` is the name. */
export interface UpdatesEvents {
  /** Trouble, and what is done about it. Default, when nobody listens: a warning on the console. */
  error: PushStreamError
  /** Messages that can't be had any more, before the one that follows them. Default: a warning on the console. */
  gap: Gap
  /** What came and is no JSON, or no message at all. Default: a warning on the console, unless a catch-all got it. */
  deadletter: DeadLetter
  /** The channel was deleted on the server. It stays subscribed. */
  channeldeleted: ChannelDeleted
}

/** Messages by channel and type, as django-pushserver's `$.updates` had them. No method needs `this`. */
export interface Updates<C extends Channels<C>> {
  /** The names subscribed, in their order. */
  readonly names: readonly string[]
  /**
   * Subscribes names to addresses, beginning with everything that is stored. An address may be relative to the page, or of
   * another origin. A name that is subscribed already is left as it is, an empty address is ignored.
   *
   * @throws PushStreamError `bad-option` for what is no address; nothing is subscribed then.
   */
  subscribe(channels: { readonly [N in keyof C & string]?: string | null | undefined }): void
  /** Ends the subscription of a name, or all of them. Processors stay; the name can be subscribed anew. */
  unsubscribe(name?: keyof C & string): void
  /**
   * Calls back for the messages of a name with a type, in the order of registration, before or after `subscribe`; what came
   * before is not brought again. `'*'` stands for any name, or any type: a catch-all gets every message, also those
   * without a type, and a text that is no JSON as it is. One that throws is reported as an `error` and disturbs nobody.
   *
   * @returns what takes the processor back.
   */
  registerProcessor<
    N extends (keyof C & string) | '*',
    T extends (N extends keyof C ? keyof C[N] & string : string) | '*',
  >(name: N, type: T, process: (data: Routed<C, N, T>, message: Message<Routed<C, N, T>>) => void): () => void
  /** Calls back for every event of this kind. Returns what takes the listener back. */
  on<K extends keyof UpdatesEvents>(event: K, listener: (event: UpdatesEvents[K]) => void): () => void
  /** Ends everything for good: nothing is left behind, and no processor is called any more. */
  close(): void
}
