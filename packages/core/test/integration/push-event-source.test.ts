import { PushEventSource, type PushEventSourceInit } from '@pushstream/core'
import { createScriptedServer } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { startDjango } from './eventstream-support.js'
import { cleanup, startProxy } from './support.js'

const type = { 'content-type': 'text/event-stream' }

function listen(url: string, init: PushEventSourceInit = {}) {
  const source = new PushEventSource(url, { backoffBase: 50, ...init })
  cleanup(() => source.close())
  return source
}

const once = <T extends Event>(source: EventTarget, name: string) =>
  new Promise<T>((resolve) => source.addEventListener(name, (event) => resolve(event as T), { once: true }))

test.each([301, 302, 303, 307, 308])('a redirect with %i is followed, every time', async (status) => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  server.on('GET /from', (exchange) => exchange.respond(status, { location: '/to' }, ''))
  server.on('GET /to', (exchange) => exchange.respond(200, type, 'id: 1\ndata: x\n\n'))
  const source = listen(`${url}/from`)
  expect((await once<MessageEvent>(source, 'message')).data).toBe('x')
  expect(source.url).toBe(`${url}/from`)
  await once(source, 'message')
  const [, , again, second] = server.requests
  expect([again?.path, again?.headers['last-event-id'], second?.path]).toEqual(['/from', '1', '/to'])
})

test('a redirect to a page, as to a login, ends it', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  server.on('GET /from', (exchange) => exchange.respond(302, { location: '/login' }, ''))
  server.on('GET /login', (exchange) => exchange.respond(200, { 'content-type': 'text/html' }, '<!doctype html>'))
  const source = listen(`${url}/from`)
  const error = await once<Event & { message: string; status: number }>(source, 'error')
  expect([source.readyState, error.status]).toEqual([2, 200])
  expect(error.message).toContain('text/html')
})

test('characters cut in two, and a dribble', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  server.on('GET /', async (exchange) => {
    exchange.respond(200, type)
    await exchange.dribble('data: zażółć 🦊\r\n\r\ndata: two\r\n\r\n', { every: 0 })
  })
  const source = listen(`${url}/`)
  const seen: string[] = []
  source.onmessage = ({ data }) => seen.push(data)
  while (seen.length < 2) await once(source, 'message')
  expect(seen).toEqual(['zażółć 🦊', 'two'])
})

test('a server that is away comes back, which the browser’s own would not wait for', async () => {
  const server = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  server.once('GET /', (exchange) => exchange.respond(200, type, 'id: 5\ndata: first\n\n'))
  for (let i = 0; i < 3; i++) server.once('GET /', (exchange) => exchange.respond(502, {}, ''))
  server.on('GET /', (exchange) => exchange.respond(200, type, 'data: second\n\n'))
  const source = listen(`${url}/`)
  const seen: string[] = []
  source.onmessage = ({ data, lastEventId }) => seen.push(`${data} ${lastEventId}`)
  while (seen.length < 2) await once(source, 'message')
  expect(seen).toEqual(['first 5', 'second 5'])
  expect(server.requests.slice(1).every(({ headers }) => headers['last-event-id'] === '5')).toBe(true)
})

test('in the place of reconnecting-eventsource: what django-eventstream stored while the network was cut', async () => {
  const django = await startDjango()
  const proxy = await startProxy(django.url)
  const source = listen(`${proxy.url}/events/?channel=a`, { lastEventIdParameter: 'lastEventId' })
  const seen: string[] = []
  source.addEventListener('answer', ({ data }) => seen.push(data))
  await once(source, 'stream-open')
  for (let n = 1; n <= 50; n++) {
    django.publish('a', String(n), { type: 'answer' })
    if (n === 1) await once(source, 'answer')
    if (n % 10 === 0) {
      proxy.cut()
      await once(source, 'stream-open')
    }
  }
  while (seen.length < 50) await once(source, 'answer')
  expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => String(i + 1)))
})
