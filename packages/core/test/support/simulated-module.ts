import { setImmediate as turn } from 'node:timers/promises'
import { createFakeFetch, createManualClock, type FakeRequest, manualEnvironment } from '@pushstream/testkit'
import type { ModeName } from '../../src/types.js'

// reconnecting-websocket puts its first attempt off by a timer of its own. Node makes a millisecond of 0: of the tens of
// thousands of steps of these tests, each would cost that.
const { setTimeout: setRealTimeout } = globalThis
globalThis.setTimeout = Object.assign(
  (callback: () => void, ms?: number) =>
    ms ? setRealTimeout(callback, ms) : (setImmediate(callback) as unknown as NodeJS.Timeout),
  setRealTimeout,
)

interface Stored {
  readonly channel: string
  readonly id: number
  /** Seconds since 1970. */
  readonly time: number
  readonly tag: number
  readonly frame: string
}

/** What one connection is to the server. */
interface Subscriber {
  readonly mode: ModeName
  readonly channels: readonly string[]
  readonly request: FakeRequest | undefined
  readonly socket: FakeSocket | undefined
  /** The last thing sent on it, in ms since 1970. */
  sentAt: number
  /** Its worker is deaf: pings, and nothing live. */
  readonly deaf: boolean
  /** Nothing gets across any more, in either direction. */
  lost: boolean
}

/** A request as the server saw it, or as it was lost on the way. */
export interface Asked {
  readonly mode: ModeName | 'poll'
  readonly url: string
  readonly at: number
}

export interface ModuleOptions {
  /** `push_stream_ping_message_interval`, in ms. */
  readonly pings?: number
  /** `push_stream_longpolling_connection_ttl`, in ms. */
  readonly longPollTtl?: number
  /** Whether a location takes these names, as they stand in the address. Default: all. */
  readonly takes?: (names: readonly string[]) => boolean
  /** The status of whatever answers where no location takes the names. Default 404. */
  readonly catchAll?: number
  /**
   * A websocket is let in all the same, and ends so many ms later, as where a map finds no channel. `explained`: with the
   * reason, as the module gives it where it knows one.
   */
  readonly letsIn?: () => number
  readonly explained?: boolean
  /** How long the handshake of a websocket takes, in ms. Default 1. */
  readonly latency?: () => number
  /** How long an answer takes, in ms. */
  readonly roundTrip?: number
}

const modes: Readonly<Record<string, ModeName>> = {
  ws: 'websocket',
  ev: 'eventsource',
  sub: 'stream',
  lp: 'longpolling',
}
const http = (seconds: number) => new Date(seconds * 1000).toUTCString()
const frameOf = (id: number, channel: string, text: string, tag: number, time: number) =>
  `{"id":${id},"channel":"${channel}","text":"${text}","tag":"${tag}","time":"${http(time)}","eventid":""}`

/** A browser's WebSocket as far as a client uses it. */
class FakeSocket extends EventTarget {
  readyState = 0
  binaryType = 'blob'
  readonly extensions = ''
  readonly protocol = ''
  readonly bufferedAmount = 0
  onopen: ((event: Event) => void) | undefined
  onmessage: ((event: Event) => void) | undefined

  constructor(readonly url: string) {
    super()
    this.addEventListener('open', (event) => this.onopen?.(event))
    this.addEventListener('message', (event) => this.onmessage?.(event))
  }

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
  }

  message(data: string): void {
    if (this.readyState === 1) this.dispatchEvent(new MessageEvent('message', { data }))
  }

  ended(code: number, reason = ''): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean: code === 1000 }))
  }

  send(): void {}

  close(): void {
    this.readyState = 3
  }
}

/**
 * The module as a client sees it, on a manual clock: the four modes, polls, positions, `.bN`, pings, and the faults that
 * were measured on it (wire notes, "Deaf workers after a reload").
 */
export class SimulatedModule {
  readonly clock = createManualClock(Date.UTC(2026, 10, 29, 12, 0, 0))
  readonly requests: Asked[] = []
  /** Channels that nobody may subscribe to. */
  readonly refused = new Set<string>()
  #stored: Stored[] = []
  /** The last id of each channel. */
  readonly #ids = new Map<string, number>()
  readonly #subscribers = new Set<Subscriber>()
  readonly #pings: number
  readonly #longPollTtl: number
  readonly #locations: Omit<ModuleOptions, 'pings' | 'longPollTtl' | 'roundTrip'>
  readonly #roundTrip: number
  /** New connections are taken in by workers that are deaf. */
  #deaf = false
  /** Until then, in ms since 1970, workers on their way out take connections in. */
  #oldUntil = 0
  /** Requests by fetch that are still sent on a connection that is dead. */
  #deadKept = 0
  /** Nothing gets across, and what is sent meanwhile never does. */
  #blackHole = false

  constructor({ pings = 2000, longPollTtl = 30_000, roundTrip = 0, ...locations }: ModuleOptions = {}) {
    this.#pings = pings
    this.#roundTrip = roundTrip
    this.#longPollTtl = longPollTtl
    this.#locations = locations
    const ping = () => {
      this.clock.setTimeout(ping, 500)
      this.#ping()
    }
    ping()
  }

