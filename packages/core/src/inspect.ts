import type { Client } from './client.js'
import type { Channel } from './delivery/channel.js'
import { hears } from './emitter.js'
import type { ClientEvents } from './events.js'
import { internalsOf } from './internals.js'
import type { Settings } from './options.js'
import type { WebSocketClass } from './platform.js'
import { tagOf, timeOf } from './position.js'
import type { Connection } from './session/connection.js'
import { Pool } from './session/pool.js'
import { shown } from './session/reports.js'
import type { ModeName, Position } from './types.js'

/** Before this time, in ms since 1970, a position is a number that the server counts messages with. */
const firstSecond = 10 ** 11

/** A point in a server's stream: a second, in ms since 1970, and the counter within it. Or a number, where a server counts. */
export type Place = { readonly time: number; readonly tag: number } | number

/** A channel, and up to where it is complete. */
export interface InspectedChannel {
  readonly name: string
  /** The id of its last message. */
  readonly id: number | undefined
  /** The position of its last message. */
  readonly position: Place | undefined
  /** Up to here it is complete. After a loss, the client resumes from here. */
  readonly watermark: Place | undefined
  /** Messages that wait for one that they have overtaken. */
  readonly waiting: number
  /** When its last message arrived, in ms since 1970. */
  readonly heardAt: number | undefined
  /** The mode of the connection that carries it. */
  readonly mode: ModeName | undefined
}

/** A request of a client. Its fields change as it goes on. */
export interface InspectedRequest {
  /** When it was sent, in ms since 1970. */
  readonly at: number
  /**
   * The mode of its connection. `check`: it asks whether a connection has missed something. `publish`: it sends a
   * message.
   */
  readonly kind: ModeName | 'check' | 'publish'
  /** The address, without what may be secret: a user, and the values of its query. */
  readonly url: string
  readonly state: 'pending' | 'open' | 'answered' | 'closed' | 'failed'
  /** The HTTP status, or the websocket's close code. */
  readonly status: number | undefined
  /** How long the answer took, in ms. */
  readonly took: number | undefined
  /** Why it failed. */
  readonly error: string | undefined
}

/** Listeners to the events of a client. */
// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
export type InspectListeners = { [K in keyof ClientEvents<any>]?: (event: ClientEvents<any>[K]) => void }

/** What `inspect` reports. */
export interface InspectEvents {
  /**
   * The events of the client. These listeners do not count as the application's: errors that only they get still go to
   * the console.
   */
  on?: InspectListeners
  /** A line of the log: what the client does, and why a connection ended. */
  log?(line: string): void
  /** A request was sent. Called again with the same object when it is answered, and when it ends. */
  request?(request: InspectedRequest): void
}

/** How to look into a client, and to disturb it. */
export interface Inspection {
  /** The channels as they are now, in the order they were added. */
  readonly channels: readonly InspectedChannel[]
  /** Breaks every connection, as a network does. */
  cut(): void
  /** Replaces the connections by some of the next mode. `false`: there is no other mode, or no connection. */
  fallBack(): boolean
  /** Listens no more. The client is as it was. */
  stop(): void
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Noted = Writable<InspectedRequest>

/** Who listens to a client, and what ends that for all of them. */
interface Tap {
  readonly listeners: Set<InspectEvents>
  remove(): void
}
const taps = new WeakMap<Pool, Tap>()

/**
 * Looks into a client, for tools such as `@pushstream/devtools`. It may run already. Nothing of it is shipped or called
 * unless this is imported.
 *
 * @throws PushStreamError `closed` if the client is closed.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { inspect } from '@pushstream/core/inspect'
 *
 * const stream = new PushStream().addChannel('news').connect()
 * const inspection = inspect(stream, { log: (line) => console.log(line) })
 * console.table(inspection.channels)
 * inspection.stop()
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever comes on its channels
export function inspect(client: Client<any>, events: InspectEvents = {}): Inspection {
  const { pool: carrier, endings } = internalsOf(client)
  // The client of a component test has no connections to look at.
  const pool = carrier instanceof Pool ? carrier : undefined
  const tap = pool && (taps.get(pool) ?? listenIn(pool))
  if (tap) taps.set(pool, tap)
  const listener = { ...events }
  tap?.listeners.add(listener)
  const unlisten = listenTo(client, events.on ?? {})
  const stop = () => {
    endings.delete(stop)
    unlisten()
    if (!tap?.listeners.delete(listener) || tap.listeners.size > 0) return
    tap.remove()
    taps.delete(pool as Pool)
  }
  endings.add(stop)
  for (const connection of connectionsOf(pool)) {
    const { accepted, asked, openedAt } = connection
    if (asked)
      listener.request?.(noted(connection.mode, asked.url, openedAt, accepted ? 'open' : 'pending', connection))
  }
  return {
    get channels() {
      return pool?.channels.flatMap((name) => snapshotOf(pool, name)) ?? []
    },
    cut() {
      for (const { session } of pool?.members ?? []) session.current()?.end({ kind: 'lost', explain: 'cut by hand' })
    },
    fallBack: () => pool?.members.map(({ session }) => leaveMode(pool.settings, session)).includes(true) ?? false,
    stop,
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function listenTo(client: Client<any>, listeners: InspectListeners): () => void {
  const ends = Object.entries(listeners).map(([kind, listener]) => {
    // Another function each time: who listens twice hears twice.
    const heard = (event: unknown) => (listener as (event: unknown) => void)(event)
    hears.set(heard, () => false)
    client.on(kind as keyof InspectListeners, heard)
    return () => client.off(kind as keyof InspectListeners, heard)
  })
  return () => {
    for (const end of ends) end()
  }
}

const connectionsOf = (pool: Pool | undefined): Connection[] =>
  pool?.members.flatMap(({ session }) => [...session.connections]) ?? []

function snapshotOf(pool: Pool, name: string): InspectedChannel[] {
  const member = pool.of(name)
  const channel: Channel | undefined = member?.store.get(name)
  if (!member || !channel) return []
  const { heardAt, sequence } = channel
  return [
    {
      name,
      id: sequence.last,
      position: placeOf(sequence.position),
      watermark: placeOf(member.store.watermark(channel)),
      waiting: sequence.buffered.size,
      heardAt: heardAt > 0 ? heardAt : undefined,
      mode: member.session.state.current?.mode,
    },
  ]
}

function placeOf(position: Position | undefined): Place | undefined {
  if (position === undefined || Number.isNaN(position)) return undefined
  const time = timeOf(position)
  return time < firstSecond ? position : { time, tag: tagOf(position) }
}

/** A round of the session without its mode, which stays one that it can come back to. */
function leaveMode(settings: Writable<Settings>, session: Pool['members'][number]['session']): boolean {
  const all = settings.transports
  const at = all.findIndex(({ name }) => name === session.state.current?.mode)
  const others = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at))]
  if (at < 0 || !others.some((one) => one.available(settings.environment))) return false
  settings.transports = others
  session.renew()
  settings.transports = all
  return true
}

