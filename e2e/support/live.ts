import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { createFaultProxy } from '@pushstream/testkit'
import { type Nginx, type NginxOptions, startNginx } from './nginx.js'
import { startPages } from './pages.js'
import type { Place, Push } from './site.js'

/** A site behind a live nginx: pages and push server on one origin, behind a fault proxy. */
export interface LivePlace extends Place {
  readonly nginx: Nginx
  close(): Promise<void>
}

// One connection per request. If it can't be opened, nothing was published. A kept connection may lead to an old
// worker, whose messages reach no one.
const agent = new Agent({ keepAlive: false })

/** One request of a back end. `timeout`: how long to wait for the answer, in ms. Default: forever. */
export function ask(
  method: string,
  url: string,
  body: string | Uint8Array = '',
  headers: Record<string, string> = {},
  timeout?: number,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) }
    const asking = request(url, { method, agent, timeout, headers: { ...headers, ...length } })
    asking.once('timeout', () => asking.destroy(new Error(`${method} ${url} was not answered`)))
    asking.once('error', reject)
    asking.once('response', (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.once('error', reject)
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    asking.end(body)
  })
}

/** Publishes like a back end that retries while nginx is down. */
async function publish(
  url: string,
  channel: string,
  text: string,
  { eventId, eventType }: { eventId?: string; eventType?: string } = {},
): Promise<number> {
  const headers = { ...(eventId && { 'Event-Id': eventId }), ...(eventType && { 'Event-Type': eventType }) }
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await ask('POST', `${url}/pub?id=${encodeURIComponent(channel)}`, text, headers)
      if (answer.status !== 200) throw new Error(`publishing to ${channel} was answered with ${answer.status}`)
      return (JSON.parse(answer.text) as { published_messages: number }).published_messages
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || attempt === 500) throw error
      await pause(10)
    }
  }
}

/** Starts nginx with a configuration of the push stream module, behind a fault proxy. */
export async function startLive(config: string, options: NginxOptions = {}): Promise<LivePlace> {
  const pages = await startPages()
  const nginx = await startNginx(config, { ...options, values: { ...options.values, application: pages.url } })
  const proxy = createFaultProxy({ target: nginx.url })
  const { url } = await proxy.listen()
  const push: Push = {
    publish: (channel, text, event) => publish(nginx.url, channel, text, event),
    reload: () => nginx.reload(),
    restart: () => nginx.restart(),
  }
  return {
    nginx,
    push,
    proxy,
    url,
    async close() {
      await proxy.close()
      await nginx.close()
      await pages.close()
    },
  }
}
