import type { Channel } from '../delivery/channel.js'
import type { ChannelStore } from '../delivery/channel-store.js'
import { tagOf } from '../position.js'
import type { Protocol } from '../protocols/protocol.js'
import type { Answer, Position } from '../types.js'
import type { Requests } from './requests.js'
import { reloadGrace } from './state.js'

/** Answers that bring nothing new, one after the other, are spaced up to this, in ms. */
const slowest = 5000

/**
 * Where each poll of a long-polling chain begins. From the newest position as long as nothing is missing: a poll from
 * the point up to which everything is known would bring every message twice. What several workers make it miss that
 * way shows as a missing number, or in the check after a burst.
 */
export class LongPollChain {
  readonly #store: ChannelStore
  readonly #requests: Requests
  readonly #protocol: Protocol
  readonly #now: () => number
  /** Whether the poll that left last begins directly after what is known. */
  exact = false
  #first = true
  #asked: { holes: Map<Channel, number | undefined>; before: Position; at: number } | undefined
  #told: Position | undefined
  #etag: string | null = null
  #idle = 0
  #mark = ''
  #lastAnswer = Number.NEGATIVE_INFINITY
  #burst = false
  #empty = false
  /** The longest that a poll hung before it was answered with nothing, in ms. */
  #longest = 0
  #restarted = false
  /** The server answered a poll that began with something known, so it still has that. */
  echoed = false

  constructor(store: ChannelStore, requests: Requests, protocol: Protocol, now: () => number) {
    this.#store = store
    this.#requests = requests
    this.#protocol = protocol
    this.#now = now
  }

  /** How long to wait before the next poll, in ms. After a message not at all, unless it is an idle repetition. */
  get pause(): number {
    // An empty answer may be the farewell of a server that reloads.
    const least = this.#empty ? reloadGrace : 0
    return this.#idle < 2 ? least : Math.min(slowest, 50 * 2 ** this.#idle)
  }

  /** The next poll begins where a new connection would: what is known comes again, which shows that the server is there. */
  restart(): void {
    this.#first = this.#restarted = true
    this.#idle = 0
  }

  /** The position of the next poll. */
  next(channels: readonly Channel[]): Position | undefined {
    const { newest } = this.#store
    const holes = this.#store.missing()
    const begin = this.#requests.begin(channels)
    let from = begin
    // After an empty answer the server may be another one, with a counter that began anew within the second.
    if (!this.#first && !this.#empty && holes.size === 0 && begin !== undefined && newest >= begin) from = newest
    // A template without time leaves the position to the headers of the answers.
    const { resume } = this.#protocol.guarantees
    // What is stored from before the point that is known is skipped, unless there is a hole to be asked about, or the
    // server has to show that it still has what is known.
    const asks = begin !== undefined && (holes.size > 0 || (this.#first && resume === 'second'))
    if (resume !== 'position' && this.#told !== undefined && !asks) {
      from = Math.max(this.#told, begin ?? this.#told)
    }
    this.exact = from !== undefined && from !== begin
    // Only one that repeats something known is sure to be answered at once.
    this.#restarted &&= from !== undefined && !this.exact
    this.#asked = { holes, before: newest, at: this.#now() }
    this.#first = false
    this.#mark = this.#state(channels)
    return from
  }

  /** Takes in that the poll was answered. Says whether something may have been missed. */
  answered(answer: Answer, channels: readonly Channel[]): boolean {
    const asked = this.#asked
    if (asked === undefined) return false
    this.#asked = undefined
    const told = this.#protocol.positionOf(answer)
    this.#etag = answer.headers.get('Etag')
    if (answer.status === 200) {
      this.echoed ||= this.#restarted
      this.#restarted = false
      if (told !== undefined && tagOf(told) > 0) {
        this.#told = told
        // The answer brought something whose own position can't be read: it is not to be fetched again.
        if (told > this.#store.newest) this.#store.newest = told
      }
      this.#store.skipMissing(asked.holes)
    } else if (told !== undefined) {
      // The time of a 304 is better than nothing, and worse than everything else.
      for (const channel of channels) if (this.#store.isUnknown(channel)) channel.completeUpTo = told
      this.#told ??= told
    }
    this.#empty = answer.status !== 200
    const now = this.#now()
    const progress = this.#mark !== this.#state(channels)
    const quick = now - asked.at < 100
    this.#idle = progress || !quick ? 0 : this.#idle + 1
    if (answer.status === 200 && now - this.#lastAnswer < 1000) this.#burst = true
    else if (!this.#burst) this.#store.advanceWatermark(channels, asked.before)
    this.#lastAnswer = now
    const hung = this.#empty ? now - asked.at : this.#longest
    // A server that reloads answers its polls early. The next one may go into a worker that never delivers anything.
    const early = hung < this.#longest - 1000 || this.#longest === 0
    this.#longest = Math.max(this.#longest, hung)
    return this.#burst || (this.#empty && early)
  }

  /** What a burst may have missed is asked for. */
  calm(): void {
    this.#burst = false
  }

  #state(channels: readonly Channel[]): string {
    let state = `${this.#store.newest} ${this.#told} ${this.#etag}`
    for (const { sequence, completeUpTo: complete } of channels)
      state += ` ${sequence.last}/${sequence.buffered.size}/${complete}`
    return state
  }
}
