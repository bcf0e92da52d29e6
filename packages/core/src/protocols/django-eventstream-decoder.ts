import { Mark } from '../delivery/cursors.js'
import { Received } from '../message.js'
import type { CloseReason, FrameMeta } from '../types.js'
import { type Ids, parseIds, unreachable } from './event-ids.js'
import type { Decoder, DecoderContext, Inlet } from './protocol.js'

/** What the connections of one client have in common. */
export interface Shared {
  /** Where channels begin of which the client knows nothing. */
  readonly seeds: Ids
  /** What was asked for last. */
  readonly sent: Ids
  /** Channels of which the server doesn't tell where they stand: they are not asked for that again. */
  readonly silent: Set<string>
  /** Channels that were asked for without a position, as one is answered with nothing. */
  readonly blind: Set<string>
  /** How often in a row asking a channel from a position was answered with nothing. */
  readonly empty: Map<string, number>
  /** Whether the server numbers what it sends. */
  stored: boolean | undefined
}

/**
 * So many empty answers to a position, and the channel is asked for without one. Pushpin fails at what is stored of channels
 * whose names are percent-encoded: django-eventstream doesn't escape the id for it. What comes live is fine.
 */
const patience = 3
export const unresumable = ({ empty }: Shared, name: string): boolean => (empty.get(name) ?? 0) >= patience

/** Conditions of a `stream-error`, as the HTTP status they would be. */
const statuses: Record<string, number> = { forbidden: 403, 'bad-request': 400, 'internal-error': 500 }
/** Types that are the server's own. */
const reserved = /^(?:stream-.*|keep-alive)$/

/**
 * Reads one event stream. An id tells how far all stored channels are, and not which of them the message is of: that is
 * the one whose number went on. A replay of several pages repeats messages, and numbers go back with it.
 */
