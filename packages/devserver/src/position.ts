import type { IncomingHttpHeaders } from 'node:http'
import type { Channel } from './channel.js'
import { argument, unescapeUri } from './channel-names.js'
import { parseHttpTime } from './http-time.js'
import type { Message } from './message.js'
import type { LocationSettings } from './settings.js'

/** Where a subscriber says it stopped. */
export interface Position {
  /** Seconds since 1970, or -1 for none. */
  time: number
  /** The tag within that second, or -1 for none. */
  tag: number
  /** The last event id, or null. */
  eventId: string | null
}

/** Reads the position: only from the arguments where they are bound, only from the headers where they are not. */
export function readPosition(settings: LocationSettings, query: string, headers: IncomingHttpHeaders): Position {
  const read = (bound: string | null, header: string): string | undefined => {
    if (bound !== null) return unescapeUri(argument(query, bound) ?? '')
    const value = headers[header]
    return Array.isArray(value) ? value[0] : value
  }
  const time = read(settings.lastReceivedMessageTime, 'if-modified-since') ?? ''
  const tag = read(settings.lastReceivedMessageTag, 'if-none-match') ?? ''
  const eventId = read(settings.lastEventId, 'last-event-id')
  return {
    time: time === '' ? -1 : parseHttpTime(time),
    tag: parseTag(tag),
    // An empty argument is none, an empty header is an id that no message has.
    eventId: eventId === undefined || (eventId === '' && settings.lastEventId !== null) ? null : eventId,
  }
}

/** `5` and `W/5` are tags; `"5"` and `-1` are none (-1). */
export function parseTag(value: string): number {
  const digits = value.length > 2 && value.startsWith('W/') ? value.slice(2) : value
  return /^[0-9]+$/.test(digits) ? Number(digits) : -1
}

/** The newest point a poll will tell of, so that it does not hand out what its headers do not cover. */
export interface Limit {
  time: number
  tag: number
}

/**
 * The stored messages a subscriber gets first. A backtrack wins over the position. Event id and time: whichever comes
 * first in the store. (time, tag) is exclusive, `tag=0` is the whole second, and no tag skips the rest of it.
 */
export function backlog(channel: Channel, backtrack: number, position: Position, limit?: Limit): Message[] {
  if (backtrack > 0) return channel.messages.slice(-backtrack)
  if (position.eventId === null && position.time < 0) return []
  const start = firstAfter(channel.messages, position)
  const found = channel.messages.slice(start)
  if (limit === undefined || (limit.time === 0 && limit.tag === -1)) return found
  return found.filter((it) => it.time < limit.time || (it.time === limit.time && it.tag <= limit.tag))
}

function firstAfter(messages: Message[], { time, tag, eventId }: Position): number {
  for (const [index, message] of messages.entries()) {
    if (eventId !== null && message.eventId === eventId) return index + 1
    if (time < 0) continue
    if (message.time > time) return index
    if (message.time === time && tag >= 0 && message.tag >= tag) return message.tag === tag ? index + 1 : index
  }
  return messages.length
}
