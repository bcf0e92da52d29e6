import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backlog, parseTag, readPosition } from '../../src/position.js'
import { DEFAULT_SETTINGS } from '../../src/settings.js'
import { Store } from '../../src/store.js'
import { FakeClock } from '../support/fake-clock.js'

const NOWHERE = { time: -1, tag: -1, eventId: null }

/** A store with the given pauses (ms) between messages, alternating over two channels; every message has an event id. */
function filled(pauses: number[], limit: number | null = null) {
  const clock = new FakeClock(1_000_000_000_000)
  const store = new Store({ maxMessagesStoredPerChannel: limit, messageTtl: null }, clock)
  const channels = [store.open('a'), store.open('b')]
  const messages = pauses.map((pause, index) => {
    clock.advance(pause)
    return store.publish(channels[index % 2]!, Buffer.from('x'), { eventId: `e${index}` }, true)
  })
  return { channels, messages, store }
}

const pauses = fc.array(fc.constantFrom(0, 0, 0, 400, 1000, 3000), { minLength: 1, maxLength: 40 })

describe('backlog', () => {
  it('goes on exactly behind (time, tag), whichever channel that was of', () => {
    fc.assert(
      fc.property(pauses, fc.nat(), (given, pick) => {
        const { channels, messages } = filled(given)
        const at = pick % messages.length
        const { time, tag } = messages[at]!
        const got = channels.flatMap((channel) => backlog(channel, 0, { time, tag, eventId: null }))
        expect(new Set(got)).toEqual(new Set(messages.slice(at + 1)))
      }),
    )
  })

  it('with tag 0 gives the whole second again, without a tag skips it', () => {
    fc.assert(
      fc.property(pauses, fc.nat(), (given, pick) => {
        const { channels, messages } = filled(given)
        const { time } = messages[pick % messages.length]!
        const got = (tag: number) => channels.flatMap((channel) => backlog(channel, 0, { time, tag, eventId: null }))
        expect(new Set(got(0))).toEqual(new Set(messages.filter((message) => message.time >= time)))
        expect(new Set(got(-1))).toEqual(new Set(messages.filter((message) => message.time > time)))
      }),
    )
  })

  it('by event id gives what follows in that channel, and nothing of others', () => {
    const { channels, messages } = filled([0, 0, 0, 0, 0])
    const position = { ...NOWHERE, eventId: 'e2' }
    expect(backlog(channels[0]!, 0, position)).toEqual([messages[4]])
    expect(backlog(channels[1]!, 0, position)).toEqual([])
    expect(backlog(channels[0]!, 0, { ...NOWHERE, eventId: 'gone' })).toEqual([])
  })

  it('by event id and time starts at the earlier one', () => {
    const { channels, messages } = filled([0, 0, 2000, 0, 2000, 0])
    const [first, , third] = [messages[0]!, messages[1]!, messages[2]!]
    const both = (eventId: string, time: number, tag: number) => backlog(channels[0]!, 0, { eventId, time, tag })
    expect(both('e2', first.time, first.tag)).toEqual([messages[2], messages[4]])
    expect(both('e0', third.time, third.tag)).toEqual([messages[2], messages[4]])
  })

  it('lets .bN win over everything, up to what is stored', () => {
    const { channels, messages } = filled([0, 0, 0, 0, 0])
    const newest = { time: messages[4]!.time, tag: messages[4]!.tag, eventId: 'e4' }
    expect(backlog(channels[0]!, 1, newest)).toEqual([messages[4]])
    expect(backlog(channels[0]!, 99, newest)).toHaveLength(3)
  })

  it('gives what is left when the store has overflowed', () => {
    const { channels, messages } = filled(Array(20).fill(0), 3)
    const { time, tag } = messages[0]!
    expect(backlog(channels[0]!, 0, { time, tag, eventId: null }).map((message) => message.id)).toEqual([8, 9, 10])
  })

  it('gives nothing without a position', () => {
    expect(backlog(filled([0]).channels[0]!, 0, NOWHERE)).toEqual([])
  })
})

describe('readPosition', () => {
  const headers = { 'if-modified-since': 'Thu, 01 Jan 1970 00:00:09 GMT', 'if-none-match': 'W/4', 'last-event-id': 'h' }
  const query = 'time=Thu%2C%2001%20Jan%201970%2000%3A00%3A07%20GMT&tag=2&eventid=q'

  it('reads only the arguments where they are bound', () => {
    expect(readPosition(DEFAULT_SETTINGS, query, headers)).toEqual({ time: 7, tag: 2, eventId: 'q' })
    expect(readPosition(DEFAULT_SETTINGS, '', headers)).toEqual(NOWHERE)
  })

  it('reads only the headers where they are not', () => {
    const unbound = {
      ...DEFAULT_SETTINGS,
      lastReceivedMessageTime: null,
      lastReceivedMessageTag: null,
      lastEventId: null,
    }
    expect(readPosition(unbound, query, headers)).toEqual({ time: 9, tag: 4, eventId: 'h' })
    expect(readPosition(unbound, query, {})).toEqual(NOWHERE)
  })

  it.each([
    ['5', 5],
    ['W/5', 5],
    ['"5"', -1],
    ['-1', -1],
    ['', -1],
    ['W/', -1],
  ])('tag %j is %d', (text, tag) => {
    expect(parseTag(text)).toBe(tag)
  })
})
