import type { Settings } from '../options.js'
import type { Classified } from '../protocols/protocol.js'
import type { CloseReason } from '../types.js'
import type { Connection } from './connection.js'
import type { Credentials } from './credentials.js'
import { tooLong } from './reports.js'
import type { Action } from './state.js'

/**
 * Whether the sessions of a client ask for channels by their names alone. A server may know nothing of a name with a number
 * of messages behind it: a refusal is no reason to give up a channel before its name alone was asked for.
 */
export interface Names {
  plain: boolean | undefined
  /** The server knows `lastEventId`: its message was seen, or what follows it. */
  resumed?: boolean
  /** It was reported that the server repeats nothing. */
  told: boolean
  readonly credentials: Credentials
}

/** How long a websocket has to last, in ms, to show that it was subscribed. The module lets it in before it ends it. */
const letInTime = 2000

/** Why a round of attempts was rejected, and whether a page can see that at all. */
export class Rejection {
  readonly #names: Names
  readonly credentials: Credentials
  readonly #opaque: boolean
  /** Functions of the application give the credentials. Where it is asked about a 401, the statuses besides that. */
  readonly #renewable: (status: number | undefined) => boolean
  /** No mode that reaches the server shows why it is refused. */
  blind: boolean
  #reason: CloseReason | undefined
  /** A mode that shows why it is refused did not reach the server in this round. */
  #unreached = false
  /** Rejected credentials were asked for once more. */
  #renewed = false
  /** This round asks for the names alone, as they were refused with numbers behind them. */
  #trying = false

  constructor(names: Names, { headers, onUnauthorized, params, transports }: Settings) {
    this.#names = names
    this.credentials = names.credentials
    const renewable = typeof params === 'function' || typeof headers === 'function'
    this.#renewable = (status) => renewable && (status !== 401 || onUnauthorized === undefined)
    this.blind = this.#opaque = transports.every((one) => one.opaque)
  }

  /** Whether the request of a round names channels alone. */
  plain(round: number): boolean {
    // A page can't see why a websocket is refused: it may be for the names, so every other round asks for them alone.
    return this.#names.plain ?? (this.#trying || (this.blind && round % 2 === 1))
  }

  /** Whether it is worth a try to ask for the names alone: a location or an authorisation may know no others. */
  triesPlain({ kind }: CloseReason, classified: Classified, opened: boolean): boolean {
    const { action, explain } = classified
    const refused = action === 'rejected' || action === 'unsupported'
    // A reason that the module names tells more, but for a `map` that finds no channel. A page that passes for a stream
    // is only found out while stored messages are waited for: it would be delivered.
    const named = kind === 'invalid' ? !opened : !explain || explain.startsWith('No channel')
    if (this.#trying || this.#names.plain !== undefined || !refused || !named || tooLong(classified)) return false
    this.#trying = true
    return true
  }

  /**
   * What to do about the end of a connection. `replaced`: another one carries the same channels. `asks`: the application is
   * asked for credentials.
   */
  actionOf({ action, explain, status }: Classified, replaced: boolean, asks: boolean): Action {
    if (action !== 'rejected' || asks) return action
    // Credentials may just have run out: the functions that give them are asked once more.
    if (explain === undefined && !this.#renewed && this.#renewable(status)) {
      this.#renewed = true
      return 'backoff'
    }
    return replaced ? 'backoff' : action
  }

  /** The server rejected a request. Which channel it was for is to be found out first. */
  rejected(reason: CloseReason): void {
    this.#reason = reason
  }

  /** An attempt failed. */
  failed(reason: CloseReason, { transport, accepted, opened }: Connection, action: Action): void {
    // A page can't see why a websocket is refused, and no other mode may show it. A location may take one name alone.
    if (transport.opaque ? !accepted : action === 'unsupported' && !opened) this.#reason ??= reason
    else if (reason.kind === 'refused') this.#unreached = true
  }

  /** A connection was accepted. `suffixed`: there were numbers of messages behind names. */
  accepted(connection: Connection, suffixed: boolean): void {
    this.#reason = undefined
    this.#renewed = false
    const shows = () => {
      if (suffixed || this.#trying) this.#names.plain ??= !suffixed
    }
    if (connection.transport.acceptedBy === 'time') connection.after(letInTime, shows)
    // Time that has passed without a refusal shows nothing.
    else if (connection.opened) shows()
  }

  /** Whether the end of a connection leaves open that it ever was subscribed: it is no proof of anything then. */
  denies({ accepted, brought, transport }: Connection, { kind }: CloseReason): boolean {
    const silent = accepted && brought === 0 && kind !== 'end'
    return silent && transport.acceptedBy === 'time' && this.#names.plain === undefined
  }

  /** A round is over. Returns why the server rejected a request of it. */
  over(): CloseReason | undefined {
    const reason = this.#reason
    this.blind = this.#opaque || (reason !== undefined && !this.#unreached)
    this.#reason = undefined
    this.#unreached = false
    this.#trying &&= reason === undefined
    return reason
  }
}
