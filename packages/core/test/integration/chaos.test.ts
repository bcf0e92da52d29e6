import type { ModeName } from '@pushstream/core'
import type { DevServer, DevServerOptions } from '@pushstream/devserver'
import type { FaultProxy } from '@pushstream/testkit'
import { expect, test } from 'vitest'
import { allModes, faults, publishAtRate, type Recording, record, startProxy, startServer } from './support.js'

const total = 2000
const rate = 200

interface Scene {
  server: DevServer
  proxy: FaultProxy
  recording: Recording
}

/** The scene of one mode: a server, a proxy, a client that listens to two channels, and what happens while 2,000 messages are published. */
async function scene(
  modes: readonly ModeName[],
  options: DevServerOptions,
  during: (scene: Scene, number: number) => void,
  cutEvery = 1000,
): Promise<Scene> {
  const { server, url } = await startServer(options)
  const proxy = await startProxy(url)
  const recording = record({ url: proxy.url, modes })
  const here = { server, proxy, recording }
  recording.stream.addChannel('a').addChannel('b').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  const stop = cutEvery > 0 ? proxy.cutEvery(cutEvery) : () => {}
  await publishAtRate(
    (channel, text) => server.publish(channel, text),
    ['a', 'b'],
    total,
    rate,
    (number) => during(here, number),
  )
  stop()
  return here
}

/** What came, in the words of the promise. */
async function outcome({ recording }: Scene, expected = total) {
  await recording.until(() => recording.messages.length >= expected).catch(() => {})
  return {
    received: recording.messages.length,
    faults: faults(recording),
    gaps: recording.gaps,
    distinct: new Set(recording.messages.map((message) => (message.data as { n: number }).n)).size,
  }
}

const perfect = { received: total, faults: [], gaps: [], distinct: total }
const everyMode = (run: (mode: ModeName) => Promise<unknown>) =>
  Promise.all(allModes.map(async (mode) => [mode, await run(mode)])).then(Object.fromEntries)
const each = (value: unknown) => Object.fromEntries(allModes.map((mode) => [mode, value]))

test('all connections cut every second: 2,000 of 2,000 in every mode, once and in order', async () => {
  const outcomes = await everyMode(async (mode) => outcome(await scene([mode], {}, () => {})))
  expect(outcomes).toEqual(each(perfect))
})

test('the same from four workers: out of order, doubled joins, long-poll races', async () => {
  const outcomes = await everyMode(async (mode) =>
    outcome(await scene([mode], { workers: 4, seed: 7 + allModes.indexOf(mode) }, () => {})),
  )
  expect(outcomes).toEqual(each(perfect))
})

test('the same with a reload in the middle', async () => {
  const outcomes = await everyMode(async (mode) =>
    outcome(await scene([mode], {}, ({ server }, number) => number % 500 === 250 && server.reload())),
  )
  expect(outcomes).toEqual(each(perfect))
})

test('a restart in the middle: what is published after it arrives, what was lost is a gap', async () => {
  const outcomes = await everyMode(async (mode) => {
    let restarted = 0
    const here = await scene([mode], {}, ({ server }, number) => {
      if (number === 1000) {
        server.restart()
        restarted = number
      }
    })
    const after = () => here.recording.messages.filter((message) => (message.data as { n: number }).n > restarted)
    await here.recording.until(() => after().length >= total - 1 - restarted).catch(() => {})
    return {
      after: after().length,
      faults: faults(here.recording),
      // A restart is announced once a channel, at most; it may come so between two messages that nothing is missing.
      gaps: here.recording.gaps.map((gap) => gap.reason).filter((reason) => reason !== 'restart'),
      announced: new Set(here.recording.gaps.map((gap) => gap.channel)).size,
    }
  })
  expect(outcomes).toEqual(each({ after: 999, faults: [], gaps: [], announced: 2 }))
})
