import { IncomingMessage } from '../message.js'
import type { ModeName } from '../types.js'
import { parsed } from './template.js'

/** What a frame says, whichever way it was read. */
export interface Frame {
  id?: number | undefined
  channel?: string | undefined
  body: unknown
  /** The body as JSON that the server wrote. */
  written?: string | undefined
  tag?: unknown
  time?: unknown
  eventId?: unknown
  type?: string | undefined
  /** It has keys that no template has by default. */
  odd?: boolean
}

/** How many of tag and time a frame has. */
export const told = ({ tag, time }: { tag?: unknown; time?: unknown }): number =>
  Number(tag !== undefined) + Number(time !== undefined)

export const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isInteger(number) ? number : undefined
}

/** What can't be read, and of which nothing tells its place. */
export const unplaced = (channel: string, text: string, mode: ModeName, reason: string) =>
  new IncomingMessage(undefined, channel, text, Number.NaN, undefined, undefined, undefined, mode, false, reason)

/** Digits as a number, faster than `Number` reads them. */
export function digits(text: string): number {
  let number = 0
  for (let i = 0; i < text.length; i++) number = number * 10 + text.charCodeAt(i) - 48
  return number
}

export const isBlank = (body: unknown) => typeof body === 'string' && body.trim() === ''

export const unescaped = (text: string) => (text.includes('\\') ? ((parsed(`"${text}"`) as string) ?? text) : text)

/** The channel that a frame is of. The server writes its name without escapes, and JSON may find some in it. */
export const nameOf = (written: string, channels: readonly string[]): string =>
  !/[\\"\p{Cc}]/u.test(written) || channels.includes(written)
    ? written
    : (channels.find((name) => unescaped(name) === written) ?? unescaped(written))
