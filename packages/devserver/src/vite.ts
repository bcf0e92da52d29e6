import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Plugin, PreviewServer, ViteDevServer } from 'vite'
import type { DevServerOptions } from './options.js'
import { createDevServer, type DevServer } from './server.js'

export type { DevServerOptions } from './options.js'
export type { DevServer } from './server.js'

/**
 * The options of the plugin: those of the server, and `onMount`.
 *
 * @example
 * ```ts
 * import { pushStreamDevServer } from '@pushstream/devserver/vite'
 *
 * const plugin = pushStreamDevServer({
 *   onMount: (server) => void setInterval(() => server.publish('news', new Date().toISOString()), 1000),
 * })
 * ```
 */
export interface PushStreamPluginOptions extends DevServerOptions {
  /** Called with the server as soon as it is mounted: publish from your configuration, or call `reload()` to rehearse one. */
  onMount?: (server: DevServer) => void
}

/**
 * Serves push stream from Vite's own server, in `vite` and `vite preview`: its paths come before Vite's, and only
 * websockets for its paths are taken, so that hot reloading keeps its own.
 *
 * @example
 * ```ts
 * import { pushStreamDevServer } from '@pushstream/devserver/vite'
 * import { defineConfig } from 'vite'
 *
 * export default defineConfig({ plugins: [pushStreamDevServer({ base: '/events' })] })
 * ```
 */
export function pushStreamDevServer(options: PushStreamPluginOptions = {}): Plugin {
  const mount = (vite: ViteDevServer | PreviewServer) => {
    const server = createDevServer(options)
    vite.middlewares.use((request, response, next) => {
      if (!server.handler(request, response)) next()
    })
    const http = vite.httpServer as Server | null
    if (http === null) {
      vite.config.logger.warn('pushstream: in middleware mode Vite has no server; pass `upgrade` events on yourself')
    }
    http?.prependListener('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Vite's own websocket may live at any path, so it is told by its protocol.
      if (!isVite(request)) server.upgrade(request, socket, head)
    })
    const close = vite.close.bind(vite)
    vite.close = async () => {
      await server.close()
      await close()
    }
    http?.once('close', () => void server.close())
    options.onMount?.(server)
  }
  return { name: 'pushstream-devserver', apply: 'serve', configureServer: mount, configurePreviewServer: mount }
}

function isVite(request: IncomingMessage): boolean {
  return String(request.headers['sec-websocket-protocol'] ?? '').startsWith('vite-')
}
