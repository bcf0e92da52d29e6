import type { Guarantees, ModeName } from '@pushstream/core'
import type { Start } from '../../page/page.js'

/**
 * What becomes of messages that are published while a page has no connection. `all`: they come. `gap`: they come, or a `gap`
 * says that they may be missing. `unseen`: they may be lost, and nothing shows it.
 */
export type Fate = 'all' | 'gap' | 'unseen'

export interface Wild {
  /** The file's name, without `.conf`. */
  readonly name: string
  /** The fault that such a configuration has shown, for the titles of tests. */
  readonly case?: number
  readonly server: 'push-stream' | 'nchan'
  /** What the page gives the client, beside `url` and `modes`. */
  readonly options: NonNullable<Start['options']>
  readonly protocol?: Start['protocol']
  /** The path of the client's `url`. Default: none. */
  readonly base?: string
  /** The modes that there are locations for, and how their requests begin. Nothing else may be asked. */
  readonly modes: Readonly<Partial<Record<ModeName, string>>>
  readonly channels: readonly string[]
  /** Where a message is published to. */
  readonly publish: string
  /** What the publisher sends: percent-encoded texts, texts as they are, or JSON. */
  readonly bodies: 'encoded' | 'plain' | 'json'
  /** What `status` says once a message came. */
  readonly status: Guarantees
  /** What becomes of messages: while the connection is cut, while the server reloads, and when it has restarted. */
  readonly cut: Fate
  readonly reload: Fate
  readonly restart: 'gap' | 'unseen'
  /** A page that is new gets everything that is stored. */
  readonly replays?: true
  /** What becomes of messages between two long-polls: a gap, or nothing shows. Default: they come. */
  readonly between?: 'gap' | 'maybe'
  /**
   * How old a message has to be, in ms, to be nothing new for a page that begins. Where nothing shows a
   * position, the page's clock says where to begin, less two seconds, from the whole second on.
   */
  readonly rewinds?: number
  /** Why no browser visits it. */
  readonly unvisited?: string
  /** Modes in which the promise is not kept as yet, each with the reason. */
  readonly broken?: Readonly<Partial<Record<ModeName, string>>>
  /** The location of `nchan()` by mode, where each has its own. */
  readonly urls?: Readonly<Partial<Record<ModeName, string>>>
  /** The publisher names the types and ids of events, and the template has them. */
  readonly events?: true
  /** A channel that the server refuses, and the code of the error. */
  readonly refused?: readonly [channel: string, code: string]
  /** Channels that exist only once they were published to. */
  readonly created?: true
  /** It listens with TLS. */
  readonly tls?: true
  /** Pages of this origin can't be served by it. */
  readonly elsewhere?: true
}

/** How a page begins that is at `url` or elsewhere, in one mode. Waits between attempts are short. */
export function startOf(wild: Wild, mode: ModeName, url: string): Pick<Start, 'protocol'> & Pick<Wild, 'options'> {
  const { options, protocol, base = '', urls } = wild
  return {
    options: {
      ...options,
      url: url + base,
      modes: [mode],
      reconnectOnTimeoutInterval: 100,
      reconnectOnChannelUnavailableInterval: 500,
    },
    ...(protocol && { protocol: urls?.[mode] ? { ...protocol, url: urls[mode] } : protocol }),
  }
}
