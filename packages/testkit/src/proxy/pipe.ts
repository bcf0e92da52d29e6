import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import { Pace, type PaceSettings, type Parcel } from './pace.js'

/** What happens to bytes that arrive: they are passed on, lost or held back. */
export type Fate = 'flow' | 'swallow' | 'hold'

/** With more bytes than this in transit, the sender must wait, as with the window of a TCP connection. */
const HIGH_WATER = 1024 * 1024

/** The callbacks of a pipe to its connection. */
export interface PipeHooks {
  /** Bytes arrived. */
  received(bytes: Buffer): void
  /** Bytes are lost. */
  swallowed(bytes: number): void
  /** Processes what has arrived, and sends the result with `push`. */
  process(parcel: Parcel): void
}

/** One direction of a connection: from a socket, through the faults, to the other socket. */
export class Pipe {
  fate: Fate
  #hooks: PipeHooks
  #pace: Pace
  #from: Socket | undefined
  #to: Socket | undefined
  #ended = false
  #isShut = false

  constructor(clock: Clock, settings: PaceSettings, fate: Fate, hooks: PipeHooks) {
    this.fate = fate
    this.#hooks = hooks
    this.#pace = new Pace(clock, settings, (parcel) => this.#deliver(parcel))
    if (fate === 'hold') this.#pace.pause(true)
  }

  /** Reads from `socket` from now on. */
  readFrom(socket: Socket): void {
    this.#from = socket
    socket.on('data', (bytes: Buffer) => {
      this.#hooks.received(bytes)
      this.#arrive(bytes)
    })
    socket.on('end', () => this.#over('end'))
    socket.on('close', (failed: boolean) => this.#over(failed ? 'reset' : 'end'))
  }

  /** Writes to `socket` from now on. */
  writeTo(socket: Socket): void {
    this.#to = socket
    socket.on('drain', () => this.#regulate())
  }

  /** Sends at the pace of the network. */
  push(parcel: Parcel): void {
    this.#pace.push(parcel)
  }

  /** The delay or the rate changed. */
  poke(): void {
    if (this.fate === 'flow') this.#pace.poke()
  }

  /** Drops everything from now on, including bytes in transit. This can't be undone. */
  swallow(): void {
    this.fate = 'swallow'
    if (this.#pace.size > 0) this.#hooks.swallowed(this.#pace.size)
    this.#pace.clear()
    this.#from?.resume()
  }

  /** Holds everything back until `release`. */
  hold(): void {
    this.fate = 'hold'
    this.#pace.pause(true)
  }

  release(): void {
    this.fate = 'flow'
    this.#pace.pause(false)
    this.#regulate()
  }

  /** The connection has ended: drops bytes in transit and accepts no more. */
  shut(): void {
    this.#isShut = true
    this.#pace.clear()
  }

  #arrive(parcel: Parcel): void {
    if (this.#isShut) return
    if (this.fate === 'swallow') {
      if (typeof parcel !== 'string') this.#hooks.swallowed(parcel.length)
    } else {
      this.#hooks.process(parcel)
      this.#regulate()
    }
  }

  #over(how: 'end' | 'reset'): void {
    // A reset may follow a clean end, but an end after either is redundant.
    if (this.#ended && how === 'end') return
    this.#ended = true
    this.#arrive(how)
  }

  #deliver(parcel: Parcel): void {
    const to = this.#to
    if (to === undefined || to.destroyed) return
    if (parcel === 'reset') to.resetAndDestroy()
    else if (parcel === 'end') to.end()
    else if (!to.writableEnded) to.write(parcel)
    this.#regulate()
  }

  #regulate(): void {
    const from = this.#from
    if (from === undefined || this.fate === 'swallow') return
    const waiting = this.#pace.size + (this.#to?.destroyed ? 0 : (this.#to?.writableLength ?? 0))
    if (waiting > HIGH_WATER) from.pause()
    else if (from.isPaused()) from.resume()
  }
}
