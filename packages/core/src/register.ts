import type { Client } from './client.js'
import type { Channels } from './events.js'

/**
 * Tells the bindings which client the application has, so that channels, types and data are checked everywhere:
 *
 * ```ts
 * declare module '@pushstream/core' {
 *   interface Register { client: PushStream<Shop> } // or `typeof stream`
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: the application fills it
export interface Register {}

/** The type parameter of a client, of either class. */
export type ChannelsOf<R> = R extends { client: Client<infer C extends Channels> }
  ? C
  : // biome-ignore lint/suspicious/noExplicitAny: as the client's own default
    Record<string, Record<string, any>>

/** The type parameter of the application's client, where it is told by {@link Register}; else any channel brings anything. */
export type Registered = ChannelsOf<Register>
