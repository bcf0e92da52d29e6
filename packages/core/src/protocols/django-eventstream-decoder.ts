import { Mark } from '../delivery/cursors.js'
import { IncomingMessage } from '../message.js'
import type { CloseReason, FrameMeta } from '../types.js'
import { type Ids, parseIds, unreachable } from './event-ids.js'
import type { Decoder, DecoderContext, DecoderEvents } from './protocol.js'
import type { ResumeState } from './resume-state.js'

/** Conditions of a `stream-error`, as the HTTP status they would be. */
const statuses: Record<string, number> = { forbidden: 403, 'bad-request': 400, 'internal-error': 500 }
/** Types that are the server's own. */
const reserved = /^(?:stream-.*|keep-alive)$/

/**
 * Reads one event stream. An id tells how far all stored channels are, and not which of them the message is of: that is
 * the one whose number went on. A replay of several pages repeats messages, and numbers go back with it.
 */
export class CursorDecoder implements Decoder {
  readonly #channels: readonly string[]
  readonly #events: DecoderEvents
  readonly #state: ResumeState
  /** How far each channel is on this connection. */
  readonly #newest: Ids = new Map()
  /** The message that had this number. */
  readonly #keys = new Map<string, string>()
  /** Channels of which the server was asked where they stand. */
  readonly #probed = new Set<string>()
  /** Channels that the server has reset. */
  readonly #resets = new Set<string>()
  #heard = false
  #opened = false
  #replaying = false
  #answered = false
  #ended = false
  /** A channel was given up: where it stands is not known. */
  #blind = false

  constructor({ channels }: DecoderContext, events: DecoderEvents, state: ResumeState) {
    this.#channels = channels
    this.#events = events
    this.#state = state
  }

