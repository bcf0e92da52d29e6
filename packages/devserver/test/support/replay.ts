import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { DevServerOptions } from '../../src/index.js'
import { Stage } from './stage.js'
import { normaliseStatistics } from './statistics-normaliser.js'
import type { Transcript, TranscriptEvent } from './transcript.js'

/** What a transcript does not show: when it began, what was there before, what was published meanwhile. */
export interface Scenario {
  /** Time of day of the first byte. Default: worked out from the `Date` headers. */
  start?: string
  /** Time of day at which the clock begins, for what was there before. Default `start`. */
  begin?: string
  /** What was there before the first byte. */
  setup?: (stage: Stage) => void | Promise<void>
  /** What happened beside it: milliseconds since the first byte, and what. */
  meanwhile?: Array<[at: number, what: (stage: Stage) => void | Promise<void>]>
  /** What happened right before a connection's first byte, where milliseconds are too coarse. */
  before?: Record<number, (stage: Stage) => void | Promise<void>>
  /** The end of client bytes that the transcript elides. */
  elided?: string
  /** Options of the server. */
  options?: DevServerOptions
}

/** How early a byte may come before the moment the transcript has it, ms: the module's own delay. */
const EARLY = 100

/** The time of day, on the day of the transcripts, as a clock has it. */
export function timeOfDay(time: string): number {
  return Date.parse(`2026-11-20T${time.includes('.') ? time : `${time}.000`}Z`)
}

/** Plays a transcript against the server and compares every byte. */
export async function replay(transcript: Transcript, scenario: Scenario): Promise<void> {
  const start = scenario.start === undefined ? startOf(transcript) : timeOfDay(scenario.start)
  const begin = scenario.begin === undefined ? start : timeOfDay(scenario.begin)
  const stage = await Stage.open(begin, new Set(transcript.ports.values()), scenario.options)
  try {
    await scenario.setup?.(stage)
    stage.clock.advanceTo(start)
    const player = new Player(stage, transcript, scenario, start)
    for (const event of transcript.events) await player.play(event)
    await player.finish()
  } finally {
    await stage.close()
  }
  expect(stage.clock.pending, 'timers left after close()').toBe(0)
}

class Player {
  readonly #stage: Stage
  readonly #transcript: Transcript
  readonly #scenario: Scenario
  readonly #start: number
  readonly #expected = new Map<number, TranscriptEvent[]>()
  readonly #ended = new Set<number>()
  readonly #meanwhile: NonNullable<Scenario['meanwhile']>

  constructor(stage: Stage, transcript: Transcript, scenario: Scenario, start: number) {
    this.#stage = stage
    this.#transcript = transcript
    this.#scenario = scenario
    this.#start = start
    this.#meanwhile = [...(scenario.meanwhile ?? [])]
  }

  async play(event: TranscriptEvent): Promise<void> {
    while (this.#meanwhile[0] !== undefined && this.#meanwhile[0][0] <= event.at) {
      const [at, what] = this.#meanwhile.shift()!
      await this.#moveTo(at)
      await what(this.#stage)
    }
    await this.#moveTo(event.at)
    if (event.kind === 'client') return this.#send(event)
    // The transcript cuts milliseconds off: the server may have acted a little later within this one.
    this.#stage.clock.advanceTo(this.#start + event.at + 0.999)
    const socket = this.#stage.connections.get(event.connection)!
    if (event.kind === 'fin') {
      this.#ended.add(event.connection)
      return this.#until(event, () => socket.ended)
    }
    this.#expected.set(event.connection, [...this.#eventsOf(event.connection), event])
    const wanted = this.#length(event.connection)
    await this.#until(event, () => socket.received.length >= wanted || socket.ended)
  }

  async #until({ at, connection, kind }: TranscriptEvent, condition: () => boolean): Promise<void> {
    try {
      await this.#stage.connections.get(connection)!.until(condition)
    } catch (error) {
      this.#compare(connection)
      throw new Error(`@${at}ms conn${connection} ${kind}: ${(error as Error).message}`)
    }
  }

