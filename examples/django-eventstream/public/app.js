import { djangoEventStream, PushStream } from '@pushstream/core'

const byId = (id) => document.getElementById(id)

/** Shows an item where it belongs: newest first, and once, even if it comes twice. */
function show({ id, text }) {
  const items = [...byId('items').children]
  if (items.some((each) => Number(each.dataset.id) === id)) return
  const item = document.createElement('li')
  item.dataset.id = id
  // `textContent` shows markup as the text that it is.
  item.textContent = text
  byId('items').insertBefore(item, items.find((each) => Number(each.dataset.id) < id) ?? null)
}

/** Shows what the application has stored. Resolves with the id of the last event. */
async function load() {
  const answer = await fetch('/items')
  if (!answer.ok) throw new Error(`/items: ${answer.status}`)
  const { items, lastEventId } = await answer.json()
  for (const item of items) show(item)
  return lastEventId
}

const stream = new PushStream({
  protocol: djangoEventStream({ url: '/events/' }),
  // What was published since the list was read comes first.
  lastEventId: await load(),
})
stream.addChannel('news')
stream.registerProcessor('news', 'item', show)
stream.on('status', ({ state }) => {
  byId('status').dataset.state = state
  byId('status').textContent = state === 'open' ? 'connected' : 'not connected, trying again'
})
stream.on('gap', async () => {
  byId('notice').textContent = await load().then(
    () => 'Events may have been missed, so the list was loaded again.',
    () => 'Events may have been missed. Please reload the page.',
  )
})
stream.connect()

byId('publish').addEventListener('submit', async (event) => {
  event.preventDefault()
  const [, token = ''] = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie) ?? []
  const request = { method: 'POST', headers: { 'X-CSRFToken': token }, body: new FormData(event.target) }
  const answer = await fetch('/publish', request).catch(() => undefined)
  byId('problem').textContent = answer?.ok ? '' : 'It was not published.'
})