  frame(text: string, { event, id }: FrameMeta = {}): void {
    this.#heard = true
    if (this.#ended) return
    if (event === 'stream-open' && id === undefined) return this.#open()
    if (event === 'keep-alive' && id === undefined) return this.#events.ping()
    if (event === 'stream-error' && id === 'error') return this.#fail(text)
    if (event === 'stream-reset' && id !== undefined) {
      const ids = parseIds(id)
      const { channels: names } = parse(text)
      if (ids !== undefined && Array.isArray(names)) return this.#reset(ids, names)
    }
    this.#message(text, { event, id })
  }

  pulse(): void {}

  finish(): void {
    // An empty answer in good order: nobody is to come back at once for another.
    if (this.#heard) return
    for (const name of this.#channels) this.#state.answeredEmpty(name)
    this.#events.over({ kind: 'lost', explain: 'the answer was empty' })
  }

  #open(): void {
    if (this.#opened) return
    this.#opened = true
    this.#replaying = true
    for (const name of this.#channels) this.#begin(name)
    this.#events.ping()
    // What comes with the opening is what was stored, the first of it at least.
    queueMicrotask(() => {
      this.#replaying = false
      if (this.#probed.size === 0 || this.#answered || this.#ended) return
      // No probe was answered, and its number may be taken for a position. Other channels may be stored.
      for (const name of this.#probed) this.#state.unprobed.add(name)
      this.#end({ kind: 'end', explain: 'the server does not tell positions' })
    })
  }

  /** From where a channel comes on this connection. */
  #begin(name: string): void {
    const state = this.#state
    const at = state.requested.get(name)
    const initial = state.initial.get(name)
    // Nobody knows where it stands: the second time, something may have come in between. Connections for several
    // channels overlap where channels are added, and nothing is missing then.
    let unknown = at === undefined && this.#channels.length === 1 && state.stored !== false
    if (state.answered(name)) {
      if (initial !== undefined) this.#events.message(new Mark(name, initial, false))
      this.#blind = unknown = true
    }
    if (unknown) this.#events.message(new Mark(name, undefined, true))
    if (at === unreachable) this.#probed.add(name)
    else if (at !== undefined) this.#mark(name, at)
  }

  /** The server gave up: why stands in the text, which is JSON as a rule. */
  #fail(text: string): void {
    const word = /forbidden|bad-request|internal-error/.exec(text)?.[0] ?? 'internal-error'
    // Behind Pushpin it may be Python's notation.
    const { text: explain } = parse(text)
    // Who asks for it again goes on where it was.
    const { initial, requested } = this.#state
    for (const name of this.#channels) {
      const at = this.#newest.get(name) ?? requested.get(name)
      if (at !== undefined && at !== unreachable) initial.set(name, at)
    }
    this.#end({
      kind: 'status',
      status: statuses[word] as number,
      explain: typeof explain === 'string' ? explain : word,
    })
  }

  #reset(ids: Ids, names: readonly string[]): void {
    this.#answered = true
    // Where the server reads its store once more, it resets from the same id again, to where the channel is by then.
    for (const name of names) {
      if (this.#resets.has(name) && (ids.get(name) ?? 0) > (this.#newest.get(name) ?? Number.POSITIVE_INFINITY)) {
        return this.#end({ kind: 'end', explain: 'what a second reset would skip is asked for' })
      }
      this.#resets.add(name)
    }
    for (const [name, at] of ids) {
      if (at !== unreachable) this.#mark(name, at, names.includes(name) && !this.#probed.has(name))
    }
    this.#events.ping()
  }

  #message(text: string, meta: FrameMeta): void {
    const { event, id } = meta
    const ids: Ids | undefined = id === undefined ? new Map() : parseIds(id)
    if (ids === undefined) return this.#events.dead(text, `no id of this server: ${id?.slice(0, 80)}`)
    if (id !== undefined) this.#state.stored = true
    else {
      this.#state.stored ??= false
      if (event !== undefined && reserved.test(event)) return this.#events.ping()
    }
    const key = `${event}\n${text}`
    const candidates = this.#candidates(ids, key)
    if (candidates.length > 1) return this.#unclear(candidates, ids, text)
    const [name] = candidates
    for (const [one, n] of ids) if (one !== name && n !== unreachable && !this.#newest.has(one)) this.#mark(one, n)
    if (name === undefined) return
    const n = ids.get(name)
    if (n !== undefined) {
      this.#newest.set(name, n)
      this.#keys.set(name, key)
    }
    this.#deliver(name, n, text, meta)
  }

  /** The channels that a message with these ids may be of: none if it was delivered before. */
  #candidates(ids: Ids, key: string): readonly string[] {
    const unknown: string[] = []
    const above: string[] = []
    const below: string[] = []
    for (const [name, n] of ids) {
      if (n === unreachable) continue
      const highest = this.#newest.get(name)
      if (highest === undefined) {
        // Numbers begin at 1: what is at 0 has no message yet.
        if (n > 0) unknown.push(name)
      } else if (n > highest) above.push(name)
      else if (n < highest) below.push(name)
    }
    if (above.length > 0) return above
    // A page of a replay begins where not all of the one before it began: a number that went back tells nothing. Alone, it
    // may be of a server that counts anew.
    if (below.length > 0) return ids.size === 1 ? below : []
    const silent = this.#channels.filter((name) => !ids.has(name))
    // It may be of a channel that has no numbers as well.
    if (unknown.some((name) => this.#channels.includes(name))) return [...unknown, ...silent]
    if (unknown.length > 0) return unknown
    // No number went on: a repetition, or a message of a channel that has none.
    return [...ids.keys()].some((name) => this.#keys.get(name) === key) ? [] : silent
  }

  /** Asks for a message again that may be of several channels, if that can tell which one it is of. */
  #unclear(candidates: readonly string[], ids: Ids, text: string): void {
    if (!candidates.some((name) => ids.has(name))) {
      return this.#events.dead(text, `nothing tells its channel, as the server stores none: leave out 'together'`)
    }
    if (this.#blind) {
      for (const [name, n] of ids) this.#mark(name, n)
      return this.#events.dead(text, `nothing tells its channel, as it can't be asked for again: leave out 'together'`)
    }
    // Asked for from just before it, each channel's message comes with a number that only it has changed.
    for (const [name, n] of ids) {
      if (this.#channels.includes(name) && !this.#newest.has(name)) this.#state.initial.set(name, Math.max(0, n - 1))
    }
    this.#end({ kind: 'end', explain: 'a message that did not tell its channel is asked for again' })
  }

  #deliver(name: string, n: number | undefined, text: string, { event, id }: FrameMeta): void {
    const dead = event !== undefined && reserved.test(event) ? `'${event}' is a type of the server's own` : undefined
    const replaying = this.#replaying
    this.#events.message(
      new IncomingMessage(n, name, text, Number.NaN, undefined, id, event, 'eventsource', replaying, dead),
    )
  }

  #mark(name: string, at: number, reset = false): void {
    this.#newest.set(name, at)
    if (this.#channels.includes(name)) this.#events.message(new Mark(name, at, reset))
  }

  /** What is left of the piece is of no use: whoever comes next gets it again. */
  #end(ending: CloseReason): void {
    this.#ended = true
    this.#events.over(ending)
  }
}

/** The fields of the server's own events. */
function parse(text: string): { channels?: unknown; text?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
