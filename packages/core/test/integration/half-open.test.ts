import { expect, test } from 'vitest'
import { allModes, faults, record, startProxy, startServer } from './support.js'

/** A silence is unusual after three times the longest one so far, and at least 3 s. Then another connection needs its time. */
const limit = (longest: number) => Math.max(3000, 3 * longest) + 2000

test('every mode: a link that is half open under two messages a second is noticed within 5 s', async () => {
  const found = await Promise.all(
    allModes.map(async (mode) => {
      const { server, url } = await startServer()
      const proxy = await startProxy(url)
      const recording = record({ url: proxy.url, modes: [mode] })
      // The machine may hold back this process, which is a silence as well.
      let last = Date.now()
      let longest = 0
      recording.stream.on('message', () => {
        longest = Math.max(longest, Date.now() - last)
        last = Date.now()
      })
      recording.stream.addChannel('a').connect()
      await recording.until(() => recording.stream.status.state === 'open')
      let published = 0
      const publishing = setInterval(() => server.publish('a', String(++published)), 500)
      try {
        await recording.until(() => recording.messages.length === 10)
        // The router forgets every connection there is, idle ones that the runtime keeps included.
        proxy.blackhole(true)
        proxy.blackhole(false)
        const forgottenAt = Date.now()
        const { length } = recording.messages
        const allowed = limit(longest)
        await recording.until(() => recording.messages.length > length, 60_000)
        return { mode, took: Date.now() - forgottenAt, allowed, wrong: faults(recording) }
      } finally {
        clearInterval(publishing)
      }
    }),
  )
  console.info(found.map(({ mode, took, allowed }) => `${mode} ${took} of ${allowed} ms`).join(', '))
  for (const { mode, took, allowed, wrong } of found) {
    expect(took, mode).toBeLessThanOrEqual(allowed)
    expect(wrong, mode).toEqual([])
  }
}, 90_000)
