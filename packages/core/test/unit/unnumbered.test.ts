import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ChannelStore } from '../../src/delivery/channel-store.js'
import { newReplay, type Replay } from '../../src/delivery/order.js'
import { unnumbered } from '../../src/delivery/unnumbered.js'
import { IncomingMessage } from '../../src/message.js'
import { everything, positionOf, secondOf } from '../../src/position.js'
import type { Decoder } from '../../src/protocols/protocol.js'
import type { Position } from '../../src/types.js'
import { make } from './support/nchan.js'
import { runs } from './support/runs.js'
import { wanted } from './support/wanted.js'

const at = (second: number, tag: number) => positionOf(second * 1000, tag + 1)
const message = (position: Position, text: string, channel = 'a') =>
  new IncomingMessage(undefined, channel, text, position, undefined, undefined, undefined, 'websocket', false)

let now: number
let channelStore: ChannelStore
let log: string[]
let replay: Replay

function begin(shared = false, ...names: string[]): void {
  now = 1000
  log = []
  replay = newReplay()
  channelStore = new ChannelStore(unnumbered(shared), () => now, {
    deliver: ({ text }) => log.push(text),
    gap: (channel, first, last, reason) => log.push(`gap ${channel} ${first}-${last} ${reason}`),
  })
  for (const name of names.length === 0 ? ['a'] : names) channelStore.add(name, 0, undefined)
}

beforeEach(() => begin())

const channel = (name = 'a') => channelStore.get(name)!
/** Takes messages in: `[second, counter, text]`, or a text of which nobody knows the place. */
const bring = (...messages: (readonly [number, number, string] | string)[]) =>
  messages.map((one) =>
    typeof one === 'string'
      ? channelStore.receive(message(Number.NaN, one), replay)
      : channelStore.receive(message(at(one[0], one[1]), one[2]), replay),
  )
/** Another connection takes over. */
const reconnect = () => {
  replay = newReplay()
  log.push('|')
}

describe('from where a channel is asked for', () => {
  test('a new one: from nowhere', () => {
    expect(channelStore.watermark(channel())).toBeUndefined()
  })

  test('one that was listened to without a message: everything', () => {
    channel().joinedAt = 5
    expect(channelStore.watermark(channel())).toBe(everything)
  })

  test('one that is to begin somewhere: everything, and what is before that is dropped', () => {
    channelStore.add('b', 0, at(10, 3))
    expect(channelStore.watermark(channel('b'))).toBe(everything)
    for (const [position, text] of [
      [at(9, 0), 'before'],
      [at(10, 3), 'the last before'],
      [at(10, 4), 'b'],
    ] as const) {
      channelStore.receive(message(position, text, 'b'), replay)
    }
    expect(log).toEqual(['b'])
  })

  test('one with messages: the last of them, for 90 s', () => {
    bring([10, 0, 'x'], [10, 1, 'y'])
    expect(channelStore.watermark(channel())).toBe(at(10, 1))
    now += 90_000
    expect(channelStore.watermark(channel())).toBe(at(10, 1))
    now += 1
    expect(channelStore.watermark(channel())).toBe(everything)
    bring([10, 1, 'y'])
    expect(channelStore.watermark(channel())).toBe(at(10, 1))
  })

  test('after a doubt: everything, until something of it comes', () => {
    bring([10, 0, 'x'])
    channelStore.suspectLoss()
    expect(channelStore.watermark(channel())).toBe(everything)
    reconnect()
    bring([10, 0, 'x'])
    expect(channelStore.watermark(channel())).toBe(at(10, 0))
  })

  test('a doubt says nothing of a channel that was not listened to', () => {
    channelStore.suspectLoss()
    expect(channelStore.watermark(channel())).toBeUndefined()
    channel().joinedAt = 5
    channelStore.suspectLoss()
    expect(channel().mayHaveLostHistory).toBe(true)
  })

  test('several by one connection: a second before the newest of all, everything where one is in doubt', () => {
    begin(true, 'a', 'b')
    expect(channelStore.lowWatermark()).toBeUndefined()
    channelStore.receive(message(at(10, 0), 'x', 'a'), replay)
    channelStore.receive(message(at(12, 0), 'y', 'b'), replay)
    expect([channelStore.watermark(channel('a')), channelStore.watermark(channel('b'))]).toEqual([
      positionOf(11_000, 0),
      positionOf(11_000, 0),
    ])
    channelStore.suspectLoss()
    expect(channelStore.lowWatermark()).toBe(everything)
  })
})

