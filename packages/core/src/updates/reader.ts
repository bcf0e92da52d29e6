import type { IncomingMessage } from '../message.js'
import { longpolling } from '../modes.js'
import { timeOf } from '../position.js'
import { etagOf } from '../protocols/nchan-ids.js'
import type { CutTransport, DecoderContext, DecoderEvents } from '../protocols/protocol.js'
import { pushStream } from '../protocols/push-stream.js'
import { messageTemplate } from '../protocols/template.js'
import type { Position } from '../types.js'
import { jsonTexts } from './json-texts.js'

/** Marks an answer whose `Etag` is none that the server told. */
export const counted = 'X-PushStream-Counted'

/** What an answer's headers tell. */
export interface Told {
  /** `Last-Modified` in seconds since 1970; NaN where there is none. */
  readonly second: number
  /** The number in the `Etag`. */
  readonly tag: number | undefined
  /** Whether the push stream module wrote it: nobody else's is `W/` and a number without quotes. `undefined`: it can't be read. */
  readonly module: boolean | undefined
}

export function told(headers: Headers): Told {
  const etag = etagOf(headers)
  const digits = /^(?:W\/)?"?(\d+)"?$/.exec(etag ?? '')?.[1]
  return {
    second: Date.parse(headers.get('Last-Modified') ?? '') / 1000,
    tag: digits === undefined ? undefined : Number(digits),
    module: etag == null || headers.has(counted) ? undefined : /^W\/\d+$/.test(etag),
  }
}

/** What one answer holds, in its order. */
export type Part =
  | { readonly message: IncomingMessage }
  | { readonly deleted: string }
  | { readonly dead: string; readonly reason: string }

/** An answer, as its server means it. */
export type Reading =
  /** One message, which the headers describe. */
  | { readonly kind: 'relay' }
  /** Bodies without anything around them, one after the other. */
  | { readonly kind: 'bodies'; readonly bodies: readonly string[] }
  /** Frames of the push stream module's message template. */
  | { readonly kind: 'frames'; readonly parts: readonly Part[]; readonly several: boolean }

const key = '"(?:id|channel|text|tag|time|eventid)"\\s*:\\s*'
const ends = new RegExp(`^\\s*\\{\\s*${key}[^]*,\\s*${key}(?:"[^"]*"|-?\\d+)\\s*\\}\\s*$`)

/**
 * Whether all of a text can be frames: what stands before or after them would be skipped, as header and footer templates
 * are. Where bodies break the JSON, its two ends tell.
 */
const isWhole = (text: string) => ends.test(text) || jsonTexts(text).every((one) => /^\{/.test(one) && hasKeys(one))

function hasKeys(text: string): boolean {
  try {
    const json = JSON.parse(text) as object
    return ['id', 'channel', 'text'].every((name) => Object.hasOwn(json, name))
  } catch {
    return false
  }
}

/** How the answers of an address are to be read, where the page says it. */
export interface ReaderSettings {
  readonly server?: 'relay' | 'push-stream' | undefined
  readonly messageTemplate?: string | undefined
}

/**
 * Reads the answers of one address, and finds out what kind of server gives them.
 *
 * A message that looks like a frame of the push stream module must not pass for one. So an answer holds frames only if its
 * Etag is that module's, or can't be read, if all of it is frames with number, channel and time, and if one of them tells
 * the time and tag that the answer's headers tell. The first answer decides for all that follow.
 */
export class Reader {
  readonly name: string
  readonly url: string
  kind: Reading['kind'] | undefined
  /** Whether the application knows that the answers tell no Etag. */
  reported = false
  readonly #template: string | undefined
  /** What the push stream module calls the channel, and whether there are several of them. */
  #channel: string | undefined
  #several = false

  constructor(name: string, url: string, { server, messageTemplate }: ReaderSettings) {
    this.name = name
    this.url = url
    this.#template = messageTemplate
    if (server === 'relay') this.kind = 'relay'
    else if (messageTemplate !== undefined) this.kind = messageTemplate.trim() === '~text~' ? 'bodies' : 'frames'
  }

  read(text: string, headers: Headers): Reading {
    const tells = told(headers)
    if (this.kind === undefined && tells.module === false) this.kind = 'relay'
    if (this.kind === 'relay') return { kind: 'relay' }
    if (this.kind !== 'bodies') {
      const parts = this.#frames(text)
      const fit = this.kind === 'frames' || (isWhole(text) && fits(parts, tells))
      if (fit) {
        const messages = parts.filter((part) => 'message' in part).map(({ message }) => message)
        if (messages.length > 0) this.kind = 'frames'
        for (const { channel } of messages) {
          this.#channel ??= channel
          this.#several ||= channel !== this.#channel
        }
        return { kind: 'frames', parts: this.#several ? inTime(parts) : parts, several: this.#several }
      }
    }
    // The module's own messages, that a channel was deleted for example, have no place.
    if (tells.module && tells.tag === 0) return { kind: 'bodies', bodies: [] }
    const bodies = jsonTexts(text)
    if (this.kind === 'bodies' || tells.module || bodies.length > 1) {
      this.kind = 'bodies'
      return { kind: 'bodies', bodies }
    }
    return { kind: 'relay' }
  }

  #frames(text: string): Part[] {
    const parts: Part[] = []
    let sign = false
    const events: DecoderEvents = {
      message: (message) =>
        parts.push(message.dead === undefined ? { message } : { dead: message.text, reason: message.dead }),
      ping() {
        sign = true
      },
      deleted: (_, text) => parts.push({ deleted: text }),
      dead: (raw, reason) => parts.push({ dead: raw, reason }),
      over() {},
    }
    const template = this.#template
    // Where no frame was seen yet it has to name its channel.
    const channels = template === undefined || template.includes('~channel~') ? [] : [this.name]
    const { cut } = longpolling as CutTransport
    const context: DecoderContext = { kind: 'longpolling', liveFrom: Number.NEGATIVE_INFINITY, channels, cut }
    const endpoint = { base: '', credentials: 'omit', sameOrigin: false } as const
    const protocol = pushStream(template === undefined ? {} : { messageTemplate: messageTemplate(template) })(endpoint)
    const decoder = protocol.decoder(context, events)
    decoder.frame(text)
    decoder.finish()
    if (parts.length === 0 && !sign) events.dead(text, 'no frame of the message template')
    return parts
  }
}

/** Whether what was read as frames is what the module wrote. */
function fits(parts: readonly Part[], { second, tag, module }: Told): boolean {
  if (parts.length === 0 || parts.some((part) => 'dead' in part)) return false
  const messages = parts.flatMap((part) => ('message' in part ? [part.message] : []))
  // What the module has to say of a channel, it says with the tag 0.
  if (messages.length === 0) return module === true && tag === 0
  return (
    messages.every(({ id, position }) => id !== undefined && position >= 0) &&
    messages.some(
      (message) =>
        timeOf(message.position) === second * 1000 && (!module || message.tag === undefined || message.tag === tag),
    )
  )
}

/** Of several channels, each of which has its own numbers, what stands in one answer is put in the order of time. */
function inTime(parts: readonly Part[]): Part[] {
  const at = (part: Part): Position => ('message' in part ? part.message.position : Number.POSITIVE_INFINITY)
  return [...parts].sort((a, b) => (at(a) < at(b) ? -1 : Number(at(a) > at(b))))
}
