import { EXPLAIN_HEADER, TOO_LARGE } from './admission.js'
import type { Channel } from './channel.js'
import type { RequestedChannel } from './channel-names.js'
import { describe, type PublisherContext } from './publisher.js'
import { NO_CACHE, type Reply } from './reply.js'
import { describeChannels, describeServer, negotiate, type Summary } from './statistics.js'

/** The version of the module that the protocol was measured against, as its statistics tell it. */
const VERSION: Array<[string, string]> = [
  ['X-Nginx-PushStream-Tag', '0.5.5'],
  ['X-Nginx-PushStream-Commit', '3bc016f811d50374251960db091557571dfd7393'],
]

/** Statistics: named channels, `ALL`, `prefix*`, or a summary when no channel is named. */
export function handleStatistics(
  context: PublisherContext,
  reply: Reply,
  requested: RequestedChannel[],
  summary: () => Summary,
): void {
  const { store } = context
  if (reply.request.method !== 'GET') {
    reply.headOnly(405, [...NO_CACHE, ['Allow', 'GET']])
    return
  }
  const headers = [...NO_CACHE, ...VERSION]
  const { format, contentType } = negotiate(reply.request.headers.accept)
  if (requested.length === 0) {
    reply.body(200, contentType, describeServer(format, summary()), headers)
    return
  }
  const { maxChannelIdLength } = store.settings
  const channels: Channel[] = []
  for (const { id } of requested) {
    if (maxChannelIdLength !== null && id.length > maxChannelIdLength) {
      reply.headOnly(TOO_LARGE.status, [...headers, [EXPLAIN_HEADER, TOO_LARGE.explain]])
      return
    }
    const star = id.indexOf('*')
    if (star >= 0 || id === 'ALL') {
      const prefix = star > 0 ? id.slice(0, star) : ''
      const found = store.channels.filter((channel) => channel.id.startsWith(prefix))
      reply.body(200, contentType, describeChannels(format, found, context.facts()), headers)
      return
    }
    const channel = store.find(id)
    if (channel !== undefined) channels.push(channel)
  }
  describe(context, reply, channels, headers)
}