function noted(
  kind: InspectedRequest['kind'],
  url: string,
  at: number,
  state: InspectedRequest['state'] = 'pending',
  connection?: Connection,
): Noted {
  return {
    at,
    kind,
    url: shown(url) ?? '',
    get state() {
      return connection?.closed && (state === 'open' || state === 'pending') ? 'closed' : state
    },
    set state(value) {
      state = value
    },
    status: undefined,
    took: undefined,
    error: undefined,
  }
}

/** Puts itself between the sessions and what they use of their surroundings: the logger, `fetch` and sockets. */
function listenIn(pool: Pool): Tap {
  const listeners = new Set<InspectEvents>()
  const settings: Writable<Settings> = pool.settings
  const { environment, logger } = settings
  const { EventSource, WebSocket, fetch } = environment
  const report = (request: Noted, change: Partial<Noted> = {}) => {
    Object.assign(request, change)
    for (const one of listeners) one.request?.(request)
  }
  const since = ({ at }: Noted) => environment.now() - at

  settings.logger = {
    debug(...values) {
      logger?.debug(...values)
      for (const one of listeners) one.log?.(values.join(' '))
    },
  }

  environment.fetch = (input, init) => {
    // The very headers of its exchange: a check may have the same address.
    const owner = connectionsOf(pool).find(({ asked }) => asked && asked.headers === init?.headers)
    const kind = owner?.mode ?? (init?.method === 'POST' ? 'publish' : 'check')
    const request = noted(kind, String(input), environment.now(), 'pending', owner?.transport.polls ? undefined : owner)
    const lasting = owner && !owner.transport.polls
    report(request)
    const answer = fetch.call(environment, input, init)
    answer.then(
      ({ ok, status }) => report(request, { status, took: since(request), state: lasting && ok ? 'open' : 'answered' }),
      (cause: unknown) => {
        const given = init?.signal?.aborted ?? false
        report(request, {
          took: since(request),
          state: given ? 'closed' : 'failed',
          ...(!given && { error: String(cause) }),
        })
      },
    )
    return answer
  }

  /** The same class, whose objects are watched from the start. */
  function watched<T extends WebSocketClass | typeof EventSource | undefined>(kind: ModeName, original: T): T {
    if (original === undefined) return original
    return new Proxy(original, {
      construct(target, args: [string | URL, ...unknown[]]) {
        const owner = connectionsOf(pool).find(({ asked }) => asked?.url === args[0])
        const request = noted(kind, String(args[0]), environment.now(), 'pending', owner)
        report(request)
        const socket: EventTarget = Reflect.construct(target, args)
        socket.addEventListener('open', () => report(request, { state: 'open', took: since(request) }))
        socket.addEventListener('error', () => request.state === 'pending' && report(request, { state: 'failed' }))
        socket.addEventListener('close', (event) => {
          const { code, reason } = event as CloseEvent
          const state = request.took === undefined ? 'failed' : 'closed'
          report(request, { state, status: code, error: reason || undefined })
        })
        return socket
      },
    })
  }
  environment.WebSocket = watched('websocket', WebSocket)
  environment.EventSource = watched('eventsource', EventSource)

  return {
    listeners,
    remove() {
      settings.logger = logger
      Object.assign(environment, { EventSource, WebSocket, fetch })
    },
  }
}
