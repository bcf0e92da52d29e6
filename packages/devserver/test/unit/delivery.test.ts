import { describe, expect, it } from 'vitest'
import type { Channel } from '../../src/channel.js'
import { seededRandom } from '../../src/clock.js'
import { DirectDelivery, WorkerDelivery } from '../../src/delivery.js'
import { resolveLocations } from '../../src/location.js'
import type { Message } from '../../src/message.js'
import { backlog } from '../../src/position.js'
import { Store } from '../../src/store.js'
import { Subscriber } from '../../src/subscriber.js'
import { FakeClock } from '../support/fake-clock.js'

const TEXT = Buffer.from('x')
const [LOCATION] = resolveLocations([{ path: '/ws', mode: 'websocket' }], '', {})

/** Keeps what it gets. */
class Listener extends Subscriber {
  readonly got: Message[] = []

  constructor(
    readonly store: Store,
    clock: FakeClock,
  ) {
    super({ owner: store, store, location: LOCATION!, clock, userAgent: '' })
  }

  join(channel: Channel): void {
    this.subscribe(channel)
  }

  receive(_: Channel, message: Message): void {
    this.got.push(message)
  }

  channelDeleted(): void {}
  expire(): void {}
  abort(): void {}
  hangUp(): void {}
  protected ping(): void {}
}

function racing(seed: number, workers = 4, reorder = 0.1) {
  const clock = new FakeClock(1_000_000_000_000)
  const delivery = new WorkerDelivery(clock, seededRandom(seed), { workers, reorder, reorderDelay: 5 })
  const store = new Store({ maxMessagesStoredPerChannel: null }, clock, delivery)
  return { clock, store, channel: store.open('a') }
}

/** The ids a stable listener sees of 500 messages, one a millisecond. */
function seen(seed: number, workers?: number): number[] {
  const { clock, store, channel } = racing(seed, workers)
  const listener = new Listener(store, clock)
  listener.join(channel)
  for (let i = 0; i < 500; i++) {
    store.publish(channel, TEXT, {}, true)
    clock.advance(1)
  }
  clock.advance(100)
  store.close()
  return listener.got.map((message) => message.id)
}

const ALL = Array.from({ length: 500 }, (_, index) => index + 1)

describe('WorkerDelivery', () => {
  it('brings a stable connection everything once, some of it out of order', () => {
    const ids = seen(1)
    expect(ids).not.toEqual(ALL)
    expect([...ids].sort((a, b) => a - b)).toEqual(ALL)
  })

  it('misbehaves alike for the same seed only', () => {
    expect(seen(1)).toEqual(seen(1))
    expect(seen(1)).not.toEqual(seen(2))
  })

  it('keeps the order with one worker', () => {
    expect(seen(1, 1)).toEqual(ALL)
  })

  it('doubles a message for who joins before it is handed out', () => {
    const { clock, store, channel } = racing(1, 1)
    new Listener(store, clock).join(channel)
    store.publish(channel, TEXT, {}, true)
    const joiner = new Listener(store, clock)
    joiner.got.push(...backlog(channel, 1, { time: -1, tag: -1, eventId: null }))
    joiner.join(channel)
    clock.advance(0)
    expect(joiner.got.map((message) => message.id)).toEqual([1, 1])
    store.close()
  })

  it('loses messages for a long-poll chain that trusts the tag of its answers', () => {
    const { clock, store, channel } = racing(1)
    const received = new Set<number>()
    let position = { time: 0, tag: 0, eventId: null }
    let waiting = new Listener(store, clock)
    waiting.join(channel)
    for (let i = 0; i < 500; i++) {
      store.publish(channel, TEXT, {}, true)
      clock.advance(1)
      const answer = waiting.got.length > 0 ? waiting.got.slice(0, 1) : []
      if (answer.length === 0) continue
      // The next request of the chain: what its position shows at once, and a new wait.
      const { time, tag } = answer[0]!
      position = { time, tag, eventId: null }
      const caughtUp = backlog(channel, 0, position)
      for (const message of [...answer, ...caughtUp]) received.add(message.id)
      const newest = caughtUp.at(-1)
      if (newest !== undefined) position = { time: newest.time, tag: newest.tag, eventId: null }
      waiting.leave()
      waiting = new Listener(store, clock)
      waiting.join(channel)
    }
    store.close()
    const missing = ALL.slice(0, 490).filter((id) => !received.has(id))
    expect(missing.length).toBeGreaterThan(0)
  })

  it('leaves no timer after close()', () => {
    const { clock, store, channel } = racing(1, 4, 1)
    new Listener(store, clock).join(channel)
    for (let i = 0; i < 3; i++) store.publish(channel, TEXT, {}, true)
    expect(clock.pending).toBeGreaterThan(0)
    store.close()
    expect(clock.pending).toBe(0)
  })
})

describe('DirectDelivery', () => {
  it('holds back while an answer is made', () => {
    const clock = new FakeClock(0)
    const store = new Store({}, clock, new DirectDelivery())
    const channel = store.open('a')
    const listener = new Listener(store, clock)
    listener.join(channel)
    store.delivery.hold(() => {
      store.publish(channel, TEXT, {}, true)
      expect(listener.got).toHaveLength(0)
    })
    expect(listener.got).toHaveLength(1)
    store.close()
  })
})
