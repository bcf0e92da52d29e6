/**
 * Declare the type of your client here, and the bindings for React and Vue check channels, types and data.
 *
 * @example
 * ```ts
 * import type { PushStream } from '@pushstream/core'
 * interface Shop {
 *   news: { item: { title: string } }
 *   [user: `user-${number}`]: { answer: { value: number } }
 * }
 * declare module '@pushstream/core' {
 *   interface Register { client: PushStream<Shop> } // or `typeof stream`
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: the application fills it
export interface Register {}

/** The type parameter of a client. */
export type ChannelsOf<R> = R extends { client: { readonly '~channels'?: infer C } }
  ? NonNullable<C>
  : // biome-ignore lint/suspicious/noExplicitAny: the client's own default
    Record<string, Record<string, any>>

/** The type parameter of the client in {@link Register}. Without one, any channel may have any data. */
export type Registered = ChannelsOf<Register>
