// The script of a site that had pushstream.js for years. Nothing in it is newer than that, but `messageTemplate`.

function showCommit(commit) {
  const line = document.createElement('li')
  line.textContent = `${commit.sha} ${commit.author}: ${commit.title}`
  document.getElementById('commits').appendChild(line)
}

function showProgress(progress) {
  document.getElementById(`project-${progress.project}`).value = (100 * progress.done) / progress.of
}

function showNotifications(notification) {
  document.getElementById('notifications').textContent = notification.unread
}

const shows = { commit: showCommit, progress: showProgress, notification: showNotifications }

function manageEvent(text, _id, _channel, _eventid, _isLastMessageFromBatch, _time) {
  // The template puts JSON into JSON: it comes as an object, or as a text where a site encodes it.
  const event = typeof text === 'string' ? JSON.parse(text) : text
  shows[event.type](event)
}

const states = {}

/** One client, with as many channels as it is given. */
function subscribe(channels, more) {
  const stream = new PushStream({
    host: window.location.hostname,
    port: window.location.port,
    useSSL: window.location.protocol === 'https:',
    modes: asked.get('modes') || 'websocket|eventsource|longpolling',
    urlPrefixWebsocket: '/events/ws',
    urlPrefixEventsource: '/events/ev',
    urlPrefixLongpolling: '/events/lp',
    urlPrefixStream: '/events/sub',
    messagesControlByArgument: true,
    ...more,
  })
  stream.onmessage = manageEvent
  stream.onstatuschange = (state) => {
    states[Object.keys(channels)] = state
    document.getElementById('state').textContent = Object.values(states).join(' ')
  }
  for (const name of Object.keys(channels)) stream.addChannel(name, { backtrack: channels[name] })
  stream.connect()
  return stream
}

const asked = new URLSearchParams(location.search)
const channels = { global: 3, 'project-7': 1, 'user-42': 1 }
const template = asked.get('template')

if (asked.get('clients') === 'one') {
  window.streams = [subscribe(channels, template ? { messageTemplate: template } : {})]
} else {
  window.streams = Object.keys(channels).map((name) => subscribe({ [name]: channels[name] }))
}
