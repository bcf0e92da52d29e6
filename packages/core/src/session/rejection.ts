import type { Settings } from '../options.js'
import type { Classified } from '../protocols/protocol.js'
import type { CloseReason, Transport } from '../types.js'
import { tooLong } from './reports.js'
import type { Action } from './state.js'

/**
 * Whether the sessions of a client ask for channels by their names alone. A server may know nothing of a name with a number
 * of messages behind it: a refusal is no reason to give up a channel before its name alone was asked for.
 */
export interface Names {
  plain: boolean | 'trying' | undefined
  /** The server knows `lastEventId`: its message was seen, or what follows it. */
  resumed?: boolean
  /** It was reported that the server repeats nothing. */
  told: boolean
}

/** Why a round of attempts was rejected, and whether a page can see that at all. */
export class Rejection {
  readonly #names: Names
  readonly #opaque: boolean
  /** Functions of the application give the credentials. */
  readonly #renewable: boolean
  /** No mode that reaches the server shows why it is refused. */
  blind: boolean
  #reason: CloseReason | undefined
  /** A mode that shows why it is refused did not reach the server in this round. */
  #unreached = false
  /** Rejected credentials were asked for once more. */
  #renewed = false

  constructor(names: Names, { headers, params, transports }: Settings) {
    this.#names = names
    this.#renewable = typeof params === 'function' || typeof headers === 'function'
    this.blind = this.#opaque = transports.every((one) => one.opaque)
  }

  /** Whether the request of an attempt names channels alone. `undefined` until that was tried. */
  plain(failures: number): boolean | 'trying' {
    // A page can't see why a websocket is refused: it may be for the names, so every other round asks for them alone.
    return this.#names.plain || (this.blind && failures % 2 === 1)
  }

  /** Whether it is worth a try to ask for the names alone: a location or an authorisation may know no others. */
  triesPlain(classified: Classified): boolean {
    const { explain, status = 0 } = classified
    const named = status >= 400 && status < 500 && !tooLong(classified)
    if (this.#names.plain !== undefined || explain || !named) return false
    this.#names.plain = 'trying'
    return true
  }

  /** What to do about the end of a connection. `replaced`: another one carries the same channels. */
  actionOf({ action, explain }: Classified, replaced: boolean): Action {
    if (action !== 'rejected') return action
    // Credentials may just have run out: the functions that give them are asked once more.
    if (explain === undefined && !this.#renewed && this.#renewable) {
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
  failed(reason: CloseReason, { opaque }: Transport): void {
    if (reason.kind !== 'refused') return
    // A page can't see why a websocket is refused, and no other mode may show it.
    if (opaque) this.#reason ??= reason
    else this.#unreached = true
  }

  /** A connection was accepted. `answered`: the server itself showed it, not that time has passed without a refusal. */
  accepted(answered: boolean): void {
    this.#reason = undefined
    this.#renewed = false
    if (this.#names.plain === 'trying' && answered) this.#names.plain = true
  }

  /** A round is over. Returns why the server rejected a request of it. */
  over(): CloseReason | undefined {
    const reason = this.#reason
    this.blind = this.#opaque || (reason !== undefined && !this.#unreached)
    this.#reason = undefined
    this.#unreached = false
    // It was not for what is behind the names.
    if (reason !== undefined && this.#names.plain === 'trying') this.#names.plain = false
    return reason
  }
}