describe('what comes', () => {
  test('for the first time: no gap, wherever it begins', () => {
    bring([10, 7, 'x'], [10, 8, 'y'], [12, 0, 'z'])
    expect(log).toEqual(['x', 'y', 'z'])
  })

  test('again: dropped, and what follows is new', () => {
    bring([10, 0, 'x'], [10, 1, 'y'])
    reconnect()
    expect(bring([10, 0, 'x'], [10, 1, 'y'], [12, 4, 'z'])).toEqual(['dropped', 'dropped', 'delivered'])
    expect([...log, channelStore.duplicates]).toEqual(['x', 'y', '|', 'z', 2])
  })

  test('directly after what is known: no gap', () => {
    bring([10, 0, 'x'])
    reconnect()
    bring([10, 1, 'y'])
    expect(log).toEqual(['x', '|', 'y'])
  })

  test('without anything known before it: one gap', () => {
    bring([10, 0, 'x'])
    reconnect()
    bring([10, 2, 'y'], [11, 0, 'z'])
    expect(log).toEqual(['x', '|', 'gap a unknown-unknown overflow', 'y', 'z'])
  })

  test('what was stored before our time, and shows that nothing since is lost', () => {
    bring([10, 3, 'x'])
    now += 60_000
    reconnect()
    bring([9, 0, 'before'], [10, 2, 'before'], [10, 3, 'x'], [50, 0, 'y'])
    expect(log).toEqual(['x', '|', 'y'])
  })

  test('an older second is still stored, but the last message is not there: nothing known comes, and none is claimed', () => {
    bring([10, 0, 'x'], [11, 0, 'y'])
    reconnect()
    bring([10, 0, 'x'], [12, 0, 'z'])
    expect(log).toEqual(['x', 'y', '|', 'z'])
  })

  test('after a doubt, something new without anything known: a restart', () => {
    bring([10, 0, 'x'])
    channelStore.suspectLoss()
    reconnect()
    bring([12, 0, 'y'])
    expect(log).toEqual(['x', '|', 'gap a unknown-unknown restart', 'y'])
  })

  test('after a doubt, something known: nothing was lost', () => {
    bring([10, 0, 'x'])
    channelStore.suspectLoss()
    reconnect()
    bring([10, 0, 'x'], [12, 0, 'y'])
    expect(log).toEqual(['x', '|', 'y'])
  })

  test('a counter that began anew within the second, with or without a doubt', () => {
    for (const doubted of [true, false]) {
      begin()
      bring([10, 0, 'x'], [10, 1, 'y'], [10, 2, 'z'])
      if (doubted) channelStore.suspectLoss()
      reconnect()
      bring([10, 0, 'new'], [10, 1, 'newer'], [10, 2, 'z'], [10, 3, 'newest'])
      // The text that was there before is taken for new as well: it is.
      expect(log).toEqual(['x', 'y', 'z', '|', 'gap a unknown-unknown restart', 'new', 'newer', 'z', 'newest'])
      expect(channelStore.watermark(channel())).toBe(at(10, 3))
    }
  })

  // The first of a new store, or one from before our time? The next one would tell.
  test.fails('after a doubt, an earlier message of the second in which it began to listen is no new store', () => {
    bring([10, 1, 'x'])
    channelStore.suspectLoss()
    reconnect()
    bring([10, 0, 'before'], [10, 1, 'x'], [12, 0, 'y'])
    expect(log).toEqual(['x', '|', 'y'])
  })

  test('in one connection for several, each that lost its store has its own gap', () => {
    begin(true, 'a', 'b')
    for (const name of ['a', 'b']) channelStore.receive(message(at(10, 0), `${name}1`, name), replay)
    channelStore.suspectLoss()
    reconnect()
    for (const name of ['a', 'b']) channelStore.receive(message(at(12, 0), `${name}2`, name), replay)
    expect(log).toEqual([
      ...['a1', 'b1', '|'],
      ...['gap a unknown-unknown restart', 'a2', 'gap b unknown-unknown restart', 'b2'],
    ])
  })

  test('in one connection for several, what is known of one shows that nothing is lost of the others', () => {
    begin(true, 'a', 'b')
    channelStore.receive(message(at(9, 0), 'b1', 'b'), replay)
    channelStore.receive(message(at(10, 0), 'a1', 'a'), replay)
    reconnect()
    channelStore.receive(message(at(10, 0), 'a1', 'a'), replay)
    channelStore.receive(message(at(11, 3), 'b2', 'b'), replay)
    expect(log).toEqual(['b1', 'a1', '|', 'b2'])
  })

  // A carriage return alone ends a line of an eventsource, and one before a line feed is no part of the text.
  test('a text of several lines, first by websocket and then by eventsource: once', () => {
    const protocol = make()
    const events = {
      ping() {},
      deleted() {},
      dead() {},
      over() {},
      message: (one: IncomingMessage) => void channelStore.receive(one, replay),
    }
    const open = (kind: 'websocket' | 'eventsource') => protocol.decoder({ kind, liveFrom: 0, channels: ['a'] }, events)
    open('websocket').frame('id: 10:0\n\nline1\r\nline2')
    reconnect()
    open('eventsource').frame('line1\nline2', { id: '10:0' })
    expect(log).toEqual(['line1\r\nline2', '|'])
  })

  // Transcript 01a: an eventsource loses what stands between a carriage return alone and the next line feed.
  test('the same, with a carriage return alone', () => {
    bring([10, 0, 'line3\rline4\nline5'])
    reconnect()
    bring([10, 0, 'line3\nline5'])
    expect(log).toEqual(['line3\rline4\nline5', '|'])
  })

  test('before the first message: after a doubt a gap, as something may be lost', () => {
    channel().joinedAt = 5
    channelStore.suspectLoss()
    bring([10, 0, 'x'])
    expect(log).toEqual(['gap a unknown-unknown restart', 'x'])
  })

  test('on two connections at once: once each', () => {
    const other = newReplay()
    bring([10, 0, 'x'])
    channelStore.receive(message(at(10, 0), 'x'), other)
    channelStore.receive(message(at(10, 1), 'y'), other)
    bring([10, 1, 'y'], [10, 2, 'z'])
    channelStore.receive(message(at(10, 2), 'z'), other)
    channelStore.receive(message(at(11, 0), 'w'), other)
    expect(log).toEqual(['x', 'y', 'z', 'w'])
  })

  test('an empty text is a message like any other', () => {
    bring([10, 0, ''], [10, 1, ''], [10, 2, ''])
    reconnect()
    bring([10, 0, ''], [10, 1, ''], [10, 2, ''], [10, 3, ''])
    expect(log).toEqual(['', '', '', '|', ''])
  })

  test('the memory of what is known has an end, by the clock of the server', () => {
    for (let n = 0; n < 1000; n++) bring([10_000 + Math.floor(n / 100), n % 100, `m${n}`])
    // The second that is asked for again, and the two before it.
    expect(channel().known.size).toBe(300)
    begin()
    for (let second = 0; second < 100; second++) bring([10_000 + second * 10_000, 0, `m${second}`])
    expect(channel().known.size).toBe(64)
  })
})

