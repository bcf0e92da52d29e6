import { Agent, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { ModeName } from '@pushstream/core'
import { createFaultProxy, type FaultProxy } from '@pushstream/testkit'
import type { Start } from '../page/page.js'
import { missingNginx, type Nginx, startNginx } from '../support/nginx.js'
import { startPages } from '../support/pages.js'
import { missingProgram } from '../support/programs.js'
import { startProxied } from '../support/proxied.js'
import { missingRedis, type Redis, startRedis } from '../support/redis.js'

/** How a request to publish ended. `refused`: it was not taken, and may be tried again. */
export interface Answer {
  readonly outcome: 'taken' | 'refused' | 'unknown'
  /** What the server said, for people. */
  readonly said: string
}

/** The network between one page and the servers: a fault proxy before each node, so that pages don't share a line. */
export type Network = readonly FaultProxy[]

/** Push servers that run, pages in front of them, and what the faults need. */
export interface Stage {
  readonly networks: Readonly<Record<string, Network>>
  /** What the page of this mode loads. */
  readonly address: (mode: ModeName) => string
  /** How a client is set up for this server. */
  readonly start: (mode: ModeName) => Start
  publish(channel: string, text: string): Promise<Answer>
  /** New workers; resolves when they run. */
  reload(): Promise<void>
  /** Resolves when it accepts connections again. */
  restart(): Promise<void>
  /** What holds the messages for several nodes. */
  readonly redis: Redis | undefined
  /** The nodes among which clients can change over. One or none means that there is nowhere to go. */
  readonly nodes: readonly Nginx[]
  /** What the server did that no client should be able to make it do. */
  crashes(): readonly string[]
  /** What the server wrote, newest last. */
  log(): readonly string[]
  close(): Promise<void>
}

export interface Server {
  readonly name: ServerName
  /** For the report. */
  readonly title: string
  readonly redis: boolean
  readonly nodes: number
  /** Why it can't run here. */
  missing(): string | undefined
  start(modes: readonly ModeName[]): Promise<Stage>
}

export type ServerName =
  | 'push-stream-1'
  | 'push-stream-4'
  | 'devserver'
  | 'nchan-1'
  | 'nchan-2'
  | 'nchan-redis-1'
  | 'nchan-redis-2'

const agents = new Map<string, Agent>()

/**
 * A kept connection for each channel. While nginx reloads, a new connection may go to a worker on its way out: with Nchan's
 * memory store that is another store, whose messages nobody sees any more, and those of a channel would go now to the one,
 * now to the other.
 */
function agentOf(channel: string): Agent {
  const agent = agents.get(channel) ?? new Agent({ keepAlive: true, maxSockets: 1 })
  agents.set(channel, agent)
  return agent
}

/** One request of a back end. Where no connection could be made, nothing was published. */
function post(url: string, channel: string, body: string): Promise<Answer> {
  return new Promise((resolve) => {
    const asking = request(url, {
      method: 'POST',
      agent: agentOf(channel),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      timeout: 10_000,
    })
    asking.once('timeout', () => asking.destroy())
    asking.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ outcome: error.code === 'ECONNREFUSED' ? 'refused' : 'unknown', said: error.message }),
    )
    asking.once('response', (answer) => {
      const status = answer.statusCode ?? 0
      answer.resume()
      answer.once('error', ({ message }) => resolve({ outcome: 'unknown', said: message }))
      // A server that failed while it published may have stored the message all the same.
      answer.once('end', () => {
        const outcome = status >= 200 && status < 300 ? 'taken' : status >= 500 ? 'unknown' : 'refused'
        resolve({ outcome, said: `status ${status}` })
      })
    })
    asking.end(body)
  })
}

/** The next second of the clock begins. */
const nextSecond = () => pause(1000 - (Date.now() % 1000))

/** Stopped, and there again in another second: a message's time is told in whole ones, and no real restart is quicker. */
async function restarted(nginx: Nginx): Promise<void> {
  const stopped = nginx.stop()
  // Nchan's workers don't always end when they are told to; whoever runs nginx as a service has them killed after a while.
  await Promise.race([stopped, pause(5000, undefined, { ref: false })])
  if (nginx.pid !== undefined) await nginx.kill()
  await stopped
  await nextSecond()
  await nginx.start()
}

