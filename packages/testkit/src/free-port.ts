import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

// Below the ports that systems assign by themselves (32768 and up on Linux, 49152 and up elsewhere).
const FIRST = 10_000
const COUNT = 22_000

/** Test workers have neighbouring process ids. This keeps their ports apart. */
const STRIDE = 997

let next = (process.pid * STRIDE) % COUNT

/** Listens on the next free port of our range. Resolves with its number. */
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
  throw new Error(`No port between ${FIRST} and ${FIRST + COUNT - 1} is free on ${host}.`)
}

/**
 * A port that no one listens on, for a server that is going to be restarted on it.
 *
 * The system assigns the ports of `listen(0)` and of outgoing connections from one range. So when a server restarts,
 * its port may be taken. This port is below that range. Each process starts at another port, and gets the same one
 * again only after 22,000 others.
 *
 * `host`: the address on which it must be free. Default `127.0.0.1`.
 *
 * @example
 * ```ts
 * import { spawn } from 'node:child_process'
 * import { freePort } from '@pushstream/testkit'
 *
 * spawn('redis-server', ['--port', String(await freePort())])
 * ```
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server, host)
  server.close()
  await once(server, 'close')
  return port
}
