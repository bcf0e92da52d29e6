import type { Clock } from '../clock.js'

/** An item in one direction of a connection: bytes, a clean end (FIN) or a reset (RST). */
export type Parcel = Buffer | 'end' | 'reset'

/** Settings of all connections of a proxy. A test may change them at any time. */
export interface PaceSettings {
  /** Latency in ms. */
  delay: number
  /** Bytes per second. Infinity: no limit. */
  rate: number
}

interface Queued {
  at: number
  parcel: Parcel
}

/** One direction of one connection on a slow network: late and throttled, but in order. */
export class Pace {
  #clock: Clock
  #settings: PaceSettings
  #deliver: (parcel: Parcel) => void
  #queue: Queued[] = []
  #timer = 0
  #free = 0
  #paused = false
  #bytes = 0

  constructor(clock: Clock, settings: PaceSettings, deliver: (parcel: Parcel) => void) {
    this.#clock = clock
    this.#settings = settings
    this.#deliver = deliver
  }

  /** Bytes in transit. */
  get size(): number {
    return this.#bytes
  }

  push(parcel: Parcel): void {
    // Only the first item is looked at, so nothing overtakes it if the delay is shortened.
    this.#queue.push({ at: this.#clock.now() + this.#settings.delay, parcel })
    if (typeof parcel !== 'string') this.#bytes += parcel.length
    if (this.#timer === 0) this.#pump()
  }

  /** The settings changed. */
  poke(): void {
    this.#stopTimer()
    this.#free = 0
    this.#pump()
  }

  /** Pauses (true) or continues (false) without losing anything. */
  pause(on: boolean): void {
    this.#paused = on
    if (on) this.#stopTimer()
    else this.#pump()
  }

  /** Drops everything in transit. */
  clear(): void {
    this.#stopTimer()
    this.#queue = []
    this.#bytes = 0
  }

  #pump(): void {
    while (!this.#paused) {
      const first = this.#queue[0]
      if (first === undefined) return
      const now = this.#clock.now()
      const wait = Math.max(first.at, this.#free) - now
      if (wait > 0) {
        this.#timer = this.#clock.setTimeout(() => {
          this.#timer = 0
          this.#pump()
        }, wait)
        return
      }
      this.#send(first, now)
    }
  }

  #send(first: Queued, now: number): void {
    const { parcel } = first
    const { rate } = this.#settings
    if (typeof parcel === 'string' || rate === Number.POSITIVE_INFINITY) {
      this.#queue.shift()
      if (typeof parcel !== 'string') this.#bytes -= parcel.length
      this.#deliver(parcel)
      return
    }
    // 50 ms of bytes at a time: fine enough to look continuous, and few timers.
    const size = Math.min(parcel.length, Math.max(1, Math.floor(rate / 20)))
    this.#free = now + (size / rate) * 1000
    this.#bytes -= size
    if (size === parcel.length) this.#queue.shift()
    else first.parcel = parcel.subarray(size)
    this.#deliver(parcel.subarray(0, size))
  }

  #stopTimer(): void {
    if (this.#timer !== 0) this.#clock.clearTimeout(this.#timer)
    this.#timer = 0
  }
}
