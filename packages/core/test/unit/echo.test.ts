import { createManualClock, type ManualClock } from '@pushstream/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ChannelStore } from '../../src/delivery/channel-store.js'
import { Echo } from '../../src/delivery/echo.js'
import { newReplay } from '../../src/delivery/order.js'
import { unnumbered } from '../../src/delivery/unnumbered.js'
import { IncomingMessage } from '../../src/message.js'
import { everything, positionOf } from '../../src/position.js'
import type { CloseReason, Position } from '../../src/types.js'
import { runs } from './support/runs.js'

const farewell = 115
const at = (second: number, tag: number) => positionOf(second * 1000, tag + 1)
const message = (position: Position, text: string) =>
  new IncomingMessage(undefined, 'a', text, position, undefined, undefined, undefined, 'longpolling', false)

interface Answer {
  messages: readonly IncomingMessage[]
  ending: CloseReason | undefined
}

/** One long-polling chain with its echo, and what came of it. */
class Chain {
  readonly log: string[] = []
  readonly asked: Position[] = []
  doubt: CloseReason | undefined
  readonly channelStore: ChannelStore
  readonly echo: Echo

  constructor(clock: ManualClock, ask: (after: Position) => Promise<Answer>) {
    const replay = newReplay()
    this.channelStore = new ChannelStore(unnumbered(false), () => clock.now(), {
      deliver: ({ text }) => this.log.push(text),
      gap: () => this.log.push('gap'),
    })
    this.channelStore.add('a', 0, undefined)
    this.echo = new Echo(this.channelStore.get('a')!, {
      now: () => clock.now(),
      farewell,
      after: (ms, callback) =>
        void clock.setTimeout(() => {
          if (this.doubt === undefined) callback()
        }, ms),
      ask: (after) => {
        this.asked.push(after)
        return ask(after)
      },
      interrupt() {},
      message: (message) => this.channelStore.receive(message, replay),
      doubt: (ending) => {
        this.doubt = ending
      },
    })
  }
}

let clock: ManualClock
let chain: Chain
let answer: (after: Position) => Answer | Promise<Answer>

/** What the server has. */
const has = (...messages: IncomingMessage[]): Answer => ({ messages, ending: undefined })
const one = message(at(10, 0), 'one')
const two = message(at(10, 1), 'two')
const three = message(at(11, 0), 'three')

beforeEach(async () => {
  clock = createManualClock(1_000_000)
  answer = () => has(one)
  chain = new Chain(clock, (after) => Promise.resolve(answer(after)))
  // The first poll begins with something known: what it brings shows by itself what it is.
  chain.echo.sent(false)
  chain.echo.message(one)
  await clock.advance(1)
})

test('what the first poll brings is there at once', () => {
  expect([chain.log, chain.asked]).toEqual([['one'], []])
})

test('what a poll brings that begins exactly is held, until the server is seen to have what was last', async () => {
  chain.echo.sent(true)
  await clock.advance(20)
  chain.echo.message(two)
  await clock.advance(farewell - 21)
  expect([chain.log, chain.asked]).toEqual([['one'], []])
  await clock.advance(1)
  expect([chain.log, chain.asked]).toEqual([['one', 'two'], [everything]])
})

test('a poll that was sent long ago delivers at once, and asks once only', async () => {
  chain.echo.sent(true)
  await clock.advance(60_000)
  expect(chain.asked).toHaveLength(1)
  chain.echo.message(two)
  expect(chain.log).toEqual(['one', 'two'])
  await clock.advance(60_000)
  expect(chain.asked).toHaveLength(1)
})

test('nothing is asked before the time that a server may take to go', async () => {
  chain.echo.sent(true)
  await clock.advance(farewell - 1)
  expect(chain.asked).toEqual([])
})

