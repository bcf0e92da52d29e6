import { expect, test } from 'vitest'
import { allModes, faults, record, startProxy, startServer } from './support.js'

test('every mode: a link that is half open under two messages a second is noticed within 5 s', async () => {
  const found = await Promise.all(
    allModes.map(async (mode) => {
      const { server, url } = await startServer()
      const proxy = await startProxy(url)
      const recording = record({ url: proxy.url, modes: [mode] })
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
        await recording.until(() => recording.messages.length > length, 60_000)
        return [mode, Date.now() - forgottenAt, faults(recording)] as const
      } finally {
        clearInterval(publishing)
      }
    }),
  )
  console.info(found.map(([mode, ms]) => `${mode} ${ms} ms`).join(', '))
  expect(found.filter(([, ms]) => ms > 5000).map(([mode]) => mode)).toEqual([])
  for (const [mode, , wrong] of found) expect(wrong, mode).toEqual([])
}, 90_000)
