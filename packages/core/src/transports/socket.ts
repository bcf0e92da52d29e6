import type { CloseReason, Environment, NextExchange, OpenTransport, TransportEvents } from '../types.js'

/** The part of a socket that is used here. */
type Socket = Pick<WebSocket, 'binaryType' | 'onopen' | 'onmessage' | 'send' | 'close'>

/** Makes the browser's own socket. Takes `new`, too. */
export type MakeSocket = (url: string, subprotocols: string[]) => WebSocket

/** What takes the place of a socket that the browser refused to make. */
const noSocket = () => ({ readyState: 3, addEventListener() {}, removeEventListener() {}, close() {} })

/** What the websocket transports have in common. `connect` gets the maker of a native socket that is watched here. */
export function openSocket(
  next: NextExchange,
  events: TransportEvents,
  environment: Environment,
  connect: (make: MakeSocket, url: string, subprotocols: string[]) => Socket,
): OpenTransport {
  let opened = false
  let closed = false
  let socket: Socket | undefined
  const end = (reason: CloseReason) => {
    if (closed) return
    closed = true
    events.closed(reason)
    socket?.close(1000)
  }
  // A function, because an arrow takes no `new`.
  function make(url: string, subprotocols: string[]): WebSocket {
    try {
      const native = new (environment.WebSocket as typeof WebSocket)(url, subprotocols)
      // A socket of Node throws what nobody listens to. Why it failed is in what closes it.
      native.addEventListener('error', () => {})
      native.addEventListener('close', ({ code, reason }) => {
        // A server that lets a socket in and refuses it at once may come to the page as a close without an opening.
        if (!opened && code !== 1008) end({ kind: 'refused', status: code })
        else if (code === 1005 || code === 1000 || code === 1001) end({ kind: 'end', explain: reason })
        else if (code === 1006) end({ kind: 'lost', status: code })
        else end({ kind: 'close', status: code, explain: reason })
      })
      return native
    } catch (cause) {
      // The page's policy does not allow it: mixed content, for example.
      end({ kind: 'refused', cause })
      return noSocket() as unknown as WebSocket
    }
  }
  next().then(
    ({ url, subprotocols = [] }) => {
      if (closed) return
      socket = connect(make, url, [...subprotocols])
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => {
        if (closed) return
        opened = true
        events.activity()
        events.open()
      }
      socket.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (closed) return
        events.activity()
        if (typeof data === 'string') events.frame(data)
        else events.frame('', { binary: new Uint8Array(data as ArrayBuffer) })
      }
    },
    (cause: unknown) => end({ kind: 'refused', cause }),
  )
  return {
    close() {
      closed = true
      socket?.close(1000)
    },
    send(text) {
      if (!opened || closed || socket === undefined) return false
      socket.send(text)
      return true
    },
  }
}
