/** The start line and headers of an HTTP/1 message. */
export interface Head {
  bytes: Buffer
  /** The start line's three parts: method, path, version or version, status, reason. */
  start: [string, string, string]
  headers: [name: string, value: string][]
}

/** How a message's body ends. `tunnel`: from here on, it is no longer HTTP. */
export type Framing = 'none' | 'chunked' | 'until-close' | 'tunnel' | number

export interface MessageSink {
  head(head: Head): Framing
  /** Bytes of the body as on the wire. `payload` of them are content, the others framing. */
  body(bytes: Buffer, payload: number): void
  /** The message is complete. */
  end(): void
  /** Bytes that are not HTTP, or are in a tunnel. */
  raw(bytes: Buffer): void
}

type State = 'head' | 'length' | 'size' | 'data' | 'data-end' | 'trailer' | 'until-close' | 'tunnel'

const MAX_HEAD = 64 * 1024
const START = { request: /^[A-Z]{1,20}( |$)/, response: /^HTTP\/1\.[01] / }

/**
 * Follows HTTP/1 messages on a byte stream without changing it. Bytes that it can't parse are reported as raw, because
 * a proxy for tests must pass garbage on.
 */
export class MessageReader {
  #kind: 'request' | 'response'
  #sink: MessageSink
  #state: State = 'head'
  #pending: Buffer = Buffer.alloc(0)
  #left = 0
  #line = ''

  constructor(kind: 'request' | 'response', sink: MessageSink) {
    this.#kind = kind
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) rest = this.#step(rest)
  }

  /** The stream has ended: pass an unfinished head on. */
  finish(): void {
    const pending = this.#pending
    this.#pending = Buffer.alloc(0)
    if (pending.length > 0) this.#sink.raw(pending)
    if (this.#state === 'until-close') this.#sink.end()
    this.#state = 'tunnel'
  }

  /** The announced tunnel was not opened, because the upgrade was refused. */
  leaveTunnel(): void {
    if (this.#state === 'tunnel') this.#state = 'head'
  }

  #step(bytes: Buffer): Buffer {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes)
      case 'tunnel':
        this.#sink.raw(bytes)
        return bytes.subarray(bytes.length)
      case 'until-close':
        this.#sink.body(bytes, bytes.length)
        return bytes.subarray(bytes.length)
      case 'length':
      case 'data':
        return this.#readContent(bytes)
      default:
        return this.#readLine(bytes)
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const all = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes
    const end = all.indexOf('\r\n\r\n')
    const head = end < 0 ? undefined : parseHead(all.subarray(0, end + 4))
    const hopeless = !couldStart(all, this.#kind) || all.length > MAX_HEAD
    if (end < 0 && !hopeless) {
      this.#pending = all
      return all.subarray(all.length)
    }
    this.#pending = Buffer.alloc(0)
    if (hopeless || head === undefined) {
      this.#state = 'tunnel'
      return all
    }
    this.#enter(this.#sink.head(head))
    return all.subarray(end + 4)
  }

  #enter(framing: Framing): void {
    this.#line = ''
    if (framing === 'none' || framing === 0) this.#done()
    else if (framing === 'chunked') this.#state = 'size'
    else if (typeof framing === 'number') {
      this.#state = 'length'
      this.#left = framing
    } else this.#state = framing
  }

  #readContent(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, this.#left)
    this.#left -= part.length
    this.#sink.body(part, part.length)
    if (this.#left === 0) {
      if (this.#state === 'length') this.#done()
      else this.#state = 'data-end'
    }
    return bytes.subarray(part.length)
  }

  #readLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf(10)
    const part = end < 0 ? bytes : bytes.subarray(0, end + 1)
    this.#line += part.toString('latin1')
    this.#sink.body(part, 0)
    if (end >= 0) {
      const line = this.#line.trim()
      this.#line = ''
      this.#tookLine(line)
    }
    return bytes.subarray(part.length)
  }

  #tookLine(line: string): void {
    if (this.#state === 'data-end') this.#state = 'size'
    else if (this.#state === 'trailer') {
      if (line === '') this.#done()
    } else {
      this.#left = Number.parseInt(line, 16)
      if (Number.isNaN(this.#left)) this.#state = 'tunnel'
      else this.#state = this.#left === 0 ? 'trailer' : 'data'
    }
  }

  #done(): void {
    this.#state = 'head'
    this.#sink.end()
  }
}

/** The value of a header, or undefined. Names are case-insensitive. */
export function headerOf(head: Head, name: string): string | undefined {
  return head.headers.find(([key]) => key.toLowerCase() === name)?.[1]
}

/** How a request's body ends, by its headers. */
export function requestFraming(head: Head): Framing {
  return declaredFraming(head) ?? 'none'
}

/** How a response's body ends, given the method of its request. */
export function responseFraming(head: Head, method: string): Framing {
  const status = Number(head.start[1])
  if (status === 101) return 'tunnel'
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return 'none'
  return declaredFraming(head) ?? 'until-close'
}

function declaredFraming(head: Head): Framing | undefined {
  if (/\bchunked\b/i.test(headerOf(head, 'transfer-encoding') ?? '')) return 'chunked'
  const length = headerOf(head, 'content-length')
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
}

function couldStart(bytes: Buffer, kind: 'request' | 'response'): boolean {
  const begin = bytes.subarray(0, 21).toString('latin1')
  if (kind === 'request') return START.request.test(begin)
  return begin.length < 9 ? 'HTTP/1.1 '.startsWith(begin) || 'HTTP/1.0 '.startsWith(begin) : START.response.test(begin)
}

function parseHead(bytes: Buffer): Head | undefined {
  const [first = '', ...lines] = bytes.toString('latin1').trimEnd().split('\r\n')
  const [a, b, ...rest] = first.split(' ')
  if (a === undefined || b === undefined) return undefined
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  return { bytes, start: [a, b, rest.join(' ')], headers }
}
