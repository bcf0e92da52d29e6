import type { Content } from './script/exchange.js'

/** One request of a {@link createFakeFetch fake fetch}. Its methods throw once it is no longer `open`. */
export interface FakeRequest {
  /** The URL as passed to `fetch`. */
  readonly url: string
  /** The path alone, not decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The second argument of `fetch`. */
  readonly init: RequestInit
  /** Whether the client still waits for the response or more of its body. */
  readonly open: boolean
  /** Whether the client's signal was aborted, even after the response. */
  readonly aborted: boolean
  /** Responds with 200 and an event stream that stays open, and sends the `greeting`. */
  accept(): void
  /** Sends a complete response. */
  respond(status: number, headers?: Record<string, string>, body?: string): void
  /** Sends the next piece of an accepted stream. */
  send(content: Content): void
  /** Ends an accepted stream cleanly. */
  end(): void
  /** Breaks the connection at any point: a network error for the client. */
  cut(): void
}

/**
 * How a {@link createFakeFetch fake fetch} answers by itself.
 *
 * @example
 * ```ts
 * import { createFakeFetch } from '@pushstream/testkit'
 *
 * const server = createFakeFetch({ answer: (request) => request.method === 'OPTIONS' && request.respond(200) })
 * ```
 */
export interface FakeFetchOptions {
  /** The beginning of every accepted stream. Default: nothing. */
  greeting?: Content
  /** Called with each request. A request that is not answered here waits for the test. */
  answer?(request: FakeRequest): void
}

/** A `fetch` without a network. */
export interface FakeFetch {
  /** The function to inject. It takes URLs, not `Request` objects. */
  readonly fetch: typeof globalThis.fetch
  /** All requests, oldest first. */
  readonly requests: readonly FakeRequest[]
  /** The requests that are open now. */
  readonly open: readonly FakeRequest[]
}

/**
 * A `fetch` whose requests the test answers. As in a browser, an aborted request rejects with the signal's
 * reason, and so does the body that is being read.
 *
 * @example
 * ```ts
 * import { createFakeFetch } from '@pushstream/testkit'
 *
 * const server = createFakeFetch()
 * const response = server.fetch('http://127.0.0.1/ev/news')
 * server.open[0]?.accept()
 * server.open[0]?.send('data: one\n\n')
 * console.log((await response).status) // 200
 * ```
 */
export function createFakeFetch({ greeting = '', answer }: FakeFetchOptions = {}): FakeFetch {
  const requests: FakeRequest[] = []
  return {
    requests,
    get open() {
      return requests.filter((request) => request.open)
    },
    fetch: (input, init = {}) =>
      new Promise((resolve, reject) => {
        init.signal?.throwIfAborted()
        const request = requestOf(String(input), init, greeting, resolve, reject)
        requests.push(request)
        answer?.(request)
      }),
  }
}

const networkError = () => new TypeError('network error')

function requestOf(
  url: string,
  init: RequestInit,
  greeting: Content,
  resolve: (response: Response) => void,
  reject: (reason: unknown) => void,
): FakeRequest {
  const { pathname, searchParams } = new URL(url)
  const { method = 'GET', signal } = init
  const encoder = new TextEncoder()
  let open = true
  let body!: ReadableStreamDefaultController<Uint8Array>
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      body = controller
    },
    cancel() {
      open = false
    },
  })

  function check(): void {
    if (!open) throw new Error(`${method} ${url} is over: it was answered, or the client has left`)
  }
  // The rejection has no effect if the response has already started.
  function fail(reason: unknown): void {
    open = false
    reject(reason)
    body.error(reason)
  }
  function send(content: Content): void {
    check()
    body.enqueue(typeof content === 'string' ? encoder.encode(content) : content)
  }

  signal?.addEventListener('abort', () => {
    if (open) fail(signal.reason)
  })
  return {
    url,
    path: pathname,
    query: searchParams,
    method,
    headers: Object.fromEntries(new Headers(init.headers)),
    init,
    get open() {
      return open
    },
    get aborted() {
      return signal?.aborted ?? false
    },
    accept() {
      check()
      resolve(new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } }))
      if (greeting.length > 0) send(greeting)
    },
    respond(status, headers = {}, text = '') {
      check()
      open = false
      resolve(new Response([204, 205, 304].includes(status) ? null : text, { status, headers }))
    },
    send,
    end() {
      check()
      open = false
      reject(networkError())
      body.close()
    },
    cut() {
      check()
      fail(networkError())
    },
  }
}
