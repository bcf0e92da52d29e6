import { startSite } from './support/site.js'
import { allModes, expect, faults, publishAtRate, test } from './support/test.js'

for (const allowedOrigins of ['*', null]) {
  test(`a push server on another origin, ${allowedOrigins === null ? 'which allows nobody: websocket alone' : 'which allows all: every mode'}`, async ({
    tab,
  }) => {
    const other = await startSite({ settings: allowedOrigins === null ? {} : { allowedOrigins } })
    try {
      await tab.load(undefined, 'elsewhere.html')
      for (const mode of allowedOrigins === null ? (['websocket'] as const) : allModes) {
        const channel = `for-${mode}`
        await tab.start({ options: { url: other.url, modes: [mode] }, channels: { [channel]: 0 } })
        await tab.until('open', ({ status }) => status.state === 'open')
        await publishAtRate(other.server, [channel], 60, 60, (number) => {
          if (number === 30) other.proxy.cut()
        })
        const { all, gaps } = await tab.received(60)
        expect(faults(all), mode).toEqual([])
        expect(gaps).toEqual([])
        await tab.page.evaluate(() => window.e2e.client?.stream.close())
      }
      // Nothing that would need a preflight.
      expect(other.proxy.requests.filter(({ headers }) => headers['if-modified-since'])).toEqual([])
    } finally {
      await other.close()
    }
  })
}
