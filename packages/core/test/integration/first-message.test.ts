import { expect, test } from 'vitest'
import { startSite } from './site.js'
import { allModes, environment, record, startProxy, startServer } from './support.js'

// Where a channel begins: what was published before the application listened is none of its business.

test.each(allModes)(
  '%s, another origin: cut before the first message: nothing comes from before the application listened',
  async (mode) => {
    const { server, url } = await startServer()
    const proxy = await startProxy(url)
    for (let n = 1; n <= 80; n++) server.publish('a', `before ${n}`)
    const elsewhere = { ...environment, location: { href: 'http://elsewhere.test/' } as Location }
    const recording = record({ url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50, environment: elsewhere })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    // In one turn: none of it leaves the server before the cut.
    for (let n = 1; n <= 20; n++) server.publish('a', `after ${n}`)
    proxy.cut()
    for (let n = 21; n <= 40; n++) server.publish('a', `after ${n}`)
    await recording.until(() => recording.messages.at(-1)?.text === 'after 40')
    expect(recording.messages.map(({ text }) => text)).toEqual(Array.from({ length: 40 }, (_, n) => `after ${n + 1}`))
    expect(recording.gaps).toEqual([])
  },
)

test.each(['websocket', 'stream', 'longpolling'] as const)(
  '%s, polls hang, cut before the first message → nothing comes from before the application listened',
  async (mode) => {
    const { server, url } = await startServer()
    const site = await startSite(url, {
      locations: ['/'],
      otherwise: { status: 404 },
      hold: ({ url = '' }) => (url.startsWith('/ev/') ? new Promise<void>(() => {}) : undefined),
    })
    const proxy = await startProxy(site)
    for (let n = 1; n <= 80; n++) server.publish('a', `before ${n}`)
    const recording = record({ url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50 })
    recording.stream.addChannel('a').connect()
    await recording.until(() => recording.stream.status.state === 'open')
    server.publish('a', 'after 1')
    proxy.cut()
    server.publish('a', 'after 2')
    await recording.until(() => recording.messages.at(-1)?.text === 'after 2')
    expect(recording.messages.map(({ text }) => text)).toEqual(['after 1', 'after 2'])
    expect(recording.gaps).toEqual([])
  },
)
