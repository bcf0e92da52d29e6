import { request } from 'node:http'
import { connect } from 'node:net'
import type { FaultProxy } from '@pushstream/testkit'
import { missingNginx, type Nginx, type NginxOptions, startNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { cleanup, startProxy } from './support.js'

/** Why these tests can't run here. */
export const missing = lacking(missingNginx('push-stream'))

/** nginx with the push stream module, and a network with faults in front of it. */
export interface LiveModule {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** Publishes past the network. Rejects unless the server took it. */
  publish(channel: string, text: string): Promise<void>
}

export async function startModule(options: NginxOptions = {}): Promise<LiveModule> {
  const { workers = 1 } = options
  const nginx = await startNginx('push-stream', { ...options, values: { listen: workers > 1 ? 'reuseport' : '' } })
  cleanup(() => nginx.close())
  const proxy = await startProxy(nginx.url)
  return { nginx, proxy, publish: (channel, text) => publish(nginx.url, channel, text) }
}

/** On a connection of its own: a kept one may lead to a worker on its way out. */
function publish(url: string, channel: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const posting = request(`${url}/pub?id=${channel}`, { method: 'POST', agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`publishing to ${channel} was answered with ${answer.statusCode}`))
      })
    })
    posting.once('error', reject)
    posting.end(text)
  })
}

/** A publish whose body is still to come. Resolves once the server has its head; the function returned sends the body. */
export async function beginPublish(nginx: Nginx, channel: string, text: string): Promise<() => Promise<string>> {
  const socket = connect(nginx.port, '127.0.0.1')
  cleanup(() => socket.destroy())
  socket.on('error', () => {})
  const length = `Content-Length: ${Buffer.byteLength(text)}`
  // The answer to `Expect` shows that a worker has taken the connection.
  socket.write(`POST /pub?id=${channel} HTTP/1.1\r\nHost: x\r\n${length}\r\nExpect: 100-continue\r\n\r\n`)
  const answer = () =>
    new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString('latin1').split('\r\n')[0] ?? '')),
    )
  const head = await answer()
  if (!head.includes(' 100 ')) throw new Error(`the head of a publish was answered with ${head}`)
  return () => {
    const answered = answer()
    socket.write(text)
    return answered
  }
}
