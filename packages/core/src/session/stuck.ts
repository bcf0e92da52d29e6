import { positionOf, timeOf } from '../position.js'
import type { CloseReason, Position } from '../types.js'
import type { Connection } from './connection.js'

/** How often a connection may be lost at one place before that is skipped. */
const most = 3
/** A connection that is lost so soon after its last sign of life, in ms, was ended by what came. */
const atOnce = 100

/** Whether connections are lost at one place again and again: they may be unable to take the message that comes next. */
export class Stuck {
  #times = 0
  #place = 0

  /** A connection ended. `worked`: it brought something new, so that there is nothing to skip. */
  ended(connection: Connection, { kind }: CloseReason, worked: boolean, now: number): void {
    // Networks break anywhere. A message that a browser can't take ends each connection at the same place, at once.
    const place = !worked && kind === 'lost' && now - connection.lastLife < atOnce ? connection.brought : 0
    this.#times = place > 0 && place === this.#place ? this.#times + 1 : 0
    this.#place = place
  }

  /** Where to begin so that the place is skipped, which shows as a gap: a message later, then ever later seconds. */
  beyond(newest: Position): Position | undefined {
    if (this.#times < most || newest < 0) return undefined
    const seconds = 2 ** (this.#times - most - 1)
    return seconds < 1 ? newest + 1 : positionOf(timeOf(newest) + 1000 * seconds, 0)
  }
}
