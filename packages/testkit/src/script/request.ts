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
  /** Whether a script answered it. If not, the answer was 404. */
  matched: boolean
  /** When, in ms of the server's clock. */
  at: number
  /** The body as text, once it is complete. If the client leaves early, the part that has arrived. */
  body(): Promise<string>
}

/** Creates the record of a message. */
export function recordOf(message: IncomingMessage, upgrade: boolean, at: number): ScriptedRequest {
  const url = message.url ?? '/'
  const mark = url.indexOf('?')
  // Read at once, because Node discards an unread body when the response is complete.
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
    // The client left, which `exchange.closed` reports.
  }
  return Buffer.concat(parts).toString('utf8')
}
