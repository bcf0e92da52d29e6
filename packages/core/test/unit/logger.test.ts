import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { PushStream } from '../../src/push-stream.js'

test('a connection that the server ends, then one that it answers with 503 → a line each says why and what follows', async () => {
  const clock = createManualClock(1_795_211_831_000)
  const server = createFakeFetch({ greeting: ': \n' })
  const lines: unknown[] = []
  const stream = new PushStream({
    url: 'http://h',
    modes: ['eventsource'],
    logger: { debug: (...values) => lines.push(values.join(' ')) },
    environment: manualEnvironment(clock, { fetch: server.fetch }),
  })
  stream.addChannel('a').addChannel('b').connect()
  await clock.advance(10)
  server.open[0]!.accept()
  await clock.advance(100)
  server.open[0]!.end()
  await clock.advance(500)
  server.open[0]!.respond(503, { 'Retry-After': '30' })
  await clock.advance(10)
  stream.close()
  expect(lines).toEqual([
    'pushstream: connect: trying eventsource',
    'pushstream: accepted: open by eventsource',
    'pushstream: eventsource end: channels 2, messages 0; reconnect',
    'pushstream: ended: again in 150 ms',
    'pushstream: retry: trying eventsource',
    'pushstream: eventsource status 503: channels 2, messages 0; backoff',
    'pushstream: ended: again in 31000 ms',
    'pushstream: disconnect: idle',
  ])
})
