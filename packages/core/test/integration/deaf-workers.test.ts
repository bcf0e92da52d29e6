import { setTimeout as pause } from 'node:timers/promises'
import type { ModeName } from '@pushstream/core'
import { describe, expect, test } from 'vitest'
import { beginPublish, missing, startModule } from './push-stream-support.js'
import { allModes, faults, record } from './support.js'

// After a reload a worker of the module may be deaf for good: it sends pings and answers polls, and delivers nothing live
// (module b1c1a08). A publish that an old worker finishes makes the new workers so.

/** How late a message may be, in ms. */
const bound = 5000
/** How long it is waited for, in ms: what is later counts as never. */
const patience = 40_000

/** How late each message came in one mode, in ms. */
async function lateness(mode: ModeName, workers: number) {
  const { nginx, publish } = await startModule({ workers })
  const recording = record({ url: nginx.url, modes: [mode] })
  const { stream, messages } = recording
  const has = (text: string) => messages.some((message) => message.text === text)
  const cameAt = new Map<string, number>()
  stream.on('message', ({ text }) => cameAt.set(text, Date.now()))
  stream.addChannel('a').connect()
  await recording.until(() => stream.status.state === 'open')
  await publish('a', 'before')
  await recording.until(() => has('before'))

  const finish = await beginPublish(nginx, 'a', 'late body')
  await nginx.reload()
  // Until the new workers have the connection: a message that comes at once shows that they do.
  await pause(800)
  await publish('a', 'after the reload')
  await recording.until(() => has('after the reload'), patience)

  const late: Record<string, number | 'never'> = {}
  const measure = async (text: string, send: () => Promise<unknown>) => {
    const sentAt = Date.now()
    await send()
    await recording.until(() => has(text), patience).catch(() => {})
    late[text] = has(text) ? (cameAt.get(text) as number) - sentAt : 'never'
  }
  await measure('late body', async () => expect(await finish()).toContain(' 200 '))
  for (const text of ['first', 'second']) await measure(text, () => publish('a', text))
  // Longer than anything is under way: the connection is quiet, and a poll hangs.
  await pause(bound)
  await measure('after silence', () => publish('a', 'after silence'))
  return { late, faults: faults(recording), gaps: recording.gaps }
}

describe.skipIf(missing).each([1, 4])('%i workers, all deaf after a reload', (workers) => {
  test('every mode: each message comes within 5 s, once and in order', { timeout: 5 * patience }, async () => {
    const found = await Promise.all(allModes.map(async (mode) => [mode, await lateness(mode, workers)] as const))
    const tooLate = found.flatMap(([mode, { late }]) =>
      Object.entries(late).flatMap(([text, ms]) => (ms === 'never' || ms > bound ? [`${mode}, '${text}': ${ms}`] : [])),
    )
    console.info(JSON.stringify(Object.fromEntries(found.map(([mode, { late }]) => [mode, late]))))
    expect(tooLate).toEqual([])
    for (const [mode, { faults, gaps }] of found) expect({ faults, gaps }, mode).toEqual({ faults: [], gaps: [] })
  })
})
