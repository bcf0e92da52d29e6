import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import type { Settings } from '../options.js'
import { secondOf } from '../position.js'
import type { RequestKind, Wanted } from '../protocols/protocol.js'
import type { Exchange, Position } from '../types.js'
import { ask } from './credentials.js'

/** Whether something came of a channel. */
const heard = (channel: Channel) => channel.heardAt > 0

/** Makes requests out of channels and positions, with what the application adds to each. */
export function createRequests(settings: Settings, store: ChannelStore) {
  const { params, headers, protocol } = settings

  function eventIdOf(channels: readonly Channel[]): string | undefined {
    for (const channel of channels) if (channel.lastEventId !== undefined) return channel.lastEventId
    return channels.some(heard) ? undefined : settings.lastEventId
  }

  return {
    /**
     * A request for these channels from a position. `backtrack`: stored messages of a channel of which nothing is known.
     * `anew`: as if nothing was known of any.
     */
    async make(
      kind: RequestKind,
      channels: readonly Channel[],
      position: Position | undefined,
      backtrack: (channel: Channel) => number = () => 0,
      anew = false,
    ): Promise<Exchange> {
      const [query, head] = await Promise.all([ask(params, 'params'), ask(headers, 'headers')])
      const wanted: Wanted[] = channels.map((channel) => {
        const after = anew ? undefined : store.watermark(channel)
        return { name: channel.name, backtrack: after === undefined ? backtrack(channel) : 0, after }
      })
      if (store.companion !== undefined) wanted.push({ name: store.companion })
      return protocol.exchange(kind, {
        channels: wanted,
        position,
        eventId: position === undefined ? eventIdOf(channels) : undefined,
        params: Object.fromEntries(Object.entries(query ?? {}).map(([name, value]) => [name, String(value)])),
        headers: head ?? {},
      })
    },

    /**
     * Where a new connection begins: the whole second of the point up to which everything is known. What comes again
     * shows that the server takes positions at all, and that its counter did not begin anew within that second.
     */
    begin(channels: readonly Channel[]): Position | undefined {
      // Without a number and a time, what comes again looks like something new: nothing old is asked for after the first.
      const { resume, gaps } = protocol.guarantees
      if (gaps === 'none' && resume !== 'position' && resume !== 'second' && channels.some(heard)) return undefined
      const frontier = store.lowWatermark(channels)
      return frontier === undefined ? undefined : secondOf(frontier)
    },
  }
}

export type Requests = ReturnType<typeof createRequests>
