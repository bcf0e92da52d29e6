import { describe, expect, it } from 'vitest'
import { account, type Event, median, recoveries, type Sent } from './accounting.js'

/** `a0 b1 a2?`: messages by channel and number, in the order published, each a second later. `?`: nobody knows whether it was taken. */
const sent = (text: string): Sent[] =>
  text.split(' ').map((word, index) => ({
    channel: word[0] as string,
    n: Number.parseInt(word.slice(1), 10),
    from: index * 1000,
    taken: word.endsWith('?') ? 'unknown' : 'yes',
  }))

/** `a0 b- a2`: what came, every half second; `-` is a gap. */
const came = (text: string): Event[] =>
  text
    .split(' ')
    .filter((word) => word !== '')
    .map((word, index) => {
      const common = { channel: word[0] as string, at: index * 500 }
      return word.endsWith('-')
        ? { ...common, kind: 'gap', first: 'unknown', last: 'unknown', reason: 'restart' }
        : { ...common, kind: 'message', n: Number(word.slice(1)) }
    })

const counts = (published: string, told: string) => {
  const { evidence, ...rest } = account(sent(published), came(told))
  return { ...rest, evidence: evidence.length }
}

const clean = { lostWithoutGap: 0, gaps: 0, inGaps: 0, doubled: 0, outOfOrder: 0, evidence: 0 }

describe('the account of a receiver', () => {
  it('finds nothing where everything came, whatever the channels did beside each other', () => {
    expect(counts('a0 b1 a2 b3', 'b1 a0 a2 b3')).toEqual({ ...clean, sent: 4, received: 4 })
  })

  it('counts what is lost in the middle, at the beginning and at the end', () => {
    const lost = { ...clean, sent: 4, received: 2, lostWithoutGap: 2, evidence: 1 }
    expect(counts('a0 a1 a2 a3', 'a0 a3')).toEqual(lost)
    expect(counts('a0 a1 a2 a3', 'a2 a3')).toEqual(lost)
    expect(counts('a0 a1 a2 a3', 'a0 a1')).toEqual(lost)
    expect(counts('a0 b1', '')).toEqual({ ...clean, sent: 2, received: 0, lostWithoutGap: 2, evidence: 2 })
  })

  it('takes a gap for what is missing exactly where it stands, on its own channel', () => {
    expect(counts('a0 a1 a2', 'a0 a- a2')).toEqual({ ...clean, sent: 3, received: 2, gaps: 1, inGaps: 1 })
    expect(counts('a0 a1 a2', 'a0 a2 a-')).toMatchObject({ lostWithoutGap: 1, gaps: 1, inGaps: 0 })
    expect(counts('a0 a1 a2', 'a- a0 a2')).toMatchObject({ lostWithoutGap: 1, gaps: 1, inGaps: 0 })
    expect(counts('a0 a1 a2', 'a0 b- a2')).toMatchObject({ lostWithoutGap: 1, gaps: 1, inGaps: 0 })
    expect(counts('a0 a1 a2 a3 a4', 'a0 a- a2 a4')).toMatchObject({ lostWithoutGap: 1, inGaps: 1 })
    expect(counts('a0 a1', 'a0 a-')).toMatchObject({ lostWithoutGap: 0, inGaps: 1 })
  })

  it('counts what came twice, and what came late', () => {
    expect(counts('a0 a1 a2', 'a0 a1 a1 a2')).toMatchObject({ doubled: 1, outOfOrder: 0, received: 3 })
    expect(counts('a0 a1 a2', 'a0 a2 a1')).toMatchObject({ doubled: 0, outOfOrder: 1, received: 3, lostWithoutGap: 0 })
    // A gap is no leave to tell everything again.
    expect(counts('a0 a1 a2', 'a0 a1 a- a0 a1 a2')).toMatchObject({ doubled: 2 })
    expect(counts('a0 a1 a2', 'a0 a1 a2 a7')).toMatchObject({ doubled: 1 })
  })

  it('leaves open whether a message came that the server may not have taken, but not how often', () => {
    expect(counts('a0 a1? a2', 'a0 a2')).toEqual({ ...clean, sent: 2, received: 2 })
    expect(counts('a0 a1? a2', 'a0 a1 a2')).toEqual({ ...clean, sent: 2, received: 2 })
    expect(counts('a0 a1? a2', 'a0 a1 a1 a2')).toMatchObject({ doubled: 1 })
    expect(counts('a0 a1? a2', 'a0 a2 a1')).toMatchObject({ outOfOrder: 1 })
  })

  it('says what was lost, and between what', () => {
    const { evidence } = account(sent('a0 b1 a2 b3 a4 a6 a8'), came('a0 a8 b1 b3'))
    expect(evidence).toEqual(['a: 2-6 lost without a gap, between [0] 8 and 0 [8]'])
  })
})

describe('the time to recover', () => {
  it('lasts from the moment until the first message arrives that was published since', () => {
    const published = sent('a0 a1 a2 a3')
    const told: Event[] = [0, 1, 2, 3].map((n) => ({ kind: 'message', channel: 'a', n, at: 5000 + n * 10 }))
    expect(recoveries([1500, 2000], published, told)).toEqual([3520, 3020])
    expect(recoveries([9000], published, told)).toEqual([])
    expect(recoveries([1500], published, told.slice(0, 2))).toEqual([])
  })

  it('is the median of several', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(median([])).toBeUndefined()
  })
})
