import { defaultEnvironment } from '../environment.js'
import type { ListenerObject, ListenerOptions, PushMessageEvent, RemovalOptions } from '../platform.js'
import { backoff } from '../session/backoff.js'
import { mediaType, readBody, retryAfter } from '../transports/http.js'
import { createSseParser } from '../transports/sse.js'
import type { Environment } from '../types.js'
import type { PushErrorEvent, PushEventSourceEventMap } from './events.js'
import { checkInit, longest, type PushEventSourceInit } from './init.js'
import { type Pings, watchPings } from './pings.js'
import { addressOf, hintOf, requestEvents } from './request.js'

type Handler<E extends Event> = ((this: PushEventSource, event: E) => unknown) | null

/** Statuses below 500 that are temporary. */
const temporary = [408, 425, 429]
/** The first back-off, in ms. */
const first = 1000
/** A connection that lasted this long, in ms, has worked. */
const lasting = 5000
const pings = ['keep-alive', 'ping']

/**
 * An `EventSource` over `fetch`, with the same interface. It sends headers, notices silence, and never gives up because
 * of a temporary error. As with the browser's own, any other status than 200, and a response that is not an event
 * stream, end it for good.
 *
 * It differs from the browser's own:
 *
 * - After a status of 500 and above, 408, 425 or 429, it tries again. It also does so if another origin does not allow
 *   the request, because `fetch` reports that like an unreachable server.
 * - The pause between attempts is a back-off, but at least the server's `retry` or `Retry-After`.
 * - It never asks for an id `error`, with which django-eventstream ends a stream.
 * - Events are not `isTrusted`.
 * - Another origin must allow the header `Last-Event-ID`.
 *
 * @example
 * ```ts
 * import { PushEventSource } from '@pushstream/core'
 *
 * const events = new PushEventSource('/events/?channel=user-42')
 * events.onmessage = ({ data }) => console.log(data)
 * ```
 */
export class PushEventSource extends EventTarget {
  static get CONNECTING(): 0 {
    return 0
  }
  static get OPEN(): 1 {
    return 1
  }
  static get CLOSED(): 2 {
    return 2
  }
  get CONNECTING(): 0 {
    return 0
  }
  get OPEN(): 1 {
    return 1
  }
  get CLOSED(): 2 {
    return 2
  }
  get [Symbol.toStringTag](): string {
    return 'PushEventSource'
  }

  readonly #url: string
  #readyState: 0 | 1 | 2 = 0
  #lastEventId: string
  #failures = 0
  /** The server's `retry`: the least pause before each attempt, in ms. */
  #retry: number | undefined
  /** The least length of the current pause that the server asked for, in ms. */
  #floor = 0
  #abort: AbortController | undefined
  #timer: unknown
  #stopListening: (() => void) | undefined
  readonly #init: PushEventSourceInit
  readonly #environment: Environment
  readonly #handlers = new Map<string, { current: Handler<never> }>()

