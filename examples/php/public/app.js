const byId = (id) => document.getElementById(id)

const stream = new PushStream.Client({ protocol: PushStream.nchan() })
const { channel } = document.body.dataset

/** Shows a notification where it belongs: newest first, and once, even if it comes twice. */
function show({ id, text }) {
  const items = [...byId('notifications').children]
  if (items.some((each) => Number(each.dataset.id) === id)) return
  const item = document.createElement('li')
  item.dataset.id = id
  // `textContent` shows markup as the text that it is.
  item.textContent = text
  byId('notifications').insertBefore(item, items.find((each) => Number(each.dataset.id) < id) ?? null)
}

/** Shows what the application has stored: messages may be gone, and were not published while nginx was away. */
async function load() {
  try {
    const answer = await fetch('/notifications')
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    for (const notification of await answer.json()) show(notification)
    return true
  } catch (error) {
    byId('notice').textContent = `The list may not be complete. Please reload the page (${error.message}).`
    return false
  }
}

stream.registerProcessor(channel, 'notification', show)
stream.addChannel(channel)
stream.on('status', ({ state, mode }) => {
  byId('status').dataset.state = state
  byId('status').textContent = state === 'open' ? `connected by ${mode}` : 'not connected, trying again'
})
stream.on('open', load)
stream.on('gap', async () => {
  if (await load()) byId('notice').textContent = 'Messages may have been missed, so the list was loaded again.'
})
stream.on('error', (error) => {
  console.warn(error.message)
  // Signed out, in this page or in another one.
  if (error.code === 'unauthorized' || error.code === 'forbidden') location.reload()
})
stream.connect()

byId('logout').addEventListener('submit', () => stream.close())

byId('notify').addEventListener('submit', async (event) => {
  event.preventDefault()
  const answer = await fetch('/notify', { method: 'POST', body: new FormData(event.target) }).catch(() => undefined)
  byId('problem').textContent = answer?.ok ? '' : 'The notification was not sent.'
})
