import type { Client } from '@pushstream/core'
import type { SentAt } from './model/lateness.js'

/** A client of any channels. */
// biome-ignore lint/suspicious/noExplicitAny: the devtools show what comes, and don't ask what it is
export type AnyClient = Client<any>

/**
 * The options of `mountDevtools`, and the properties of both components.
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
   * Returns when a message was sent, in ms since 1970, to show how late it came. Default: `sentAt` of the message's
   * data, a number of ms or a date as text. Otherwise the server's time counts, which is known to the second.
   */
  sentAt?: SentAt | undefined
}
