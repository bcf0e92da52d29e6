/** One line of a transcript: bytes one way, or the server's end of the connection. */
export interface TranscriptEvent {
  /** Milliseconds since the first byte. */
  at: number
  connection: number
  kind: 'client' | 'server' | 'fin'
  /** What is shown of the bytes. */
  bytes: Buffer
  /** How many bytes there were in all. */
  length: number
  /** First 16 hex digits of the SHA-256 of all bytes, when some are elided. */
  digest: string | null
}

/** A recorded conversation. */
export interface Transcript {
  /** The port of each connection. */
  ports: Map<number, number>
  events: TranscriptEvent[]
}

const EVENT = /^@(\d+)ms conn(\d+) (?:([<>]) (\d+)B|FIN)$/
const ELIDED = /^# \.\.\. \d+ bytes elided; sha256 of the whole segment ([0-9a-f]{16})$/

/** Reads the notation that the head of every transcript describes. */
export function parseTranscript(text: string): Transcript {
  const ports = new Map<number, number>()
  const events: TranscriptEvent[] = []
  for (const line of text.split('\n')) {
    const port = /^# conn (\d+): 127\.0\.0\.1:(\d+)/.exec(line)
    const event = EVENT.exec(line)
    const last = events.at(-1)
    if (port !== null) ports.set(Number(port[1]), Number(port[2]))
    else if (event !== null) events.push(newEvent(event))
    else if (last === undefined) continue
    else if (ELIDED.test(line)) last.digest = ELIDED.exec(line)![1]!
    else last.bytes = Buffer.concat([last.bytes, unescapeLine(line)])
  }
  for (const event of events) {
    if (event.digest === null && event.bytes.length !== event.length) {
      throw new Error(`@${event.at}ms conn${event.connection}: ${event.bytes.length} bytes read, ${event.length} said`)
    }
  }
  return { ports, events }
}

function newEvent(match: RegExpExecArray): TranscriptEvent {
  const [, at, connection, direction, length] = match
  const kind = direction === '>' ? 'client' : direction === '<' ? 'server' : 'fin'
  return {
    at: Number(at),
    connection: Number(connection),
    kind,
    bytes: Buffer.alloc(0),
    length: Number(length ?? 0),
    digest: null,
  }
}

function unescapeLine(line: string): Buffer {
  const text = line.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, char: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return char === 'r' ? '\r' : char === 'n' ? '\n' : char!
  })
  return Buffer.from(text, 'latin1')
}
