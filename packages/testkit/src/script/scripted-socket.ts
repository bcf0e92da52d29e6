import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Content } from './exchange.js'
import type { ScriptedRequest } from './request.js'

/** How a websocket ended for the server: 1006 without a close frame, 1005 with an empty one. */
export interface SocketEnd {
  code: number
  reason: string
}

/**
 * One upgrade request and its websocket, for a script. A script that does nothing leaves it unanswered.
 *
 * @example
 * ```ts
 * import { createScriptedServer, type ScriptedSocket } from '@pushstream/testkit'
 *
 * const refuse = async (socket: ScriptedSocket) => {
 *   await socket.send('{"id":1}')
 *   socket.close(1008, '{"http_status": 403}')
 * }
 * createScriptedServer().onUpgrade('/ws/*', refuse)
 * ```
 */
export class ScriptedSocket {
  /** The request. */
  readonly request: ScriptedRequest
  /** Fulfilled when the connection has ended. */
  readonly closed: Promise<SocketEnd>
  /** Every message of the client so far: text as a string, binary as a Buffer. */
  readonly messages: (string | Buffer)[] = []
  #wire: Socket
  #handshake: () => unknown
  #websocket: WebSocket | undefined
  #end: SocketEnd = { code: 1006, reason: '' }
  #taken = 0
  #gone = false
  #wake = new Set<() => void>()

  /**
   * `handshake` returns a WebSocket or undefined. It is `unknown`, so that declarations do not need the types of `ws`.
   */
  constructor(request: ScriptedRequest, wire: Socket, handshake: () => unknown) {
    this.request = request
    this.#wire = wire
    this.#handshake = handshake
    wire.on('error', () => {})
    this.closed = new Promise((resolve) => {
      wire.once('close', () => {
        // The order of the two close events is not defined, but both have been emitted by the next turn.
        setImmediate(() => {
          this.#gone = true
          resolve(this.#end)
          this.#wakeAll()
        })
      })
    })
  }

  /** Answers 101. `send`, `ping`, `close` and `nextMessage` do so if it was not called. */
  accept(): void {
    this.#open()
  }

  /** Answers with an HTTP status instead of 101, and ends the connection. */
  reject(status: number, headers: Record<string, string> = {}, body = ''): void {
    const all = { Connection: 'close', 'Content-Length': String(Buffer.byteLength(body)), ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#wire.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  }

  /**
   * Sends a text frame (string) or a binary one. Resolves when it has left this process, with `false` if the client has
   * left.
   */
  send(content: Content): Promise<boolean> {
    const websocket = this.#open()
    return new Promise((resolve) => {
      if (websocket?.readyState !== 1) resolve(false)
      else websocket.send(content, { binary: typeof content !== 'string' }, (error) => resolve(error == null))
    })
  }

  /** Sends the first half of a text frame. Call `cut` after it. */
  sendHalf(text: string): Promise<boolean> {
    this.#open()
    const frame = textFrame(text)
    return this.raw(frame.subarray(0, Math.ceil(frame.length / 2)))
  }

  /** Sends a ping, a control frame that a page's script does not see. */
  ping(): void {
    this.#open()?.ping()
  }

  /** Sends a close frame, which is empty without a `code`, as by push servers. The client's answer fulfils `closed`. */
  close(code?: number, reason?: string): void {
    this.#open()?.close(code, reason)
  }

  /** Writes raw bytes, before or after the 101. Resolves like `send`. */
  raw(content: Content): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#wire.destroyed) resolve(false)
      else this.#wire.write(content, (error) => resolve(error == null))
    })
  }

  /**
   * Ends the connection without a close frame: `'rst'` (default) like a killed process, `'fin'` cleanly. A reset may
   * overtake bytes that were written but not read yet. `'fin'` delivers them first.
   */
  cut({ how = 'rst' }: { how?: 'rst' | 'fin' } = {}): void {
    if (how === 'rst') this.#wire.resetAndDestroy()
    else this.#wire.destroySoon()
  }

  /** Resolves with the client's oldest message that it has not returned yet, or `undefined` if the connection ends. */
  async nextMessage(): Promise<string | Buffer | undefined> {
    this.#open()
    while (this.messages.length <= this.#taken) {
      if (this.#gone) return undefined
      await new Promise<void>((resolve) => this.#wake.add(resolve))
    }
    return this.messages[this.#taken++]
  }

  #open(): WebSocket | undefined {
    if (this.#websocket === undefined) {
      const websocket = this.#handshake() as WebSocket | undefined
      this.#websocket = websocket
      websocket?.on('error', () => {})
      websocket?.on('message', (data: Buffer, binary) => {
        this.messages.push(binary ? data : data.toString('utf8'))
        this.#wakeAll()
      })
      websocket?.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString('utf8') }
      })
    }
    return this.#websocket
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake()
    this.#wake.clear()
  }
}

/** An unmasked, unfragmented text frame, as servers send it. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = 0x81
  head[1] = length < 65_536 ? 126 : 127
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}
