import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Clock } from '../clock.js'
import type { ScriptedRequest } from './request.js'

/** Bytes, or a text, which is sent as UTF-8. */
export type Content = string | Uint8Array

/**
 * How to send slowly.
 *
 * @example
 * ```ts
 * import { createScriptedServer } from '@pushstream/testkit'
 *
 * createScriptedServer().on('GET /ev/*', async (exchange) => {
 *   exchange.respond(200, { 'content-type': 'text/event-stream' })
 *   await exchange.dribble('data: é\n\n', { size: 1, every: 50 })
 * })
 * ```
 */
export interface DribbleOptions {
  /** Bytes at a time. Default 1, which also splits characters of several bytes. */
  size?: number
  /** The time between two pieces, in ms of the server's clock. Default 10. */
  every?: number
}

/**
 * One request and its response, for a script. A script that does nothing leaves the request unanswered.
 *
 * @example
 * ```ts
 * import { createScriptedServer, type Exchange } from '@pushstream/testkit'
 *
 * const halfAFrame = async (exchange: Exchange) => {
 *   exchange.respond(200, { 'content-type': 'text/event-stream' })
 *   await exchange.write('data: {"id":')
 *   exchange.cut({ how: 'fin' })
 * }
 * createScriptedServer().once('GET /ev/*', halfAFrame)
 * ```
 */
export class Exchange {
  /** The request. */
  readonly request: ScriptedRequest
  /** Fulfilled when the response is complete or the connection has ended. */
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
   * Sends status and headers now. With a `body`, the response is complete and has a Content-Length. Without one,
   * `write` sends the body in chunks until `end`. For an empty body, pass `''`.
   */
  respond(status: number, headers: OutgoingHttpHeaders = {}, body?: Content): void {
    const length = body === undefined || status === 204 || status === 304 ? {} : { 'content-length': sizeOf(body) }
    this.#response.writeHead(status, { ...length, ...headers })
    if (body === undefined) this.#response.flushHeaders()
    else this.#response.end(body)
  }

  /** Sends a piece of the body. Resolves when it has left this process, with `false` if the client has left. */
  write(content: Content): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#over || this.#response.destroyed) resolve(false)
      else this.#response.write(content, (error) => resolve(error == null))
    })
  }

  /** Sends a piece of the body slowly. Resolves with `false` if the client leaves meanwhile. */
  async dribble(content: Content, { size = 1, every = 10 }: DribbleOptions = {}): Promise<boolean> {
    const bytes = Buffer.from(content as Uint8Array)
    for (let at = 0; at < bytes.length; at += size) {
      if (at > 0) await this.#pause(every)
      if (!(await this.write(bytes.subarray(at, at + size)))) return false
    }
    return true
  }

  /** Completes the response. */
  end(content?: Content): void {
    if (content === undefined) this.#response.end()
    else this.#response.end(content)
  }

  /** Writes raw bytes: garbage, a broken status line, a chunk with a wrong length. Resolves like `write`. */
  raw(content: Content): Promise<boolean> {
    const { socket } = this.#response
    return new Promise((resolve) => {
      if (socket === null || socket.destroyed) resolve(false)
      else socket.write(content, (error) => resolve(error == null))
    })
  }

  /**
   * Ends the connection without completing the response: `'rst'` (default) like a killed process, `'fin'` cleanly. A
   * reset may overtake bytes that were written but not read yet. `'fin'` delivers them first.
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
