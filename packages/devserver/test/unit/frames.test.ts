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
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(70_000).fill(7)))
    fc.assert(
      fc.property(
        bytes,
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1 }),
        (payload, key, step) => {
          const wire = masked(Buffer.from(payload), Buffer.from(key))
          const reader = new FrameReader(1_000_000)
          const chunk = (step % wire.length) + Math.ceil(wire.length / 50)
          for (let at = 0; at < wire.length; at += chunk) {
            expect(reader.read().kind).toBe('partial')
            reader.push(wire.subarray(at, at + chunk))
          }
          expect(reader.read()).toEqual({
            kind: 'frame',
            frame: { fin: true, opcode: 1, payload: Buffer.from(payload) },
          })
          expect(reader.read().kind).toBe('partial')
        },
      ),
      { numRuns: 50 },
    )
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
