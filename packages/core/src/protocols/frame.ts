import { IncomingMessage } from '../message.js'
import type { ModeName } from '../types.js'
import { parsed } from './form.js'
import type { RequestKind } from './protocol.js'

/** What a frame says, whichever way it was read. */
export interface Frame {
  id?: number | undefined
  channel?: string | undefined
  body: unknown
  /** The body as JSON that the server wrote. */
  written?: string | undefined
  tag?: unknown
  time?: string | undefined
  eventId?: string | undefined
  type?: string | undefined
  /** It has keys that no template has by default. */
  odd?: boolean
}

export const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isInteger(number) ? number : undefined
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The mode of a message. */
export const modeOf = (kind: RequestKind): ModeName => (kind === 'poll' ? 'longpolling' : kind)

/** What can't be read, as a message: for its place among the others, or for its channel alone. */
export const unreadable = (id: number | undefined, channel: string, raw: string, kind: RequestKind, reason: string) =>
  new IncomingMessage(id, channel, raw, Number.NaN, undefined, undefined, undefined, modeOf(kind), false, reason)

export const unescaped = (text: string) => (text.includes('\\') ? ((parsed(`"${text}"`) as string) ?? text) : text)

/** The channel that a frame is of. The server writes its name without escapes, and JSON may find some in it. */
export const nameOf = (written: string, channels: readonly string[]): string =>
  !/[\\"\p{Cc}]/u.test(written) || channels.includes(written)
    ? written
    : (channels.find((name) => unescaped(name) === written) ?? unescaped(written))
