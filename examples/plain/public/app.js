const byId = (id) => document.getElementById(id)

// With ?module at the end of the page's address, it speaks to the push stream module, or to the development server.
const nchan = location.search !== '?module'
const stream = new PushStream.Client(nchan ? { protocol: PushStream.nchan() } : {})

/** Puts an item on top of the list. `textContent` shows markup of a message as the text that it is. */
function show(text, { time, className = '' } = {}) {
  const item = document.createElement('li')
  item.className = className
  item.textContent = text
  if (time) {
    const when = document.createElement('time')
    when.textContent = time.toLocaleTimeString()
    item.prepend(when)
  }
  byId('messages').prepend(item)
}

stream.addChannel('news', { backtrack: 10 })
stream.on('message', ({ data, text, time }) => show(data?.text ?? text, { time }))
stream.on('gap', () => show('Messages may be missing here: the server no longer has them.', { className: 'gap' }))
stream.on('status', ({ state, mode }) => {
  byId('status').dataset.state = state
  byId('status').textContent = state === 'open' ? `connected by ${mode}` : 'not connected, trying again'
})
stream.connect()

byId('publish').addEventListener('submit', async (event) => {
  event.preventDefault()
  const body = JSON.stringify({ text: event.target.elements.text.value })
  const answer = await fetch(nchan ? '/pub/news' : '/pub?id=news', { method: 'POST', body }).catch((error) => error)
  byId('problem').textContent = answer.ok ? '' : `not published: ${answer.status ?? answer.message}`
})
