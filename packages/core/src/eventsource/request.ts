import { request } from '../transports/http.js'
import type { Environment } from '../types.js'
import type { PushEventSourceInit } from './init.js'

/** The address, absolute. Throws a `SyntaxError` for what is no address, and for what fetch doesn't take. */
export function addressOf(url: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href
  let address: URL
  try {
    address = new URL(url, base)
  } catch {
    throw new DOMException(`'${url}' is no address.`, 'SyntaxError')
  }
  if (address.username || address.password) {
    throw new DOMException(`fetch takes no name and password in an address: use 'headers'.`, 'SyntaxError')
  }
  return address.href
}

/** Asks for the events after an id, or with an empty one for those from now on. */
export async function requestEvents(
  address: string,
  { headers, lastEventIdParameter: parameter, withCredentials }: PushEventSourceInit,
  environment: Environment,
  lastEventId: string,
  signal: AbortSignal,
): Promise<Response> {
  const added = typeof headers === 'function' ? await headers() : headers
  signal.throwIfAborted()
  const url = new URL(address)
  const all: Record<string, string> = { ...added, Accept: 'text/event-stream' }
  if (lastEventId) {
    if (parameter) url.searchParams.set(parameter, lastEventId)
    // A header is bytes: what isn't Latin goes as UTF-8.
    else {
      const bytes = Array.from(new TextEncoder().encode(lastEventId), (byte) => String.fromCharCode(byte))
      all['Last-Event-ID'] = bytes.join('')
    }
  }
  const credentials = withCredentials ? 'include' : 'same-origin'
  return request({ url: url.href, headers: all, credentials }, signal, environment)
}

/** Why such a request may not have reached the server, where fetch doesn't tell. */
export function hintOf(
  address: string,
  { lastEventIdParameter: parameter }: PushEventSourceInit,
  { location: page }: Environment,
  lastEventId: string,
): string {
  if (!lastEventId || parameter || !page) return ''
  const own = `${page.protocol}//${page.hostname}${page.port && `:${page.port}`}`
  if (new URL(address).origin === own) return ''
  return ' (a server of another origin has to allow the header Last-Event-ID; lastEventIdParameter does without it)'
}
