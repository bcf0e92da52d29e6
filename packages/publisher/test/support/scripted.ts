import { Publisher, PublisherError, type PublisherOptions } from '@pushstream/publisher'
import { expect, vi } from 'vitest'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly headers: Headers
}

export type Reply = Response | Error | ((asked: Asked, signal: AbortSignal) => Promise<Response>)

export const taken = (channel = 'c', n = 1) =>
  new Response(`{"channel": "${channel}", "published_messages": ${n}, "stored_messages": ${n}, "subscribers": 0}\r\n`)
export const failing = (code: string, more: object = {}) =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(code), { code, ...more }) })
export const refused = () => failing('ECONNREFUSED', { syscall: 'connect' })
export const broken = () => failing('ECONNRESET', { syscall: 'read' })

/** A publisher to a server that answers as it is told, one reply a request, the last one for ever. */
export function scripted(replies: readonly Reply[], options: Partial<PublisherOptions> = {}) {
  const asked: Asked[] = []
  const fetch = vi.fn(async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const { pathname, search } = new URL(String(input))
    const one = {
      method: init.method ?? 'GET',
      path: pathname + search,
      body: new TextDecoder().decode(init.body as Uint8Array),
      headers: new Headers(init.headers),
    }
    asked.push(one)
    const reply = replies[Math.min(asked.length, replies.length) - 1] as Reply
    if (reply instanceof Error) throw reply
    return typeof reply === 'function' ? reply(one, init.signal as AbortSignal) : reply.clone()
  })
  const publisher = new Publisher({
    url: 'http://push.test',
    retry: { delay: 0, attempts: 3 },
    fetch: fetch as never,
    ...options,
  })
  return { publisher, asked }
}

export async function errorOf(promise: Promise<unknown>): Promise<PublisherError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(PublisherError)
  return error as PublisherError
}
