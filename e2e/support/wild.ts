import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { request as requestByTls, Agent as TlsAgent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createDevServer } from '@pushstream/devserver'
import { createFaultProxy, type FaultProxy, freePort } from '@pushstream/testkit'
import type { Wild } from '../nginx/wild/wild.js'
import { makeCertificate, missingCertificate } from './certificate.js'
import { channelsHeader, locationHeader, translate } from './directives.js'
import { missingNginx, type Nginx, startNginx } from './nginx.js'
import { startPages } from './pages.js'

/** What runs a configuration: nginx with its module, or nginx with the development server in the module's place. */
export type Runner = 'nginx' | 'development server'

/** A site as a configuration of the corpus has it, and a network with faults before it. */
export interface WildSite {
  readonly nginx: Nginx
  readonly proxy: FaultProxy
  /** The site's origin, through the fault proxy. */
  readonly url: string
  /** Where its pages are: the same, or another origin where it has none. */
  readonly pages: string
  /** Publishes past the network, again while nginx is away. Resolves with the status. */
  publish(channel: string, body: string, headers?: Readonly<Record<string, string>>): Promise<number>
  reload(): Promise<void>
  /** Everything stored is lost. */
  restart(): Promise<void>
  close(): Promise<void>
}

const fileOf = ({ name }: Wild) => `wild/${name}`
/** Nothing loads it. */
const instead = { module: 'push_stream' }

/** Why a configuration can't be run here, `undefined` when it can. */
export const missingWild = (wild: Wild, runner: Runner): string | undefined =>
  missingNginx(fileOf(wild), runner === 'nginx' ? {} : instead) ?? (wild.tls && missingCertificate())

/** How nginx hands a request on: the location's number and the channels in headers. As the module takes them: a path. */
function aim(message: IncomingMessage): void {
  const { [locationHeader]: location, [channelsHeader]: channels = '' } = message.headers
  const query = (message.url ?? '').replace(/^[^?]*/, '')
  const path = Buffer.from(String(channels), 'latin1').reduce(
    (text, byte) => `${text}%${byte.toString(16).padStart(2, '0')}`,
    '',
  )
  message.url = `/${location}/${path}${query}`
}

/** The development server, for an nginx that reads everything but the directives of the module. */
export async function startInstead() {
  const upstream = createServer()
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  let server = createDevServer()
  upstream.on('request', (message, response) => {
    aim(message)
    server.handler(message, response)
  })
  upstream.on('upgrade', (message, socket, head) => {
    aim(message)
    if (!server.upgrade(message, socket, head)) socket.destroy()
  })
  return {
    /** Takes what is the module's out of a configuration. */
    read(config: string): string {
      const translation = translate(config, `http://127.0.0.1:${port}`)
      server = createDevServer(translation.options)
      return translation.config
    },
    reload: () => server.reload(),
    restart: () => server.restart(),
    async close() {
      await server.close()
      const closed = new Promise((resolve) => upstream.close(resolve))
      upstream.closeAllConnections()
      await closed
    },
  }
}

// A connection a request: a kept one may lead to a worker on its way out.
const agents = {
  http: new Agent({ keepAlive: false }),
  https: new TlsAgent({ keepAlive: false, rejectUnauthorized: false }),
}

function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const tls = url.startsWith('https:')
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      agent: tls ? agents.https : agents.http,
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    }
    const asking = (tls ? requestByTls : request)(url, options, (answer) => {
      answer.resume()
      answer.once('error', reject)
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    asking.once('error', reject)
    asking.end(body)
  })
}

export async function startWild(wild: Wild, runner: Runner): Promise<WildSite> {
  const ends: (() => Promise<unknown>)[] = []
  const close = async () => {
    while (ends.length > 0) await ends.pop()?.()
  }
  try {
    const pages = await startPages()
    ends.push(() => pages.close())
    const made = wild.tls && (await makeCertificate())
    if (made) ends.push(() => made.close())
    const tlsPort = await freePort()
    const values = { application: pages.url, tlsPort, ...(made && { certificate: made.certificate, key: made.key }) }
    const server = runner === 'nginx' ? undefined : await startInstead()
    if (server) ends.push(server.close)
    const nginx = await startNginx(
      fileOf(wild),
      server ? { values: { ...values, ...instead }, adjust: server.read } : { values },
    )
    ends.push(() => nginx.close())
    const origin = made ? `https://127.0.0.1:${tlsPort}` : nginx.url
    const proxy = createFaultProxy({ target: origin })
    ends.push(() => proxy.close())
    const { port } = await proxy.listen()
    const url = `${made ? 'https' : 'http'}://127.0.0.1:${port}`
    return {
      nginx,
      proxy,
      url,
      pages: wild.elsewhere ? pages.url : url,
      async publish(channel, body, headers = {}) {
        const address = origin + wild.publish.replace('{channel}', encodeURIComponent(channel))
        for (let attempt = 1; ; attempt++) {
          try {
            return await post(address, body, headers)
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || attempt === 500) throw error
            await pause(10)
          }
        }
      },
      async reload() {
        await nginx.reload()
        server?.reload()
      },
      async restart() {
        await nginx.stop()
        server?.restart()
        await nginx.start()
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
