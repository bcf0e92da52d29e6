import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createDevServer, type DevServer, type DevServerOptions } from '@pushstream/devserver'
import { createFaultProxy, type FaultProxy } from '@pushstream/testkit'
import { serve } from './pages.js'

/** Any push server. */
export interface Push {
  /** Resolves with the message's id. */
  publish(channel: string, text: string, event?: { eventId?: string; eventType?: string }): Promise<number>
  /** Reloads it: connections end, messages and ids survive. */
  reload(): Promise<void>
  /** Restarts it: everything is lost, ids start at 1. */
  restart(): Promise<void>
}

/** A site whose pages and push server share an origin, behind a fault proxy. */
export interface Place {
  readonly push: Push
  readonly proxy: FaultProxy
  /** The origin, through the fault proxy. */
  readonly url: string
}

/** A site with the development server. */
export interface Site extends Place {
  readonly server: DevServer
  /** The number of websockets that are open on the server. */
  readonly websockets: number
  close(): Promise<void>
}

/** Settings that keep all messages of a test. */
const roomy = { maxMessagesStoredPerChannel: 5000, pingMessageInterval: 2000 }

export async function startSite(options: DevServerOptions = {}): Promise<Site> {
  const server = createDevServer({ ...options, settings: { ...roomy, ...options.settings } })
  const sockets = new Set<Duplex>()
  const http = createServer((request, response) => {
    if (!server.handler(request, response)) void serve(request, response)
  })
  http.keepAliveTimeout = 75_000
  http.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    if (!server.upgrade(request, socket, head)) socket.destroy()
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const proxy = createFaultProxy({ target: { port: (http.address() as AddressInfo).port } })
  const { url } = await proxy.listen()
  return {
    server,
    push: {
      publish: async (channel, text, event) => server.publish(channel, text, event).id,
      reload: async () => server.reload(),
      restart: async () => server.restart(),
    },
    proxy,
    url,
    get websockets() {
      return sockets.size
    },
    async close() {
      await proxy.close()
      await server.close()
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeAllConnections()
      await closed
    },
  }
}