describe('answers of which only the last part has a place', () => {
  const parts = (...texts: string[]) => bring(...texts.slice(0, -1), [12, 0, texts.at(-1) as string])

  test('are held until that one comes', () => {
    expect(bring('x', 'y', [12, 0, 'z'])).toEqual(['buffered', 'buffered', 'delivered'])
    expect(log).toEqual(['x', 'y', 'z'])
  })

  test.each<[string, string[], string[]]>([
    ['known ones are dropped', ['x', 'y', 'new', 'z'], ['new', 'z']],
    ['only the last of the known is left', ['y', 'new', 'z'], ['new', 'z']],
    ['nothing known is left: a gap', ['new', 'newer', 'z'], ['gap a unknown-unknown overflow', 'new', 'newer', 'z']],
    ['what was before our time, too', ['older', 'x', 'y', 'z'], ['older', 'x', 'y', 'z'].slice(3)],
  ])('%s', (_, texts, expected) => {
    bring([10, 0, 'x'], [10, 1, 'y'])
    reconnect()
    parts(...texts)
    expect(log.slice(3)).toEqual(expected)
  })

  test('the last part is known: all are', () => {
    bring([10, 0, 'x'], [12, 0, 'y'])
    reconnect()
    parts('w', 'x', 'y')
    expect(log).toEqual(['x', 'y', '|'])
  })

  test('after a doubt, in a second that was known: a new store', () => {
    bring([12, 0, 'x'], [12, 1, 'y'])
    channelStore.suspectLoss()
    reconnect()
    parts('new', 'newer')
    expect(log).toEqual(['x', 'y', '|', 'gap a unknown-unknown restart', 'new', 'newer'])
  })

  test('further answers of the same chain bring only what is new, also where a text comes again', () => {
    parts('x', 'y')
    bring('y', [13, 0, 'w'])
    bring('y', 'w', [14, 0, 'w'])
    expect(log).toEqual(['x', 'y', 'y', 'w', 'y', 'w', 'w'])
  })

  test('a text that is known is not the same one after something else', () => {
    bring([10, 0, 'x'], [10, 1, 'y'])
    reconnect()
    parts('other', 'y', 'z')
    expect(log.slice(3)).toEqual(['gap a unknown-unknown overflow', 'other', 'y', 'z'])
  })
})

