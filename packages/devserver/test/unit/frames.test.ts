import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptKey, encodeFrame, FrameReader } from '../../src/frames.js'

function masked(payload: Buffer, key: Buffer): Buffer {
  const frame = encodeFrame(1, payload)
  const head = frame.subarray(0, frame.length - payload.length)
  head[1]! |= 0x80
  return Buffer.concat([head, key, payload.map((byte, index) => byte ^ key[index % 4]!)])
}

describe('FrameReader', () => {
  it('reads masked frames of any size, however they are cut', () => {
    const key = fc.uint8Array({ minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), key, fc.integer({ min: 1, max: 20 }), (payload, mask, step) => {
        const wire = masked(Buffer.from(payload), Buffer.from(mask))
        const reader = new FrameReader(1_000_000)
        for (let at = 0; at < wire.length; at += step) {
          if (reader.read().kind !== 'partial') return false
          reader.push(wire.subarray(at, at + step))
        }
        const result = reader.read()
        if (result.kind !== 'frame' || reader.read().kind !== 'partial') return false
        return result.frame.fin && result.frame.opcode === 1 && result.frame.payload.equals(payload)
      }),
    )
  })

  it('reads a frame with the longest kind of length', () => {
    const reader = new FrameReader(1_000_000)
    const payload = Buffer.alloc(70_000, 7)
    reader.push(masked(payload, Buffer.from('abcd')))
    const result = reader.read()
    expect(result.kind === 'frame' && result.frame.payload.equals(payload)).toBe(true)
  })

  it('refuses what is too large by its head alone', () => {
    const reader = new FrameReader(10)
    reader.push(encodeFrame(1, Buffer.alloc(11)).subarray(0, 2))
    expect(reader.read().kind).toBe('too-large')
  })
})

it('acceptKey is that of RFC 6455', () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})