test('polls in a row: each waits for an answer that is late enough, in their order', async () => {
  answer = (after) => has(...[one, two, three].filter(({ position }) => position > after).slice(0, 1))
  chain.echo.sent(true)
  await clock.advance(20)
  chain.echo.message(two)
  chain.echo.sent(true)
  await clock.advance(20)
  chain.echo.message(three)
  chain.echo.sent(true)
  await clock.advance(farewell - 40)
  expect(chain.log).toEqual(['one', 'two'])
  await clock.advance(farewell)
  expect(chain.log).toEqual(['one', 'two', 'three'])
  expect(chain.asked).toEqual([everything, everything])
  await clock.advance(60_000)
  expect(chain.asked).toHaveLength(2)
})

test('what comes while the server is asked waits too', async () => {
  answer = async () => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 50))
    return has(one)
  }
  chain.echo.sent(true)
  await clock.advance(farewell + 10)
  chain.echo.message(two)
  expect([chain.log, chain.asked.length]).toEqual([['one'], 1])
  await clock.advance(40)
  expect(chain.log).toEqual(['one', 'two'])
})

test('a poll that begins with something known again is trusted', async () => {
  chain.echo.sent(true)
  await clock.advance(20)
  chain.echo.message(two)
  chain.echo.sent(false)
  for (const again of [one, two, three]) chain.echo.message(again)
  expect(chain.log).toEqual(['one', 'two', 'three'])
  await clock.advance(60_000)
  expect(chain.log).toEqual(['one', 'two', 'three'])
})

describe('the echo is not there: the connection ends, and nothing that is held is delivered', () => {
  test.each<[string, () => Answer, CloseReason]>([
    ['another text at its place', () => has(message(at(10, 0), 'new')), { kind: 'end' }],
    ['its text at another place', () => has(message(at(10, 1), 'one')), { kind: 'end' }],
    ['something later', () => has(two), { kind: 'end' }],
    ['a 410', () => ({ messages: [], ending: { kind: 'status', status: 410 } }), { kind: 'status', status: 410 }],
    ['no server', () => ({ messages: [], ending: { kind: 'lost', cause: 'x' } }), { kind: 'lost', cause: 'x' }],
  ])('%s', async (_, made, ending) => {
    answer = made
    chain.echo.sent(true)
    await clock.advance(20)
    chain.echo.message(two)
    await clock.advance(farewell)
    expect([chain.doubt, chain.log]).toEqual([ending, ['one']])
    await clock.advance(60_000)
    expect(chain.log).toEqual(['one'])
    // Where the oldest message doesn't tell, the last one is asked for too; then it is over.
    expect(chain.asked).toEqual([everything, at(10, 0) - 1].slice(0, chain.asked.length))
  })

  test.each<[string, () => Answer, CloseReason]>([
    ['another text at its place', () => has(message(at(10, 1), 'new')), { kind: 'end' }],
    ['nothing', () => has(), { kind: 'end' }],
    ['no answer', () => ({ messages: [], ending: { kind: 'lost' } }), { kind: 'lost' }],
    ['something newer than what came', () => has(message(at(12, 0), 'new')), { kind: 'end' }],
  ])('also later, after it was there before: %s', async (_, made, ending) => {
    chain.echo.sent(true)
    await clock.advance(20)
    chain.echo.message(two)
    chain.echo.sent(true)
    await clock.advance(farewell - 20)
    expect(chain.log).toEqual(['one', 'two'])
    await clock.advance(20)
    chain.echo.message(three)
    answer = made
    await clock.advance(farewell)
    expect([chain.doubt, chain.log]).toEqual([ending, ['one', 'two']])
  })
})

