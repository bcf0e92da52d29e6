import type { Channels, ClientEvents } from './events.js'
import type { IncomingMessage, Message } from './message.js'
import type { Settings } from './options.js'
import type { Carrier } from './session/carrier.js'

/** What a client lends to `messages`, `sendMessage`, `registerWithSchema` and `inspect`, which are imported separately. */
export interface Internals {
  readonly settings: Settings
  readonly pool: Carrier
  /** Called when the client is closed. */
  readonly endings: Set<() => void>
  emit<K extends keyof ClientEvents<Channels>>(event: K, value: ClientEvents<Channels>[K]): void
  /** Reports what a processor threw. */
  failed(cause: unknown, message: Message): void
}

/** The internals of a client. Throws a `closed` error if it is closed. */
// biome-ignore lint/suspicious/noExplicitAny: a client of whatever channels, which can't be imported here
export let internalsOf: (client: any) => Internals

/**
 * The message that a client is delivering right now, as it came. For `classic/`, whose callbacks say more of a message
 * than a {@link Message} does.
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
export let deliveredBy: (client: any) => IncomingMessage

/** The class of clients says how to get at what is private to them. */
export function lend(internals: typeof internalsOf, delivered: typeof deliveredBy): void {
  internalsOf = internals
  deliveredBy = delivered
}
