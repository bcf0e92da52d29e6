import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

// Below the ports that systems hand out by themselves (32768 and up on Linux, 49152 and up elsewhere).
const FIRST = 10_000
const COUNT = 22_000

/** Far enough from process to process that test workers, whose process ids are neighbours, do not meet. */
const STRIDE = 997

let next = (process.pid * STRIDE) % COUNT

/** Listens on the next of our ports that is free. Resolves with its number. */
export async function listenOnFreePort(server: Server, host: string): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + next
    next = (next + 1) % COUNT
    try {
      server.listen(port, host)
      await once(server, 'listening')
      return port
    } catch (error) {
      // EACCES: some systems reserve ranges of ports.
      if (!['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  throw new Error(`no port between ${FIRST} and ${FIRST + COUNT - 1} is free on ${host}`)
}

/**
 * A port that no one listens on, for a server that is going to be restarted on it.
 *
 * The system hands out the ports of `listen(0)` and of outgoing connections from one range, so a server that ends and
 * comes back there can find its port taken. This port is below that range. Processes start at different places, and one
 * process gets the same port again only after 22,000 others.
 *
 * ```ts
 * const port = await freePort()
 * spawn('redis-server', ['--port', String(port)])
 * ```
 *
 * `host`: where it must be free; default `127.0.0.1`.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server, host)
  server.close()
  await once(server, 'close')
  return port
}
