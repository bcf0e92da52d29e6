import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Clock } from '../clock.js'
import type { ScriptedRequest } from './request.js'

/** Bytes, or text that is sent as UTF-8. */
export type Content = string | Uint8Array

/** How to send slowly. */
export interface DribbleOptions {
  /** Bytes at a time; default 1, which also splits characters of several bytes. */
  size?: number
  /** Milliseconds between two pieces, by the server's clock; default 10. */
  every?: number
}

/** One request and what a script does with it. A script that does nothing leaves the request unanswered. */
export class Exchange {
  /** What was asked. */
  readonly request: ScriptedRequest
  /** Fulfilled when the answer is complete or the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  #response: ServerResponse
  #clock: Clock
  #over = false

  constructor(request: ScriptedRequest, response: ServerResponse, clock: Clock) {
    this.request = request
    this.#response = response
    this.#clock = clock
    response.on('error', () => {})
    this.closed = new Promise((resolve) => {
      response.once('close', () => {
        this.#over = true
        resolve()
      })
    })
  }

  /**
   * Send status and headers now. With a `body` the answer is complete (with Content-Length); without it the body is what
   * `write` sends, chunked, until `end`. For an answer without any body pass `''`.
   */
  respond(status: number, headers: OutgoingHttpHeaders = {}, body?: Content): void {
    const length = body === undefined || status === 204 || status === 304 ? {} : { 'content-length': sizeOf(body) }
    this.#response.writeHead(status, { ...length, ...headers })
    if (body === undefined) this.#response.flushHeaders()
    else this.#response.end(body)
  }

  /** Send a piece of the body. Fulfilled when it has left this process; false when the client is gone. */
  write(content: Content): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#over || this.#response.destroyed) resolve(false)
      else this.#response.write(content, (error) => resolve(error == null))
    })
  }

  /** Send a piece of the body slowly, as a poor line does. False when the client went away meanwhile. */
  async dribble(content: Content, { size = 1, every = 10 }: DribbleOptions = {}): Promise<boolean> {
    const bytes = Buffer.from(content as Uint8Array)
    for (let at = 0; at < bytes.length; at += size) {
      if (at > 0) await this.#pause(every)
      if (!(await this.write(bytes.subarray(at, at + size)))) return false
    }
    return true
  }

  /** Complete the answer. */
  end(content?: Content): void {
    if (content === undefined) this.#response.end()
    else this.#response.end(content)
  }

  /** Write bytes past HTTP: garbage, a broken status line, a chunk of a wrong length. False when the client is gone. */
  raw(content: Content): Promise<boolean> {
    const { socket } = this.#response
    return new Promise((resolve) => {
      if (socket === null || socket.destroyed) resolve(false)
      else socket.write(content, (error) => resolve(error == null))
    })
  }

  /**
   * End the connection without completing the answer: `'rst'` (default) as a killed process, `'fin'` as a polite one.
   * A reset may overtake bytes that were written and not yet read; `'fin'` delivers them first.
   */
  cut({ how = 'rst' }: { how?: 'rst' | 'fin' } = {}): void {
    const { socket } = this.#response
    if (how === 'rst') socket?.resetAndDestroy()
    else socket?.destroySoon()
  }

  async #pause(ms: number): Promise<void> {
    let timer = 0
    const time = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, ms)
    })
    await Promise.race([time, this.closed])
    this.#clock.clearTimeout(timer)
  }
}

function sizeOf(content: Content): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength
}
