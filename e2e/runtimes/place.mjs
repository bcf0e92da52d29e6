// Where the suite runs: the development server on one origin with pages, behind a fault proxy.
import { createServer } from 'node:http'

/** The channels with this in their name are forbidden. */
const secret = 'secret'

/**
 * Starts a place. The modules are given, as tests in browsers take them from the sources and the others from the build.
 *
 * @param serve answers what is no push location.
 */
export async function startPlace({ createDevServer, createFaultProxy }, serve) {
  const server = createDevServer({ settings: { pingMessageInterval: 2000 } })
  const cuts = new Set()
  /** Cuts, and publishes before anyone can connect again. Once: some runtimes send a request again that was cut. */
  function cut(path, response) {
    if (cuts.has(path)) return void response.end()
    cuts.add(path)
    const query = new URL(path, 'http://place').searchParams
    const [count, from] = [Number(query.get('count')), Number(query.get('from'))]
    proxy.cut()
    for (const channel of query.get('channels').split(',')) {
      for (let n = from; n < from + count; n++) server.publish(channel, JSON.stringify({ n }))
    }
  }
  const http = createServer((request, response) => {
    if (request.url.includes(secret)) response.writeHead(403).end()
    else if (request.url.startsWith('/cut?')) cut(request.url, response)
    else if (!server.handler(request, response)) serve(request, response)
  })
  http.on('upgrade', (request, socket, head) => {
    if (request.url.includes(secret)) socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    else if (!server.upgrade(request, socket, head)) socket.destroy()
  })
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
  const proxy = createFaultProxy({ target: { port: http.address().port } })
  const { url } = await proxy.listen()
  return {
    url,
    async close() {
      await proxy.close()
      await server.close()
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await closed
    },
  }
}
