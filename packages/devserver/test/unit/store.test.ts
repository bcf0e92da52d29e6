import { describe, expect, it } from 'vitest'
import { Store, TooManyChannels } from '../../src/store.js'
import { FakeClock } from '../support/fake-clock.js'

const START = Date.parse('2026-11-20T22:00:00Z')
const TEXT = Buffer.from('x')

function open(settings: ConstructorParameters<typeof Store>[0] = {}) {
  const clock = new FakeClock(START)
  return { clock, store: new Store(settings, clock) }
}

describe('Store', () => {
  it('numbers each channel by itself, and tags all of a second together', () => {
    const { clock, store } = open()
    const [a, b] = [store.open('a'), store.open('b')]
    const publish = (channel: typeof a, keep = true) => {
      const { id, tag } = store.publish(channel, TEXT, {}, keep)
      return [id, tag]
    }
    expect([publish(a), publish(b), publish(a, false), publish(a)]).toEqual([
      [1, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ])
    clock.advance(1000)
    expect([publish(b), publish(a)]).toEqual([
      [2, 1],
      [4, 2],
    ])
    expect(a.messages.map((message) => message.id)).toEqual([1, 3, 4])
  })

  it('forgets messages after their time, and channels after a while of nothing', () => {
    const { clock, store } = open({ messageTtl: 5000, channelInactivityTime: 10_000 })
    store.publish(store.open('a'), TEXT, {}, true)
    clock.advance(4000)
    expect(store.stored).toBe(1)
    clock.advance(2000)
    expect(store.stored).toBe(0)
    expect(store.find('a')).toBeDefined()
    clock.advance(10_000)
    expect(store.find('a')).toBeUndefined()
    expect(store.publish(store.open('a'), TEXT, {}, true).id).toBe(1)
    store.close()
    expect(clock.pending).toBe(0)
  })

  it('has no timer while it has no channel', () => {
    const { clock, store } = open({ channelInactivityTime: 1000 })
    expect(clock.pending).toBe(0)
    store.open('a')
    expect(clock.pending).toBe(1)
    clock.advance(5000)
    expect(clock.pending).toBe(0)
  })

  it('limits channels and wildcard channels each by itself', () => {
    const { store } = open({ maxNumberOfChannels: 1, maxNumberOfWildcardChannels: 1, wildcardChannelPrefix: 'w_' })
    store.open('a')
    store.open('w_a')
    expect(() => store.open('b')).toThrow(TooManyChannels)
    expect(() => store.open('w_b')).toThrow(TooManyChannels)
    expect(store.open('a').id).toBe('a')
    store.close()
  })

  it('begins anew after clear()', () => {
    const { store } = open()
    store.publish(store.open('a'), TEXT, {}, true)
    store.clear()
    expect(store.find('a')).toBeUndefined()
    expect(store.publish(store.open('a'), TEXT, {}, true)).toMatchObject({ id: 1, tag: 1 })
    store.close()
  })
})
