import type { IncomingMessage } from '../message.js'
import { positionOf } from '../position.js'
import type { CutTransport, Decoder } from '../protocols/protocol.js'
import { shown } from '../session/reports.js'
import type {
  CloseReason,
  Environment,
  Exchange,
  ModeName,
  OpenTransport,
  Position,
  TransportEvents,
} from '../types.js'
import { type Ask, answeredBy, type Context, exchangeOf, fetchOf, pause } from './request.js'
import type { Attempt, Brought } from './types.js'

/** A connection that is watched. */
export interface Connected {
  readonly attempt: Attempt
  /** Resolves when this holds, when the connection has ended, or after so many ms. */
  until(holds: (attempt: Attempt) => boolean, ms: number): Promise<void>
  close(): void
}

/** After this time of silence, what looks like the end of a frame is one, in ms. */
const idleTime = 100
/** How long to wait before what brought nothing is asked again, in ms. */
const calm = 500
type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** A connection as the client makes it, by its transport and its protocol, that is watched. */
class Observed implements Connected {
  readonly attempt: Writable<Attempt>
  readonly #context: Context
  readonly #ask: Ask
  readonly #messages: Brought[] = []
  readonly #dead: string[] = []
  readonly #listeners = new Set<() => void>()
  readonly #timers: unknown[] = []
  readonly #open: OpenTransport | undefined
  /** Where the next long-poll begins. */
  #position: Position | undefined
  #polled = false
  /** The position of the last request. */
  #asked: Position | undefined
  #closed = false

  constructor(context: Context, mode: ModeName, ask: Ask) {
    this.#context = context
    this.#ask = ask
    this.#position = ask.position
    this.attempt = {
      mode,
      url: '',
      asked: this.#now,
      answer: undefined,
      opened: undefined,
      first: undefined,
      pings: 0,
      messages: this.#messages,
      dead: this.#dead,
      ended: undefined,
      until: this.#now,
    }
    const { environment, transports } = context.settings
    const transport = transports.find(({ name }) => name === mode)
    const fetch: Environment['fetch'] = async (url, init) => {
      const response = await fetchOf(context)(url, init)
      this.attempt.answer ??= answeredBy(response)
      this.#changed()
      return response
    }
    this.#open = transport?.open(() => this.#next(), this.#events(), { ...environment, fetch })
  }

  until(holds: (attempt: Attempt) => boolean, ms: number): Promise<void> {
    const { environment } = this.#context.settings
    return new Promise((resolve) => {
      const done = () => {
        environment.clearTimeout(timer)
        this.#listeners.delete(look)
        resolve()
      }
      const look = () => {
        if (this.#closed || holds(this.attempt)) done()
      }
      const timer = environment.setTimeout(done, ms)
      this.#listeners.add(look)
      look()
    })
  }

  close(): void {
    for (const timer of this.#timers) this.#context.settings.environment.clearTimeout(timer)
    if (!this.#closed) this.attempt.until = this.#now
    this.#closed = true
    this.#open?.close()
    this.#changed()
  }

  get #now(): number {
    return this.#context.settings.environment.now() - this.#context.began
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  async #next(): Promise<Exchange> {
    const position = this.#position
    const { channels, ...ask } = this.#ask
    // A long-poll that goes on asking for the last messages would be answered for ever.
    const again = this.#polled && position !== undefined
    this.#polled = true
    // A server that does not read the position answers at once, again and again.
    if (again && this.#asked === position) await pause(this.#context, calm)
    this.#asked = position
    const exchange = await exchangeOf(this.#context, this.attempt.mode, {
      ...ask,
      ...(channels && !again && { channels }),
      ...(position !== undefined && { position }),
    })
    this.attempt.url ||= shown(exchange.url) ?? ''
    return exchange
  }

  #events(): TransportEvents {
    const { environment, protocol } = this.#context.settings
    const { attempt } = this
    const decoder = this.#decoder()
    return {
      open: () => {
        attempt.opened ??= this.#now
        this.#changed()
      },
      activity: () => {
        attempt.first ??= this.#now
        this.#changed()
      },
      comment: (text) => decoder.pulse(text),
      frame: (text, meta) => {
        decoder.frame(text, meta)
        if (decoder.idle) this.#timers.push(environment.setTimeout(() => decoder.idle?.(), idleTime))
      },
      answered: (answer) => {
        decoder.finish()
        this.#position ??= protocol.positionOf(answer)
        this.#changed()
      },
      closed: (reason) => this.#end(reason),
    }
  }

  #decoder(): Decoder {
    const { settings, channel } = this.#context
    const { protocol, environment, transports } = settings
    const transport: CutTransport | undefined = transports.find(({ name }) => name === this.attempt.mode)
    const wanted = this.#ask.channels ?? [{ name: channel }]
    return protocol.decoder(
      {
        kind: this.attempt.mode,
        liveFrom: positionOf(environment.now(), 0),
        channels: [...new Set(wanted.map(({ name }) => name))],
        cut: transport?.cut,
      },
      {
        message: (message) => this.#message(message),
        ping: () => {
          this.attempt.pings++
          this.#changed()
        },
        deleted() {},
        dead: (raw, reason) => void this.#dead.push(`${reason}: ${raw.slice(0, 100)}`),
        over: (reason) => this.#end(reason),
      },
    )
  }

  #message({ id, channel, text, position, tag, eventId, dead }: IncomingMessage): void {
    if (position > (this.#position ?? 0)) this.#position = position
    this.#messages.push({ id, channel, text, position, tag, eventId, at: this.#now, dead })
    this.#changed()
  }

  #end(reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    this.attempt.ended = { ...reason, at: this.#now }
    this.attempt.until = this.#now
    this.#open?.close()
    this.#changed()
  }
}

/** Opens a connection and watches it. */
export const connect = (context: Context, mode: ModeName, ask: Ask = {}): Connected => new Observed(context, mode, ask)
