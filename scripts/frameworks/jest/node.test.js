/** @jest-environment node */
const { PushStream } = require('@pushstream/core')
const { createFakeClient } = require('@pushstream/testkit/client')

test('a message arrives → the listener gets it', () => {
  const { client, emit } = createFakeClient()
  expect(client).toBeInstanceOf(PushStream)
  const titles = []
  client.addChannel('news').on('message', ({ data }) => titles.push(data.title))
  client.connect()
  emit('news', { title: 'hello' })
  expect(titles).toEqual(['hello'])
})
