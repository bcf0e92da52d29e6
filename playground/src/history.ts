import type { ModeName, Status } from '@pushstream/core'
import type { Session } from './session.js'

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

/** What happened to the client: spans of states, marks, and messages by the second. */
export class History {
  readonly spans: Span[] = [{ from: Date.now(), state: 'closed', mode: undefined }]
  readonly marks: Mark[] = []
  /** How many messages came in a second, by seconds since 1970. */
  readonly rate = new Map<number, number>()
  /** Changes with every mark. */
  version = 0
  #everOpen = false

  constructor(session: Session) {
    session.on('settings', () => {
      this.#everOpen = false
    })
    session.on('status', (status) => this.#status(status, session.wanted))
    session.on('open', ({ mode }) => {
      this.#mark(this.#everOpen ? 'resumed' : 'opened', `${this.#everOpen ? 'Resumed' : 'Opened'} over ${mode}`)
      this.#everOpen = true
    })
    session.on('gap', ({ channel, first, last }) => {
      this.#mark('gap', `Gap on ${channel}: ${last === 'unknown' ? `from ${first} on` : `${first} to ${last}`}`)
    })
    session.on('message', () => {
      const second = Math.floor(Date.now() / 1000)
      this.rate.set(second, (this.rate.get(second) ?? 0) + 1)
    })
  }

  /** Forgets what no chart shows any more. */
  trim(now: number): void {
    while (this.spans.length > 1 && (this.spans[1] as Span).from < now - memory) this.spans.shift()
    if (this.spans.length > 2 * most) this.spans.splice(0, this.spans.length - 2 * most)
    for (const second of this.rate.keys()) {
      if (second * 1000 >= now - memory) break
      this.rate.delete(second)
    }
  }

  #status({ state, mode, error }: Status, wanted: boolean): void {
    const last = this.spans.at(-1) as Span
    if (last.state === state && last.mode === mode) return
    const now = Date.now()
    if (last.state === 'open' && state !== 'open') {
      const why = !wanted || state === 'closed' ? 'Disconnected' : `Lost ${last.mode}`
      this.#mark('lost', error === undefined || !wanted ? why : `${why}: ${error.message}`)
    }
    if (last.state === 'open' && state === 'open') this.#mark('switched', `Switched from ${last.mode} to ${mode}`)
    this.spans.push({ from: now, state, mode })
    this.version++
  }

  #mark(kind: MarkKind, text: string): void {
    this.marks.push({ at: Date.now(), kind, text })
    if (this.marks.length > most) this.marks.shift()
    this.version++
  }
}
