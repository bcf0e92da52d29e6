import { describe, expect, it } from 'vitest'
import { normaliseStatistics } from '../support/statistics-normaliser.js'

function answer(body: string, length = body.length): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`)
}

const group = (channels: number, published: number) =>
  `{"hostname": "vm", "time": "t", "channels": ${channels}, "uptime": 9, "infos": [\r\n` +
  `{"channel": "a", "published_messages": ${published}, "stored_messages": 1, "subscribers": 0}\r\n]}\r\n`

describe('the normaliser of the conformance test', () => {
  it('makes the counters of the server alike, and the length that follows from them', () => {
    expect(normaliseStatistics(answer(group(7, 1)))).toEqual(normaliseStatistics(answer(group(70, 1))))
  })

  it('hides nothing else', () => {
    const one = normaliseStatistics(answer(group(7, 1)))
    expect(normaliseStatistics(answer(group(7, 2)))).not.toEqual(one)
    expect(normaliseStatistics(answer(group(7, 1).replace('vm', 'wm')))).not.toEqual(one)
    expect(normaliseStatistics(answer(group(7, 1), 5))).not.toEqual(one)
    expect(normaliseStatistics(answer(`${group(7, 1)} `))).not.toEqual(one)
    const single = answer('{"channel": "a", "published_messages": 1}\r\n')
    expect(normaliseStatistics(single)).toEqual(single)
  })
})
