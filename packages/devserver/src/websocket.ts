import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Admitted, admit, type Refusal } from './admission.js'
import type { Channel } from './channel.js'
import type { RequestedChannel } from './channel-names.js'
import type { TimerHandle } from './clock.js'
import { acceptKey, encodeFrame, type Frame, FrameReader, OPCODE } from './frames.js'
import type { Message } from './message.js'
import { backlog, type Position } from './position.js'
import { NO_CACHE } from './reply.js'
import { messageChunks, Subscriber, type SubscriberContext } from './subscriber.js'

/** How long a closed connection may linger before it is cut, ms. */
const LINGER = 5000
/** A client that reads this slowly is dropped, bytes. */
const MAX_BUFFERED = 64 * 1024 * 1024
const CLOSE = encodeFrame(OPCODE.close)
const PING = encodeFrame(OPCODE.ping)
const PONG = encodeFrame(OPCODE.pong)
const KNOWN_OPCODES: number[] = [OPCODE.text, OPCODE.close, OPCODE.ping, OPCODE.pong]

/** Why a handshake is turned away before the 101. */
export interface BadHandshake {
  status: number
  headers: Array<[string, string]>
}

/** Checks a handshake as the module does: that the headers are there, not what they say, except the version. */
export function checkHandshake(request: IncomingMessage): BadHandshake | null {
  if (request.method !== 'GET') return { status: 405, headers: [['Allow', 'GET']] }
  const { upgrade, connection, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers
  if (upgrade === undefined || connection === undefined || key === undefined || version === undefined) {
    const names = 'Connection, Upgrade, Sec-WebSocket-Key and Sec-WebSocket-Version'
    return badRequest(`Don't have at least one of the mandatory headers: ${names}`)
  }
  if (!/^0*(8|13)$/.test(version)) {
    return badRequest('Version not supported. Supported versions: 8, 13', [['Sec-WebSocket-Version', '8, 13']])
  }
  return null
}

function badRequest(explain: string, headers: Array<[string, string]> = []): BadHandshake {
  return { status: 400, headers: [...NO_CACHE, ...headers, ['X-Nginx-PushStream-Explain', explain]] }
}

/** A websocket subscription, from the 101 to the end of the socket. */
export class WebSocketSubscriber extends Subscriber {
  readonly #socket: Duplex
  readonly #reader: FrameReader
  #fragments: Buffer[] | null = null
  #fragmentsOpcode = 0
  #linger: TimerHandle | null = null

  constructor(context: SubscriberContext, socket: Duplex) {
    super(context)
    this.#socket = socket
    this.#reader = new FrameReader(context.location.settings.clientMaxBodySize)
  }

  /** Answers 101 first, whatever comes of it: a refusal follows as a close frame with code 1008. */
  start(request: IncomingMessage, head: Buffer, requested: RequestedChannel[], position: Position): void {
    const accept = acceptKey(String(request.headers['sec-websocket-key']))
    const headers = [...NO_CACHE, ['Upgrade', 'WebSocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Accept', accept]]
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.#socket.on('error', () => this.abort())
    this.#socket.on('close', () => this.#gone())
    this.#send(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`))
    const { store, location } = this.context
    if (requested.length === 0) {
      this.#finish()
      return
    }
    const admitted = admit(store, location, requested)
    if ('status' in admitted) {
      this.#finish(refusalFrame(admitted))
      return
    }
    if (location.header !== null) this.#send(location.header)
    this.#join(admitted, position)
    this.#socket.on('data', (bytes: Buffer) => this.#received(bytes))
    this.#socket.on('end', () => this.#finish())
    if (head.length > 0) this.#received(head)
    this.#socket.resume()
  }

  receive(channel: Channel, message: Message): void {
    if (this.silent) return
    this.#sendMessage(channel.id, message)
    this.restPing()
  }

  channelDeleted(channel: Channel, message: Message): void {
    if (this.silent) return
    this.#sendMessage(channel.id, message)
    if (this.subscriptions.size === 0) this.expire()
  }

  expire(): void {
    if (this.ended) return
    if (this.context.location.footer !== null) this.#send(this.context.location.footer)
    this.#finish(CLOSE)
  }

  abort(): void {
    this.leave()
    this.#socket.destroy()
  }

  hangUp(): void {
    this.#socket.end()
  }

  protected ping(): void {
    this.#send(PING)
  }

  #join(channels: Admitted[], position: Position): void {
    const { settings } = this.context.location
    this.register(settings.subscriberConnectionTtl, settings.pingMessageInterval)
    for (const { channel, backtrack } of channels) {
      for (const message of backlog(channel, backtrack, position)) this.#sendMessage(channel.id, message)
      this.subscribe(channel)
    }
  }

  #sendMessage(channel: string, message: Message): void {
    for (const chunk of messageChunks(this.context, channel, message)) this.#send(chunk)
  }

  #send(bytes: Buffer): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return
    this.#socket.write(bytes)
    if (this.#socket.writableLength > MAX_BUFFERED) this.abort()
  }

  /** nginx takes one frame a read: a second one in the same segment waits until more arrives. */
  #received(bytes: Buffer): void {
    if (this.ended) return
    this.#reader.push(bytes)
    const result = this.#reader.read()
    if (result.kind === 'too-large') {
      this.#finish()
      return
    }
    if (result.kind === 'frame') this.#handle(result.frame)
  }

  #handle({ fin, opcode, payload }: Frame): void {
    const fragmented = this.#fragments !== null
    const outOfSequence = opcode === OPCODE.continuation ? !fragmented : fin && fragmented
    if (outOfSequence) {
      this.#finish(CLOSE)
      return
    }
    if (!fragmented) this.#fragmentsOpcode = opcode
    if (!KNOWN_OPCODES.includes(this.#fragmentsOpcode)) {
      this.#finish(CLOSE)
      return
    }
    // The module wants UTF-8 of every payload, a close code too: 1000 is none, and gets no close frame back.
    if (payload.length > 0 && !isUtf8(payload)) {
      this.#finish()
      return
    }
    const parts = [...(this.#fragments ?? []), payload]
    if (parts.reduce((sum, part) => sum + part.length, 0) > this.context.location.settings.clientMaxBodySize) {
      this.#finish()
      return
    }
    this.#fragments = fin ? null : parts
    if (fin && this.#fragmentsOpcode === OPCODE.text && payload.length > 0) this.#publish(Buffer.concat(parts))
    if (this.#fragmentsOpcode === OPCODE.ping) this.#send(PONG)
    if (this.#fragmentsOpcode === OPCODE.close) this.#finish(CLOSE)
  }

  #publish(text: Buffer): void {
    const { store, location } = this.context
    if (!location.settings.websocketAllowPublish) return
    for (const { channel } of [...this.subscriptions]) {
      if (!channel.forEvents) store.publish(channel, text, {}, location.settings.storeMessages)
    }
  }

  /** Ends the connection, after `frame` if there is one. What the client still sends is read and dropped. */
  #finish(frame?: Buffer): void {
    this.leave()
    if (frame !== undefined) this.#send(frame)
    if (this.#socket.destroyed || this.#socket.writableEnded) return
    this.#socket.end()
    this.#socket.resume()
    this.#linger = this.context.clock.setTimeout(() => this.#socket.destroy(), LINGER)
  }

  #gone(): void {
    this.leave()
    if (this.#linger !== null) this.context.clock.clearTimeout(this.#linger)
    this.#linger = null
  }
}

function refusalFrame({ status, explain }: Refusal): Buffer {
  const reason = Buffer.from(`{"http_status": ${status}, "explain":"${explain}"}`)
  return encodeFrame(OPCODE.close, Buffer.concat([Buffer.from([0x03, 0xf0]), reason]))
}
