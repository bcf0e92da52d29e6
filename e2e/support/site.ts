import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { createDevServer, type DevServer, type DevServerOptions } from '@pushstream/devserver'
import { createFaultProxy, type FaultProxy } from '@pushstream/testkit'
import { built } from './build.js'

const folders = [fileURLToPath(new URL('../page', import.meta.url)), built]
const types: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' }

/** No inline code, no eval: what a careful site sends. Images are for Firefox, which looks for an icon. */
export const strictPolicy =
  "default-src 'none'; script-src 'self'; connect-src 'self' ws:; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'"

/** For a page that also works with another origin. */
const policyForOthers = strictPolicy.replace("connect-src 'self' ws:", 'connect-src http: ws:')

/** A site whose pages and push server share an origin, as behind nginx, reached through a network with faults. */
export interface Site {
  readonly server: DevServer
  readonly proxy: FaultProxy
  /** The origin, through the fault proxy. */
  readonly url: string
  /** Websockets open now, as the server sees it. */
  readonly websockets: number
  close(): Promise<void>
}

/** Settings that keep everything a test publishes. */
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

async function serve({ url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(url, 'http://site')
  const name = pathname === '/' ? 'index.html' : pathname.slice(1)
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  const type = types[extname(name)]
  if (!/^[\w-]+\.\w+$/.test(name) || file === undefined || type === undefined) {
    response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end()
    return
  }
  response.writeHead(200, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': name === 'elsewhere.html' ? policyForOthers : strictPolicy,
  })
  response.end(await readFile(file))
}