export function createCursorDecoder({ channels }: DecoderContext, inlet: Inlet, shared: Shared): Decoder {
  /** How far each channel is on this connection. */
  const newest: Ids = new Map()
  /** The message that had this number. */
  const keys = new Map<string, string>()
  /** Channels of which the server was asked where they stand. */
  const probed = new Set<string>()
  /** Channels that the server has reset. */
  const resets = new Set<unknown>()
  let opened = false
  let heard = false
  let replaying = false
  let answered = false
  let ended = false
  let blind = false
  const own = new Set(channels)

  /** What is left of the piece is of no use: whoever comes next gets it again. */
  const end = (ending: CloseReason) => {
    if (!ended) inlet.over(ending)
    ended = true
  }

  const mark = (name: string, at: number, reset: boolean) => {
    newest.set(name, at)
    if (own.has(name)) inlet.message(new Mark(name, at, reset))
  }

  function open(): void {
    if (opened) return
    opened = true
    replaying = true
    for (const name of channels) {
      const at = shared.sent.get(name)
      if (at === undefined && (unresumable(shared, name) || shared.blind.has(name))) givenUp(name)
      else {
        shared.empty.delete(name)
        // Nobody knows where it stands: the second time, something may have come in between. Connections for several
        // channels overlap where channels are added, and nothing is missing then.
        if (at === undefined && channels.length === 1 && shared.stored !== false) {
          inlet.message(new Mark(name, undefined, true))
        }
      }
      if (at === unreachable) probed.add(name)
      else if (at !== undefined) mark(name, at, false)
    }
    inlet.ping()
    // What comes with the opening is what was stored, the first of it at least.
    queueMicrotask(() => {
      replaying = false
      if (probed.size === 0 || answered || ended) return
      // No probe was answered, and its number may be taken for a position. Other channels may be stored.
      for (const name of probed) shared.silent.add(name)
      end({ kind: 'end', explain: 'the server does not tell positions' })
    })
  }

  /** What was missed can't be had: the server answers without a position alone. */
  function givenUp(name: string): void {
    blind = true
    const seed = shared.seeds.get(name)
    if (seed !== undefined) inlet.message(new Mark(name, seed, false))
    shared.seeds.delete(name)
    inlet.message(new Mark(name, undefined, true))
    // Nothing is to be learned from a probe, and the next time one empty answer is enough.
    shared.silent.add(name)
    shared.blind.add(name)
    shared.empty.set(name, patience - 1)
  }

  /** The server gave up: why stands in the text, which is JSON as a rule. */
  function fail(text: string): void {
    const word = /forbidden|bad-request|internal-error/.exec(text)?.[0] ?? 'internal-error'
    let explain: unknown = word
    try {
      explain = (JSON.parse(text) as { text?: unknown }).text
    } catch {
      // Behind Pushpin it may be Python's notation.
    }
    // Who asks for it again goes on where it was.
    for (const name of channels) {
      const at = newest.get(name) ?? shared.sent.get(name)
      if (at !== undefined && at !== unreachable) shared.seeds.set(name, at)
    }
    end({
      kind: 'status',
      status: statuses[word] as number,
      explain: typeof explain === 'string' ? explain : word,
    })
  }

  function reset(ids: Ids, names: readonly unknown[]): void {
    answered = true
    // Where the server reads its store once more, it resets from the same id again, to where the channel is by then.
    for (const name of names) {
      if (
        resets.has(name) &&
        (ids.get(name as string) ?? 0) > (newest.get(name as string) ?? Number.POSITIVE_INFINITY)
      ) {
        return end({ kind: 'end', explain: 'what a second reset would skip is asked for' })
      }
      resets.add(name)
    }
    for (const [name, at] of ids) if (at !== unreachable) mark(name, at, names.includes(name) && !probed.has(name))
    inlet.ping()
  }

  /** Which channel a message with these ids is of, or why that isn't told. */
  function channelOf(ids: Ids, key: string): { name: string } | 'known' | 'unclear' | 'untold' {
    const unknown: string[] = []
    const above: string[] = []
    const below: string[] = []
    for (const [name, n] of ids) {
      if (n === unreachable) continue
      const highest = newest.get(name)
      if (highest === undefined) unknown.push(name)
      else if (n > highest) above.push(name)
      else if (n < highest) below.push(name)
    }
    const one = (names: readonly string[]) => (names.length === 1 ? { name: names[0] as string } : 'unclear')
    if (above.length > 0) return one(above)
    // A page of a replay begins where not all of the one before it began: a number that went back tells nothing. Alone, it
    // may be of a server that counts anew.
    if (below.length > 0) return ids.size === 1 ? one(below) : 'known'
    // Numbers begin at 1: what is at 0 has no message yet.
    const possible = unknown.filter((name) => (ids.get(name) as number) > 0)
    const silent = channels.filter((name) => !ids.has(name))
    // It may be of a channel that has no numbers as well.
    if (silent.length > 0 && possible.some((name) => own.has(name))) return 'unclear'
    if (possible.length > 0) return one(possible)
    // No number went on: a repetition, or a message of a channel that has none.
    if (silent.length === 0 || [...ids.keys()].some((name) => keys.get(name) === key)) return 'known'
    return silent.length === 1 ? one(silent) : 'untold'
  }

  function deliver(name: string, n: number | undefined, text: string, { event, id }: FrameMeta): void {
    const dead = event !== undefined && reserved.test(event) ? `'${event}' is a type of the server's own` : undefined
    inlet.message(new Received(n, name, text, Number.NaN, undefined, id, event, 'eventsource', replaying, dead))
  }

  function message(text: string, meta: FrameMeta): void {
    const { event, id } = meta
    const untold = () => inlet.dead(text, `nothing tells its channel, as the server stores none: leave out 'together'`)
    if (id === undefined) {
      shared.stored ??= false
      if (event !== undefined && reserved.test(event)) return inlet.ping()
      return channels.length === 1 ? deliver(channels[0] as string, undefined, text, meta) : untold()
    }
    const ids = parseIds(id)
    if (ids === undefined) return inlet.dead(text, `no id of this server: ${id.slice(0, 80)}`)
    shared.stored = true
    const key = `${event}\n${text}`
    const told = channelOf(ids, key)
    if (told === 'untold') return untold()
    if (told === 'unclear' && blind) {
      for (const [name, n] of ids) mark(name, n, false)
      return inlet.dead(text, `nothing tells its channel, as it can't be asked for again: leave out 'together'`)
    }
    if (told === 'unclear') {
      // Asked for from just before it, each channel's message comes with a number that only it has changed.
      for (const [name, n] of ids) if (own.has(name) && !newest.has(name)) shared.seeds.set(name, Math.max(0, n - 1))
      return end({ kind: 'end', explain: 'a message that did not tell its channel is asked for again' })
    }
    const name = told === 'known' ? undefined : told.name
    for (const [one, n] of ids) if (one !== name && n !== unreachable && !newest.has(one)) mark(one, n, false)
    if (name === undefined) return
    const n = ids.get(name)
    if (n !== undefined) {
      newest.set(name, n)
      keys.set(name, key)
    }
    deliver(name, n, text, meta)
  }

  return {
    frame(text: string, { event, id }: FrameMeta = {}) {
      heard = true
      if (ended) return
      if (event === 'stream-open' && id === undefined) return open()
      if (event === 'keep-alive' && id === undefined) return inlet.ping()
      if (event === 'stream-error' && id === 'error') return fail(text)
      if (event === 'stream-reset' && id !== undefined) {
        const ids = parseIds(id)
        const names = channelsOf(text)
        if (ids !== undefined && names !== undefined) return reset(ids, names)
      }
      message(text, { event, id })
    },
    pulse() {},
    finish() {
      // An empty answer in good order: nobody is to come back at once for another.
      if (heard) return
      for (const name of channels) {
        if (shared.sent.has(name)) shared.empty.set(name, (shared.empty.get(name) ?? 0) + 1)
        else shared.empty.delete(name)
      }
      inlet.over({ kind: 'lost', explain: 'the answer was empty' })
    },
  }
}

/** The channels that a `stream-reset` names. */
function channelsOf(text: string): readonly unknown[] | undefined {
  try {
    const { channels } = JSON.parse(text) as { channels?: unknown }
    return Array.isArray(channels) ? channels : undefined
  } catch {
    return undefined
  }
}
