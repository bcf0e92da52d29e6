const byId = (id) => document.getElementById(id)

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

/** Shows what the application has stored. Nothing is lost meanwhile, as nginx begins with what it has stored. */
async function load() {
  const answer = await fetch('/me')
  if (!answer.ok) return undefined
  const me = await answer.json()
  for (const notification of me.notifications) show(notification)
  return me
}

function subscribe(channel) {
  const stream = new PushStream.Client({ protocol: PushStream.nchan() })
  stream.registerProcessor(channel, 'notification', show)
  stream.addChannel(channel)
  stream.on('status', ({ state, mode }) => {
    byId('status').dataset.state = state
    byId('status').textContent = state === 'open' ? `connected by ${mode}` : 'not connected, trying again'
  })
  stream.on('gap', async () => {
    byId('notice').textContent = 'Messages may have been missed. Loading the list …'
    const loaded = await load().catch(() => undefined)
    byId('notice').textContent = loaded
      ? 'Messages may have been missed, so the list was loaded again.'
      : 'Messages may have been missed. Please reload the page.'
  })
  stream.on('error', (error) => {
    console.warn(error.message)
    // Signed out, in this page or in another one.
    if (error.code === 'unauthorized' || error.code === 'forbidden') location.reload()
  })
  byId('logout').addEventListener('submit', () => stream.close())
  stream.connect()
}

byId('notify').addEventListener('submit', async (event) => {
  event.preventDefault()
  const body = new URLSearchParams(new FormData(event.target))
  const answer = await fetch('/notify', { method: 'POST', body }).catch(() => undefined)
  byId('problem').textContent = answer?.ok ? '' : 'The notification was not sent.'
})

const me = await load()
byId('login').hidden = me !== undefined
byId('signed-in').hidden = me === undefined
if (me !== undefined) {
  byId('name').textContent = me.name
  byId('notify').elements.to.value = me.name
  subscribe(me.channel)
}
