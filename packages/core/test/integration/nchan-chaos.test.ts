import { describe, expect, test, vi } from 'vitest'
import {
  account,
  complete,
  type Live,
  missing,
  patient,
  perfect,
  publishNumbers,
  recordNchan,
  startNchan,
} from './nchan-support.js'
import { allModes } from './support.js'

vi.setConfig(patient)

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
  const outcome = Object.fromEntries(allModes.map((mode, i) => [mode, account(recordings[i]!, taken)]))
  const { crashes, log } = live.nginx
  return { outcome, crashes: crashes.length, log: () => log.slice(-30).join('\n') }
}

const each = (value: object) => Object.fromEntries(allModes.map((mode) => [mode, value]))

/**
 * Everything came, with so many gaps in each mode. A worker of 1.3.6 that crashes while nginx reloads or restarts wipes what
 * was stored since, so each crash is one more gap a channel.
 */
function expectGaps({ outcome, crashes, log }: Awaited<ReturnType<typeof scene>>, least: number, most = least): void {
  expect(outcome, log()).toEqual(each({ ...perfect, gaps: expect.any(Number) }))
  for (const [mode, { gaps }] of Object.entries(outcome)) {
    expect(gaps, mode).toBeGreaterThanOrEqual(least)
    expect(gaps, `${mode}\n${log()}`).toBeLessThanOrEqual(most + crashes * channels.length)
  }
}

describe.skipIf(missing !== undefined)('live Nchan, every mode at once', () => {
  describe.each([1, 2])('%i worker(s)', (workers) => {
    test('all connections cut every second: nothing is lost, and no gap is claimed', async () => {
      expect((await scene(workers, () => {}, 1000)).outcome).toEqual(each(perfect))
    })

    test('reloads, which wipe the memory store: a gap a channel for each', async () => {
      const result = await scene(workers, (live, n) => n % 300 === 200 && void live.nginx.reload())
      // Who is not back yet when the second one comes has one gap for both.
      expectGaps(result, channels.length, 2 * channels.length)
    })

    test('a restart: a gap a channel', async () => {
      const result = await scene(workers, (live, n) => (n === 400 ? live.nginx.restart() : undefined))
      expectGaps(result, channels.length)
    })

    test('killed and started again: a gap a channel', async () => {
      const again = async ({ nginx }: Live) => {
        await nginx.kill()
        await nginx.start()
      }
      expectGaps(await scene(workers, (live, n) => (n === 400 ? again(live) : undefined)), channels.length)
    })
  })
})
