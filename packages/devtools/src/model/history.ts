import type { Gap, ModeName, Status } from '@pushstream/core'
import { Recent } from './recent.js'

/** How the client was, from a moment until the next span begins. */
export interface Span {
  readonly from: number
  readonly state: Status['state']
  readonly mode: ModeName | undefined
}

export type MarkKind = 'opened' | 'lost' | 'resumed' | 'switched' | 'gap'

/** Something that happened at a moment. */
export interface Mark {
  readonly at: number
  readonly kind: MarkKind
  readonly text: string
}

/** How long things are remembered, in ms, and how many marks. */
const memory = 16 * 60_000
const most = 500
/** A reason that was given longer ago, in ms, is of something else. */
const fresh = 1000

/** What happened to a client: spans of states, marks, and messages by the second. */
export class History {
  readonly spans: Span[]
  readonly marks = new Recent<Mark>(most)
  /** How many messages came in a second, by seconds since 1970. */
  readonly rate = new Map<number, number>()
  /** Changes with every mark and span. */
  version = 0
  readonly #now: () => number
  #everOpen = false
  #reason = { text: '', at: Number.NEGATIVE_INFINITY }

  constructor(now: () => number) {
    this.#now = now
    this.spans = [{ from: now(), state: 'closed', mode: undefined }]
  }

  /** A client is looked at from now on. It may be open already. */
  begin({ state, mode }: Pick<Status, 'state' | 'mode'>): void {
    this.#everOpen = state === 'open'
    this.#reason.at = Number.NEGATIVE_INFINITY
    this.#span(state, mode)
  }

  /** It is no longer looked at. */
  end(): void {
    this.#span('closed', undefined)
  }

  /** Why a connection ended. What follows from it comes at once. */
  because(text: string): void {
    this.#reason = { text, at: this.#now() }
  }

  status({ state, mode, error }: Pick<Status, 'state' | 'mode' | 'error'>): void {
    const last = this.spans.at(-1) as Span
    if (last.state === state && last.mode === mode) return
    if (last.state === 'open' && state === 'closed') this.#mark('lost', 'Disconnected by the page')
    else if (last.state === 'open' && state !== 'open') {
      const { at, text } = this.#reason
      const reason = this.#now() - at < fresh ? text : error?.message
      this.#mark('lost', reason ?? `Lost ${last.mode}`)
    }
    if (last.state === 'open' && state === 'open') this.#mark('switched', `Switched from ${last.mode} to ${mode}`)
    this.#span(state, mode)
  }

  opened(mode: ModeName | undefined): void {
    this.#mark(this.#everOpen ? 'resumed' : 'opened', `${this.#everOpen ? 'Resumed' : 'Opened'} over ${mode}`)
    this.#everOpen = true
  }

  gap(gap: Gap): void {
    this.#mark('gap', `${gap.channel}: ${missing(gap)}`)
  }

  message(): void {
    const second = Math.floor(this.#now() / 1000)
    this.rate.set(second, (this.rate.get(second) ?? 0) + 1)
  }

  /** Forgets what no chart shows any more. */
  trim(now = this.#now()): void {
    while (this.spans.length > 1 && (this.spans[1] as Span).from < now - memory) this.spans.shift()
    if (this.spans.length > 2 * most) this.spans.splice(0, this.spans.length - 2 * most)
    for (const second of this.rate.keys()) {
      if (second * 1000 >= now - memory) break
      this.rate.delete(second)
    }
  }

  #span(state: Status['state'], mode: ModeName | undefined): void {
    this.spans.push({ from: this.#now(), state, mode })
    this.version++
  }

  #mark(kind: MarkKind, text: string): void {
    this.marks.add({ at: this.#now(), kind, text })
    this.version++
  }
}

/** What a gap says, in words. */
export function missing({ first, last, reason }: Gap): string {
  const why = reason === 'restart' ? 'the server lost what it stored' : 'no longer stored'
  if (first === 'unknown') return `messages may be missing: ${why}`
  if (last === 'unknown') return `messages from ${first} on are missing: ${why}`
  return first === last ? `message ${first} is missing: ${why}` : `${last - first + 1} messages are missing: ${why}`
}

/** The ids of a gap: `5`, `5 to 9`, `5 on`. */
export function idsOf({ first, last }: Gap): string {
  if (first === 'unknown') return ''
  if (last === 'unknown') return `${first} on`
  return first === last ? `${first}` : `${first} to ${last}`
}
