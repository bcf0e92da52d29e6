// What the programs that are started here need of the machine.
import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port that is free: this one, if it is given and free. */
export async function freePort(wanted = 0) {
  const server = createServer().listen(wanted, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server.address().port
  } catch {
    return freePort()
  } finally {
    server.close()
  }
}

/** Settings of nginx, by which it keeps its temporary files in a folder. */
export const temporaryPaths = (folder) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')
