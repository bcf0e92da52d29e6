import { describe, expect, test } from 'vitest'
import { startLive } from '../../../../e2e/support/live.js'
import { missingNginx } from '../../../../e2e/support/nginx.js'
import { lacking } from '../../../../e2e/support/programs.js'
import { cleanup, publishAtRate } from './support.js'
import { recordUpdates } from './updates-support.js'

const missing = lacking(missingNginx('push-stream'))
const raw = '{"id":~id~,"channel":"~channel~","text":~text~,"tag":"~tag~","time":"~time~","eventid":"~event-id~"}'
/** Locations that take the position from headers. */
const unbound = (config: string) => config.replace(/push_stream_last_\w+ "[^"]*";/g, '')

describe.skipIf(missing !== undefined)('updates from the live push stream module', () => {
  test.each([
    ['frames', { values: { template: raw } }],
    ['frames, four workers', { values: { template: raw }, workers: 4 }],
    ['frames, positions by header', { values: { template: raw }, adjust: unbound }],
    ['bodies alone', { values: { template: '~text~' } }],
    ['bodies alone, positions by header', { values: { template: '~text~' }, adjust: unbound }],
  ])('%s: 10 stored, then 300 while connections are cut and nginx reloads', async (_, options) => {
    const live = await startLive('push-stream', options)
    cleanup(() => live.close())
    for (let n = 0; n < 10; n++) await live.push.publish('main', JSON.stringify({ n }))
    const { updates, until, all, gaps, letters } = recordUpdates()
    updates.subscribe({ mine: `${live.url}/lp/main` })
    await until(() => all.length === 10)
    const stop = live.proxy.cutEvery(400)
    let n = 10
    await publishAtRate(
      (channel) => live.push.publish(channel, JSON.stringify({ n: n++ })),
      ['main'],
      300,
      100,
      (number) => void (number === 150 && live.push.reload()),
    )
    stop()
    // With several workers the last one may be skipped by a poll: another one shows it.
    await live.push.publish('main', JSON.stringify({ n: n++ }))
    await until(() => all.length >= 311)
    expect(all.map(([, text]) => (JSON.parse(text) as { n: number }).n)).toEqual(
      Array.from({ length: 311 }, (_, n) => n),
    )
    expect([gaps, letters]).toEqual([[], []])
  })
})
