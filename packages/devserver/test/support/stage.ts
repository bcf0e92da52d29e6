import { createDevServer, type DevServer, type DevServerOptions } from '../../src/index.js'
import type { LocationOptions } from '../../src/location.js'
import { QUOTED_TEMPLATE, type Settings } from '../../src/settings.js'
import type { Store } from '../../src/store.js'
import { FakeClock } from './fake-clock.js'
import { Fence, RawSocket } from './socket.js'

const LOCATIONS: LocationOptions[] = [
  { path: '/pub', mode: 'publisher-admin' },
  { path: '/pubn', mode: 'publisher' },
  { path: '/stats', mode: 'statistics' },
  { path: '/ws/', mode: 'websocket' },
  { path: '/wsp/', mode: 'websocket', settings: { websocketAllowPublish: true } },
  { path: '/ev/', mode: 'eventsource' },
  { path: '/lp/', mode: 'long-polling' },
  { path: '/pl/', mode: 'polling' },
  { path: '/sub/', mode: 'streaming' },
]

/** One of the nginx processes that were measured: its http-wide settings, and the ports it listened on. */
interface Instance {
  settings: Partial<Settings>
  ports: Record<number, Partial<Settings>>
}

const COMMON: Partial<Settings> = {
  maxMessagesStoredPerChannel: 20,
  pingMessageInterval: 2000,
  longpollingConnectionTtl: 3000,
}

const UNBOUND: Partial<Settings> = { lastReceivedMessageTime: null, lastReceivedMessageTag: null, lastEventId: null }

const TYPED_TEMPLATE = QUOTED_TEMPLATE.replace('"tag"', '"size":~size~,"tag"').replace(/}$/, ',"type":"~event-type~"}')

/** Which settings each port of the transcripts had. */
const INSTANCES: Instance[] = [
  {
    settings: { ...COMMON, wildcardChannelPrefix: 'broad_' },
    ports: {
      19000: { wildcardChannelMaxQtd: 1 },
      19001: UNBOUND,
      19003: { messageTemplate: QUOTED_TEMPLATE.replace('"~text~"', '~text~') },
      19004: { authorizedChannelsOnly: true },
      19005: { allowedOrigins: 'http://app.example' },
      19007: {
        headerTemplate: 'HEAD-LINE1\r\nHEAD-LINE2',
        footerTemplate: 'FOOT',
        subscriberConnectionTtl: 4000,
        paddingByUserAgent: 'PadUA,200,300',
      },
      19008: { messageTemplate: '~text~', subscriberConnectionTtl: 4000 },
      19030: { messageTemplate: TYPED_TEMPLATE },
    },
  },
  {
    settings: {
      ...COMMON,
      timeoutWithBody: true,
      eventsChannelId: '__events',
      maxSubscribersPerChannel: 2,
      channelInactivityTime: 1000,
      messageTtl: 2000,
    },
    ports: { 19010: {}, 19011: { allowConnectionsToEventsChannel: true } },
  },
  { settings: COMMON, ports: { 19020: {} } },
  { settings: { ...COMMON, subscriberConnectionTtl: 10_000 }, ports: { 19040: {} } },
]

/** The servers of one scenario, on a clock that stands still, and what a scenario does behind the transcript's back. */
export class Stage {
  readonly clock: FakeClock
  readonly connections = new Map<number, RawSocket>()
  readonly dropped = new Set<number>()
  readonly fence: Fence
  readonly #options: DevServerOptions
  readonly #servers = new Map<number, DevServer>()
  readonly #listening = new Map<number, number>()
  readonly #hidden: RawSocket[] = []

  private constructor(begin: number, options: DevServerOptions, fence: Fence) {
    this.clock = new FakeClock(begin)
    this.#options = options
    this.fence = fence
  }

  static async open(begin: number, ports: Iterable<number>, options: DevServerOptions = {}): Promise<Stage> {
    const stage = new Stage(begin, options, await Fence.open())
    for (const { settings, ports: known } of INSTANCES) {
      let store: Store | undefined
      for (const [port, own] of Object.entries(known)) {
        const server = stage.#create({ ...settings, ...own }, store)
        store = server.store
        stage.#servers.set(Number(port), server)
      }
    }
    for (const port of ports) stage.#listening.set(port, (await stage.server(port).listen(0)).port)
    return stage
  }

  /** The server that stands for a port of the transcript. */
  server(port: number): DevServer {
    const server = this.#servers.get(port)
    if (server === undefined) throw new Error(`no settings for port ${port}`)
    return server
  }

  /** Opens a connection to a port of the transcript. */
  async connect(port: number): Promise<RawSocket> {
    const listening = this.#listening.get(port)
    if (listening === undefined) throw new Error(`port ${port} is not in the transcript`)
    return RawSocket.open(listening)
  }

  /** Publishes on the main instance. */
  publish(channel: string, text: string | Buffer, options: { eventId?: string; eventType?: string } = {}): void {
    this.server(19000).publish(channel, text, options)
  }

  /** Uses up tags of the current second, as traffic on other channels did. */
  burnTags(count: number): void {
    for (let i = 0; i < count; i++) this.server(19000).publish('elsewhere', 'x', { store: false })
  }

  /** A subscriber that the transcript does not show. */
  async hiddenSubscriber(port: number, path: string): Promise<void> {
    const socket = await this.connect(port)
    this.#hidden.push(socket)
    await socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await this.fence.pass()
  }

  /** All hidden subscribers go away. */
  async dropHidden(): Promise<void> {
    for (const socket of this.#hidden) socket.close()
    await this.fence.pass()
  }

  /** The client of the transcript goes away. */
  async drop(connection: number): Promise<void> {
    this.dropped.add(connection)
    this.connections.get(connection)?.close()
    await this.fence.pass()
  }

  async close(): Promise<void> {
    for (const socket of [...this.#hidden, ...this.connections.values()]) socket.close()
    this.fence.close()
    await Promise.all([...this.#servers.values()].map((server) => server.close()))
  }

  #create(settings: Partial<Settings>, store: Store | undefined): DevServer {
    return createDevServer({
      clock: this.clock,
      settings,
      locations: LOCATIONS,
      serverHeader: 'nginx/1.22.1',
      hostname: 'vm',
      ...this.#options,
      ...(store === undefined ? {} : { store }),
    })
  }
}
