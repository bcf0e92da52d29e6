import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A request that a scripted server received. */
export interface ScriptedRequest {
  method: string
  /** Path and query as on the wire. */
  url: string
  /** The path alone, not decoded. */
  path: string
  query: URLSearchParams
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** Whether it asked for an upgrade (a websocket). */
  upgrade: boolean
  /** Whether a script took it; the others were answered with 404. */
  matched: boolean
  /** When, in ms of the server's clock. */
  at: number
  /** The whole body as text, once it is there; what there is of it where the client left in its middle. */
  body(): Promise<string>
}

/** Make the record of `message`. */
export function recordOf(message: IncomingMessage, upgrade: boolean, at: number): ScriptedRequest {
  const url = message.url ?? '/'
  const mark = url.indexOf('?')
  // Read at once: Node throws an unread body away as soon as the answer is complete.
  const body = upgrade ? Promise.resolve('') : readText(message)
  return {
    method: message.method ?? 'GET',
    url,
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: message.headers,
    upgrade,
    matched: false,
    at,
    body: () => body,
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of message) parts.push(part)
  } catch {
    // The client left; who cares about that watches the exchange.
  }
  return Buffer.concat(parts).toString('utf8')
}
