/** @jest-environment jsdom */
const { PushStreamProvider, usePushChannel } = require('@pushstream/react')
const { createFakeClient } = require('@pushstream/testkit/client')
const { act, createElement } = require('react')
const { createRoot } = require('react-dom/client')

globalThis.IS_REACT_ACT_ENVIRONMENT = true

function News() {
  const { messages } = usePushChannel('news', { history: 10 })
  return messages.map(({ id, data }) => createElement('li', { key: id }, data.title))
}

test('a message arrives → the component shows it', async () => {
  const fake = createFakeClient()
  const list = document.createElement('ul')
  const app = createElement(PushStreamProvider, { client: fake.client }, createElement(News))
  await act(async () => createRoot(list).render(app))
  expect(fake.added).toEqual([{ channel: 'news', backtrack: 0 }])
  act(() => void fake.emit('news', { title: 'hello' }))
  expect(list.textContent).toBe('hello')
})