  /** What to give a client. */
  get environment() {
    const server = this
    const { fetch } = createFakeFetch({ answer: (request) => this.#arrive(() => this.#answer(request)) })
    class Socket extends FakeSocket {
      constructor(url: string) {
        super(url)
        const shake = () => server.#arrive(() => server.#handshake(this))
        server.clock.setTimeout(shake, server.#locations.latency?.() ?? 1)
      }
    }
    return manualEnvironment(this.clock, { fetch, WebSocket: Socket as unknown as typeof WebSocket })
  }

  /** Lets time go by; the socket's library has a timer of its own, which is none of the clock's. */
  async advance(ms: number, step = 500): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      await this.clock.advance(Math.min(step, left))
      // What a socket puts off, then what follows from that.
      await turn()
      await turn()
    }
  }

  /** Stores a message and tells who listens. `live: false`: nobody, as if published between a backlog and its subscription. */
  publish(channel: string, text: string, { live = true } = {}): void {
    const time = Math.floor(this.clock.now() / 1000)
    const id = (this.#ids.get(channel) ?? 0) + 1
    this.#ids.set(channel, id)
    const tag = this.#stored.filter((message) => message.time === time).length + 1
    const message = { channel, id, time, tag, frame: frameOf(id, channel, text, tag, time) }
    this.#stored.push(message)
    if (!live) return
    for (const subscriber of [...this.#subscribers]) {
      if (subscriber.deaf || !subscriber.channels.includes(channel)) continue
      this.#send(subscriber, [message])
    }
  }

  /** A message is published that no one gets: it is not stored any more when it is asked for. */
  lose(channel: string): void {
    this.#ids.set(channel, (this.#ids.get(channel) ?? 0) + 1)
  }

  /** Deletes a channel, with what is stored of it. */
  delete(channel: string, text: string): void {
    const kept = this.#stored.filter((message) => message.channel !== channel)
    this.#stored.splice(0, this.#stored.length, ...kept)
    this.#ids.delete(channel)
    const time = Math.floor(this.clock.now() / 1000)
    const message = { channel, id: -2, time, tag: 0, frame: frameOf(-2, channel, text, 0, time) }
    for (const subscriber of [...this.#subscribers]) {
      if (subscriber.channels.includes(channel)) this.#send(subscriber, [message])
    }
  }

  /** What is stored of a channel is no longer. Its numbers go on. */
  expire(channel: string): void {
    this.#stored = this.#stored.filter((message) => message.channel !== channel)
  }

  /** Connections end, and with them everything that was stored. Numbers begin anew. */
  restart(): void {
    this.reload()
    this.#stored = []
    this.#ids.clear()
  }

  /** SIGHUP: connections end; for 100 ms old workers take new ones in, which then hear nothing. `deaf`: the new workers don't either. */
  reload({ deaf = false } = {}): void {
    this.#deaf = deaf
    this.#oldUntil = this.clock.now() + 100
    for (const subscriber of [...this.#subscribers]) this.#end(subscriber)
  }

  /** A network that forgets every connection there is, and takes new ones; the browser sends some requests on old ones still. */
  forget(deadKept = 0): void {
    for (const subscriber of this.#subscribers) subscriber.lost = true
    this.#deadKept = deadKept
  }

  /**
   * A network that loses everything, until it is well again; what was sent meanwhile is not sent again, and the browser
   * sends some requests on connections from before.
   */
  blackHole(on: boolean, deadKept = 0): void {
    this.#blackHole = on
    if (on) this.forget()
    else this.#deadKept = deadKept
  }

  /** Every connection breaks. */
  cut(): void {
    for (const { socket, request } of this.#subscribers) {
      socket?.ended(1006)
      if (request?.open) request.cut()
    }
    this.#subscribers.clear()
  }

  #ping(): void {
    const now = this.clock.now()
    for (const subscriber of [...this.#subscribers]) {
      if (subscriber.request?.open === false || subscriber.socket?.readyState === 3)
        this.#subscribers.delete(subscriber)
      else if (subscriber.mode === 'longpolling') {
        if (now - subscriber.sentAt >= this.#longPollTtl) this.#end(subscriber)
      } else if (now - subscriber.sentAt >= this.#pings) {
        subscriber.sentAt = now
        if (subscriber.lost) continue
        if (subscriber.mode === 'eventsource') subscriber.request?.send(': -1\n\n')
        if (subscriber.mode === 'stream') subscriber.request?.send(frameOf(-1, '', ' ', 0, 0))
      }
    }
  }

  #end(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    if (subscriber.lost) return
    const { request, socket } = subscriber
    if (socket !== undefined) socket.ended(1005)
    else if (request?.open) {
      if (subscriber.mode !== 'longpolling') request.end()
      else request.respond(304, { 'Last-Modified': http(Math.floor(this.clock.now() / 1000)), Etag: 'W/0' })
    }
  }

  #send(subscriber: Subscriber, messages: readonly Stored[]): void {
    if (messages.length === 0) return
    subscriber.sentAt = this.clock.now()
    if (subscriber.lost) return
    const { mode, request, socket } = subscriber
    const frames = messages.map(({ frame }) => frame)
    if (mode === 'websocket') for (const frame of frames) socket?.message(frame)
    else if (!request?.open) this.#subscribers.delete(subscriber)
    else if (mode === 'eventsource') for (const frame of frames) request.send(`data: ${frame}\n\n`)
    else if (mode === 'stream') for (const frame of frames) request.send(frame)
    else {
      this.#subscribers.delete(subscriber)
      this.#respond(request, messages, frames.join(''))
    }
  }

  #respond(request: FakeRequest, messages: readonly Stored[], body: string): void {
    const newest = messages.reduce((a, b) => (b.time > a.time || (b.time === a.time && b.tag > a.tag) ? b : a))
    request.respond(
      200,
      { 'Last-Modified': http(newest.time), Etag: `W/${newest.tag}`, 'Content-Type': 'text/plain' },
      body,
    )
  }

  #ask(url: string, headers: Readonly<Record<string, string>> = {}) {
    const { pathname, searchParams } = new URL(url)
    const [, prefix = '', ...names] = pathname.split('/')
    const mode = modes[prefix] as ModeName
    const poll = headers['x-nginx-pushstream-mode'] === 'polling'
    this.requests.push({ mode: poll ? 'poll' : mode, url, at: this.clock.now() })
    const since = Date.parse(searchParams.get('time') ?? headers['if-modified-since'] ?? '') / 1000
    const tag = Number(/\d+/.exec(searchParams.get('tag') ?? headers['if-none-match'] ?? '')?.[0] ?? 0)
    const history = names.flatMap((encoded) => {
      const [, name, backtrack] = /^(.*?)(?:\.b(\d+))?$/.exec(decodeURIComponent(encoded)) as RegExpExecArray
      const all = this.#stored.filter(({ channel }) => channel === name)
      if (backtrack !== undefined) return Number(backtrack) > 0 ? all.slice(-Number(backtrack)) : []
      return all.filter(({ time, tag: counter }) => time > since || (time === since && counter > tag))
    })
    const channels = names.map((encoded) => decodeURIComponent(encoded).replace(/\.b\d+$/, ''))
    const taken = this.#locations.takes?.(names.map(decodeURIComponent)) ?? true
    return { mode, poll, history, channels, taken }
  }

  #join(mode: ModeName, channels: readonly string[], from: Pick<Subscriber, 'request' | 'socket'>): Subscriber {
    const now = this.clock.now()
    const deaf = this.#deaf || now < this.#oldUntil
    const subscriber = { mode, channels, ...from, sentAt: now, deaf, lost: false }
    this.#subscribers.add(subscriber)
    return subscriber
  }

  /** A request is sent. It is lost if the network loses it on its way. */
  #arrive(take: () => void): void {
    if (this.#blackHole) return
    if (this.#roundTrip === 0) return take()
    this.clock.setTimeout(() => this.#blackHole || take(), this.#roundTrip)
  }

  #answer(request: FakeRequest): void {
    if (!request.open) return
    const asked = request.method === 'OPTIONS' ? undefined : this.#ask(request.url, request.headers)
    if (this.#deadKept-- > 0) return
    if (asked === undefined) return request.respond(200)
    const { mode, poll, history, channels, taken } = asked
    if (channels.some((name) => this.refused.has(name))) return request.respond(403)
    const { catchAll = 404, explained } = this.#locations
    if (!taken) {
      return request.respond(catchAll, explained ? { 'X-Nginx-PushStream-Explain': 'No channel id provided.' } : {})
    }
    const greeted = `: \n${history.map(({ frame }) => `data: ${frame}\n\n`).join('')}`
    if (poll) {
      if (history.length === 0) request.respond(304)
      else this.#respond(request, history, greeted)
      return
    }
    if (mode === 'longpolling' && history.length > 0) {
      return this.#respond(request, history, history.map(({ frame }) => frame).join(''))
    }
    const subscriber = this.#join(mode, channels, { request, socket: undefined })
    if (mode === 'longpolling') return
    request.accept()
    if (mode === 'eventsource') request.send(': \n')
    this.#send(subscriber, history)
  }

  #handshake(socket: FakeSocket): void {
    const { channels, history, taken } = this.#ask(socket.url)
    if (socket.readyState === 3) return
    const { explained, letsIn } = this.#locations
    if (!taken && letsIn === undefined) return socket.ended(1006)
    socket.open()
    if (channels.some((name) => this.refused.has(name))) {
      return socket.ended(1008, '{"http_status": 403, "explain":""}')
    }
    if (taken) return this.#send(this.#join('websocket', channels, { request: undefined, socket }), history)
    const reason = '{"http_status": 400, "explain":"No channel id provided."}'
    this.clock.setTimeout(() => (explained ? socket.ended(1008, reason) : socket.ended(1006)), letsIn?.() ?? 0)
  }
}
