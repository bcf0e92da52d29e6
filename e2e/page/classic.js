// What a page did with the pushstream.js of the module: nothing of it had to change.
function manageEvent(text, id, channel, eventid, isLastMessageFromBatch, time) {
  var line = document.createElement('li')
  line.textContent = JSON.stringify([text, id, channel, eventid, isLastMessageFromBatch, typeof time])
  document.getElementById('log').appendChild(line)
}

function statusChanged(state) {
  document.getElementById('state').textContent += state
}

window.errors = []
window.texts = []

/** One client of the page, with what it is set up to. */
window.start = (settings, channels) => {
  var pushstream = new PushStream({
    host: window.location.hostname,
    port: window.location.port,
    modes: settings.modes,
    messagesControlByArgument: true,
    messagesPublishedAfter: settings.messagesPublishedAfter,
    autoReconnect: settings.autoReconnect,
    urlPrefixStream: settings.urlPrefixStream,
    urlPrefixEventsource: settings.urlPrefixEventsource,
    reconnectOnTimeoutInterval: 200,
    reconnectOnChannelUnavailableInterval: 1000,
  })
  pushstream.onmessage = (text, id, channel, eventid, isLastMessageFromBatch, time) => {
    window.texts.push(text)
    manageEvent(text, id, channel, eventid, isLastMessageFromBatch, time)
  }
  pushstream.onstatuschange = statusChanged
  pushstream.onerror = (error) => {
    window.errors.push([error.type, error.channel || '', pushstream.readyState])
  }
  pushstream.onchanneldeleted = (channel) => {
    manageEvent('deleted', 0, channel, '', true)
  }
  channels.forEach((channel) => {
    pushstream.addChannel(channel)
  })
  pushstream.connect()
  window.pushstream = pushstream
  return pushstream
}

var asked = new URLSearchParams(window.location.search)
if (asked.get('modes')) window.start({ modes: asked.get('modes'), messagesPublishedAfter: 60 }, ['my_channel_1'])
