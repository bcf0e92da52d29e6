// @vitest-environment jsdom
import { PushStream } from '@pushstream/core'
import { createDevServer } from '@pushstream/devserver'
import { expect, test } from 'vitest'

test('a real client by eventsource in jsdom → its messages arrive', async () => {
  const server = createDevServer()
  const { url } = await server.listen(0)
  const stream = new PushStream({ url, modes: ['eventsource'] })
  try {
    const opened = new Promise((resolve) => stream.once('open', resolve))
    stream.addChannel('a').connect()
    await opened
    const arrived = new Promise((resolve) => stream.once('message', ({ data }) => resolve(data)))
    server.publish('a', '{"value":42}')
    expect(await arrived).toEqual({ value: 42 })
  } finally {
    stream.close()
    await server.close()
  }
})
