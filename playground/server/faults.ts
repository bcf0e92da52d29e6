import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DevServer } from '../../packages/devserver/src/index.js'
import { swallow } from './swallow.js'

/** The locations of subscribers: only these have faults, so that the page itself and its controls go on working. */
const kinds = { ws: 'websocket', ev: 'eventsource', sub: 'stream', lp: 'longpolling', pl: 'polling' } as const

type Kind = (typeof kinds)[keyof typeof kinds]

/** What `/__faults/state` answers. */
export interface FaultState {
  blackhole: boolean
  websocketBlocked: boolean
  /** Subscriber connections open now, by location. */
  connections: Record<Kind, number>
}

/** Faults of the network between subscribers and the development server, applied to their sockets in this process. */
export class Faults {
  #server: DevServer | undefined
  #blackhole = false
  #websocketBlocked = false
  readonly #sockets = new Map<Duplex, Kind>()
  /** Whose closing is listened to: a kept-alive connection has many requests. */
  readonly #known = new WeakSet<Duplex>()
  /** What came while nothing came through, to be answered afterwards. */
  readonly #held = new Map<Duplex, () => void>()

  /** Puts itself between Vite's server and the development server. */
  mount(server: DevServer): void {
    this.#server = server
    const handler = server.handler.bind(server)
    const upgrade = server.upgrade.bind(server)
    server.handler = (request, response) => this.#request(request, response, handler)
    server.upgrade = (request, socket, head) => this.#upgrade(request, socket, head, upgrade)
  }

  get state(): FaultState {
    const connections: FaultState['connections'] = {
      websocket: 0,
      eventsource: 0,
      stream: 0,
      longpolling: 0,
      polling: 0,
    }
    for (const kind of this.#sockets.values()) connections[kind]++
    return { blackhole: this.#blackhole, websocketBlocked: this.#websocketBlocked, connections }
  }

  /** Resets the connections of subscribers. Returns how many. */
  cut(only?: Kind): number {
    let count = 0
    for (const [socket, kind] of [...this.#sockets]) {
      if (only !== undefined && kind !== only) continue
      this.#sockets.delete(socket)
      reset(socket)
      count++
    }
    return count
  }

  /**
   * Everything on the connections of subscribers vanishes, and new ones hang until it is over, as their first packet
   * would be sent again and again. Those that were open before stay silent for good: a stream with a hole in it is
   * nothing that a network shows.
   */
  blackhole(on: boolean): void {
    if (on === this.#blackhole) return
    this.#blackhole = on
    if (on) for (const socket of this.#sockets.keys()) swallow(socket)
    const held = on ? [] : [...this.#held.values()]
    if (!on) this.#held.clear()
    for (const go of held) go()
  }

  /** Refuses websockets, and cuts those that are open. */
  blockWebsocket(on: boolean): void {
    this.#websocketBlocked = on
    if (on) this.cut('websocket')
  }

  /** As nginx on SIGHUP. */
  reload(): void {
    this.#server?.reload()
  }

  /** As nginx stopped and started. */
  restart(): void {
    this.#server?.restart()
  }

  /** All is well again. */
  clear(): void {
    this.#websocketBlocked = false
    this.blackhole(false)
  }

  #request(request: IncomingMessage, response: ServerResponse, handler: DevServer['handler']): boolean {
    const kind = kindOf(request)
    if (kind === undefined) return handler(request, response)
    const { socket } = request
    this.#track(socket, kind)
    if (this.#blackhole) {
      this.#held.set(socket, () => this.#request(request, response, handler))
      return true
    }
    // An answered request gives its connection back to whoever uses it next, unless nobody will ever see the answer.
    response.once('close', () => {
      if (!this.#blackhole) this.#sockets.delete(socket)
    })
    return handler(request, response)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upgrade: DevServer['upgrade']): boolean {
    const kind = kindOf(request)
    if (kind !== 'websocket') return upgrade(request, socket, head)
    this.#track(socket, kind)
    if (!this.#blackhole && !this.#websocketBlocked) return upgrade(request, socket, head)
    socket.on('error', () => socket.destroy())
    if (this.#blackhole) {
      this.#held.set(socket, () => this.#upgrade(request, socket, head, upgrade))
      return true
    }
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    socket.resume()
    return true
  }

  #track(socket: Duplex, kind: Kind): void {
    if (!this.#known.has(socket)) {
      this.#known.add(socket)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#held.delete(socket)
      })
    }
    this.#sockets.set(socket, kind)
  }
}

function kindOf(request: IncomingMessage): Kind | undefined {
  const first = /^\/([a-z]+)(?:[/?]|$)/.exec(request.url ?? '')?.[1]
  return first !== undefined && Object.hasOwn(kinds, first) ? kinds[first as keyof typeof kinds] : undefined
}

function reset(socket: Duplex): void {
  const tcp = socket as Partial<Socket> & Duplex
  if (tcp.resetAndDestroy !== undefined) tcp.resetAndDestroy()
  else tcp.destroy()
}
