import { createDevServer, type DevServer, type DevServerOptions } from '@pushstream/devserver'
import { createFaultProxy, type FaultProxy, freePort } from '@pushstream/testkit'
import { makeCertificate } from './certificate.js'
import { type Nginx, type NginxOptions, startNginx } from './nginx.js'
import { startPages } from './pages.js'
import type { Place } from './site.js'

/** A site behind an nginx that forwards to a development server. There are fault proxies before and behind nginx. */
export interface ProxiedPlace extends Place {
  readonly server: DevServer
  readonly nginx: Nginx
  /** The fault proxy between nginx and the development server. */
  readonly behind: FaultProxy
  /** The origin over TLS and HTTP/2, without the fault proxy. */
  readonly tlsUrl: string
  close(): Promise<void>
}

export interface ProxiedOptions extends NginxOptions {
  server?: DevServerOptions
}

export async function startProxied(config: string, options: ProxiedOptions = {}): Promise<ProxiedPlace> {
  const ends: (() => Promise<unknown>)[] = []
  const close = async () => {
    while (ends.length > 0) await ends.pop()?.()
  }
  try {
    const settings = { maxMessagesStoredPerChannel: 5000, pingMessageInterval: 2000, ...options.server?.settings }
    const server = createDevServer({ ...options.server, settings })
    ends.push(() => server.close())
    const behind = createFaultProxy({ target: (await server.listen(0)).url })
    ends.push(() => behind.close())
    const pages = await startPages()
    ends.push(() => pages.close())
    const { certificate, key, close: remove } = await makeCertificate()
    ends.push(remove)
    const tlsPort = await freePort()
    const push = (await behind.listen()).port
    const values = { push, tlsPort, certificate, key, application: pages.url, origin: 'none', ...options.values }
    const nginx = await startNginx(config, { ...options, values })
    ends.push(() => nginx.close())
    const proxy = createFaultProxy({ target: nginx.url })
    ends.push(() => proxy.close())
    const { url } = await proxy.listen()
    return {
      server,
      nginx,
      behind,
      proxy,
      url,
      tlsUrl: `https://127.0.0.1:${tlsPort}`,
      push: {
        publish: async (channel, text, event) => server.publish(channel, text, event).id,
        reload: () => nginx.reload(),
        restart: async () => server.restart(),
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