/** Crashes, each with what nginx said of that process before. */
const crashesOf = (nginx: Nginx): string[] =>
  nginx.crashes.map((line) => {
    const pid = /process (\d+) exited/.exec(line)?.[1]
    const before = nginx.log.filter((other) => other.includes(`${pid}`) && other !== line)
    return [...before.slice(-12), line].join('\n    ')
  })

async function networksTo(
  modes: readonly ModeName[],
  targets: readonly string[],
): Promise<Record<string, FaultProxy[]>> {
  const made: Record<string, FaultProxy[]> = {}
  for (const mode of modes) {
    made[mode] = targets.map((target) => createFaultProxy({ target }))
    for (const proxy of made[mode]) await proxy.listen()
  }
  return made
}

const closeAll = (networks: Readonly<Record<string, Network>>) =>
  Promise.all(
    Object.values(networks)
      .flat()
      .map((proxy) => proxy.close()),
  )

/** Silence is noticed soon, and nothing is tried again so late that a row would measure the back-off's cap. */
const impatient = {
  pingtimeout: 3000,
  timeout: 5000,
  reconnectOnTimeoutInterval: 200,
  reconnectOnChannelUnavailableInterval: 2000,
}

const channels = { a: 0, b: 0 }

function pushStream(name: ServerName, workers: number): Server {
  return {
    name,
    title: `push stream module, ${workers} worker${workers > 1 ? 's' : ''}`,
    redis: false,
    nodes: 1,
    missing: () => missingNginx('push-stream'),
    async start(modes) {
      const pages = await startPages()
      const nginx = await startNginx('push-stream', {
        workers,
        values: { application: pages.url, listen: workers > 1 ? 'reuseport' : '' },
      })
      const networks = await networksTo(modes, [nginx.url])
      return {
        networks,
        address: (mode) => `${networks[mode]?.[0]?.url}/`,
        start: (mode) => ({ options: { modes: [mode], ...impatient }, channels }),
        publish: (channel, text) => post(`${nginx.url}/pub?id=${channel}`, channel, text),
        reload: () => nginx.reload(),
        restart: () => restarted(nginx),
        redis: undefined,
        nodes: [nginx],
        crashes: () => crashesOf(nginx),
        log: () => nginx.log,
        async close() {
          await closeAll(networks)
          await nginx.close()
          await pages.close()
        },
      }
    },
  }
}

/** In front of it nginx, as in front of any push server that is a program of its own. The back end publishes past nginx. */
const devserver: Server = {
  name: 'devserver',
  title: 'nginx before the development server (push stream protocol), 1 worker',
  redis: false,
  nodes: 1,
  missing: () => missingNginx('proxy') ?? missingProgram('openssl'),
  async start(modes) {
    const { nginx, server, behind, close } = await startProxied('proxy')
    const networks = await networksTo(modes, [nginx.url])
    let away = false
    return {
      networks,
      address: (mode) => `${networks[mode]?.[0]?.url}/`,
      start: (mode) => ({ options: { modes: [mode], ...impatient }, channels }),
      async publish(channel, text) {
        if (away) return { outcome: 'refused', said: 'away' }
        return post(`${behind.url}/pub?id=${channel}`, channel, text)
      },
      reload: () => nginx.reload(),
      // Both of them: what the development server stored is lost.
      async restart() {
        away = true
        await nginx.stop()
        await nextSecond()
        server.restart()
        await nginx.start()
        away = false
      },
      redis: undefined,
      nodes: [nginx],
      crashes: () => crashesOf(nginx),
      log: () => nginx.log,
      async close() {
        await closeAll(networks)
        await close()
      },
    }
  },
}

/** Pages of the same origin as the push server, which the examples leave to the reader. */
const withPages = (url: string) => (config: string) => withLocation(config, `location / {\n      proxy_pass ${url};`)

