import type { RequestKind, Subscription, Wanted } from '../../../src/protocols/protocol.js'

/** Every kind of request that a protocol makes an address for. */
export const kinds: readonly RequestKind[] = ['websocket', 'eventsource', 'stream', 'longpolling', 'poll']

/** A subscription to these channels, without a position, unless `over` says otherwise. */
export const wanted = (
  channels: readonly Wanted[] = [{ name: 'a' }],
  over: Partial<Subscription> = {},
): Subscription => ({
  channels,
  position: undefined,
  eventId: undefined,
  params: {},
  headers: {},
  ...over,
})
