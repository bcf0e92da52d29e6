import type { Client } from '@pushstream/core'
import type { SentAt } from './model/lateness.js'

/** A client of whatever channels. */
// biome-ignore lint/suspicious/noExplicitAny: the devtools show what comes, and don't ask what it is
export type AnyClient = Client<any>

/**
 * How the devtools show themselves.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { mountDevtools } from '@pushstream/devtools'
 *
 * const stream = new PushStream<{ news: { item: { published: number } } }>()
 * mountDevtools(stream, { open: true, theme: 'dark', sentAt: ({ time }) => time?.getTime() })
 * ```
 */
export interface DevtoolsOptions {
  /** Whether the panel is open at first. Default: only its button is there. */
  open?: boolean | undefined
  /** Default: as the system is. */
  theme?: 'light' | 'dark' | undefined
  /**
   * When a message was sent, in ms since 1970, to show how late it came. Default: `sentAt` of the message's data, a number
   * of ms or a date as text. Without either, the time by the server's clock counts, which is known to the second.
   */
  sentAt?: SentAt | undefined
}
