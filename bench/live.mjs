// A page on the origin of a development server, or of a proxy in front of it, for measurements with real messages.
import { freshPage } from './browser.mjs'

const settings = { maxMessagesStoredPerChannel: 1000, pingMessageInterval: 2000 }

export async function startServer({ createDevServer }, more = {}) {
  const server = createDevServer({ settings: { ...settings, ...more } })
  const { url } = await server.listen(0)
  return { server, url }
}

/** A page of that origin: the server's 404 will do. */
export async function receiving(browser, scripts, url, contender, options) {
  const { page, close } = await freshPage(browser, `${url}/`, scripts)
  await page.evaluate(([name, given]) => globalThis.bench.receive(name, given), [contender, { url, ...options }])
  const got = () => page.evaluate(() => globalThis.got)
  return { page, got, close }
}

export const now = () => performance.timeOrigin + performance.now()
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
