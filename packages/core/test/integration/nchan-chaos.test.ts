import { describe, expect, test } from 'vitest'
import {
  account,
  complete,
  type Live,
  missing,
  perfect,
  publishNumbers,
  recordNchan,
  startNchan,
} from './nchan-support.js'
import { allModes } from './support.js'

const total = 800
const channels = ['a', 'b']

/** A client in each mode on one server, and what came of all that was published while something happened. */
async function scene(workers: number, during: (live: Live, n: number) => unknown, cutEvery = 0) {
  const live = await startNchan({ workers })
  const recordings = allModes.map((mode) => recordNchan(live, [mode]))
  for (const { stream } of recordings) {
    for (const channel of channels) stream.addChannel(channel)
    stream.connect()
  }
  await Promise.all(recordings.map((recording) => recording.until(() => recording.stream.status.state === 'open')))
  const stop = cutEvery > 0 ? live.proxy.cutEvery(cutEvery) : () => {}
  const taken = await publishNumbers(live, channels, total, 200, (n) => during(live, n))
  stop()
  await Promise.all(recordings.map((recording) => complete(recording, taken)))
  return Object.fromEntries(allModes.map((mode, i) => [mode, account(recordings[i]!, taken)]))
}

const each = (value: object) => Object.fromEntries(allModes.map((mode) => [mode, value]))

describe.skipIf(missing !== undefined)('live Nchan, every mode at once', () => {
  describe.each([1, 2])('%i worker(s)', (workers) => {
    test('all connections cut every second: nothing is lost, and no gap is claimed', async () => {
      expect(await scene(workers, () => {}, 1000)).toEqual(each(perfect))
    })

    test('reloads, which wipe the memory store: a gap a channel for each', async () => {
      const outcome = await scene(workers, (live, n) => n % 300 === 200 && void live.nginx.reload())
      expect(outcome).toEqual(each({ ...perfect, gaps: expect.any(Number) }))
      for (const { gaps } of Object.values(outcome)) {
        // Who is not back yet when the second one comes has one gap for both.
        expect(gaps).toBeGreaterThanOrEqual(channels.length)
        expect(gaps).toBeLessThanOrEqual(2 * channels.length)
      }
    })

    test('a restart: a gap a channel', async () => {
      const outcome = await scene(workers, (live, n) => (n === 400 ? live.nginx.restart() : undefined))
      expect(outcome).toEqual(each({ ...perfect, gaps: channels.length }))
    })

    test('killed and started again: a gap a channel', async () => {
      const again = async ({ nginx }: Live) => {
        await nginx.kill()
        await nginx.start()
      }
      const outcome = await scene(workers, (live, n) => (n === 400 ? again(live) : undefined))
      expect(outcome).toEqual(each({ ...perfect, gaps: channels.length }))
    })
  })
})
