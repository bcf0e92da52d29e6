import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { cleanup } from './harness.js'

/** A server that says what it hears, and speaks no http. */
export async function tcpEcho() {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup(() => new Promise((resolve) => server.close(resolve)))
  return { server: { port: (server.address() as AddressInfo).port } }
}
