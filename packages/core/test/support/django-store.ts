export interface StoredEvent {
  readonly n: number
  readonly data: string
  readonly type: string
}

/** One reading of the store: what follows given positions, up to the size of a page. */
export interface Page {
  readonly items: readonly (readonly [channel: string, events: readonly StoredEvent[]])[]
  /** Where the channels stood before these. */
  readonly last: Map<string, number>
  /** Channels whose position was not known. */
  readonly reset: readonly string[]
  /** Channels of which there is more, and how far this page goes. */
  readonly more: ReadonlyMap<string, number>
}

/** What the model storage of django-eventstream keeps, read as it was seen to read it. */
export class DjangoStore {
  /** Channels that are not stored. */
  readonly unreliable = new Set<string>()
  /** How many events a page has, divided by the number of channels. */
  pageSize = 100
  readonly #events = new Map<string, StoredEvent[]>()
  readonly #counters = new Map<string, number>()

  /** The number of the event, `undefined` where it is not stored. */
  add(channel: string, data: string, type: string): number | undefined {
    if (this.unreliable.has(channel)) return undefined
    const n = this.counter(channel) + 1
    this.#counters.set(channel, n)
    this.#events.set(channel, [...(this.#events.get(channel) ?? []), { n, data, type }])
    return n
  }

  counter(channel: string): number {
    return this.#counters.get(channel) ?? 0
  }

  /** Only the newest events stay. */
  trim(channel: string, keep: number): void {
    const events = this.#events.get(channel) ?? []
    this.#events.set(channel, events.slice(events.length - keep))
  }

  wipe(): void {
    this.#events.clear()
    this.#counters.clear()
  }

  page(channels: readonly string[], wanted: ReadonlyMap<string, number>): Page {
    const size = Math.max(1, Math.floor(this.pageSize / channels.length))
    const last = new Map<string, number>()
    const reset: string[] = []
    const more = new Map<string, number>()
    const items: [string, StoredEvent[]][] = []
    for (const channel of channels) {
      if (this.unreliable.has(channel)) continue
      const current = this.counter(channel)
      const events = this.#events.get(channel) ?? []
      let after = wanted.get(channel) ?? current
      const whole = events.length === current
      if (after !== current && !events.some(({ n }) => n === after) && !(after === 0 && whole)) {
        reset.push(channel)
        after = current
      }
      last.set(channel, after)
      const found = events.filter(({ n }) => n > after)
      if (found.length > size) more.set(channel, (found[size - 1] as StoredEvent).n)
      items.push([channel, found.slice(0, size)])
    }
    return { items, last, reset, more }
  }
}
