// A page at the origin of a development server or of a proxy before it, for what is measured with real messages.
import { freshPage } from './browser.mjs'

const settings = { maxMessagesStoredPerChannel: 1000, pingMessageInterval: 2000 }

export async function startServer({ createDevServer }) {
  const server = createDevServer({ settings })
  const { url } = await server.listen(0)
  return { server, url }
}

/** A page of that origin: the server's own 404, which is as good as any. */
export async function receiving(browser, scripts, url, contender, options) {
  const { page, close } = await freshPage(browser, `${url}/`, scripts)
  await page.evaluate(([name, given]) => globalThis.bench.receive(name, given), [contender, { url, ...options }])
  const got = () => page.evaluate(() => globalThis.got)
  return { page, got, close }
}

export const now = () => performance.timeOrigin + performance.now()
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