/** One channel of a server: seconds, counters within them, a store of limited length. */
class Server {
  second = 1_000_000
  #tag = 0
  stored: { second: number; tag: number; text: string; n: number }[] = []
  /** Everything it took. */
  readonly published: number[] = []
  /** What a text was, by its place: across restarts, a text that comes again at its place is the same to anybody. */
  readonly #ever = new Map<string, Set<string>>()
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  pass(seconds: number): void {
    if (seconds === 0) return
    this.second += seconds
    this.#tag = 0
  }

  publish(text: string): void {
    const n = this.published.length
    const place = `${this.second}:${this.#tag}`
    const before = this.#ever.get(place) ?? new Set()
    this.#ever.set(place, before.add(before.has(text) ? `${text} ${n}` : text))
    this.stored.push({ second: this.second, tag: this.#tag++, text: [...before].at(-1) as string, n })
    this.published.push(n)
    if (this.stored.length > this.limit) this.stored.shift()
  }

  /** It begins anew: its store is empty, its counter at 0, and its clock where it was. */
  wipe(): void {
    this.stored = []
    this.#tag = 0
  }

  /** What it replays for an address, as measured: everything after an id, whether or not that names something. */
  after(url: string, begins: 'oldest' | 'newest') {
    const id = /last_event_id=(\d+):(\d+)$/.exec(url)
    if (id === null) return begins === 'oldest' ? [...this.stored] : []
    const [second, tag] = [Number(id[1]), Number(id[2])]
    return this.stored.filter((one) => one.second > second || (one.second === second && one.tag > tag))
  }
}

interface Line {
  readonly kind: 'eventsource' | 'longpolling'
  readonly replay: Replay
  readonly decoder: Decoder
  /** What is on its way. */
  wire: Server['stored']
  brought: boolean
  /** A long-poll's: it was answered before. */
  answered: boolean
}

type Move =
  | { kind: 'publish'; count: number; text: string | undefined }
  | { kind: 'pass'; ms: number }
  | { kind: 'open'; by: Line['kind'] }
  | { kind: 'deliver'; pick: number; count: number }
  | { kind: 'end'; pick: number; how: 'lost' | 'timeout' | 'restart' }
  | { kind: 'restart'; arrives: number; told: boolean }

/**
 * The client without its connections: what it does with messages, and from where it asks, against a server that may
 * forget, be cut off and begin anew. It asks as the connection does.
 */
class World {
  readonly server: Server
  readonly lines: Line[] = []
  /** Numbers of messages, and gaps. */
  readonly log: (number | 'gap')[] = []
  /** Whether there may be gaps: something the client knew last was not there any more when it asked. */
  reason = false
  readonly #numbers = new WeakMap<IncomingMessage, number>()
  readonly #protocol = make()
  readonly #channelStore: ChannelStore
  readonly begins: 'oldest' | 'newest'
  /** How much was published when it first listened. */
  joined: number | undefined
  /** Whether a long-poll brings all there is, or one message. */
  readonly #many: boolean
  #feeding: number[] = []
  now = 1_000_000_000

  constructor(limit: number, begins: 'oldest' | 'newest', many: boolean) {
    this.server = new Server(limit)
    this.begins = begins
    this.#many = many
    this.#channelStore = new ChannelStore(this.#protocol.order, () => this.now, {
      deliver: (message) => this.log.push(this.#numbers.get(message) as number),
      gap: () => this.log.push('gap'),
    })
    this.#channelStore.add('a', 0, undefined)
  }

  get #channel() {
    return this.#channelStore.get('a')!
  }

