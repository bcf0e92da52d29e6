import { IncomingMessage } from '../message.js'
import type { Channel } from './channel.js'
import type { Order } from './order.js'
import { hashOf, type Outcome, sequence, skipMissing } from './sequencer.js'

/** Says where a channel stands on a connection. No message: it is never delivered. */
export class Mark extends IncomingMessage {
  /** What comes next is numbered higher. `undefined`: nobody knows where it stands. */
  readonly at: number | undefined
  /** The server does not know the position that was asked for, and went on from here. */
  readonly reset: boolean

  constructor(channel: string, at: number | undefined, reset: boolean) {
    super(undefined, channel, '', Number.NaN, undefined, undefined, undefined, 'eventsource', false)
    this.at = at
    this.reset = reset
  }
}

const RECENT = 256

/**
 * For servers that count the messages of each channel, and resume each from a number of its own. Messages without a number
 * are handed on as they come.
 *
 * @param patient whether a missing number is waited for, and asked about. If not, holes mean nothing.
 */
export const cursors = (patient: boolean): Order => {
  /** Channels that were followed without anybody knowing where they stand. */
  const blind = new WeakSet<Channel['sequence']>()
  return {
    watermark: ({ sequence: { last } }) => last,

    receive(channel, message): Outcome | undefined {
      const { sequence: state, events } = channel
      if (message instanceof Mark) {
        mark(channel, message, blind.has(state))
        if (message.at === undefined) blind.add(state)
        return undefined
      }
      const { id } = message
      if (id === undefined) {
        events.deliver(message)
        return 'delivered'
      }
      if (state.last !== undefined && id <= state.last) {
        // Lower numbers are repetitions, unless another text shows that the server counts anew.
        const known = id > state.last - RECENT ? state.recent?.[id % RECENT] : undefined
        if (!(known !== undefined && known < 0 && known !== -1 - hashOf(message))) return 'dropped'
        skipMissing(state, events)
        events.gap(state.last + 1, 'unknown', 'restart')
        state.recent = undefined
        state.last = id - 1
      }
      if (!patient && state.last !== undefined && id > state.last + 1) {
        state.last = id - 1
        state.recent = undefined
      }
      return sequence(state, message, events)
    },
  }
}

/** @param blind whether the channel was followed before without its place being known */
function mark({ sequence: state, events }: Channel, { at, reset }: Mark, blind: boolean): void {
  if (state.last === undefined) {
    // Something may have come while nobody listened, and there is no number that would show it.
    if (blind && at === undefined) events.gap('unknown', 'unknown', 'overflow')
    state.last = at
  } else if (reset) {
    skipMissing(state, events)
    const { last } = state
    if (at === undefined) events.gap(last + 1, 'unknown', 'overflow')
    else if (at < last) events.gap(last + 1, 'unknown', 'restart')
    else if (at > last) events.gap(last + 1, at, 'overflow')
    state.last = at
    state.recent = undefined
  }
}
