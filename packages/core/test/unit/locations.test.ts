import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PushStream } from '../../src/push-stream.js'
import { nativeWebSocket } from '../../src/transports/native-websocket.js'
import type { ModeName } from '../../src/types.js'
import { type ModuleOptions, SimulatedModule } from '../support/simulated-module.js'
import { runs } from './support/runs.js'

// Locations that take one name, or names without a number of messages behind them: what is asked for otherwise is left to a
// catch-all, or let in and ended.

const modes: readonly ModeName[] = ['websocket', 'eventsource', 'stream', 'longpolling']

/** What a location takes, by the names as they stand in the address. */
const kinds = {
  'one name alone': (names: readonly string[]) => names.length === 1 && names.every((name) => /^\w+$/.test(name)),
  'one name': (names: readonly string[]) => names.length === 1,
  'names alone': (names: readonly string[]) => names.every((name) => /^\w+$/.test(name)),
}

class Visit {
  readonly server: SimulatedModule
  readonly stream: PushStream
  /** What was published since the client was open first, by channel. */
  readonly published = new Map<string, string[]>()
  readonly came = new Map<string, string[]>()
  readonly errors: string[] = []
  opened = false
  #n = 0

  constructor(mode: ModeName, names: readonly string[], options: ModuleOptions, stored = 1) {
    this.server = new SimulatedModule(options)
    for (let i = 0; i < stored; i++) for (const name of names) this.server.publish(name, `old ${i}`)
    const { environment } = this.server
    this.stream = new PushStream({
      url: 'http://h',
      modes: [mode === 'websocket' ? nativeWebSocket : mode],
      environment,
    })
    const note = (channel: string, text: string) => this.came.set(channel, [...(this.came.get(channel) ?? []), text])
    this.stream.on('message', ({ channel, text }) => note(channel, text))
    this.stream.on('gap', ({ channel }) => note(channel, 'gap'))
    this.stream.on('error', ({ channel, code }) => this.errors.push(`${channel} ${code}`))
    this.stream.on('open', () => {
      this.opened = true
    })
    for (const name of names) this.stream.addChannel(name)
    this.stream.connect()
  }

  publish(channel: string): void {
    const text = `${++this.#n}`
    this.server.publish(channel, text)
    if (this.opened) this.published.set(channel, [...(this.published.get(channel) ?? []), text])
  }

  async until(so: () => boolean, ms: number): Promise<boolean> {
    for (let passed = 0; passed < ms && !so(); passed += 50) await this.server.clock.advance(50)
    return so()
  }

  /** Messages that came too often, out of order, or not at all and without a gap before the next one. */
  get faults(): string[] {
    const found: string[] = []
    for (const [channel, texts] of this.published) {
      const came = this.came.get(channel) ?? []
      let next = 0
      let gap = false
      for (const text of came) {
        const at = texts.indexOf(text)
        if (text === 'gap') gap = true
        if (at < 0) continue
        if (at < next) found.push(`${channel}: ${text} again or late`)
        else if (at > next && !gap) found.push(`${channel}: lost before ${text}: ${texts.slice(next, at)}`)
        next = Math.max(next, at + 1)
        gap = false
      }
      if (next < texts.length) found.push(`${channel}: never came: ${texts.slice(next)}`)
    }
    return found
  }
}

test.each(modes.flatMap((mode) => [400, 401, 403, 404].map((catchAll) => [mode, catchAll] as const)))(
  '%s, three channels, a location of one name, and %i for all else → all are open, each message comes',
  async (mode, catchAll) => {
    const visit = new Visit(mode, ['a', 'b', 'c'], { takes: kinds['one name alone'], catchAll })
    expect(await visit.until(() => visit.opened, 10_000)).toBe(true)
    for (const name of ['a', 'b', 'c']) visit.publish(name)
    await visit.until(() => false, 60_000)
    expect([visit.faults, visit.stream.channels, visit.stream.status.state]).toEqual([[], ['a', 'b', 'c'], 'open'])
    visit.stream.close()
  },
)

type Move = { kind: 'publish'; channel: number } | { kind: 'pass'; ms: number } | { kind: 'cut' }

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish' as const), channel: fc.nat(2) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(5, 100, 200, 1000, 4000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
)

test(
  'whatever a location takes, and however late it ends what it let in → nothing is lost without a gap',
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...modes),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
        fc.constantFrom(400, 401, 403, 404),
        fc.option(fc.array(fc.constantFrom(0, 2, 140, 160, 250, 600, 1500), { maxLength: 6 })),
        fc.boolean(),
        fc.array(fc.constantFrom(1, 20, 200, 600), { maxLength: 12 }),
        fc.nat(2),
        fc.array(move, { maxLength: 40 }),
        async (mode, count, kind, catchAll, delays, explained, slow, stored, moves) => {
          const names = ['a', 'b', 'c'].slice(0, count)
          const late = [...(delays ?? [])]
          const visit = new Visit(
            mode,
            names,
            {
              takes: kinds[kind],
              catchAll,
              explained,
              latency: () => slow.shift() ?? 1,
              ...(delays && { letsIn: () => late.shift() ?? 2 }),
            },
            stored,
          )
          await visit.until(() => visit.opened, 60_000)
          for (const move of moves) {
            if (move.kind === 'publish') visit.publish(names[move.channel % count] as string)
            else if (move.kind === 'cut') visit.server.cut()
            else await visit.server.clock.advance(move.ms)
          }
          await visit.until(() => false, 90_000)
          for (const name of names) visit.publish(name)
          await visit.until(() => visit.faults.length === 0, 60_000)
          expect([visit.faults, visit.stream.channels, visit.stream.status.state]).toEqual([[], names, 'open'])
          visit.stream.close()
        },
      ),
      runs(60),
    ),
  390_000,
)
