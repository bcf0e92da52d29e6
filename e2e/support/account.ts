import type { Event } from '../matrix/accounting.js'
import type { Recording } from '../page/page.js'

/** The events of a page, for `account`. Its messages are `{ n }`. */
export function eventsOf({ all, messages }: Recording): Event[] {
  let next = 0
  return all.map((event) => {
    if ('reason' in event) return { kind: 'gap', ...event, at: 0 }
    return { kind: 'message', channel: event.channel, n: (messages[next++]!.data as { n: number }).n, at: 0 }
  })
}
