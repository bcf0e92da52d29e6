import type { Clock } from '../clock.js'
import type { ClosedBy } from './link.js'
import type { ProxyTarget } from './target.js'

/**
 * Options of {@link createFaultProxy}.
 *
 * @example
 * ```ts
 * import { createFaultProxy, createManualClock } from '@pushstream/testkit'
 *
 * const clock = createManualClock()
 * const proxy = createFaultProxy({ target: 'http://127.0.0.1:8080', clock })
 * proxy.cutEvery(500)
 * await clock.advance(500) // the first cut
 * ```
 */
export interface FaultProxyOptions {
  /** The server behind the proxy. */
  target: ProxyTarget
  /** The address to listen on. Default `'127.0.0.1'`: nothing outside this machine can reach it. */
  host?: string
  /** The source of time for `delay`, `throttle` and `cutEvery`. Default: the machine's. */
  clock?: Clock
}

/** Where a proxy listens. */
export interface ProxyAddress {
  port: number
  /** `http://host:port`, without a slash at the end. */
  url: string
}

/** One HTTP request, in order of arrival. */
export interface ProxiedRequest {
  method: string
  /** Path and query as on the wire. */
  path: string
  /** Names in lower case. A repeated header has its last value. */
  headers: Record<string, string>
  /** Whether it asked for an upgrade (a websocket). */
  upgrade: boolean
  /** The id of its connection. */
  connection: number
  /** When, in ms of the proxy's clock. */
  at: number
}

/** Counters since the proxy was created. */
export interface ProxyStats {
  /** Connections accepted, including those reset at once. */
  accepted: number
  /** HTTP requests seen. */
  requests: number
  /** Bytes received from clients, including lost ones. */
  bytesFromClients: number
  /** Bytes received from the server, including lost ones. */
  bytesFromServer: number
  /** Bytes that `blackhole` lost, in both directions. */
  bytesSwallowed: number
}

/** The events of a proxy. To wait for one: `await once(proxy, 'request')`. */
export interface FaultProxyEvents {
  /** A client has connected. */
  connection: [connection: { id: number }]
  /** The head of an HTTP request was read. It is forwarded right after. */
  request: [request: ProxiedRequest]
  /** Bytes were lost to `blackhole`. */
  swallowed: [loss: { id: number; from: 'client' | 'server'; bytes: number }]
  /** A client connection has ended. `by`: who ended it. */
  closed: [connection: { id: number; by: ClosedBy }]
}
