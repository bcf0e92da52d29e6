import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Content } from './exchange.js'
import type { ScriptedRequest } from './request.js'

/** How a websocket ended, as the server saw it: 1006 without a close frame, 1005 with an empty one. */
export interface SocketEnd {
  code: number
  reason: string
}

/** One upgrade request and what a script does with it. A script that does nothing leaves it unanswered. */
export class ScriptedSocket {
  /** What was asked. */
  readonly request: ScriptedRequest
  /** Fulfilled when the connection is gone, whoever ended it. */
  readonly closed: Promise<SocketEnd>
  /** Every message of the client so far: text as string, binary as Buffer. */
  readonly messages: (string | Buffer)[] = []
  #wire: Socket
  #handshake: () => unknown
  #websocket: WebSocket | undefined
  #end: SocketEnd = { code: 1006, reason: '' }
  #taken = 0
  #gone = false
  #wake = new Set<() => void>()

  /** `handshake` gives a WebSocket or undefined; `unknown`, lest the public declarations need the types of `ws`. */
  constructor(request: ScriptedRequest, wire: Socket, handshake: () => unknown) {
    this.request = request
    this.#wire = wire
    this.#handshake = handshake
    wire.on('error', () => {})
    this.closed = new Promise((resolve) => {
      wire.once('close', () => {
        // The websocket learns of its socket's end first or last: either way its close event has come by the next turn.
        setImmediate(() => {
          this.#gone = true
          resolve(this.#end)
          this.#wakeAll()
        })
      })
    })
  }

  /** Answer 101. `send`, `ping`, `close` and `nextMessage` do it by themselves where it wasn't done. */
  accept(): void {
    this.#open()
  }

  /** Answer with an HTTP status instead of 101, and end the connection. */
  reject(status: number, headers: Record<string, string> = {}, body = ''): void {
    const all = { Connection: 'close', 'Content-Length': String(Buffer.byteLength(body)), ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#wire.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
  }

  /** Send a text frame (string) or a binary one. Fulfilled when it has left this process; false when the client is gone. */
  send(content: Content): Promise<boolean> {
    const websocket = this.#open()
    return new Promise((resolve) => {
      if (websocket?.readyState !== 1) resolve(false)
      else websocket.send(content, { binary: typeof content !== 'string' }, (error) => resolve(error == null))
    })
  }

  /** Send the first half of a text frame, to be followed by `cut`. */
  sendHalf(text: string): Promise<boolean> {
    this.#open()
    const frame = textFrame(text)
    return this.raw(frame.subarray(0, Math.ceil(frame.length / 2)))
  }

  /** Send a ping, a control frame that no page script sees. */
  ping(): void {
    this.#open()?.ping()
  }

  /** Send a close frame: an empty one without `code`, as push servers do. The client's answer fulfils `closed`. */
  close(code?: number, reason?: string): void {
    this.#open()?.close(code, reason)
  }

  /** Write bytes past the websocket protocol, before the 101 or after it. False when the client is gone. */
  raw(content: Content): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#wire.destroyed) resolve(false)
      else this.#wire.write(content, (error) => resolve(error == null))
    })
  }

  /**
   * End the connection without a close frame: `'rst'` (default) as a killed process, `'fin'` as a polite one.
   * A reset may overtake bytes that were written and not yet read; `'fin'` delivers them first.
   */
  cut({ how = 'rst' }: { how?: 'rst' | 'fin' } = {}): void {
    if (how === 'rst') this.#wire.resetAndDestroy()
    else this.#wire.destroySoon()
  }

  /** The oldest message of the client that was not handed out yet; undefined when the connection ends without one. */
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

/** An unmasked, unfragmented text frame as a server sends it. */
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
