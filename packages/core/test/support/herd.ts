import { seededRandom } from '../../../devserver/src/clock.js'
import { defaultEnvironment } from '../../src/environment.js'
import { type Settings, settingsOf } from '../../src/options.js'
import { acceptDelay, type Connection } from '../../src/session/connection.js'
import { type Attempt, type Event, initial, reduce, type TimerName, timerNames } from '../../src/session/state.js'
import { Strategy } from '../../src/session/strategy.js'
import { eventsource, longpolling, stream } from '../../src/transports/http.js'
import { websocket } from '../../src/transports/websocket.js'

/** How clients come back. `core` is the client's own policy: the reducer, its back-off and its order of modes. */
export type Policy = 'core' | 'every 3 s' | 'exponential, no jitter'

export interface Outage {
  readonly policy: Policy
  readonly clients: number
  /** Connections that the server takes in a second. */
  readonly perSecond: number
  /** How long it is away, in ms. */
  readonly downFor: number
  /** What becomes of an attempt that finds the server away, or its queue full. `dropped`: TCP tries it again later. */
  readonly otherwise: 'refused' | 'dropped'
  readonly seed: number
}

export interface Recovery {
  /** When each client made its first attempt, in ms since it lost its connection. */
  readonly first: readonly number[]
  /** When each client had a connection again, in ms since the server was back. */
  readonly back: readonly number[]
  /** The most attempts in one second, and in 10 ms. */
  readonly peak: number
  readonly densest: number
  readonly attempts: number
}

/** What the server's queue holds is done in this time, in ms. At 2,000 a second it is what nginx's `listen` holds by default. */
const queueTime = 255
/** The way to the server and back, in ms. */
const roundTrip = 40
/** When TCP sends a packet again that opens a connection, in ms after the one before it. */
const resent = [1000, 2000, 4000]
/** How long an attempt of the other policies may take, in ms. */
const patience = 2000
/** When a simulation ends at the latest, in ms after the loss. */
const end = 300_000

/** What is due in each ms. */
class Agenda {
  now = 0
  readonly #due = new Map<number, (() => void)[]>()

  at(when: number, task: () => void): void {
    const ms = Math.max(this.now, Math.ceil(when))
    const tasks = this.#due.get(ms)
    if (tasks === undefined) this.#due.set(ms, [task])
    else tasks.push(task)
  }

  /** Runs until then, or until nothing is left to wait for. */
  run(until: number, over: () => boolean): void {
    for (; this.now <= until && !over(); this.now++) {
      const tasks = this.#due.get(this.now)
      this.#due.delete(this.now)
      // A task may add others to the same ms.
      for (let i = 0; tasks !== undefined && i < tasks.length; i++) tasks[i]?.()
    }
  }
}

const names = Object.keys(timerNames) as TimerName[]

/** A server that takes so many connections a second, one after the other, and has a queue that can be full. */
class Server {
  /** Attempts in each ms since the loss. */
  readonly attempts = new Uint32Array(end + 1)
  #freeAt: number

  constructor(
    readonly outage: Outage,
    readonly agenda: Agenda,
  ) {
    this.#freeAt = outage.downFor
  }

  /** An attempt that is given up keeps its place in the queue. */
  connect(wanted: () => boolean, done: (taken: boolean) => void): void {
    const { now } = this.agenda
    this.attempts[now] = (this.attempts[now] ?? 0) + 1
    this.#arrive(wanted, done, resent)
  }

