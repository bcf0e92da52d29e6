import { createFakeFetch, createManualClock, type FakeFetchOptions, manualEnvironment } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { Client } from '../../src/client.js'
import { longpolling, stream } from '../../src/modes.js'
import { nchan } from '../../src/protocols/nchan.js'
import { eventsource } from '../../src/transports/http.js'
import { nativeEventSource } from '../../src/transports/native-event-source.js'
import { nativeWebSocket } from '../../src/transports/native-websocket.js'
import type { Environment, Transport } from '../../src/types.js'

/** A client of Nchan's channels, made of transports, and what it tells. */
async function composed(
  modes: readonly Transport[],
  answer: FakeFetchOptions['answer'],
  given: Partial<Environment> = {},
  channels: readonly string[] = ['a'],
) {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({ ...(answer && { answer }), greeting: ': hi\n\n' })
  const environment = manualEnvironment(clock, { fetch: server.fetch, ...given })
  const client = new Client({ url: 'http://h', protocol: nchan(), modes, environment })
  const errors: string[] = []
  client.on('error', ({ code }) => errors.push(code))
  for (const channel of channels) client.addChannel(channel)
  client.connect()
  await clock.advance(1000)
  const { state, mode } = client.status
  const left = client.channels
  client.close()
  return { state, mode, left, errors, paths: [...new Set(server.requests.map(({ path }) => path))] }
}

/** A socket or an event source that never comes about. */
class Refused extends EventTarget {
  readyState = 0
  onerror = () => {}
  constructor() {
    super()
    queueMicrotask(() => {
      this.onerror()
      this.dispatchEvent(Object.assign(new Event('close'), { code: 1006, reason: '' }))
    })
  }
  close() {}
}
const opaque = {
  WebSocket: Refused as unknown as typeof WebSocket,
  EventSource: Refused as unknown as typeof EventSource,
}

test.each([
  ['nativeWebSocket', [nativeWebSocket]],
  ['nativeEventSource', [nativeEventSource]],
])('%s alone, refused without a reason → it is tried again, and no other location is asked', async (_, modes) => {
  const { errors, left, paths } = await composed(modes, (request) => request.respond(403), opaque)
  expect([new Set(errors), left, paths]).toEqual([new Set(['unreachable']), ['a'], []])
})

test('transports that the runtime lacks → an error that names their modes', async () => {
  const missing = { WebSocket: undefined, EventSource: undefined }
  await expect(composed([nativeWebSocket, nativeEventSource], undefined, missing)).rejects.toThrow(
    'This runtime has none of the modes websocket, eventsource',
  )
})

test.each([
  ['eventsource', eventsource, 'eventsource'],
  ['stream', stream, 'stream'],
])('one transport, %s → the client is open in it, and asks nowhere else', async (_, transport, mode) => {
  const { state, mode: used, paths } = await composed([transport], (request) => request.accept())
  expect([state, used, paths.length]).toEqual(['open', mode, 1])
})

test('long-polling alone → open, although no poll is answered', async () => {
  const { state, mode } = await composed(
    [longpolling],
    (request) => request.method === 'OPTIONS' && request.respond(200),
  )
  expect([state, mode]).toEqual(['open', 'longpolling'])
})

test.each([
  ['listed → they poll in turn', [eventsource, longpolling], 'longpolling'],
  ['not listed → no poll is made', [eventsource], 'eventsource'],
])('more channels than connections, long-polling is %s', async (_, modes, mode) => {
  const asked = new Set<string | undefined>()
  const { mode: used } = await composed(
    modes,
    (request) => {
      if (request.method === 'OPTIONS') return request.respond(200)
      asked.add(request.headers.accept)
      if (request.headers.accept !== 'text/event-stream') return
      request.accept()
      request.send(': hi\n\n')
    },
    { connections: () => 4 },
    ['a', 'b', 'c', 'd', 'e'],
  )
  expect(used).toBe(mode)
  expect(asked.has('text/event-stream')).toBe(mode === 'eventsource')
  expect(asked.size).toBe(1)
})
