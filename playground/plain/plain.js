// A page as they were written for the module's own pushstream.js: no modules, nothing to build.
var byId = (id) => document.getElementById(id)
var given = new URLSearchParams(location.search)
var modes = given.get('modes') || 'websocket|eventsource|longpolling'
var server = new URL(given.get('url') || location.origin)
var states = ['closed', 'connecting', 'open']
var nchan = given.get('server') === 'nchan'
var listed = {}
var count = 0
var pushstream

function show(text, id, channel, eventid) {
  var row = byId('log').insertRow(0)
  row.insertCell().textContent = id === undefined ? '–' : id
  row.insertCell().textContent = channel
  row.insertCell().textContent = typeof text === 'string' ? text : JSON.stringify(text)
  row.insertCell().textContent = eventid || ''
  row.cells[0].className = 'id'
  row.cells[1].className = 'channel'
  row.cells[2].className = 'text'
  count++
  byId('count').textContent = count
}

function statusChanged(state, mode) {
  byId('state').textContent = state
  byId('state').setAttribute('data-state', state)
  byId('mode').textContent = (state === 'open' && mode) || 'no mode'
  byId('mode').setAttribute('data-mode', (state === 'open' && mode) || '')
  byId('connect').disabled = state !== 'closed'
  byId('disconnect').disabled = state === 'closed'
}

function failed(error) {
  byId('problem').textContent = error.message || error.type || ''
}

/** Does something that may throw, and shows what it throws. */
function attempt(act) {
  byId('problem').textContent = ''
  try {
    act()
  } catch (error) {
    failed(error)
  }
}

function add(name) {
  pushstream.addChannel(name, { backtrack: 10 })
  if (listed[name]) return
  listed[name] = true
  var item = document.createElement('li')
  var label = document.createElement('span')
  var button = document.createElement('button')
  label.className = 'name'
  label.textContent = name
  button.type = 'button'
  button.className = 'icon'
  button.textContent = '×'
  button.setAttribute('aria-label', `Remove ${name}`)
  button.onclick = () => {
    pushstream.removeChannel(name)
    item.remove()
    listed[name] = false
  }
  item.appendChild(label)
  item.appendChild(button)
  byId('channels').appendChild(item)
}

if (nchan) {
  // Nchan came after that class: for it there is the client of today, with events.
  pushstream = new PushStream.Client({ url: server.href, modes: modes, protocol: PushStream.nchan() })
  pushstream.on('message', (message) => show(message.text, message.id, message.channel, message.eventId))
  pushstream.on('status', ({ state, mode }) => statusChanged(state === 'waiting' ? 'connecting' : state, mode))
  pushstream.on('error', failed)
} else {
  pushstream = new PushStream({
    host: server.hostname,
    port: server.port || (server.protocol === 'https:' ? 443 : 80),
    useSSL: server.protocol === 'https:',
    modes: modes,
    messagesControlByArgument: true,
  })
  pushstream.onmessage = show
  pushstream.onstatuschange = (state) => statusChanged(states[state], pushstream.wrapper?.type.toLowerCase())
  pushstream.onerror = failed
}
// Lets the keyboard reach what only scrolling shows.
byId('log-box').tabIndex = 0
add('user-42')
add('news')
pushstream.connect()

byId('connect').onclick = () => attempt(() => pushstream.connect())
byId('disconnect').onclick = () => attempt(() => pushstream.disconnect())
byId('add').onsubmit = (event) => {
  event.preventDefault()
  attempt(() => {
    add(byId('name').value)
    byId('name').value = ''
  })
}
byId('send').onsubmit = (event) => {
  event.preventDefault()
  byId('problem').textContent = ''
  var name = encodeURIComponent(byId('to').value)
  var text = byId('text').value
  var refused = (status) => failed({ message: `It was not sent: ${status}` })
  if (nchan) {
    // Nchan takes bodies as they are; sendMessage encodes them, as the push stream module wants it.
    fetch(`${server.origin}/pub/${name}`, { method: 'POST', body: text }).then(
      (answer) => answer.ok || refused(answer.status),
      refused,
    )
  } else PushStream.sendMessage(`${server.origin}/pub?id=${name}`, text, null, refused)
}
