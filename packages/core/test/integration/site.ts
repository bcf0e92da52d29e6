import { request as ask, createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { cleanup } from './support.js'

/** What a site says to whatever is none of its locations. */
export interface CatchAll {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface SiteOptions {
  /** How the paths begin that are passed on to the server. */
  readonly locations: readonly string[]
  readonly otherwise: CatchAll
  /** Requests that wait until this resolves, if they are to wait. */
  readonly hold?: (request: IncomingMessage) => Promise<void> | undefined
}

/** A site in front of a push server: some locations are the server's, everything else has one answer. Resolves to its URL. */
export async function startSite(target: string, { locations, otherwise, hold }: SiteOptions): Promise<string> {
  const { hostname, port } = new URL(target)
  const open = new Set<Duplex>()
  const keep = (socket: Duplex) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => open.delete(socket))
  }
  const passes = ({ url = '' }: IncomingMessage) => locations.some((location) => url.startsWith(location))
  const server = createServer(async (request, response) => {
    await hold?.(request)
    if (!passes(request)) return response.writeHead(otherwise.status, otherwise.headers).end(otherwise.body)
    const { method, url: path, headers } = request
    const passed = ask({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    request.pipe(passed)
  })
  server.on('connection', keep)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const { status, headers = {}, body = '' } = otherwise
    const lines = (all: readonly string[]) => all.map((line) => `${line}\r\n`).join('')
    const pairs = (all: NodeJS.Dict<string | string[]>) =>
      Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    if (!passes(request)) {
      const length = `Content-Length: ${Buffer.byteLength(body)}`
      return socket.end(
        `${lines([`HTTP/1.1 ${status} -`, ...pairs({ ...headers }), length, 'Connection: close', ''])}${body}`,
      )
    }
    const server = connect(Number(port), hostname)
    keep(server)
    server.write(lines([`${request.method} ${request.url} HTTP/1.1`, ...pairs(request.headers), '']))
    socket.pipe(server).pipe(socket)
    socket.once('close', () => server.destroy())
    server.once('close', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}
