import { PushStream } from '@pushstream/core'
import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'

export const start = 1_795_211_831_000

/** A client without a network, whose server is the test. */
export function createClient(options: object = {}) {
  const clock = createManualClock(start)
  const server = createFakeFetch({ greeting: ': \n' })
  const stream = new PushStream({
    url: 'http://h',
    modes: ['eventsource'],
    environment: manualEnvironment(clock, { fetch: server.fetch }),
    ...options,
  })
  stream.addChannel('a')
  return {
    clock,
    server,
    stream,
    /** Answers the newest request with a stream, and waits until it is accepted. */
    async accept() {
      await clock.advance(500)
      server.open.at(-1)?.accept()
      await clock.advance(100)
    },
    /** Sends messages by the connection. */
    async send(...bodies: readonly (readonly [id: number, text: string])[]) {
      const time = new Date(start).toUTCString()
      const frames = bodies.map(([id, text]) => JSON.stringify({ id, channel: 'a', text, tag: String(id), time }))
      server.open[0]?.send(frames.map((frame) => `data: ${frame}\n\n`).join(''))
      await clock.advance(1)
    },
  }
}

export type TestClient = ReturnType<typeof createClient>
