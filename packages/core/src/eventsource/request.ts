import { utf8Header } from '../header.js'
import { request } from '../transports/http.js'
import type { Environment } from '../types.js'
import type { PushEventSourceInit } from './init.js'

/** The absolute URL. Throws a `SyntaxError` if it is invalid, or if it has a name or password. */
export function addressOf(url: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href
  let address: URL
  try {
    address = new URL(url, base)
  } catch {
    throw new DOMException(`'${url}' is not a valid URL.`, 'SyntaxError')
  }
  if (address.username || address.password) {
    throw new DOMException(`The URL must not have a name or password: use 'headers'.`, 'SyntaxError')
  }
  return address.href
}

/** Asks for the events after an id. With an empty id, it asks for the events from now on. */
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
    else all['Last-Event-ID'] = utf8Header(lastEventId)
  }
  const credentials = withCredentials ? 'include' : 'same-origin'
  return request({ url: url.href, headers: all, credentials }, signal, environment)
}

/** A possible cause of a failed request that `fetch` does not report. */
export function hintOf(
  address: string,
  { lastEventIdParameter: parameter }: PushEventSourceInit,
  { location: page }: Environment,
  lastEventId: string,
): string {
  if (!lastEventId || parameter || !page) return ''
  const own = `${page.protocol}//${page.hostname}${page.port && `:${page.port}`}`
  if (new URL(address).origin === own) return ''
  return ' (another origin must allow the header Last-Event-ID, or set lastEventIdParameter)'
}
