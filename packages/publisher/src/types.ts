import type { Channels, DataOf } from '@pushstream/core'

/** What is published to several channels has to fit each of them. */
export type DataOfEach<C extends Channels<C>, N extends keyof C> = (
  N extends keyof C
    ? (data: DataOf<C, N>) => void
    : never
) extends (data: infer Data) => void
  ? Data
  : never

/** The types of messages on these channels. */
export type TypeOf<C extends Channels<C>, N extends keyof C> = N extends keyof C ? keyof C[N] & string : never