  #request(kind: Line['kind'], position: Position | undefined): Server['stored'] {
    const { url } = this.#protocol.exchange(kind, wanted(undefined, { position }))
    const last = this.log.findLast((one) => one !== 'gap')
    if (last !== undefined && !this.server.stored.some(({ n }) => n === last)) this.reason = true
    return this.server.after(url, this.begins)
  }

  #begin(): Position | undefined {
    const frontier = this.#channelStore.lowWatermark()
    return frontier === undefined ? undefined : secondOf(frontier)
  }

  open(kind: Line['kind']): Line {
    const replay = newReplay()
    const line: Line = {
      kind,
      replay,
      wire: kind === 'longpolling' ? [] : this.#request(kind, this.#begin()),
      brought: false,
      answered: false,
      decoder: this.#protocol.decoder(
        { kind, liveFrom: 0, channels: ['a'] },
        {
          message: (message) => {
            this.#numbers.set(message, this.#feeding.shift() as number)
            this.#channelStore.receive(message, replay)
            line.brought = true
          },
          ping() {},
          deleted() {},
          dead: (raw, reason) => expect.unreachable(`${raw}: ${reason}`),
          over() {},
        },
      ),
    }
    this.lines.push(line)
    this.joined ??= this.server.published.length
    if (this.#channelStore.isUnknown(this.#channel)) this.#channel.joinedAt ??= this.now
    return line
  }

  /** What brings something replaces what was there before; of several that are tried, the first. */
  deliver(line: Line, count: number): void {
    if (line.kind === 'longpolling' || line.wire.length > 0) {
      if (line.brought) this.lines.splice(0, this.lines.indexOf(line))
      else this.lines.splice(0, this.lines.length, line)
    }
    if (line.kind === 'longpolling') return this.#poll(line)
    for (const { second, tag, text, n } of line.wire.splice(0, count)) {
      this.#feeding = [n]
      line.decoder.frame(text, { id: `${second}:${tag}` })
    }
  }

  /** One poll: from where the chain stands, as long as the server is seen to have what was last. */
  #poll(line: Line): void {
    const begin = this.#begin()
    const { newest } = this.#channelStore
    const exact = line.answered && begin !== undefined && newest >= begin
    if (exact) {
      const last = this.log.findLast((one) => one !== 'gap')
      // What the echo finds out.
      if (!this.server.stored.some(({ n }) => n === last)) {
        this.reason = true
        return this.end(line, 'restart')
      }
    }
    const all = this.#request('longpolling', exact ? newest : begin)
    const answer = this.#many ? all : all.slice(0, 1)
    const last = answer.at(-1)
    if (last === undefined) return
    line.answered = true
    const headers = new Headers({ 'Last-Modified': new Date(last.second * 1000).toUTCString(), Etag: String(last.tag) })
    this.#feeding = answer.map(({ n }) => n)
    if (answer.length === 1) return line.decoder.frame(last.text, { headers })
    headers.set('Content-Type', 'multipart/mixed; boundary=b')
    line.decoder.frame(`--b${answer.map(({ text }) => `\r\n\r\n${text}\r\n--b`).join('')}--\r\n`, { headers })
  }

  publish(text: string): void {
    this.server.publish(text)
    const newest = this.server.stored.at(-1) as Server['stored'][number]
    for (const { kind, wire } of this.lines) if (kind !== 'longpolling') wire.push(newest)
  }

  end(line: Line, how: 'lost' | 'timeout' | 'restart'): void {
    if (this.lines.includes(line)) this.lines.splice(this.lines.indexOf(line), 1)
    if (how === 'restart' || (how === 'lost' && !line.brought)) this.#channelStore.suspectLoss()
  }

  /**
   * The server begins anew. `told`: the client hears it or is refused meanwhile, else its connections just break. Unheard
   * of, and with an overflow within the same second, it can't be known: 5:1 goes on after 5:0.
   */
  restart(arrives: number, told: boolean): void {
    for (const line of [...this.lines]) {
      if (!this.lines.includes(line)) continue
      if (line.kind !== 'longpolling') this.deliver(line, arrives)
      this.end(line, 'lost')
    }
    if (told || this.server.limit < 1000) this.#channelStore.suspectLoss()
    this.server.wipe()
  }

  take(move: Move): void {
    const pick = (index: number) => this.lines[index % Math.max(1, this.lines.length)]
    if (move.kind === 'publish') {
      for (let i = 0; i < move.count; i++) this.publish(move.text ?? `m${this.server.published.length}`)
    } else if (move.kind === 'pass') {
      this.now += move.ms
      this.server.pass(Math.floor(this.now / 1000) - 1_000_000 - (this.server.second - 1_000_000))
    } else if (move.kind === 'open') {
      if (this.lines.length < 3) this.open(move.by)
    } else if (move.kind === 'restart') this.restart(move.arrives, move.told)
    else {
      const line = pick(move.pick)
      if (line === undefined) return
      if (move.kind === 'deliver') this.deliver(line, move.count)
      else this.end(line, move.how)
    }
  }

  /** One message more, and a good connection at last. */
  finish(by: Line['kind']): void {
    this.publish(`m${this.server.published.length}`)
    for (const line of [...this.lines]) this.end(line, 'timeout')
    let line = this.open(by)
    for (let idle = 0; idle < 3; idle++) {
      const before = this.log.length
      this.deliver(line, 1000)
      if (this.log.length > before) idle = 0
      if (!this.lines.includes(line)) line = this.open(by)
    }
  }
}

