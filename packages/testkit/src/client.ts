import {
  type Channels,
  createFedClient,
  type DataOf,
  type Gap,
  type ModeName,
  type PushStream,
  type Status,
} from '@pushstream/core/testing'
import {
  type AddedChannel,
  type ChangedStatus,
  type EmittedFields,
  FakeServer,
  type Refusal,
  type SentText,
} from './fake-server.js'

export type { AddedChannel, ChangedStatus, EmittedFields, Refusal, SentText }

/** A client for tests, and the server that it seems to be connected to. */
export interface FakeClient<C extends Channels<C>> {
  /** The client to hand to the code under test. It opens no connection and sets no timer. */
  readonly client: PushStream<C>
  /** The channels that are subscribed now, in the order they were added. */
  readonly channels: readonly (keyof C & string)[]
  /** Every channel that was ever added, in order, also those that were removed since. */
  readonly added: readonly AddedChannel<keyof C & string>[]
  /** The texts that were published with `sendMessage`, oldest first. Each comes back as a message, as from a server. */
  readonly sent: readonly SentText[]
  /**
   * Publishes a message. It is delivered before this returns. A client that has called `connect` is open then.
   *
   * @param data the body: a value that is sent as JSON, or a text as it is.
   * @returns whether it was delivered: if the client is open, the channel is subscribed and the number is new.
   */
  emit<N extends keyof C & string>(
    channel: N,
    data: DataOf<C, N> | string,
    fields?: EmittedFields<keyof C[N] & string>,
  ): boolean
  /**
   * Reports messages as no longer available. The next message has the number after them.
   *
   * @param gap what is missing. Default: the next message. With the reason `restart`, the numbers begin anew.
   * @returns whether it was reported: if the client is open and the channel is subscribed.
   */
  gap(channel: keyof C & string, gap?: Partial<Omit<Gap, 'channel'>>): boolean
  /**
   * Refuses a channel, which the client then gives up: an `error` reports it.
   *
   * @returns whether the channel was subscribed.
   */
  refuse(channel: keyof C & string, refusal?: Refusal): boolean
  /** Deletes a channel: a `channeldeleted`. Its numbers begin anew. Returns whether it was reported. */
  delete(channel: keyof C & string, text?: string): boolean
  /** Brings a frame that can't be read: a `deadletter`. Returns whether it was reported. */
  deadletter(raw: string, reason?: string): boolean
  /**
   * Sets the status that the client has from now on, while it has channels and is connected. `'open'` is what it is
   * otherwise. An `error` is emitted as well.
   *
   * @example
   * ```ts
   * import { PushStreamError } from '@pushstream/core'
   * import { createFakeClient } from '@pushstream/testkit/client'
   *
   * const fake = createFakeClient()
   * fake.status({ state: 'waiting', attempt: 3, error: new PushStreamError('unreachable', 'No answer.') })
   * fake.status('open')
   * ```
   */
  status(status: Exclude<Status['state'], 'closed'> | ChangedStatus): void
}

/**
 * Creates a client for tests of components and of other code that uses a client. It is the real client in everything
 * but the server: the test says what arrives.
 *
 * @param options.mode the mode that the status and messages name. Default `'websocket'`.
 * @typeParam C the channels of the client, as `PushStream` takes them. Default: any channel brings any data.
 *
 * @example
 * ```ts
 * import { createFakeClient } from '@pushstream/testkit/client'
 *
 * const fake = createFakeClient()
 * fake.client.addChannel('user-42').connect()
 * fake.client.on('message', ({ data }) => console.log(data.value))
 * fake.emit('user-42', { type: 'answer', value: 42 }) // logs 42 before it returns
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: the client's own default
export function createFakeClient<C extends Channels<C> = Record<string, Record<string, any>>>({
  mode = 'websocket',
}: {
  mode?: ModeName
} = {}): FakeClient<C> {
  let server!: FakeServer
  const client = createFedClient<C>({
    mode,
    carry(events) {
      server = new FakeServer(events, mode)
      return server
    },
    published: (channels, text) => server.published(channels, text),
  })
  return {
    client,
    get channels() {
      return client.channels as (keyof C & string)[]
    },
    added: server.added as AddedChannel<keyof C & string>[],
    sent: server.sent,
    emit: (channel, data, fields = {}) => server.emit(channel, data, fields),
    gap: (channel, gap = {}) => server.gap(channel, gap),
    refuse: (channel, refusal = {}) => server.refuse(channel, refusal),
    delete: (channel, text = '') => server.delete(channel, text),
    deadletter: (raw, reason = 'no frame of the message template') => server.deadletter(raw, reason),
    status: (status) => server.become(typeof status === 'string' ? { state: status } : status),
  }
}
