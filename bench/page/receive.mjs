// For latency, recovery and loss. A text is the time of its publication or a number, and the page records when it arrives.
import ReconnectingWebSocket from 'reconnecting-websocket'

const now = () => performance.timeOrigin + performance.now()

const starters = {
  client({ url, modes, channel }, came, noted, lost) {
    const client = new globalThis.Client.PushStream({ url, ...(modes && { modes }), text: 'plain' })
    client.on('status', ({ state, retryAt }) => noted({ at: now(), state, retryAt }))
    client.on('message', ({ text }) => came(text))
    client.on('gap', ({ first, last }) => lost(last - first + 1))
    client.addChannel(channel).connect()
  },
  ancestor({ url, modes = ['websocket', 'eventsource', 'longpolling'], channel }, came, noted) {
    const { hostname: host, port } = new URL(url)
    const client = new globalThis.PushStream({
      host,
      port,
      modes: modes.join('|'),
      messagesControlByArgument: true,
      onmessage: came,
    })
    client.onstatuschange = (state) => noted({ at: now(), state })
    client.addChannel(channel)
    client.connect()
  },
  // As pages have them that are written by hand.
  socket({ url, channel }, came) {
    const socket = new ReconnectingWebSocket(`${url.replace('http', 'ws')}/ws/${channel}`)
    socket.onmessage = ({ data }) => came(JSON.parse(data).text)
  },
  events({ url, channel }, came) {
    const source = new EventSource(`${url}/ev/${channel}`)
    source.onmessage = ({ data }) => came(JSON.parse(data).text)
  },
  resuming(options, came) {
    starters.events(options, came)
  },
  'socket.io'({ url }, came) {
    globalThis.others.io(url).on('message', came)
  },
  recovering(options, came) {
    starters['socket.io'](options, came)
  },
  async bare({ url, channel }, came) {
    for (let position = ''; ; ) {
      const response = await fetch(`${url}/lp/${channel}${position}`)
      const text = await response.text()
      if (text === '') continue
      const frames = text
        .replaceAll('}{', '}\n{')
        .split('\n')
        .map((frame) => JSON.parse(frame))
      for (const frame of frames) came(frame.text)
      const { time, tag } = frames.at(-1)
      position = `?time=${encodeURIComponent(time)}&tag=${tag}`
    }
  },
}

/** Starts a receiver. `globalThis.got` has its states, and the times of publication and arrival of each message. */
export function receive(contender, options) {
  const messages = []
  const states = []
  const record = { messages, states, gaps: 0 }
  globalThis.got ??= []
  globalThis.got.push(record)
  starters[contender](
    options,
    (text) => messages.push([Number(text), now()]),
    (state) => states.push(state),
    (count) => {
      record.gaps += count
    },
  )
}
