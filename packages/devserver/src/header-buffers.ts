import type { IncomingMessage } from 'node:http'

/** What nginx reads requests into, beyond the first kilobyte. */
export interface HeaderBuffers {
  number: number
  /** Bytes. */
  size: number
}

/** Reads `large_client_header_buffers`: a number and a size, `4 8k`. */
export function parseHeaderBuffers(text: string): HeaderBuffers {
  const [, number, size, unit = ''] = /^([1-9]\d*) ([1-9]\d*)([km]?)$/i.exec(text) ?? []
  if (number === undefined) throw new Error(`setting "largeClientHeaderBuffers" is a number and a size, like "4 8k"`)
  const factor = { '': 1, k: 1024, m: 1024 * 1024 }[unit.toLowerCase()] as number
  return { number: Number(number), size: Number(size) * factor }
}

/** The answer to a request that has no room: its line and each of its headers take one buffer. */
export function refuseSize(request: IncomingMessage, { size }: HeaderBuffers): 400 | 414 | null {
  const { method = '', url = '', rawHeaders } = request
  if (`${method} ${url} HTTP/1.1\r\n`.length > size) return 414
  const tooLong = rawHeaders.some((name, i) => i % 2 === 0 && `${name}: ${rawHeaders[i + 1]}\r\n`.length > size)
  return tooLong ? 400 : null
}