describe('case 17: a server that does not have what it has just delivered', () => {
  const silent = (): Answer => ({ messages: [], ending: { kind: 'lost' } })
  const four = message(at(12, 0), 'four')
  const five = message(at(13, 0), 'five')

  /** A poll that brings a message, and what follows it for some time. */
  async function brings(one: IncomingMessage) {
    chain.echo.sent(true)
    await clock.advance(20)
    chain.echo.message(one)
    await clock.advance(farewell)
  }

  test('no answer → each message is delivered, and after the third nothing is asked any more', async () => {
    answer = silent
    await brings(two)
    expect(chain.log).toEqual(['one', 'two'])
    await brings(three)
    expect([chain.log, chain.asked]).toEqual([
      ['one', 'two', 'three'],
      [everything, everything],
    ])
    await brings(four)
    expect(chain.log).toEqual(['one', 'two', 'three', 'four'])
    await brings(five)
    expect([chain.doubt, chain.log.at(-1), chain.asked.length]).toEqual([undefined, 'five', 3])
  })

  test('polls that an old worker may still have taken → it is asked on', async () => {
    answer = silent
    await brings(two)
    // A server that reloads answers from what it had until 115 ms after the first answer was missing.
    for (const message of [three, four]) {
      chain.echo.sent(true)
      await clock.advance(5)
      chain.echo.message(message)
    }
    await clock.advance(farewell)
    answer = () => has(five)
    await brings(five)
    expect([chain.doubt, chain.log]).toEqual([{ kind: 'end' }, ['one', 'two', 'three', 'four']])
  })

  test('the next message instead of an answer → delivered once, whichever request brings it first', async () => {
    answer = () => has(three)
    await brings(two)
    answer = () => has(four)
    await brings(three)
    answer = () => has(five)
    await brings(four)
    expect([chain.doubt, chain.log]).toEqual([undefined, ['one', 'two', 'three', 'four']])
  })

  test('it has what follows → it began anew: the connection ends', async () => {
    answer = silent
    await brings(two)
    answer = () => has(three)
    await brings(three)
    expect([chain.doubt, chain.log]).toEqual([{ kind: 'end' }, ['one', 'two']])
  })

  test('case 18: it takes no second subscriber → what comes is delivered, and nothing is asked any more', async () => {
    answer = () => ({ messages: [], ending: { kind: 'status', status: 403 } })
    await brings(two)
    await brings(three)
    expect([chain.doubt, chain.log, chain.asked]).toEqual([undefined, ['one', 'two', 'three'], [everything]])
  })
})

test('something older than the second of the last message: the store is the one it was', async () => {
  answer = () => has(message(at(9, 0), 'long ago'))
  chain.echo.sent(true)
  await clock.advance(farewell)
  chain.echo.message(two)
  expect([chain.doubt, chain.log, chain.asked]).toEqual([undefined, ['one', 'two'], [everything]])
})

test('what was there of the second before the client listened tells nothing: the last message does', async () => {
  const before = message(at(10, 0), 'before')
  chain.channelStore.receive(message(at(10, 5), 'last'), newReplay())
  answer = (after) => has(after === everything ? before : message(at(10, 5), 'last'))
  chain.echo.sent(true)
  await clock.advance(farewell)
  expect([chain.doubt, chain.asked]).toEqual([undefined, [everything, at(10, 5) - 1]])
})

test('nothing is delivered after the connection was closed', async () => {
  chain.echo.sent(true)
  await clock.advance(20)
  chain.echo.message(two)
  chain.echo.end()
  await clock.advance(60_000)
  expect(chain.log).toEqual(['one'])
})

test('several messages in one answer: the first may have no place, its text does', async () => {
  answer = () => has(message(Number.NaN, 'one'), two)
  chain.echo.sent(true)
  await clock.advance(farewell)
  chain.echo.message(two)
  expect([chain.doubt, chain.log]).toEqual([undefined, ['one', 'two']])
})

/**
 * A server that reloads: its store is empty and its counter begins anew, while for some time some requests still reach
 * what was before.
 */
class Reloading {
  readonly stores: [IncomingMessage[], IncomingMessage[]] = [[], []]
  readonly #waiting: { store: number; after: Position; answer(message: IncomingMessage | undefined): void }[] = []
  #count = 0

