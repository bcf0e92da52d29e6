import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin, PreviewServer, ViteDevServer } from 'vite'
import type { Faults } from './faults.js'

const prefix = '/__faults/'

/**
 * Faults by request, for the page's buttons and for curl: `GET /__faults/state`, and POST to `cut`, `blackhole/on`,
 * `blackhole/off`, `websocket/block`, `websocket/pass`, `reload`, `restart`, `clear`. All answer with the state.
 */
export function faultEndpoints(faults: Faults): Plugin {
  const actions: Record<string, () => void> = {
    cut: () => faults.cut(),
    'blackhole/on': () => faults.blackhole(true),
    'blackhole/off': () => faults.blackhole(false),
    'websocket/block': () => faults.blockWebsocket(true),
    'websocket/pass': () => faults.blockWebsocket(false),
    reload: () => faults.reload(),
    restart: () => faults.restart(),
    clear: () => faults.clear(),
  }
  const answer = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (!path.startsWith(prefix)) return next()
    const name = path.slice(prefix.length)
    if (name === 'state' && request.method === 'GET') return json(response, 200, faults.state)
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action === undefined) return json(response, 404, { error: 'no such fault', faults: Object.keys(actions) })
    if (request.method !== 'POST') return json(response, 405, { error: 'POST it' })
    if (foreign(request)) return json(response, 403, { error: 'another origin' })
    action()
    json(response, 200, faults.state)
  }
  const mount = (vite: ViteDevServer | PreviewServer) => {
    vite.middlewares.use(answer)
  }
  return { name: 'playground-faults', apply: 'serve', configureServer: mount, configurePreviewServer: mount }
}

/** Another site's page must not break this one's server. */
function foreign({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, '') !== headers.host
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body))
}