const kind = fc.constantFrom<Line['kind']>('eventsource', 'eventsource', 'longpolling')
const text = fc.constantFrom(undefined, undefined, 'x', '')
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 4 }), text }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(10, 400, 1000, 2500, 31_000) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const), by: kind }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      pick: fc.nat(2),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      pick: fc.nat(2),
      how: fc.constantFrom('lost' as const, 'lost', 'timeout', 'restart'),
    }),
  },
)
const restart = fc.record({ kind: fc.constant('restart' as const), arrives: fc.nat(5), told: fc.boolean() })
const begins = fc.constantFrom('oldest' as const, 'newest')

/** Each message once, in order, and none missing between two others without a gap. */
function account({ log, begins, server: { published } }: World): void {
  let last: number | undefined
  let gap = false
  for (const one of log) {
    if (one === 'gap') {
      gap = true
      continue
    }
    // Before the first one nobody listened, or nothing is known.
    if (last !== undefined) {
      expect(one, `again or out of order: ${log.join(' ')}`).toBeGreaterThan(last)
      if (one > last + 1) expect(gap, `missing before ${one}: ${log.join(' ')}`).toBe(true)
    }
    last = one
    gap = false
  }
  // Who begins with what comes, and listens to nothing before the end, hears nothing.
  if (last !== undefined || begins === 'oldest') expect(last, log.join(' ')).toBe(published.at(-1))
}

describe('whatever happens', () => {
  const run = (moves: readonly Move[], limit: number, begins: 'oldest' | 'newest', many: boolean, by: Line['kind']) => {
    const world = new World(limit, begins, many)
    // Who begins with what comes has heard something, from the beginning of its second: until then it is asked for
    // everything, and what is older than the client comes as well.
    if (begins === 'newest') {
      for (const ms of [0, 1000]) {
        world.take({ kind: 'pass', ms })
        world.publish(`m${world.server.published.length}`)
        world.deliver(world.lines[0] ?? world.open('eventsource'), 1)
      }
    }
    for (const move of moves) world.take(move)
    world.finish(by)
    return world
  }
  /** Parts of which nobody knows the place are known by their text alone. */
  const distinct = (moves: readonly Move[], many: boolean) =>
    many ? moves.map((move) => (move.kind === 'publish' ? { ...move, text: undefined } : move)) : moves

  test('each message comes once, in order, or there is a gap', () => {
    const moves = fc.array(fc.oneof({ weight: 18, arbitrary: move }, { weight: 1, arbitrary: restart }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(
        moves,
        fc.constantFrom(1, 2, 5, 1000),
        begins,
        fc.boolean(),
        kind,
        (moves, limit, begins, many, by) => {
          const world = run(distinct(moves, many), limit, begins, many, by)
          account(world)
          if (!world.reason) expect(world.log.slice(1)).not.toContain('gap')
        },
      ),
      runs(2000),
    )
  })

  test('where the server keeps everything, everything comes, and there is no gap', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), begins, fc.boolean(), kind, (moves, begins, many, by) => {
        const world = run(distinct(moves, many), 1000, begins, many, by)
        account(world)
        // Who heard nothing at all before a connection broke can't know that nothing was missed.
        expect(world.log.slice(1)).not.toContain('gap')
        const [first] = world.log.filter((one) => one !== 'gap')
        if (first !== undefined) expect(first).toBeLessThanOrEqual(begins === 'oldest' ? 0 : (world.joined as number))
      }),
      runs(1000),
    )
  })
})