  constructor(
    readonly clock: ManualClock,
    readonly reload: number,
    readonly lucky: () => boolean,
  ) {
    clock.setTimeout(() => {
      for (const waiting of this.#waiting.splice(0)) waiting.answer(undefined)
    }, reload)
  }

  /** The store that a request reaches now. */
  #store(): number {
    const since = this.clock.now() - this.reload
    return since < 0 || (since < farewell && this.lucky()) ? 0 : 1
  }

  publish(): void {
    const store = this.clock.now() < this.reload ? 0 : 1
    const second = 10 + Math.floor(this.clock.now() / 1000)
    const tag = this.stores[store]?.filter(({ position }) => position >= at(second, 0)).length as number
    this.stores[store]?.push(message(at(second, tag), `${store}:${this.#count++}`))
    for (const waiting of this.#waiting.splice(0)) this.#answer(waiting)
  }

  /** The next message after a position, or `undefined` when the server goes. */
  poll(after: Position, answer: (message: IncomingMessage | undefined) => void): void {
    this.#answer({ store: this.#store(), after, answer })
  }

  #answer(waiting: { store: number; after: Position; answer(message: IncomingMessage | undefined): void }): void {
    const next = this.stores[waiting.store]?.find(({ position }) => position > waiting.after)
    if (next !== undefined || (waiting.store === 0 && this.clock.now() >= this.reload)) waiting.answer(next)
    else this.#waiting.push(waiting)
  }
}

test('whenever the server begins anew, what the chain brings is what was published, without a hole', async () => {
  const cases = fc.record({
    publishes: fc.array(fc.nat(700), { minLength: 1, maxLength: 25 }),
    from: fc.constantFrom(0, 500, 900),
    reload: fc.nat(700),
    lucky: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
    delays: fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ publishes, from, reload, lucky, delays }) => {
      const clock = createManualClock(from)
      let drawn = 0
      const server = new Reloading(clock, from + reload, () => lucky[drawn++ % lucky.length] as boolean)
      const delay = () => delays[drawn++ % delays.length] as number
      // One that takes longer than the echo after it could arrive when the server has gone, and the echo before.
      const way = delay()
      // What is lost before a server that stores nothing yet shows at the next message: the last one comes long after.
      for (const ms of [...publishes, 2000]) clock.setTimeout(() => server.publish(), ms)
      const chain = new Chain(
        clock,
        (after) =>
          new Promise((resolve) => {
            const wait = clock.setTimeout(() => resolve({ messages: [], ending: { kind: 'lost' } }), 500)
            clock.setTimeout(
              () =>
                server.poll(after, (message) => {
                  clock.clearTimeout(wait)
                  resolve(
                    message === undefined
                      ? { messages: [], ending: { kind: 'status', status: 410 } }
                      : { messages: [message], ending: undefined },
                  )
                }),
              way,
            )
          }),
      )
      let newest: Position | undefined
      const poll = () => {
        const after = newest
        chain.echo.sent(after !== undefined)
        clock.setTimeout(() => {
          server.poll(after ?? 0, (message) => {
            clock.setTimeout(() => {
              if (chain.doubt !== undefined) return
              if (message === undefined) {
                chain.doubt = { kind: 'status', status: 410 }
                return
              }
              newest = message.position
              chain.echo.message(message)
              poll()
            }, delay())
          })
        }, way)
      }
      poll()
      await clock.advance(3000)
      const [before, after] = server.stores.map((store) => store.map(({ text }) => text)) as [string[], string[]]
      // A chain that begins while the server is going, and is answered now by what comes and now by what was before,
      // can be misled; a client keeps away for so long.
      if (chain.log[0]?.startsWith('1')) return
      const whole = chain.log.length > 0 ? before : after
      expect(chain.log).toEqual(whole.slice(0, chain.log.length))
      // It goes on where nothing is wrong, and ends where something is.
      if (chain.doubt === undefined) expect(chain.log).toEqual(whole)
      if (chain.doubt === undefined && whole === before) expect(after).toEqual([])
    }),
    runs(150),
  )
})
