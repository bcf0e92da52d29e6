import { request } from 'node:http'

export interface Asked {
  readonly headers?: Record<string, string>
  readonly method?: string
  /** The address that the request comes from. */
  readonly from?: string
  readonly body?: string
}

/** The status of an answer. The path is sent as it is given. `server`: `127.0.0.1:port`. */
export function ask(
  server: string,
  path: string,
  { headers = {}, method = 'GET', from = '127.0.0.1', body = '' }: Asked = {},
): Promise<number> {
  const [hostname, port] = server.split(':')
  const options = { hostname, port, path, method, headers, localAddress: from, agent: false }
  return new Promise((resolve, reject) => {
    const asking = request(options, (answer) => {
      answer.destroy()
      resolve(answer.statusCode as number)
    })
    asking.once('error', reject)
    asking.end(body)
  })
}

/** Uses something that has to be closed, and closes it. */
export async function using<Resource extends { close(): Promise<void> }>(
  starting: Promise<Resource>,
  use: (resource: Resource) => Promise<void>,
): Promise<void> {
  const resource = await starting
  try {
    await use(resource)
  } finally {
    await resource.close()
  }
}
