import { createFaultProxy, type FaultProxy, freePort } from '@pushstream/testkit'
import { makeCertificate } from './certificate.js'
import { ask } from './live.js'
import { type Nginx, type NginxOptions, startNginx } from './nginx.js'
import { startPages } from './pages.js'
import type { Place } from './site.js'

/** An nginx with Nchan, behind a fault proxy. */
export interface NchanNode {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** Publishes without the fault proxy. Resolves with whether the server accepted it. */
  publish(channel: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<boolean>
  /** The number of subscribers of a channel. */
  subscribers(channel: string): Promise<number>
  close(): Promise<void>
}

/** A site behind it, with pages on the same origin. */
export interface NchanPlace extends Place, NchanNode {
  /** The same pages on another origin. */
  readonly elsewhere: string
  /** The origin over TLS and HTTP/2, without the fault proxy. Only if it was asked for. */
  readonly tlsUrl: string | undefined
  close(): Promise<void>
}

export interface NchanOptions extends NginxOptions {
  /** Whether it also listens with TLS and HTTP/2. Default false. */
  tls?: boolean
}

/** How long to wait for an answer, in ms. An old worker may never send one. */
const patience = 5000

/** Starts nginx with a configuration of Nchan. */
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
  // The example has no pages and no TLS.
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
      // Ids of Nchan are not numbers.
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
