import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from './clock.js'
import { seconds } from './clock.js'
import { formatHttpTime } from './http-time.js'

/** The module's answers with the words nginx has for them. */
export const REASONS: Record<number, string> = {
  200: 'OK',
  304: 'Not Modified',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Not Allowed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Large',
}

/** A subscriber that reads this slowly is dropped, bytes: development servers must not eat the memory. */
const MAX_BUFFERED = 64 * 1024 * 1024

/** `Expires` and `Cache-Control` of every answer. */
export const NO_CACHE: ReadonlyArray<[string, string]> = [
  ['Expires', 'Thu, 01 Jan 1970 00:00:01 GMT'],
  ['Cache-Control', 'no-cache, no-store, must-revalidate'],
]

/** The head of an answer. */
export interface Head {
  status: number
  contentType?: string
  /** Bytes; without it the body is chunked. */
  contentLength?: number
  /** Seconds since 1970. */
  lastModified?: number
  /** The module's own headers, in order, after nginx's. */
  headers: Array<[string, string]>
  /** Value of the `Etag` header, added last. */
  etag?: string
}

/** Writes answers as nginx does: its header order, one chunk a write. */
export class Reply {
  readonly request: IncomingMessage
  readonly #response: ServerResponse
  readonly #clock: Clock
  readonly #server: string
  #raw = false
  /** A connection that must not be kept alive. */
  forceClose = false

  constructor(request: IncomingMessage, response: ServerResponse, clock: Clock, server: string) {
    this.request = request
    this.#response = response
    this.#clock = clock
    this.#server = server
  }

  /** Whether the client is gone. */
  get closed(): boolean {
    return this.#response.destroyed
  }

  /** Calls `callback` when the client is gone or the answer complete. */
  onClose(callback: () => void): void {
    this.#response.on('close', callback)
  }

  /** The head; it leaves with the first bytes of the body. */
  head(given: Head): void {
    const head = this.#notModified(given) ? { ...given, status: 304 } : given
    this.#raw = head !== given
    const response = this.#response
    const http1 = this.request.httpVersionMajor < 2
    const lines: Array<[string, string]> = [
      ['Server', this.#server],
      ['Date', formatHttpTime(seconds(this.#clock))],
    ]
    if (!this.#raw && head.contentType !== undefined) lines.push(['Content-Type', head.contentType])
    if (head.contentLength !== undefined) lines.push(['Content-Length', String(head.contentLength)])
    if (head.lastModified !== undefined) lines.push(['Last-Modified', formatHttpTime(head.lastModified)])
    const chunked = head.contentLength === undefined && !this.#raw && this.request.httpVersion === '1.1'
    if (chunked) lines.push(['Transfer-Encoding', 'chunked'])
    if (http1) lines.push(['Connection', this.#keepAlive() ? 'keep-alive' : 'close'])
    lines.push(...head.headers)
    if (head.etag !== undefined) lines.push(['Etag', head.etag])
    response.sendDate = false
    response.writeHead(head.status, REASONS[head.status], lines.flat())
  }

  /** One chunk. */
  write(bytes: Buffer): void {
    if (this.#response.destroyed || bytes.length === 0) return
    if (this.#raw) {
      // nginx turned the 200 into a 304 but sends the body all the same, after the head and without framing.
      this.#response.flushHeaders()
      if (this.request.httpVersionMajor < 2) this.#response.socket?.write(bytes)
      return
    }
    this.#response.write(bytes)
    if (this.#response.writableLength > MAX_BUFFERED) this.#response.destroy()
  }

  end(): void {
    this.#response.end()
  }

  /** An answer that is all head. */
  headOnly(status: number, headers: Array<[string, string]>, more: Partial<Head> = {}): void {
    this.head({ status, contentLength: 0, headers, ...more })
    this.end()
  }

  /** An answer with a body of known length. */
  body(status: number, contentType: string, body: Buffer, headers: Array<[string, string]>): void {
    this.head({ status, contentType, contentLength: body.length, headers })
    this.#response.end(body)
  }

  abort(): void {
    this.#response.destroy()
  }

  /** Closes a kept-alive connection once everything is written. */
  hangUp(): void {
    // An HTTP/2 connection carries other requests too.
    if (this.request.httpVersionMajor < 2) this.request.socket.end()
  }

  #keepAlive(): boolean {
    return (
      !this.forceClose && this.request.httpVersion === '1.1' && !/close/i.test(this.request.headers.connection ?? '')
    )
  }

  /** nginx's own conditional requests: If-None-Match alone, equal to the new Etag, makes a 304. */
  #notModified(head: Head): boolean {
    const wanted = this.request.headers['if-none-match']
    if (head.status !== 200 || head.etag === undefined || wanted === undefined) return false
    if (this.request.headers['if-modified-since'] !== undefined) return false
    const bare = (tag: string) => tag.trim().replace(/^W\//, '')
    const etag = bare(head.etag)
    return wanted.trim() === '*' || wanted.split(',').some((tag) => bare(tag) === etag)
  }
}
