const assert = require('node:assert/strict')
const { PushStream } = require('@pushstream/core')
const { createDevServer } = require('@pushstream/devserver')
const { Publisher } = require('@pushstream/publisher')
const { createFakeClient } = require('@pushstream/testkit/client')

async function check() {
  const server = createDevServer()
  const { url } = await server.listen(0)
  const stream = new PushStream({ url })
  const opened = new Promise((resolve) => stream.once('open', resolve))
  const received = new Promise((resolve) => stream.once('message', resolve))
  stream.addChannel('news').connect()
  await opened
  await new Publisher({ url }).publish('news', { title: 'hello' })
  assert.deepEqual((await received).data, { title: 'hello' })
  stream.close()
  await server.close()
  assert.ok(createFakeClient().client instanceof PushStream)
}

check()
