import ReconnectingWebSocket from 'reconnecting-websocket'
import type { Ending } from '../types.js'
import type { Mode } from './mode.js'

const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
const never = 2 ** 31 - 1

/** What reconnecting-websocket is given where the browser refused to make a socket. */
const noSocket = { readyState: states.CLOSED, addEventListener() {}, removeEventListener() {}, close() {} }

/**
 * reconnecting-websocket is the socket: one instance a connection, told never to reconnect, because when to try again
 * and from where is decided elsewhere. Its close events are synthetic, so the native one is recorded here.
 */
export const websocket: Mode = {
  name: 'websocket',
  available: (environment) => environment.WebSocket !== undefined,
  open(next, sink, environment) {
    let opened = false
    let ended = false
    let socket: ReconnectingWebSocket | undefined
    const end = (ending: Ending) => {
      if (ended) return
      ended = true
      sink.end(ending)
      // Without its own close it would keep a timer.
      socket?.close()
    }
    // A function, not a class: where the page's policy makes the constructor throw (mixed content, for one) that is an
    // ending here, while inside the library it would be an unhandled rejection.
    function Recorded(url: string, subprotocols: string[]) {
      try {
        const native = new (environment.WebSocket as typeof WebSocket)(url, subprotocols)
        native.addEventListener('close', ({ code, reason }) => {
          if (!opened) end({ kind: 'refused', status: code })
          else if (code === 1005 || code === 1000 || code === 1001) end({ kind: 'end', explain: reason })
          else if (code === 1006) end({ kind: 'lost', status: code })
          else end({ kind: 'close', status: code, explain: reason })
        })
        return native
      } catch (cause) {
        end({ kind: 'refused', cause })
        return noSocket
      }
    }
    const refuse = (cause: unknown) => end({ kind: 'refused', cause })
    next().then(({ url, subprotocols = [] }) => {
      if (ended) return
      socket = new ReconnectingWebSocket(url, [...subprotocols], {
        WebSocket: Object.assign(Recorded, states),
        maxRetries: 0,
        maxEnqueuedMessages: 0,
        connectionTimeout: never,
        minUptime: never,
      })
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => {
        if (ended) return
        opened = true
        sink.life()
        sink.open()
      }
      socket.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (ended) return
        sink.life()
        if (typeof data === 'string') sink.frame(data)
        else sink.frame('', { binary: new Uint8Array(data as ArrayBuffer) })
      }
    }, refuse)
    return {
      close() {
        ended = true
        socket?.close()
      },
      send(text) {
        if (!opened || ended || socket === undefined) return false
        socket.send(text)
        return true
      },
    }
  },
}
