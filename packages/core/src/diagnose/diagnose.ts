import { type Options, settingsOf } from '../options.js'
import type { CutTransport } from '../protocols/protocol.js'
import { undelimited } from '../protocols/push-stream-undelimited.js'
import { eventsource, longpolling, stream } from '../transports/http.js'
import { websocket } from '../transports/websocket.js'
import type { Fault } from '../troubleshooting.js'
import type { NamedTransports, Transport } from '../types.js'
import { judge } from './checks.js'
import { observe } from './observe.js'
import type { Context } from './request.js'
import type { Report } from './types.js'

/**
 * What to diagnose: the options of the client, and what to look at.
 *
 * @example
 * ```ts
 * import { diagnose } from '@pushstream/core/diagnose'
 *
 * const report = await diagnose({
 *   url: 'https://push.example.org',
 *   channel: 'news',
 *   publish: 'http://127.0.0.1/pub?id={channel}',
 *   origin: 'https://www.example.org',
 * })
 * ```
 */
export interface DiagnoseOptions extends Options {
  /** A channel that may be subscribed to. Default: one with a random name. */
  channel?: string
  /**
   * The address of a publisher, such as `http://127.0.0.1/pub?id={channel}`. A few small texts are published there. Default:
   * none, and nothing is published.
   */
  publish?: string
  /** How long to wait for pings, in ms. Default 12000. */
  wait?: number
  /** Whether to look at limits: a long address, and eight connections at the same time. Default false. */
  limits?: boolean
  /** The origin of the pages, outside of a browser: `https://www.example.org`. Default: the page's own. */
  origin?: string
  /** Faults to leave out of the report because they do no harm here, such as `eventid`. */
  ignore?: readonly Fault[]
  /** Returns the HTTP version that an address is served with, such as `h2`. Default: what the browser reports. */
  httpVersion?: (url: string) => Promise<string | undefined>
}

/** With what cuts its frames, as the client's transports have it. */
const cutting = (transport: Transport): CutTransport => ({ ...transport, cut: undelimited })

const named: NamedTransports = {
  websocket,
  eventsource,
  stream: cutting(stream),
  longpolling: cutting(longpolling),
}

/** The version of HTTP as the browser tells it. */
async function shownVersion(url: string): Promise<string | undefined> {
  if (typeof performance === 'undefined' || typeof window === 'undefined') return undefined
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
  const { origin } = new URL(url.replace(/^ws/, 'http'))
  const shown = entries.findLast(({ name, nextHopProtocol }) => name.startsWith(`${origin}/`) && nextHopProtocol !== '')
  return shown?.nextHopProtocol
}

/**
 * Tries everything that the client needs of a server, and says what is wrong and which directive of nginx to change. It
 * sends requests only to the locations of the modes, and publishes only if you set `publish`. It takes about 15 s,
 * because it waits for pings. It never rejects because of the server.
 *
 * @throws PushStreamError `bad-option` for an option that can't be used, `bad-channel` for such a channel.
 *
 * @example
 * ```ts
 * import { diagnose, formatReport } from '@pushstream/core/diagnose'
 *
 * console.log(formatReport(await diagnose({ url: 'https://push.example.org', channel: 'news' })))
 * ```
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Report> {
  const { channel, publish, wait = 12_000, limits = false, origin, ignore = [], httpVersion, ...client } = options
  const page = origin === undefined ? undefined : new URL(origin)
  const environment = { ...client.environment, ...(page && { location: page }) }
  const settings = settingsOf({ ...client, environment }, named)
  const { now, random, location } = settings.environment
  const name = channel ?? `pushstream-doctor-${random().toString(36).slice(2, 10)}`
  settings.protocol.check(name)
  const own = location && new URL(`${location.protocol}//${location.hostname}:${location.port}`).origin
  const context: Context = {
    settings,
    channel: name,
    began: now(),
    origin: own === settings.origin ? undefined : own,
    include: client.credentials === 'include',
    enforced: page === undefined && location !== undefined,
  }
  const seen = await observe(context, {
    publish,
    wait,
    limits,
    named: channel !== undefined,
    httpVersion: httpVersion ?? shownVersion,
  })
  const rows = judge(seen, ignore)
  const findings = rows.flatMap((row) => row.findings)
  return { url: settings.hosts.current, channel: name, ok: findings.length === 0, rows, findings }
}
