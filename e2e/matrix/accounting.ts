// What became of numbered messages at one receiver. Pure: it knows bodies, publish results and gap events alone, so it
// says the same of servers that number their messages and of servers that don't.

/** What a client told its application, in the order it came. */
export type Event =
  | { readonly kind: 'message'; readonly channel: string; readonly n: number; readonly at: number }
  | {
      readonly kind: 'gap'
      readonly channel: string
      readonly first: unknown
      readonly last: unknown
      readonly reason: string
      readonly at: number
    }

/** A message that the server took, or may have taken. Times in ms since 1970. */
export interface Sent {
  readonly channel: string
  readonly n: number
  /** When its request began. */
  readonly from: number
  /** `unknown`: the connection broke before an answer came, or the server said that it failed. It may come or not. */
  readonly taken: 'yes' | 'unknown'
}

export interface Account {
  /** Messages that the server is known to have taken. */
  readonly sent: number
  /** Different ones of these that came. */
  readonly received: number
  readonly lostWithoutGap: number
  /** Gap events. */
  readonly gaps: number
  /** Messages that did not come, and a gap event stands where they are missing. */
  readonly inGaps: number
  readonly doubled: number
  readonly outOfOrder: number
  /** What is wrong, for people. Empty when nothing is. */
  readonly evidence: readonly string[]
}

/** The numbers `n` as ranges: `3-5, 9`. `every`: how far the next one of the same channel is. */
function ranges(numbers: readonly number[], next: (n: number) => number | undefined): string {
  const found: [number, number][] = []
  for (const n of numbers) {
    const last = found.at(-1)
    if (last !== undefined && next(last[1]) === n) last[1] = n
    else found.push([n, n])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

const shown = (event: Event): string =>
  event.kind === 'message' ? String(event.n) : `gap(${event.first}..${event.last} ${event.reason})`

/** The events around one, as a line. */
function around(events: readonly Event[], index: number): string {
  const part = events.slice(Math.max(0, index - 4), index + 5)
  return part.map((event) => (event === events[index] ? `[${shown(event)}]` : shown(event))).join(' ')
}

/** Counts what came of what was sent. */
export function account(sent: readonly Sent[], events: readonly Event[]): Account {
  const total = { sent: 0, received: 0, lostWithoutGap: 0, gaps: 0, inGaps: 0, doubled: 0, outOfOrder: 0 }
  const evidence: string[] = []
  const channels = new Set([...sent, ...events].map(({ channel }) => channel))
  for (const channel of channels) {
    const mine = sent.filter((message) => message.channel === channel)
    const told = events.filter((event) => event.channel === channel)
    /** The channel's numbers in order, with the place of each among all that were tried. */
    const place = new Map(mine.map(({ n }, index) => [n, index]))
    const next = (n: number) => mine[(place.get(n) ?? mine.length) + 1]?.n

    /** Places in what came: of numbers by their first coming, and of gaps. */
    const came = new Map<number, number>()
    const gaps: number[] = []
    let highest = -1
    for (const [index, event] of told.entries()) {
      if (event.kind === 'gap') {
        gaps.push(index)
        continue
      }
      if (!place.has(event.n)) {
        total.doubled++
        evidence.push(`${channel}: ${event.n} was never published, around ${around(told, index)}`)
      } else if (came.has(event.n)) {
        total.doubled++
        evidence.push(`${channel}: ${event.n} came twice, around ${around(told, index)}`)
      } else {
        came.set(event.n, index)
        if (event.n < highest) {
          total.outOfOrder++
          evidence.push(`${channel}: ${event.n} came after ${highest}, around ${around(told, index)}`)
        }
      }
      highest = Math.max(highest, event.n)
    }

    // A run of missing messages is announced when a gap came between those that came before and after it.
    let before = -1
    let missing: number[] = []
    const close = (after: number) => {
      if (missing.length === 0) return
      if (gaps.some((gap) => gap > before && gap < after)) total.inGaps += missing.length
      else {
        total.lostWithoutGap += missing.length
        const end = after === Number.POSITIVE_INFINITY ? 'the end' : around(told, after)
        const start = before === -1 ? 'the beginning' : around(told, before)
        evidence.push(`${channel}: ${ranges(missing, next)} lost without a gap, between ${start} and ${end}`)
      }
      missing = []
    }
    for (const { n, taken } of mine) {
      const index = came.get(n)
      if (taken === 'yes') total.sent++
      if (index !== undefined) {
        if (taken === 'yes') total.received++
        close(index)
        before = Math.max(before, index)
      } else if (taken === 'yes') missing.push(n)
    }
    close(Number.POSITIVE_INFINITY)
    total.gaps += gaps.length
  }
  return { ...total, evidence }
}

/** The middle one. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? sorted[middle]
    : sorted.length === 0
      ? undefined
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/**
 * How long after each of these moments the first message published since came, in ms. A moment after which nothing was
 * published, or nothing came, is left out: what did not come is counted elsewhere.
 */
export function recoveries(moments: readonly number[], sent: readonly Sent[], events: readonly Event[]): number[] {
  const arrival = new Map<number, number>()
  for (const event of events) if (event.kind === 'message' && !arrival.has(event.n)) arrival.set(event.n, event.at)
  return moments.flatMap((moment) => {
    const after = sent.filter(({ from }) => from >= moment).map(({ n }) => arrival.get(n))
    const first = Math.min(...after.filter((at) => at !== undefined))
    return Number.isFinite(first) ? [Math.max(0, first - moment)] : []
  })
}
