import { connect } from 'node:tls'
import type { WebSocketClass } from '@pushstream/core'
import type { DiagnoseOptions } from '@pushstream/core/diagnose'
import { WebSocket } from 'ws'

/** How long a server may take to say which version of HTTP it speaks, in ms. */
const patience = 3000

/**
 * Node's WebSocket is missing in Node 20, and can't say where a page is from. Of the headers that pages send, a browser gives
 * a websocket the cookies alone.
 */
export function websocketFor(origin: string | undefined, headers: Readonly<Record<string, string>>): WebSocketClass {
  const cookie = Object.entries(headers).find(([name]) => name.toLowerCase() === 'cookie')?.[1]
  const options = { ...(origin !== undefined && { origin }), ...(cookie !== undefined && { headers: { cookie } }) }
  return class extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols, options)
    }
  }
}

/** The version of HTTP that a browser would speak with this address. `undefined` if the server does not say. */
export const httpVersion: NonNullable<DiagnoseOptions['httpVersion']> = async (url) => {
  const { protocol, hostname, port } = new URL(url.replace(/^ws/, 'http'))
  if (protocol === 'http:') return 'http/1.1'
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      servername: /^[\d.]+$|:/.test(hostname) ? '' : hostname,
      ALPNProtocols: ['h2', 'http/1.1'],
      // Only the answer to this one question is read.
      rejectUnauthorized: false,
    })
    const done = (version: string | undefined) => {
      socket.destroy()
      resolve(version)
    }
    socket.setTimeout(patience, () => done(undefined))
    socket.once('secureConnect', () => done(socket.alpnProtocol || 'http/1.1'))
    socket.once('error', () => done(undefined))
  })
}
