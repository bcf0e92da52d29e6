// Whether the heap stays flat over a million messages.
import { Blaster } from './blaster.mjs'
import { collectGarbage, freshPage } from './browser.mjs'
import { slope, table } from './figures.mjs'

const step = 250_000
const total = 1_000_000

export async function heap(browser, scripts, contenders) {
  const server = new Blaster()
  await server.listen()
  const results = []
  try {
    for (const contender of contenders) {
      const { page, session, close } = await freshPage(browser, server.url, scripts)
      await page.evaluate((options) => globalThis.bench.start(options), {
        contender,
        transport: 'fake',
        variant: 'quoted',
      })
      await page.evaluate(() => globalThis.bench.opened())
      const points = []
      for (let sent = 0; ; sent += step) {
        await collectGarbage(session)
        const { usedSize } = await session.send('Runtime.getHeapUsage')
        points.push([sent, usedSize])
        if (sent === total) break
        const to = sent + step
        await page.evaluate(([a, b]) => globalThis.bench.stream(a, b), [sent + 1, to])
        await page.evaluate((upTo) => globalThis.bench.wait(upTo), to)
      }
      await close()
      // Compilation and one-time allocations happen before the first point that counts.
      results.push({ contender, points, bytesPerMessage: slope(points.slice(1)) })
    }
  } finally {
    server.close()
  }
  return results
}

export function heapTable(results) {
  const heads = [
    'client',
    ...results[0].points.map(([sent]) => (sent === 0 ? 'before' : `${sent / 1000}k`)),
    'bytes/message',
  ]
  return table(
    heads,
    results.map(({ contender, points, bytesPerMessage }) => [
      contender,
      ...points.map(([, bytes]) => `${(bytes / 1024).toFixed(0)} KiB`),
      bytesPerMessage.toFixed(4),
    ]),
  )
}
