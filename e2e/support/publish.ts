import * as numbered from '../../packages/core/test/support/numbered.js'

/** Publishes messages `{ type: 'number', n }` at a rate to channels in turn. Resolves when the last is out. */
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
