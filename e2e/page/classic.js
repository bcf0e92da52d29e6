// What a page did with the pushstream.js of the module: nothing of it had to change.
function manageEvent(text, id, channel, eventid, isLastMessageFromBatch, time) {
  const line = document.createElement('li')
  line.textContent = JSON.stringify([text, id, channel, eventid, isLastMessageFromBatch, typeof time])
  document.getElementById('log').appendChild(line)
}

function statusChanged(state) {
  document.getElementById('state').textContent += state
}

const modes = new URLSearchParams(location.search).get('modes')

const pushstream = new PushStream({
  host: window.location.hostname,
  port: window.location.port,
  modes: modes || 'websocket|eventsource|longpolling',
  messagesPublishedAfter: 60,
  messagesControlByArgument: true,
})
pushstream.onmessage = manageEvent
pushstream.onstatuschange = statusChanged
pushstream.onchanneldeleted = (channel) => manageEvent('deleted', 0, channel, '', true)
pushstream.addChannel('my_channel_1')
pushstream.connect()
window.pushstream = pushstream
