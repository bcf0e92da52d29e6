import { createFaultProxy, type FaultProxy, freePort } from '@pushstream/testkit'
import { makeCertificate } from './certificate.js'
import { ask } from './live.js'
import { type Nginx, type NginxOptions, startNginx } from './nginx.js'
import { startPages } from './pages.js'
import type { Place } from './site.js'

/** An nginx with Nchan, and a network with faults before it. */
export interface NchanNode {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** Publishes past the network. Resolves with whether the server said that it took it. */
  publish(channel: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<boolean>
  /** Who listens to a channel, as the server sees it. */
  subscribers(channel: string): Promise<number>
  close(): Promise<void>
}

/** A site behind it: its pages are of the same origin. */
export interface NchanPlace extends Place, NchanNode {
  /** The same pages on an origin of their own. */
  readonly elsewhere: string
  /** The origin by TLS and HTTP/2, past the fault proxy. Only where it was asked for. */
  readonly tlsUrl: string | undefined
  close(): Promise<void>
}

export interface NchanOptions extends NginxOptions {
  /** Whether it also listens with TLS and HTTP/2. Default false. */
  tls?: boolean
}

/** How long a request may stay without an answer, in ms: a worker on its way out may never give one. */
const patience = 5000

/** Starts nginx with a configuration that has Nchan in it. */
export async function startNchan(config: 'nchan' | 'nchan-redis', options: NginxOptions = {}): Promise<NchanNode> {
  const nginx = await startNginx(config, options)
  const proxy = createFaultProxy({ target: nginx.url })
  await proxy.listen()
  const urlOf = (channel: string) => `${nginx.url}/pub/${encodeURIComponent(channel)}`
  return {
    nginx,
    proxy,
    async publish(channel, body, headers) {
      const { status } = await ask('POST', urlOf(channel), body, headers, patience)
      return status === 201 || status === 202
    },
    async subscribers(channel) {
      const { status, text } = await ask('GET', urlOf(channel), '', { Accept: 'text/json' }, patience)
      return status === 404 ? 0 : (JSON.parse(text) as { subscribers: number }).subscribers
    },
    async close() {
      await proxy.close()
      await nginx.close()
    },
  }
}

/** Starts a site of pages and Nchan on one origin. */
export async function startNchanPlace(options: NchanOptions = {}): Promise<NchanPlace> {
  const { tls = false, adjust = (config: string) => config } = options
  const pages = await startPages()
  const made = tls ? await makeCertificate() : undefined
  const tlsPort = await freePort()
  // The example leaves pages and TLS to the reader.
  const more = [
    ...(made
      ? [
          `listen 127.0.0.1:${tlsPort} ssl http2;`,
          `ssl_certificate ${made.certificate};`,
          `ssl_certificate_key ${made.key};`,
        ]
      : []),
    `location / { proxy_pass ${pages.url}; }`,
  ]
  const node = await startNchan('nchan', {
    ...options,
    adjust: (config) => adjust(config.replace(/ {2}server \{\n/, `$&    ${more.join('\n    ')}\n`)),
  })
  return {
    ...node,
    url: node.proxy.url,
    elsewhere: pages.url,
    tlsUrl: made && `https://127.0.0.1:${tlsPort}`,
    push: {
      // Nchan has no ids that are numbers.
      publish: async (channel, text) => Number(await node.publish(channel, text)),
      reload: () => node.nginx.reload(),
      restart: () => node.nginx.restart(),
    },
    async close() {
      await node.close()
      await made?.close()
      await pages.close()
    },
  }
}
