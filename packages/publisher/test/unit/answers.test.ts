import { nchanServer, Publisher, relayServer } from '@pushstream/publisher'
import { describe, expect, test, vi } from 'vitest'
import { errorOf, failing, scripted, taken } from '../support/scripted.js'

// What answers may be no push server: a proxy's page, an application that says yes to everything.

const page = '<!DOCTYPE html>\n<HTML><body>welcome</body></HTML>'
const calls: readonly [string, (publisher: Publisher) => Promise<unknown>][] = [
  ['publish', (publisher) => publisher.publish('c', 'x')],
  ['publish to several', (publisher) => publisher.publish(['c', 'd'], 'x')],
  ['exists', (publisher) => publisher.exists('c')],
  ['stats', (publisher) => publisher.stats('c')],
  ['stats of the server', (publisher) => publisher.stats()],
  ['stats of a prefix', (publisher) => publisher.stats({ prefix: 'c' })],
  ['open', (publisher) => publisher.open('c')],
  ['delete', (publisher) => publisher.delete('c')],
]
const servers = [
  ['push-stream', undefined],
  ['nchan', nchanServer()],
  ['relay', relayServer()],
] as const
const bodies = [
  ['a page', page, 200],
  ['a page of 404', page, 404],
  ['JSON of an application', '{"error":"not found"}', 404],
  ['JSON that is none of theirs', '{"ok":true}', 200],
] as const

for (const [name, server] of servers) {
  for (const [what, body, status] of bodies) {
    test.each(calls)(`${name}, ${what}: %s is no success`, async (call, make) => {
      const { publisher } = scripted([new Response(body, { status })], server && { server })
      const unable = name !== 'push-stream' && /stats of/.test(call)
      // A relay may say what it likes, as long as it is no page.
      const free = name === 'relay' && body.startsWith('{') && !unable
      if (free) return
      const { code } = await errorOf(make(publisher))
      expect(['unexpected', 'unsupported', ...(status === 404 ? ['not-found'] : [])]).toContain(code)
    })
  }
}

test.each(calls)('nothing but 200: %s knows whether that is an answer', async (call, make) => {
  const { publisher } = scripted([new Response('')])
  // Of a publisher without push_stream_channel_info_on_publish, and of DELETE.
  if (/publish|delete/.test(call)) await make(publisher)
  else expect(await errorOf(make(publisher))).toMatchObject({ code: 'unexpected' })
})

test('an answer about another channel is no success: the address says something else to that server', async () => {
  const { publisher } = scripted([taken('a b')])
  expect(await errorOf(publisher.publish('a%20b', 'x'))).toMatchObject({ code: 'unexpected', outcome: 'unknown' })
  expect(await errorOf(publisher.exists('a%20b'))).toMatchObject({ code: 'unexpected' })
})

test('a redirect of which the runtime shows nothing', async () => {
  const opaque = Object.defineProperties(new Response(null), {
    status: { value: 0 },
    type: { value: 'opaqueredirect' },
  })
  const { publisher } = scripted([async () => opaque])
  expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({ code: 'not-allowed', outcome: 'no' })
})

test('a server that asks for no time at all is not asked at once, again and again', async () => {
  vi.useFakeTimers()
  const now = new Response('', { status: 429, headers: { 'Retry-After': '0' } })
  const { publisher, asked } = scripted([now], { retry: { delay: 1000, attempts: 3 } })
  const error = errorOf(publisher.publish('c', 'x'))
  await vi.advanceTimersByTimeAsync(400)
  expect(asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await error).toMatchObject({ code: 'busy', outcome: 'no' })
  expect(asked).toHaveLength(4)
  vi.useRealTimers()
})

test('a port that fetch refuses to go to is not tried again', async () => {
  let asked = 0
  const counted: typeof fetch = (input, init) => {
    asked++
    return fetch(input, init)
  }
  const publisher = new Publisher({ url: 'http://127.0.0.1:1', fetch: counted })
  expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({ code: 'unreachable', outcome: 'no' })
  expect(asked).toBe(1)
})

describe('a server whose certificate is not taken got nothing', () => {
  test.each([
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ])('%s', async (code) => {
    const { publisher, asked } = scripted([failing(code)])
    expect(await errorOf(publisher.publish('c', 'x'))).toMatchObject({ code: 'unreachable', outcome: 'no' })
    // And won't get anything the next time.
    expect(asked).toHaveLength(1)
  })
})
