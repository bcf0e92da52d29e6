import { createHash } from 'node:crypto'

/** The opcodes of RFC 6455 that the module knows. */
export const OPCODE = { continuation: 0x0, text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** `Sec-WebSocket-Accept` for a client's key. */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + ACCEPT_GUID, 'latin1')
    .digest('base64')
}

/** One unmasked, final frame. */
export function encodeFrame(opcode: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const length = payload.length
  const extended = length < 126 ? 0 : length <= 0xffff ? 2 : 8
  const head = Buffer.alloc(2 + extended)
  head[0] = 0x80 | opcode
  head[1] = extended === 0 ? length : extended === 2 ? 126 : 127
  if (extended === 2) head.writeUInt16BE(length, 2)
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** A client's frame. */
export interface Frame {
  fin: boolean
  opcode: number
  /** Unmasked. */
  payload: Buffer
}

/** What `FrameReader.read` found. */
export type ReadResult = { kind: 'frame'; frame: Frame } | { kind: 'partial' } | { kind: 'too-large' }

/** Cuts a byte stream into frames, at most one a call. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0)
  readonly #maxPayload: number

  /** `maxPayload` in bytes: a longer frame is refused, so that no client can fill the memory. */
  constructor(maxPayload: number) {
    this.#maxPayload = maxPayload
  }

  /** Adds bytes. */
  push(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes])
  }

  /** Takes the next frame if it is complete. */
  read(): ReadResult {
    const buffer = this.#buffer
    if (buffer.length < 2) return { kind: 'partial' }
    const masked = (buffer[1]! & 0x80) !== 0
    let length = buffer[1]! & 0x7f
    let offset = 2
    if (length === 126) {
      if (buffer.length < 4) return { kind: 'partial' }
      length = buffer.readUInt16BE(2)
      offset = 4
    } else if (length === 127) {
      if (buffer.length < 10) return { kind: 'partial' }
      length = Number(buffer.readBigUInt64BE(2))
      offset = 10
    }
    if (length > this.#maxPayload) return { kind: 'too-large' }
    const start = offset + (masked ? 4 : 0)
    if (buffer.length < start + length) return { kind: 'partial' }
    const payload = Buffer.from(buffer.subarray(start, start + length))
    if (masked) for (let i = 0; i < length; i++) payload[i]! ^= buffer[offset + (i % 4)]!
    this.#buffer = buffer.subarray(start + length)
    return { kind: 'frame', frame: { fin: (buffer[0]! & 0x80) !== 0, opcode: buffer[0]! & 0x0f, payload } }
  }
}
