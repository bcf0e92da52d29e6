import * as numbered from '../../packages/core/test/support/numbered.js'

/** Publishes messages `{ type: 'number', n }` to channels in turn, at a rate. Resolves after the last one. */
export const publishAtRate = (
  server: { publish(channel: string, text: string): unknown },
  channels: readonly string[],
  count: number,
  perSecond: number,
  during?: (number: number) => void,
): Promise<void> =>
  numbered.publishAtRate(
    (channel, n) => server.publish(channel, JSON.stringify({ type: 'number', n })),
    channels,
    count,
    perSecond,
    during,
  )