const withLocation = (config: string, lines: string) => config.replace(/ {2}server \{\n/, `$&    ${lines}\n    }\n\n`)

/**
 * A location whose long-polls are answered with everything there is. It takes all modes: before long-polling is accepted,
 * the client may ask for the head of an event stream.
 */
const withBatches = (config: string) => {
  const subscriber = /location ~ \^\/sub\/[^{]*\{[^}]*/.exec(config)?.[0] ?? ''
  const own = subscriber.replace('/sub/', '/lpm/')
  return withLocation(config, `${own.trimEnd()}\n      nchan_longpoll_multipart_response on;`)
}

/** `batches`: long-polls are answered with everything there is, and not, as by default, with one message. */
const nchanProtocol = (mode: ModeName, batches: boolean) =>
  ({ name: 'nchan', ...(batches && mode === 'longpolling' && { url: '/lpm/{channel}' }) }) as const

function nchanMemory(name: ServerName, workers: number, batches: boolean): Server {
  return {
    name,
    title: `Nchan, memory store, ${workers} worker${workers > 1 ? 's' : ''}, ${batches ? 'several messages' : 'one message'} per long-poll`,
    redis: false,
    nodes: 1,
    missing: () => missingNginx('nchan'),
    async start(modes) {
      const pages = await startPages()
      const nginx = await startNginx('nchan', {
        workers,
        adjust: (config) => (batches ? withBatches : String)(withPages(pages.url)(config)),
      })
      const networks = await networksTo(modes, [nginx.url])
      return {
        networks,
        address: (mode) => `${networks[mode]?.[0]?.url}/`,
        start: (mode) => ({
          options: { modes: [mode], ...impatient },
          protocol: nchanProtocol(mode, batches),
          channels,
        }),
        publish: (channel, text) => post(`${nginx.url}/pub/${channel}`, channel, text),
        reload: () => nginx.reload(),
        restart: () => restarted(nginx),
        redis: undefined,
        nodes: [nginx],
        crashes: () => crashesOf(nginx),
        log: () => nginx.log,
        async close() {
          await closeAll(networks)
          await nginx.close()
          await pages.close()
        },
      }
    },
  }
}

function nchanRedis(name: ServerName, count: number, workers: number): Server {
  return {
    name,
    title: `Nchan with Redis, ${count === 1 ? 'one node' : `${count} nodes`}, ${workers} worker${workers > 1 ? 's' : ''}${count > 1 ? ' each' : ''}`,
    redis: true,
    nodes: count,
    missing: () => missingNginx('nchan-redis') ?? missingRedis(),
    async start(modes) {
      const pages = await startPages()
      // What Nchan has acknowledged must be there after a restart of Redis.
      const redis = await startRedis({ persist: true })
      const nodes: Nginx[] = []
      for (let made = 0; made < count; made++) {
        nodes.push(
          await startNginx('nchan-redis', {
            workers,
            values: { redis: redis.url },
            adjust: (config) => withBatches(withPages(pages.url)(config)),
          }),
        )
      }
      const urls = nodes.map(({ url }) => url)
      const networks = await networksTo(modes, urls)
      const hosts = (mode: ModeName) => networks[mode]?.map(({ url }) => url) ?? []
      return {
        networks,
        // With several nodes they are other origins than the page's, as they have to be.
        address: (mode) => (count === 1 ? `${hosts(mode)[0]}/` : `${pages.url}/elsewhere.html`),
        start: (mode) => ({
          options: { modes: [mode], ...impatient, ...(count > 1 && { url: hosts(mode) }) },
          protocol: nchanProtocol(mode, true),
          channels,
        }),
        async publish(channel, text) {
          // A back end takes the next node when one is not there. What one answered otherwise is the answer.
          let answer: Answer = { outcome: 'refused', said: 'no node' }
          for (const url of urls) {
            answer = await post(`${url}/pub/${channel}`, channel, text)
            if (answer.outcome !== 'refused') break
          }
          return answer
        },
        // All nodes get the same new configuration, one after the other.
        async reload() {
          for (const nginx of nodes) await nginx.reload()
        },
        async restart() {
          for (const nginx of nodes) await restarted(nginx)
        },
        redis,
        nodes,
        crashes: () => nodes.flatMap(crashesOf),
        log: () => nodes.flatMap(({ log }) => log.slice(-30)),
        async close() {
          await closeAll(networks)
          for (const nginx of nodes) await nginx.close()
          await redis.close()
          await pages.close()
        },
      }
    },
  }
}

export const servers: readonly Server[] = [
  pushStream('push-stream-1', 1),
  pushStream('push-stream-4', 4),
  devserver,
  nchanMemory('nchan-1', 1, false),
  nchanMemory('nchan-2', 2, true),
  nchanRedis('nchan-redis-1', 1, 2),
  nchanRedis('nchan-redis-2', 2, 1),
]