  /** Nothing more may have come, no connection may have ended of itself, and all bytes must be the same. */
  async finish(): Promise<void> {
    expect(this.#meanwhile, 'steps after the last event').toEqual([])
    await this.#stage.fence.pass()
    for (const [connection, socket] of this.#stage.connections) {
      this.#compare(connection)
      if (!this.#stage.dropped.has(connection)) {
        expect(socket.ended, `conn${connection} ended by the server`).toBe(this.#ended.has(connection))
      }
    }
  }

  async #send(event: TranscriptEvent): Promise<void> {
    const { connections } = this.#stage
    if (!connections.has(event.connection)) {
      await this.#scenario.before?.[event.connection]?.(this.#stage)
      connections.set(event.connection, await this.#stage.connect(this.#transcript.ports.get(event.connection)!))
    }
    const bytes =
      event.digest === null ? event.bytes : Buffer.concat([event.bytes, Buffer.from(this.#scenario.elided ?? '')])
    if (event.digest !== null) expect(digest(bytes), `what conn${event.connection} sends`).toBe(event.digest)
    await connections.get(event.connection)!.write(bytes)
    await this.#stage.fence.pass()
  }

  /** Moves the clock, looking shortly before whether something came too early. */
  async #moveTo(at: number): Promise<void> {
    const { clock, fence } = this.#stage
    const moment = this.#start + at
    if (moment - clock.now() > EARLY) {
      clock.advanceTo(moment - EARLY)
      await fence.pass()
      for (const connection of this.#stage.connections.keys()) this.#compare(connection)
    }
    if (moment > clock.now()) clock.advanceTo(moment)
  }

  #eventsOf(connection: number): TranscriptEvent[] {
    return this.#expected.get(connection) ?? []
  }

  #length(connection: number): number {
    return this.#eventsOf(connection).reduce((sum, event) => sum + event.length, 0)
  }

  #compare(connection: number): void {
    const events = this.#eventsOf(connection)
    const { received } = this.#stage.connections.get(connection)!
    let offset = 0
    const shown = events.map((event) => {
      const segment = received.subarray(offset, offset + event.length)
      offset += event.length
      if (event.digest === null) return [event.bytes, segment] as const
      expect(digest(segment), `conn${connection}: all of a segment that the transcript elides`).toBe(event.digest)
      return [event.bytes, segment.subarray(0, event.bytes.length)] as const
    })
    const expected = Buffer.concat(shown.map(([bytes]) => bytes))
    const actual = Buffer.concat([...shown.map(([, bytes]) => bytes), received.subarray(offset)])
    const text = (bytes: Buffer) => normaliseStatistics(bytes).toString('latin1')
    expect(text(actual), `conn${connection} received`).toBe(text(expected))
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16)
}

/**
 * The moment of the first byte: the middle of what all `Date` headers leave possible. The head of a streaming answer is
 * made when the request comes, though it leaves with the first message.
 */
function startOf(transcript: Transcript): number {
  let earliest = Number.NEGATIVE_INFINITY
  let latest = Number.POSITIVE_INFINITY
  const asked = new Map<number, number>()
  for (const event of transcript.events) {
    if (event.kind === 'client') asked.set(event.connection, event.at)
    const text = event.bytes.toString('latin1')
    const date = event.kind === 'server' ? /\r\nDate: (.*)\r\n/.exec(text) : null
    if (date === null) continue
    const at = text.includes('Content-Type: text/html') ? asked.get(event.connection)! : event.at
    earliest = Math.max(earliest, Date.parse(date[1]!) - at)
    latest = Math.min(latest, Date.parse(date[1]!) + 999 - at)
  }
  if (!Number.isFinite(earliest)) throw new Error('no Date header: the scenario must say when it started')
  if (latest < earliest)
    throw new Error('the Date headers contradict each other: the scenario must say when it started')
  return Math.floor((earliest + latest) / 2)
}