  #arrive(wanted: () => boolean, done: (taken: boolean) => void, [wait, ...later]: readonly number[]): void {
    const { agenda, outage } = this
    const { now } = agenda
    const { downFor, otherwise, perSecond } = outage
    if (now >= downFor && this.#freeAt - now <= queueTime) {
      this.#freeAt = Math.max(now, this.#freeAt) + 1000 / perSecond
      agenda.at(this.#freeAt + roundTrip, () => done(true))
    } else if (otherwise === 'refused') agenda.at(now + roundTrip, () => done(false))
    else if (wait !== undefined) agenda.at(now + wait, () => wanted() && this.#arrive(wanted, done, later))
  }
}

/** A client of default options that had a websocket until now. `back` is called when it has a connection again. */
function loseCore(settings: Settings, server: Server, back: () => void): void {
  const { agenda } = server
  const strategy = new Strategy(settings, undefined)
  const accepted = ({ mode }: Attempt, openedAt: number, since = agenda.now) => {
    const transport = { polls: mode === 'longpolling' }
    strategy.accepted({ mode, openedAt, since, lastLife: since, transport } as Connection)
  }
  let state = initial
  const opening = new Set<number>()
  const underWay = (key: number) => state.attempts.some((attempt) => attempt.key === key)
  const ended = (key: number, hung = false) =>
    underWay(key) && send({ type: 'ended', key, action: 'backoff', worked: false, hung, final: false })

  function expired(name: TimerName): void {
    // As in session.ts: what is open is about to be accepted.
    if (name === 'nextMode' && state.attempts.some(({ key }) => opening.has(key)))
      agenda.at(agenda.now + acceptDelay, () => send({ type: name }))
    else send({ type: name })
  }

  function open(attempt: Attempt): void {
    const { key, mode } = attempt
    const { now } = agenda
    const due = now + strategy.timeout(state.failures)
    // Most are answered by then, and need no timer.
    agenda.at(now + 2 * roundTrip, () => underWay(key) && agenda.at(due, () => ended(key, true)))
    let answeredAt = now
    const accept = () => {
      if (!underWay(key)) return
      accepted(attempt, now, answeredAt)
      send({ type: 'accepted', key })
      back()
    }
    const wanted = () => underWay(key)
    server.connect(wanted, (taken) => {
      if (!taken || !wanted()) return ended(key)
      answeredAt = agenda.now
      opening.add(key)
      if (mode === 'websocket') agenda.at(agenda.now + acceptDelay, accept)
      // Only another request shows that a poll which hangs is well.
      else if (mode === 'longpolling') server.connect(wanted, (answered) => (answered ? accept() : ended(key)))
      else accept()
    })
  }

  function send(event: Event): void {
    const before = state
    state = reduce(before, event, strategy.policy)
    for (const name of names) {
      const field = timerNames[name]
      const when = state[field]
      if (when === undefined || when === before[field]) continue
      agenda.at(when, () => state[field] === when && expired(name))
    }
    if (before.current === undefined && event.type !== 'connect')
      for (const attempt of state.attempts) if (attempt.key > before.serial) open(attempt)
  }

  send({ type: 'connect' })
  const first = state.attempts[0] as Attempt
  accepted(first, agenda.now - roundTrip)
  send({ type: 'accepted', key: first.key })
  strategy.lost()
  send({ type: 'ended', key: first.key, action: 'backoff', worked: true, final: false })
}

/** A client that waits for so many ms after its n-th failure. */
function lose(waitOf: (failures: number) => number, server: Server, back: () => void): void {
  const { agenda } = server
  let failures = 0
  const attempt = () => {
    let open = true
    const over = (taken: boolean) => {
      if (!open) return
      open = false
      if (taken) back()
      else agenda.at(agenda.now + waitOf(++failures), attempt)
    }
    agenda.at(agenda.now + patience, () => over(false))
    server.connect(() => open, over)
  }
  agenda.at(agenda.now + waitOf(++failures), attempt)
}

const most = (counts: Uint32Array, ms: number): number => {
  let sum = 0
  let found = 0
  counts.forEach((count, at) => {
    sum += count - (counts[at - ms] ?? 0)
    found = Math.max(found, sum)
  })
  return found
}

/** Clients that all lose their connections in the same ms, until all of them are back. */
export function simulate(outage: Outage): Recovery {
  const { clients, policy, downFor, seed } = outage
  const agenda = new Agenda()
  const server = new Server(outage, agenda)
  const random = seededRandom(seed)
  const environment = { ...defaultEnvironment(), now: () => agenda.now, random, memory: undefined }
  const settings = settingsOf({ url: 'http://h', environment }, { websocket, eventsource, stream, longpolling })
  const first: number[] = []
  const back: number[] = []
  for (let client = 0; client < clients; client++) {
    let tried = false
    const connect: Server['connect'] = (...attempt) => {
      if (!tried) first.push(agenda.now)
      tried = true
      server.connect(...attempt)
    }
    const own = Object.assign(Object.create(server) as Server, { connect })
    const done = () => back.push(agenda.now - downFor)
    if (policy === 'core') loseCore(settings, own, done)
    else lose(policy === 'every 3 s' ? () => 3000 : (n) => Math.min(60_000, 1000 * 2 ** (n - 1)), own, done)
  }
  agenda.run(end, () => back.length === clients)
  const { attempts } = server
  return {
    first,
    back,
    peak: most(attempts, 1000),
    densest: most(attempts, 10),
    attempts: attempts.reduce((sum, count) => sum + count, 0),
  }
}
