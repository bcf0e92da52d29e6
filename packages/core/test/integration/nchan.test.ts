import { describe, expect, test } from 'vitest'
import { allModes } from './support.js'
import { account, complete, type Live, missing, publishNumbers, recordNchan, startNchan } from './nchan-support.js'

const total = 1000
const rate = 200
const channels = ['a', 'b']

/** One client in each mode, on one server; what happens while numbered messages are published; what came of it. */
async function scene(workers: number, during: (live: Live, n: number) => unknown, cutEvery = 0) {
  const live = await startNchan({ workers })
  const recordings = allModes.map((mode) => recordNchan(live, [mode]))
  for (const recording of recordings) {
    for (const channel of channels) recording.stream.addChannel(channel)
    recording.stream.connect()
  }
  await Promise.all(recordings.map((recording) => recording.until(() => recording.stream.status.state === 'open')))
  const stop = cutEvery > 0 ? live.proxy.cutEvery(cutEvery) : () => {}
  const taken = await publishNumbers(live, channels, total, rate, (n) => during(live, n))
  stop()
  await Promise.all(recordings.map((recording) => complete(recording, taken).catch(() => {})))
  const result = Object.fromEntries(allModes.map((mode, i) => [mode, account(recordings[i]!, taken)]))
  for (const [i, mode] of allModes.entries()) { const r = result[mode]!
    console.log(mode, workers, JSON.stringify({ ...r, lost: r.lost.slice(0, 5), lostCount: r.lost.length }), JSON.stringify(recordings[i]!.gaps.slice(0, 6).map(g=>g.channel+g.reason)), JSON.stringify(recordings[i]!.stream.stats), live.nginx.crashes.length, recordings[i]!.errors.length)
  }
  return result
}

const perfect = { lost: [], doubled: 0, outOfOrder: 0 }
const each = (value: object) => Object.fromEntries(allModes.map((mode) => [mode, value]))

describe.skipIf(missing !== undefined)('live Nchan', () => {
  describe.each([1, 2])('%i workers', (workers) => {
    test('all connections cut every second', async () => {
      expect(await scene(workers, () => {}, 1000)).toMatchObject(each({ ...perfect, gaps: 0 }))
    })

    test('reloads', async () => {
      const result = await scene(workers, (live, n) => n % 400 === 200 && void live.nginx.reload())
      expect(result).toMatchObject(each(perfect))
    })

    test('a restart', async () => {
      const result = await scene(workers, (live, n) => (n === 500 ? live.nginx.restart() : undefined))
      expect(result).toMatchObject(each(perfect))
    })

    test('killed and started', async () => {
      const result = await scene(workers, async (live, n) => n === 500 && live.nginx.kill().then(() => live.nginx.start()))
      expect(result).toMatchObject(each(perfect))
    })
  })
})
