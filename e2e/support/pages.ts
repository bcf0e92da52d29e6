import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { built } from './build.js'

const folders = [fileURLToPath(new URL('../page', import.meta.url)), built]
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The policy of a careful site: no inline code, no eval. Images are allowed because Firefox asks for an icon. */
export const strictPolicy =
  "default-src 'none'; script-src 'self'; connect-src 'self' ws:; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'"

/** The policy for a page that also uses another origin. */
const policyForOthers = strictPolicy.replace("connect-src 'self' ws:", 'connect-src http: ws:')

/** jQuery 3 writes innerHTML when it is loaded. */
export const policyForJQuery = strictPolicy.replace(/; require-trusted-types-for .*/, '')

const policies: Record<string, string> = {
  'elsewhere.html': policyForOthers,
  'diagnose-elsewhere.html': policyForOthers,
  'event-source.html': policyForOthers,
  // The addresses of its workers are texts.
  'runtimes.html': policyForJQuery,
  'updates.html': policyForJQuery,
  'examples/updates/index.html': policyForJQuery,
}

/** Answers with a file of e2e/page, or with a built one. */
export async function serve({ url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(url, 'http://site')
  const name = pathname === '/' ? 'index.html' : pathname.slice(1)
  const file = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  const type = types[extname(name)]
  if (!/^(?:[\w-]+\/)*[\w-]+\.\w+$/.test(name) || file === undefined || type === undefined) {
    response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end()
    return
  }
  response.writeHead(200, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policies[name] ?? strictPolicy,
  })
  response.end(await readFile(file))
}

/** A server that has only pages. */
export interface Pages {
  readonly port: number
  /** http://127.0.0.1:port */
  readonly url: string
  close(): Promise<void>
}

export async function startPages(): Promise<Pages> {
  const http = createServer((request, response) => void serve(request, response))
  http.keepAliveTimeout = 75_000
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeAllConnections()
      await closed
    },
  }
}
