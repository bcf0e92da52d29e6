// The contenders. Each receives the channel `bench` and passes the data of every message to `work`.
import { createParser } from 'eventsource-parser'
import ReconnectingWebSocket from 'reconnecting-websocket'

/** Reads the data of a frame, with the shortest code for the template. */
const readers = {
  quoted: (frame) => JSON.parse(frame).text,
  encoded: (frame) => JSON.parse(decodeURIComponent(JSON.parse(frame).text)),
  raw: (frame) => JSON.parse(frame).text,
}

const socketUrl = () => `${location.origin.replace('http', 'ws')}/ws/bench`

function bareWebSocket({ WebSocket, variant }, work) {
  const read = readers[variant]
  new WebSocket(socketUrl()).onmessage = (event) => work(read(event.data))
}

async function bareEventsource({ variant }, work) {
  const read = readers[variant]
  const response = await fetch('/ev/bench')
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const parser = createParser({ onEvent: (event) => work(read(event.data)) })
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    parser.feed(decoder.decode(value, { stream: true }))
  }
}

async function bareLongPolling({ variant }, work) {
  const read = readers[variant]
  for (let position = ''; ; ) {
    const response = await fetch(`/lp/bench${position}`)
    const frames = (await response.text()).replaceAll('}{', '}\n{').split('\n')
    for (const frame of frames) work(read(frame))
    const { time, tag } = JSON.parse(frames.at(-1))
    position = `?time=${encodeURIComponent(time)}&tag=${tag}`
  }
}

const bare = {
  fake: bareWebSocket,
  websocket: bareWebSocket,
  eventsource: bareEventsource,
  longpolling: bareLongPolling,
}

const modeOf = (transport) => (transport === 'fake' ? 'websocket' : transport)

function pushStream(name) {
  return ({ WebSocket, transport, channels = 1, types = 1 }, work) => {
    const environment = { WebSocket }
    if (transport === 'fake') environment.fetch = async () => new Response(null, { status: 304 })
    const client = new globalThis[name].PushStream({ modes: [modeOf(transport)], environment })
    client.on('error', (error) => console.error(String(error)))
    for (let n = 0; n < channels; n++) {
      const channel = channels === 1 ? 'bench' : `bench${n}`
      // The server sends at once: its first message would count as one that was stored before.
      client.addChannel(channel, { backtrack: 1 })
      for (let type = 0; type < types; type++) {
        client.registerProcessor(channel, types === 1 ? '*' : `type${type}`, work)
      }
    }
    client.connect()
  }
}

export const contenders = {
  bare: (options, work) => bare[options.transport](options, work),
  client: pushStream('Client'),
  other: pushStream('Other'),
  /** pushstream.js, if its file was given. Its callback gets texts, so routing by type parses them there. */
  ancestor({ WebSocket, transport, variant }, work) {
    globalThis.WebSocket = WebSocket
    const { hostname: host, port } = location
    const onmessage = variant === 'encoded' ? (text) => work(JSON.parse(text)) : work
    const client = new globalThis.PushStream({
      host,
      port,
      modes: modeOf(transport),
      messagesControlByArgument: true,
      onmessage,
    })
    client.addChannel('bench')
    client.connect()
  },
  'reconnecting-websocket'({ WebSocket, variant }, work) {
    const read = readers[variant]
    new ReconnectingWebSocket(socketUrl(), [], { WebSocket }).onmessage = (event) => work(read(event.data))
  },
  'native EventSource'({ variant }, work) {
    const read = readers[variant]
    new EventSource('/ev/bench').onmessage = (event) => work(read(event.data))
  },
}