  /** Connects at once. Throws a `SyntaxError` for an invalid URL, and a `bad-option` error for wrong options. */
  constructor(url: string | URL, init: PushEventSourceInit = {}) {
    super()
    checkInit(init)
    this.#url = addressOf(url)
    // A dictionary may be null.
    this.#init = init ?? {}
    this.#environment = { ...defaultEnvironment(), ...this.#init.environment }
    const { lastEventId = '' } = this.#init
    this.#lastEventId = lastEventId === 'error' ? '' : lastEventId
    this.#stopListening = this.#environment.page?.onBack(() => {
      // The network is back, so there is no reason to wait.
      if (this.#timer !== undefined && this.#floor === 0) this.#connect()
    })
    this.#connect()
  }

  /** The absolute URL. */
  get url(): string {
    return this.#url
  }

  get withCredentials(): boolean {
    return Boolean(this.#init.withCredentials)
  }

  /** 0 CONNECTING, 1 OPEN, 2 CLOSED. */
  get readyState(): 0 | 1 | 2 {
    return this.#readyState
  }

  get onopen(): Handler<Event> {
    return this.#handler('open')
  }
  set onopen(handler: Handler<Event>) {
    this.#handle('open', handler)
  }
  get onmessage(): Handler<PushMessageEvent> {
    return this.#handler('message')
  }
  set onmessage(handler: Handler<PushMessageEvent>) {
    this.#handle('message', handler)
  }
  get onerror(): Handler<PushErrorEvent> {
    return this.#handler('error')
  }
  set onerror(handler: Handler<PushErrorEvent>) {
    this.#handle('error', handler)
  }

  override addEventListener<K extends keyof PushEventSourceEventMap>(
    type: K,
    listener: ((this: PushEventSource, event: PushEventSourceEventMap[K]) => unknown) | null,
    options?: ListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: ((this: PushEventSource, event: PushMessageEvent) => unknown) | ListenerObject | null,
    options?: ListenerOptions,
  ): void
  override addEventListener(type: string, listener: never, options?: ListenerOptions): void {
    super.addEventListener(type, listener, options)
  }

  override removeEventListener<K extends keyof PushEventSourceEventMap>(
    type: K,
    listener: ((this: PushEventSource, event: PushEventSourceEventMap[K]) => unknown) | null,
    options?: RemovalOptions,
  ): void
  override removeEventListener(
    type: string,
    listener: ((this: PushEventSource, event: PushMessageEvent) => unknown) | ListenerObject | null,
    options?: RemovalOptions,
  ): void
  override removeEventListener(type: string, listener: never, options?: RemovalOptions): void {
    super.removeEventListener(type, listener, options)
  }

  /** Closes the connection for good. No event is dispatched after this. */
  close(): void {
    this.#readyState = 2
    this.#rest()
    this.#stopListening?.()
  }

  #handler<E extends Event>(type: string): Handler<E> {
    return (this.#handlers.get(type)?.current ?? null) as Handler<E>
  }

  /** A handler keeps its place among the listeners, even if it is replaced. */
  #handle<E extends Event>(type: string, handler: Handler<E>): void {
    const current = (typeof handler === 'function' ? handler : null) as Handler<never>
    const known = this.#handlers.get(type)
    if (known !== undefined) known.current = current
    else if (current !== null) {
      const made = { current }
      this.#handlers.set(type, made)
      super.addEventListener(type, (event) => made.current?.call(this, event as never))
    }
  }

  /** Stops the request and the timer. */
  #rest(): void {
    this.#environment.clearTimeout(this.#timer)
    this.#timer = undefined
    const abort = this.#abort
    this.#abort = undefined
    abort?.abort()
  }

  #connect(): void {
    this.#rest()
    const abort = new AbortController()
    this.#abort = abort
    const environment = this.#environment
    const { timeout = 10_000, silence } = this.#init
    const current = () => this.#abort === abort
    let openedAt: number | undefined
    let brought = false
    let watch: Pings | undefined
    const lost = (message: string, status?: number, floor = 0) => {
      if (!current()) return
      const lasted = openedAt !== undefined && environment.now() - openedAt > lasting
      if (lasted || brought) this.#failures = 0
      // A server may send what it has and close: reconnecting at once would mean dozens of requests per second.
      const least = this.#retry ?? (brought && !lasted ? (this.#init.backoffBase ?? first) : 0)
      this.#reconnect(message, status, floor, least)
    }
    const patient = environment.setTimeout(() => lost(`No answer within ${timeout} ms.`), timeout)
    abort.signal.addEventListener('abort', () => {
      environment.clearTimeout(patient)
      watch?.stop()
    })
    let response: Response | undefined
    const run = async () => {
      response = await requestEvents(this.#url, this.#init, environment, this.#lastEventId, abort.signal)
      environment.clearTimeout(patient)
      if (!current()) return
      const { status, headers } = response
      if (status !== 200) {
        const message = `The server answered ${status}.`
        const again = status >= 500 || temporary.includes(status)
        if (again) lost(message, status, retryAfter(headers.get('Retry-After'), environment.now()))
        else this.#fail(message, status)
        return
      }
      const type = mediaType(response)
      if (type !== 'text/event-stream') {
        return this.#fail(`The answer is '${type}', not an event stream.`, status)
      }
      openedAt = environment.now()
      const pinged = watchPings(environment, silence, () => lost('The connection was silent.'))
      watch = pinged
      const { origin } = new URL(response.url || this.#url)
      this.#readyState = 1
      this.dispatchEvent(new Event('open'))
      let lastEventId = this.#lastEventId
      const feed = createSseParser({
        retry: (ms) => {
          this.#retry = ms
        },
        event: ({ event: name = 'message', data, id }) => {
          if (!current()) return
          lastEventId = id ?? lastEventId
          if (lastEventId !== 'error') this.#lastEventId = lastEventId
          if (data === undefined) return
          if (pings.includes(name)) pinged.ping()
          // With this id, the server withdraws its acceptance of the request.
          else if (lastEventId !== 'error') brought = true
          this.dispatchEvent(new MessageEvent(name, { data, lastEventId, origin }))
        },
      })
      await readBody(response, pinged.life, (piece) => {
        if (current() && feed(piece)) pinged.ping()
      })
      lost('The server ended the stream.')
    }
    run().catch((cause: unknown) => {
      if (!current()) return
      const why = cause instanceof Error ? cause.message : cause
      if (response !== undefined) return lost(`The connection was lost: ${why}`)
      // An address of another scheme can't be fetched later either.
      if (!/^https?:/.test(this.#url)) return this.#fail(`The address can't be fetched: ${why}`, undefined)
      lost(`The server could not be reached: ${why}${hintOf(this.#url, this.#init, environment, this.#lastEventId)}`)
    })
  }

  #reconnect(message: string, status: number | undefined, wanted: number, least: number): void {
    const { backoffBase: base = first, backoffCap: cap = 60_000 } = this.#init
    this.#rest()
    this.#readyState = 0
    this.#tell(message, status)
    // A listener may have closed it.
    if ((this.#readyState as number) === 2) return
    this.#floor = Math.max(wanted, this.#retry ?? 0)
    const ms = backoff({ base, cap }, this.#failures++, this.#environment.random(), Math.max(wanted, least))
    this.#timer = this.#environment.setTimeout(() => this.#connect(), Math.min(ms, longest))
  }

  #fail(message: string, status: number | undefined): void {
    this.close()
    this.#tell(message, status)
  }

  #tell(message: string, status: number | undefined): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message, status }))
  }
}
