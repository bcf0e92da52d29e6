import { backoff } from '../connection/backoff.js'
import { defaultEnvironment, type Environment } from '../connection/environment.js'
import { Liveness } from '../connection/liveness.js'
import { readBody, request, retryAfter } from '../modes/fetching.js'
import type { Provider } from '../options.js'
import { createStreamParser } from './parser.js'

/** What `new PushEventSource` takes beside the address. */
export interface PushEventSourceInit {
  /** Whether cookies go to another origin too. Default false. */
  withCredentials?: boolean
  /** Headers for every request. A function is asked before every request and may be async. */
  headers?: Provider<Record<string, string>>
  /** Go on after this event id. */
  lastEventId?: string
  /**
   * The name of a query argument that carries the last event id, instead of the header `Last-Event-ID`: `lastEventId` for
   * django-eventstream. Servers of another origin have to allow that header by name. Default: the header.
   */
  lastEventIdParameter?: string
  /**
   * How long a connection may be silent, in ms, before it is replaced. Default: where the server sends comments, or events
   * named `keep-alive` or `ping`, two and a half times their interval; else for ever.
   */
  silence?: number
  /** How long to wait for the server's answer, in ms. Default 10000. */
  timeout?: number
  /** The first back-off after a failed attempt, in ms, doubled with every failure and spread at random. Default 1000. */
  backoffBase?: number
  /** The longest back-off, in ms. Default 60000. */
  backoffCap?: number
  /** For tests, and for runtimes that lack something: replaces the clock, the random, fetch. */
  environment?: Partial<Environment>
}

/** What `error` listeners get: why, where it is known. */
export interface PushErrorEvent extends Event {
  /** The HTTP status, where that was it. */
  readonly status: number | undefined
  readonly message: string
}

/** Events by name. */
export interface PushEventSourceEventMap {
  open: Event
  error: PushErrorEvent
  message: MessageEvent<string>
}

type Handler<E extends Event> = ((this: PushEventSource, event: E) => unknown) | null

/** Statuses that are the moment's fault, beside 500 and above. */
const temporary = [408, 425, 429]
/** A connection that lasted so long, in ms, had worked. */
const lasting = 5000
/** What waits for the pings of a server that isn't known to send any, in ms. */
const patience = 30_000
const pings = ['keep-alive', 'ping']

/**
 * An `EventSource` over fetch, by the same interface: it sends headers, sees silence, and never gives up for what passes
 * by. A status that says no, or an answer that is no event stream, ends it for good, as with the browser's own.
 *
 * What differs from the browser's: statuses from 500 up, 408, 425 and 429 are tried again; the pause before that is a
 * back-off (the server's `retry`, or `Retry-After`, at least); an id `error`, with which django-eventstream ends a stream,
 * is never asked for; events are not `isTrusted`; another origin's server has to allow the header `Last-Event-ID`.
 */
export class PushEventSource extends EventTarget {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSED = 2
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSED = 2

  /** The address, absolute. */
  readonly url: string
  readonly withCredentials: boolean
  #readyState: 0 | 1 | 2 = 0
  #lastEventId: string
  #failures = 0
  /** What the server wants to be left alone for, in ms. */
  #retry = 0
  #abort: AbortController | undefined
  #timer: unknown
  #stopListening: (() => void) | undefined
  readonly #init: PushEventSourceInit
  readonly #environment: Environment
  readonly #handlers = new Map<string, { current: Handler<never> }>()

  /** Connects at once. Throws a `SyntaxError` for what is no address. */
  constructor(url: string | URL, init: PushEventSourceInit = {}) {
    super()
    const base = globalThis.document?.baseURI ?? globalThis.location?.href
    try {
      this.url = new URL(url, base).href
    } catch {
      throw new DOMException(`'${url}' is no address.`, 'SyntaxError')
    }
    this.withCredentials = init.withCredentials ?? false
    this.#init = init
    this.#environment = { ...defaultEnvironment(), ...init.environment }
    this.#lastEventId = init.lastEventId ?? ''
    this.#stopListening = this.#environment.page?.onBack(() => {
      // The network is back: no reason to wait any longer.
      if (this.#timer !== undefined && this.#retry === 0) this.#connect()
    })
    this.#connect()
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
  get onmessage(): Handler<MessageEvent<string>> {
    return this.#handler('message')
  }
  set onmessage(handler: Handler<MessageEvent<string>>) {
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
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: ((this: PushEventSource, event: MessageEvent<string>) => unknown) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(type: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options)
  }

