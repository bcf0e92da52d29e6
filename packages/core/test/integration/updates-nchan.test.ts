import { describe, expect, test, vi } from 'vitest'
import { missing, publishNumbers, startNchan } from './nchan-support.js'
import { recordUpdates } from './updates-support.js'

const numbers = (texts: readonly [string, string][]) => texts.map(([, text]) => (JSON.parse(text) as { n: number }).n)

describe.skipIf(missing !== undefined)('updates from live Nchan', () => {
  test.each([
    ['its own directives', 'nchan', '/pub/{channel}', '/sub/main'],
    ['many messages an answer', 'nchan', '/pub/{channel}', '/lpm/main'],
    [
      "the older push module's directives, polls that end with 408",
      'push-module',
      '/publish?id={channel}',
      '/activity?id=main',
    ],
  ])('%s: what is stored, then 300 while connections are cut, each once and in order', async (_, config, pub, sub) => {
    const live = await startNchan({}, config, pub)
    const stored = await publishNumbers(live, ['main'], 20, 200)
    const { updates, until, all, gaps, letters } = recordUpdates()
    const got: number[] = []
    updates.registerProcessor('mine', 'answer', (data) => got.push((data as { value: number }).value))
    updates.subscribe({ mine: live.proxy.url + sub })
    await until(() => all.length === 20)
    const stop = live.proxy.cutEvery(300)
    const sent = await publishNumbers(live, ['main', 'other'], 600, 200)
    stop()
    const mine = sent.filter(({ channel }) => channel === 'main')
    await until(() => all.length >= 20 + mine.length)
    expect(numbers(all)).toEqual([...stored, ...mine].map(({ n }) => n))
    await live.publish('main', '{"type":"answer","value":42}')
    await until(() => got.length === 1)
    expect([got, gaps, letters]).toEqual([[42], [], []])
  })

  test('a reload costs the store: nothing is lost without a gap, and it is one', async () => {
    const live = await startNchan({ workers: 2 })
    const { updates, until, order, gaps } = recordUpdates()
    updates.subscribe({ main: `${live.proxy.url}/sub/main` })
    for (const n of [1, 2, 3]) await live.publish('main', `{"n":${n}}`)
    await until(() => order.length === 3)
    await live.nginx.reload()
    for (const n of [4, 5]) await live.publish('main', `{"n":${n}}`)
    await until(() => order.at(-1) === '{"n":5}')
    expect(gaps.map(({ channel }) => channel)).toEqual(['main'])
    // What a worker on its way out took is lost, behind the gap.
    expect(order.slice(0, 4)).toEqual([...[1, 2, 3].map((n) => `{"n":${n}}`), gaps[0]?.reason])
  })

  test('case 18: one subscriber allowed, and another page has it → asked until it leaves, then every message', async () => {
    const live = await startNchan({
      adjust: (config) =>
        config.replace(/(location ~ \^\/sub\/[^}]*?nchan_subscriber;)/, '$1\n      nchan_max_channel_subscribers 1;'),
    })
    const other = new AbortController()
    fetch(`${live.nginx.url}/sub/main`, { signal: other.signal }).catch(() => {})
    const { updates, until, all, errors, gaps } = recordUpdates({ pingtimeout: 600 })
    await until(() => {
      updates.subscribe({ main: `${live.proxy.url}/sub/main` })
      return errors.some(({ status }) => status === 403)
    })
    other.abort()
    // The page is subscribed when others are refused. Who asks takes the place of the page meanwhile, so seldom.
    await vi.waitFor(
      async () => {
        const signal = AbortSignal.timeout(100)
        expect((await fetch(`${live.nginx.url}/sub/main`, { signal })).status).toBe(403)
      },
      { timeout: 20_000, interval: 2000 },
    )
    const refused = errors.length
    for (let n = 0; n < 10; n++) {
      await live.publish('main', `{"n":${n}}`)
      await until(() => all.length === n + 1)
      // Time for what follows a message, and now and then for the check of a silent connection.
      await new Promise((resolve) => setTimeout(resolve, n % 4 === 3 ? 1500 : 150))
    }
    expect([numbers(all), gaps, errors.length]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [], refused])
  })

  test('a channel that is refused is given up, the others go on', async () => {
    const live = await startNchan()
    await live.publish('good', '{"n":1}')
    const { updates, until, all, errors } = recordUpdates({ retry: false })
    updates.subscribe({ bad: `${live.proxy.url}/auth/forbidden-1`, good: `${live.proxy.url}/auth/good` })
    await until(() => all.length === 1 && errors.some(({ code }) => code === 'forbidden'))
    expect(errors.find(({ code }) => code === 'forbidden')).toMatchObject({ channel: 'bad', status: 403 })
    expect(updates.names).toEqual(['good'])
  })
})
