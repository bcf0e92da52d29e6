import { Ledger, type LedgerEvents } from '../delivery/ledger.js'
import type { PushStreamError } from '../errors.js'
import type { Status } from '../events.js'
import type { Settings } from '../options.js'
import type { Position } from '../types.js'
import { type Connection, type ConnectionEvents, createConnection, type Share } from './connection.js'
import type { State } from './machine.js'
import { createSlots, type Slots } from './slots.js'

/** Some channels, what is known of them, and the connection that carries them. */
interface Lane {
  readonly ledger: Ledger
  readonly connection: Connection
  /** It was added while the client was open, and is on its way for the first time: no trouble of the others. */
  late: boolean
  /** Channels were added or taken away. */
  changed: boolean
}

const names: Record<State, Status['state']> = {
  closed: 'closed',
  priming: 'connecting',
  connecting: 'connecting',
  sifting: 'connecting',
  waiting: 'waiting',
  open: 'open',
}

const stateOf = ({ connection: { context } }: Lane): Status['state'] =>
  context.current === undefined ? names[context.state] : 'open'

/** The worst first: what a client is when its lanes differ. */
const worst: readonly Status['state'][] = ['connecting', 'waiting', 'open']

/** The connections of a client: one for all of its channels, or several where a server can't resume or take so many at once. */
export function createLanes(settings: Settings, events: ConnectionEvents & LedgerEvents) {
  const { apart, order, modes, most = Number.POSITIVE_INFINITY } = settings.protocol
  const room = apart ? 1 : most
  const lanes = new Set<Lane>()
  const limit = () => settings.environment.connections(settings.origin)
  const slots = createSlots(settings.environment, limit)
  /** Whether channels can share connections by taking turns: then each answer tells how long the way to the server is. */
  const inTurns = apart && !modes
  const own = inTurns ? timed(settings, slots) : settings
  const share: Share = {
    get scarce() {
      return inTurns && lanes.size > limit()
    },
    take: () => slots.take(),
  }
  let open = false
  /** Of lanes that are gone. */
  let duplicates = 0
  let reconnects = 0

  const all = () => [...lanes]
  const of = (name: string) => all().find(({ ledger }) => ledger.get(name))

  function make(): Lane {
    const ledger = new Ledger(order, settings.environment.now, events)
    const connection = createConnection(
      own,
      ledger,
      {
        ...events,
        opened() {
          lane.late = false
        },
        changed,
        refused(error: PushStreamError) {
          drop(lane)
          events.refused(error)
          changed()
        },
      },
      share,
    )
    const lane: Lane = { ledger, connection, late: open, changed: true }
    lanes.add(lane)
    return lane
  }

  function changed(): void {
    events.changed()
    const was = open
    open = state() === 'open'
    if (open && !was) events.opened()
  }

  /** Ends a lane that has no channel any more. One that has room for any is kept for others. */
  function drop(lane: Lane): void {
    if (room === Number.POSITIVE_INFINITY || lane.ledger.size > 0 || !lanes.delete(lane)) return
    duplicates += lane.ledger.duplicates
    reconnects += lane.connection.reconnects
    lane.connection.disconnect()
  }

  const state = (): Status['state'] => {
    const wanted = all().filter(({ ledger }) => ledger.size > 0)
    const counted = wanted.filter(({ late, connection }) => !late || connection.context.failures > 0)
    const states = (counted.length > 0 ? counted : wanted).map(stateOf)
    return worst.find((one) => states.includes(one)) ?? 'closed'
  }

  return {
    /** How the client is, as far as its connections say it. */
    get status(): Pick<Status, 'state' | 'mode' | 'attempt' | 'retryAt' | 'error'> {
      const now = state()
      // The lane that says how the client is.
      const lane = all().find((one) => stateOf(one) === now)
      const { current, failures = 0, retryAt } = lane?.connection.context ?? {}
      return {
        state: now,
        mode: now === 'open' ? current?.mode : undefined,
        attempt: now === 'open' ? 0 : failures,
        retryAt: now === 'waiting' ? retryAt : undefined,
        error: all().find(({ connection }) => connection.error !== undefined)?.connection.error,
      }
    },
    get channels(): string[] {
      return all().flatMap(({ ledger }) => ledger.all.map(({ name }) => name))
    },
    get duplicates() {
      return all().reduce((sum, { ledger }) => sum + ledger.duplicates, duplicates)
    },
    get reconnects() {
      return all().reduce((sum, { connection }) => sum + connection.reconnects, reconnects)
    },
    /** Adds a channel; `false` if it is there. */
    add(name: string, backtrack: number, from: Position | undefined): boolean {
      if (of(name) !== undefined) return false
      const lane = all().find(({ ledger }) => ledger.size < room) ?? make()
      lane.ledger.add(name, backtrack, from)
      lane.changed = true
      return true
    },
    /** Takes a channel away; `false` if it isn't there. Nothing of it is delivered any more. */
    remove(name: string): boolean {
      const lane = of(name)
      if (!lane?.ledger.remove(name)) return false
      drop(lane)
      lane.changed = true
      return true
    },
    /** Sends a text by the connection of this channel, if that can. */
    send: (name: string, text: string): boolean => of(name)?.connection.current()?.send(text) ?? false,
    connect() {
      for (const lane of all()) {
        const { ledger, connection } = lane
        // What is under way may have begun without the newest of them.
        if (connection.context.state === 'closed') lane.changed = false
        if (ledger.size > 0) connection.connect()
      }
    },
    /** Other channels are wanted now. */
    change() {
      for (const lane of all()) {
        const { ledger, connection, changed } = lane
        lane.changed = false
        if (ledger.size === 0) connection.disconnect()
        else if (connection.context.state === 'closed') connection.connect()
        else if (apart || !changed) connection.yield()
        else connection.change()
      }
    },
    disconnect() {
      for (const { connection } of all()) connection.disconnect()
    },
  }
}

/** The same settings, that tell the slots how long answers take. */
function timed(settings: Settings, slots: Slots): Settings {
  const { environment } = settings
  return {
    ...settings,
    environment: {
      ...environment,
      async fetch(input, init) {
        const sent = environment.now()
        const response = await environment.fetch(input, init)
        slots.answered(environment.now() - sent)
        return response
      },
    },
  }
}

export type Lanes = ReturnType<typeof createLanes>