  override removeEventListener<K extends keyof PushEventSourceEventMap>(
    type: K,
    listener: ((this: PushEventSource, event: PushEventSourceEventMap[K]) => unknown) | null,
    options?: boolean | EventListenerOptions,
  ): void
  override removeEventListener(
    type: string,
    listener: ((this: PushEventSource, event: MessageEvent<string>) => unknown) | EventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void
  override removeEventListener(type: string, listener: never, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener, options)
  }

  /** Ends it for good. No event comes after this. */
  close(): void {
    this.#readyState = 2
    this.#rest()
    this.#stopListening?.()
  }

  #handler<E extends Event>(type: string): Handler<E> {
    return (this.#handlers.get(type)?.current ?? null) as Handler<E>
  }

  /** A handler keeps the place among the listeners that it had when there first was one. */
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

  /** Nothing is under way any more. */
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
    const lost = (message: string, status?: number, floor = 0) => current() && this.#reconnect(message, status, floor)
    let liveness: Liveness | undefined
    const patient = environment.setTimeout(() => lost(`There was no answer within ${timeout} ms.`), timeout)
    const run = async () => {
      const response = await this.#request(abort.signal)
      environment.clearTimeout(patient)
      if (!current()) return
      const { status, headers } = response
      if (status !== 200) {
        abort.signal.addEventListener('abort', () => response.body?.cancel().catch(() => {}))
        const message = `The server answered ${status}.`
        const again = status >= 500 || temporary.includes(status)
        if (again) lost(message, status, retryAfter(headers.get('Retry-After'), environment.now()))
        else this.#fail(message, status)
        return
      }
      const type = (headers.get('Content-Type') ?? '').split(';', 1)[0] as string
      if (type.trim().toLowerCase() !== 'text/event-stream') {
        return this.#fail(`The answer is no event stream, but '${type}'.`, status)
      }
      const openedAt = environment.now()
      liveness = new Liveness(
        environment,
        patience,
        { dead: () => lost('The connection was silent.'), idle() {} },
        silence,
      )
      const watch = liveness
      const { origin } = new URL(response.url || this.url)
      this.#readyState = 1
      this.dispatchEvent(new Event('open'))
      const feed = createStreamParser(this.#lastEventId, {
        id: (id) => {
          if (current() && id !== 'error') this.#lastEventId = id
        },
        retry: (ms) => {
          this.#retry = ms
        },
        event: (name, data, lastEventId) => {
          if (!current()) return
          if (pings.includes(name)) watch.ping()
          else this.#failures = 0
          this.dispatchEvent(new MessageEvent(name, { data, lastEventId, origin }))
        },
      })
      await readBody(response, { life: () => current() && watch.life() }, (piece) => {
        if (!current()) return
        // A comment alone.
        if (piece.startsWith(':')) watch.ping()
        feed(piece)
      })
      if (environment.now() - openedAt > lasting) this.#failures = 0
      lost('The server ended the stream.')
    }
    run()
      .catch((cause: unknown) => lost(`The connection was lost: ${cause instanceof Error ? cause.message : cause}`))
      .finally(() => {
        environment.clearTimeout(patient)
        liveness?.stop()
      })
  }

  async #request(signal: AbortSignal): Promise<Response> {
    const { headers, lastEventIdParameter: parameter } = this.#init
    const added = typeof headers === 'function' ? await headers() : headers
    const url = new URL(this.url)
    const all: Record<string, string> = { ...added, Accept: 'text/event-stream' }
    if (this.#lastEventId !== '' && parameter !== undefined) url.searchParams.set(parameter, this.#lastEventId)
    // A header is bytes: what isn't Latin goes as UTF-8.
    else if (this.#lastEventId !== '') {
      all['Last-Event-ID'] = Array.from(new TextEncoder().encode(this.#lastEventId), (byte) =>
        String.fromCharCode(byte),
      ).join('')
    }
    const credentials = this.withCredentials ? 'include' : 'same-origin'
    return request({ url: url.href, headers: all, credentials }, signal, this.#environment)
  }

  #reconnect(message: string, status: number | undefined, floor: number): void {
    const { backoffBase: base = 1000, backoffCap: cap = 60_000 } = this.#init
    this.#rest()
    this.#readyState = 0
    this.#tell(message, status)
    // A listener may have closed it.
    if ((this.#readyState as number) === 2) return
    const ms = backoff({ base, cap }, this.#failures++, this.#environment.random(), Math.max(floor, this.#retry))
    this.#timer = this.#environment.setTimeout(() => this.#connect(), ms)
  }

  #fail(message: string, status: number | undefined): void {
    this.close()
    this.#tell(message, status)
  }

  #tell(message: string, status: number | undefined): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message, status }))
  }
}
