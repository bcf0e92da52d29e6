// Clients of other servers, on a fake websocket that answers like their servers.
import { createCable } from '@anycable/web'
import { Centrifuge } from 'centrifuge'
import { WebSocket as WebSocketTransport } from 'engine.io-client'
import Pusher from 'pusher-js'
import { io } from 'socket.io-client'

export { io }

export const peers = {
  'pusher-js'({ WebSocket }, work) {
    const connected = { event: 'pusher:connection_established', data: '{"socket_id":"1.1","activity_timeout":120}' }
    WebSocket.server = {
      opened: () => [JSON.stringify(connected)],
      received: () => [
        JSON.stringify({ event: 'pusher_internal:subscription_succeeded', channel: 'bench', data: '{}' }),
      ],
    }
    globalThis.WebSocket = WebSocket
    const pusher = new Pusher('key', {
      cluster: '',
      wsHost: 'localhost',
      forceTLS: false,
      enabledTransports: ['ws'],
      enableStats: false,
    })
    pusher.subscribe('bench').bind('message', work)
  },

  centrifuge({ WebSocket }, work) {
    const subscribed = { recoverable: true, positioned: true, epoch: 'e', offset: 0 }
    WebSocket.server = {
      received: (text) =>
        text.split('\n').map((line) => {
          const { id, connect } = JSON.parse(line)
          return JSON.stringify(
            connect ? { id, connect: { client: 'c', ping: 25, pong: true } } : { id, subscribe: subscribed },
          )
        }),
    }
    const client = new Centrifuge('ws://localhost/', { websocket: WebSocket })
    client
      .newSubscription('bench')
      .on('publication', ({ data }) => work(data))
      .subscribe()
    client.connect()
  },

  'socket.io-client'({ WebSocket }, work) {
    const handshake = { sid: 'a', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 }
    WebSocket.server = {
      opened: () => [`0${JSON.stringify(handshake)}`],
      received: (text) => (text === '40' ? ['40{"sid":"b"}'] : []),
    }
    class Transport extends WebSocketTransport {
      createSocket(url) {
        return new WebSocket(url)
      }
    }
    io('http://localhost/', { transports: [Transport] }).on('message', work)
  },

  '@anycable/web'({ WebSocket }, work) {
    WebSocket.server = {
      opened: () => ['{"type":"welcome","sid":"a"}'],
      received(text) {
        const { command, identifier } = JSON.parse(text)
        return command === 'subscribe' ? [JSON.stringify({ type: 'confirm_subscription', identifier })] : []
      },
    }
    const cable = createCable('ws://localhost/', {
      websocketImplementation: WebSocket,
      protocol: 'actioncable-v1-ext-json',
    })
    cable.subscribeTo('BenchChannel').on('message', work)
  },
}
