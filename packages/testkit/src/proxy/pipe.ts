import type { Socket } from 'node:net'
import type { Clock } from '../clock.js'
import { Pace, type PaceSettings, type Parcel } from './pace.js'

/** What becomes of bytes that arrive: go on, be lost, or wait for better times. */
export type Fate = 'flow' | 'swallow' | 'hold'

/** More than this under way and the sender is made to wait, as the window of a real TCP connection does. */
const HIGH_WATER = 1024 * 1024

/** What a pipe asks of the connection that it belongs to. */
export interface PipeHooks {
  /** Bytes arrived. */
  received(bytes: Buffer): void
  /** Bytes are lost. */
  swallowed(bytes: number): void
  /** Turn what arrived into what is sent, by calling `push`. */
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

  /** Read from `socket` from now on. */
  readFrom(socket: Socket): void {
    this.#from = socket
    socket.on('data', (bytes: Buffer) => {
      this.#hooks.received(bytes)
      this.#arrive(bytes)
    })
    socket.on('end', () => this.#over('end'))
    socket.on('close', (failed: boolean) => this.#over(failed ? 'reset' : 'end'))
  }

  /** Write to `socket` from now on. */
  writeTo(socket: Socket): void {
    this.#to = socket
    socket.on('drain', () => this.#regulate())
  }

  /** Send on, at the pace of the line. */
  push(parcel: Parcel): void {
    this.#pace.push(parcel)
  }

  /** The delay or the rate changed. */
  poke(): void {
    if (this.fate === 'flow') this.#pace.poke()
  }

  /** From now on everything is lost, with what is under way. There is no way back. */
  swallow(): void {
    this.fate = 'swallow'
    if (this.#pace.size > 0) this.#hooks.swallowed(this.#pace.size)
    this.#pace.clear()
    this.#from?.resume()
  }

  /** Keep everything until `release`. */
  hold(): void {
    this.fate = 'hold'
    this.#pace.pause(true)
  }

  release(): void {
    this.fate = 'flow'
    this.#pace.pause(false)
    this.#regulate()
  }

  /** The connection is over: forget what is under way and take nothing more. */
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
    // A reset may follow an orderly end, but an end says nothing new after either.
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
