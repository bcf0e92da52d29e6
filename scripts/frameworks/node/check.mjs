import assert from 'node:assert/strict'
import { PushStream } from '@pushstream/core'
import { createDevServer } from '@pushstream/devserver'
import { Publisher } from '@pushstream/publisher'
import { createFakeClient } from '@pushstream/testkit/client'

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
