import type { Message } from '@pushstream/core'
import { Recent } from './recent.js'

const most = 300
const remembered = 5000

/** How late a message was. */
export interface Sample {
  readonly ms: number
  readonly replayed: boolean
  /** Known to the second only. */
  readonly coarse: boolean
}

/** Of samples, in ms. `coarse`: each is at most that, as it is known to the second only. */
export interface Figures {
  readonly median: number | undefined
  readonly p95: number | undefined
  readonly worst: number | undefined
  readonly count: number
  readonly coarse: boolean
}

/** When a message was sent, in ms since 1970, as far as the application knows. */
export type SentAt = (message: Message) => number | undefined

/** `sentAt` of the message's data: a number of ms since 1970, or a date as text. */
export const sentAtOf: SentAt = ({ data }) => {
  if (typeof data !== 'object' || data === null) return undefined
  const { sentAt } = data as { sentAt?: unknown }
  const at = typeof sentAt === 'string' ? Date.parse(sentAt) : sentAt
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined
}

/** How long messages take until they are here. */
export class Lateness {
  readonly samples = new Recent<Sample>(most)
  readonly #seen = new Set<string>()
  #since = Number.NEGATIVE_INFINITY

  /** What was sent before the page listened is not late. */
  begin(now: number): void {
    this.#since = now
  }

  add(message: Message, now: number, sentAt: SentAt): void {
    const sent = sentAt(message)
    const at = sent ?? message.time?.getTime()
    const coarse = sent === undefined
    if (at === undefined || at + (coarse ? 1000 : 0) < this.#since) return
    // A channel that is added anew with a backtrack brings what was measured already.
    const key = `${message.channel} ${message.id} ${message.tag} ${at}`
    if (!coarse || message.id !== undefined) {
      if (this.#seen.has(key)) return
      this.#seen.add(key)
      if (this.#seen.size > remembered) this.#seen.delete(this.#seen.values().next().value as string)
    }
    this.samples.add({ ms: Math.max(0, now - at), replayed: message.replayed, coarse })
  }

  /** Of those that are known exactly, else of all. */
  get figures(): Figures {
    const { items } = this.samples
    const exact = items.filter(({ coarse }) => !coarse)
    const sorted = (exact.length > 0 ? exact : items).map(({ ms }) => ms).sort((a, b) => a - b)
    return {
      median: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
      worst: sorted.at(-1),
      count: sorted.length,
      coarse: exact.length === 0,
    }
  }
}

/** Of sorted values. */
export function quantile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)]
}
