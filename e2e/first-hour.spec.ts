import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from '@playwright/test'
import type { Options } from '@pushstream/core'
import { makeCertificate, missingCertificate } from './support/certificate.js'
import { serve, strictPolicy } from './support/pages.js'
import { startSite } from './support/site.js'
import { expect, test } from './support/test.js'

// The mistakes of the first hour that only a browser makes: its console names each, and what to change. Nobody listens.

/** How long the console may take, in ms. */
const soon = 5000

const open: (() => Promise<void>)[] = []
test.afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** A server that ends with the test. Resolves to its address. */
async function listening(listener: RequestListener, tls?: { key: Buffer; cert: Buffer }): Promise<string> {
  const server = tls ? createSecureServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  })
  return `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The pages of the tests, with a policy. */
const pages =
  (policy: string): RequestListener =>
  (request, response) => {
    const { writeHead } = response
    response.writeHead = ((status: number, headers: object = {}) =>
      writeHead.call(response, status, { ...headers, 'Content-Security-Policy': policy })) as typeof writeHead
    void serve(request, response)
  }
const anywhere = strictPolicy.replace("connect-src 'self' ws:", 'connect-src *')

/** Notes what a page writes to its console, and what it throws: Playwright sees neither in Firefox. */
function note(): void {
  const { warn } = console
  const noted = { lines: [] as string[], thrown: [] as string[], states: [] as string[] }
  console.warn = (...values: unknown[]) => {
    noted.lines.push(String(values[0]))
    warn(...values)
  }
  addEventListener('error', ({ error }) => noted.thrown.push((error as Error).message))
  Object.assign(window, { noted })
}

declare global {
  interface Window {
    noted: { readonly lines: string[]; readonly thrown: string[]; readonly states: string[] }
  }
}

/** A page that no fixture watches: what a browser says of broken connections is none of this test's business. */
async function load(browser: Browser, origin: string, count = 1): Promise<[Page, ...Page[]]> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  open.unshift(() => context.close())
  await context.addInitScript(note)
  const pages: Page[] = []
  for (let n = 0; n < count; n++) {
    const page = await context.newPage()
    await page.goto(`${origin}/`)
    await page.waitForFunction(() => window.e2e !== undefined)
    pages.push(page)
  }
  return pages as [Page, ...Page[]]
}

const noted = (page: Page) => page.evaluate(() => window.noted)
/** The console has one line, with this in it, in time. */
async function said(page: Page, text: string, within = soon): Promise<string> {
  await expect.poll(async () => (await noted(page)).lines, { timeout: within }).toEqual([expect.stringContaining(text)])
  return (await noted(page)).lines[0] as string
}

/** Connects a client without a listener. */
async function connect(page: Page, options: Pick<Options, 'url' | 'modes' | 'credentials'>): Promise<void> {
  await page.evaluate((given) => {
    const stream = new window.e2e.PushStream(given)
    stream.on('status', ({ state }) => window.noted.states.push(state))
    stream.addChannel('a').connect()
  }, options)
}
const states = async (page: Page) => (await noted(page)).states

for (const modes of ['eventsource', 'longpolling', 'eventsource|longpolling'] as const) {
  test(`case 37: ${modes} of another origin that does not allow the page → one warning, never open`, async ({
    browser,
    site,
  }) => {
    const [page] = await load(browser, await listening(pages(anywhere)))
    await connect(page, { url: site.url, modes })
    const line = await said(page, 'push_stream_allowed_origins')
    expect(line).toMatch(new RegExp(`(eventsource|longpolling) refused at ${site.url}/(ev|lp)/a`))
    await page.waitForTimeout(2500)
    expect((await noted(page)).lines).toHaveLength(1)
    expect(await states(page)).not.toContain('open')
  })
}

test('longpolling of another origin that allows the page, nothing stored → open, and not a word', async ({
  browser,
}) => {
  const other = await startSite({ settings: { allowedOrigins: '*' } })
  open.push(() => other.close())
  const [page] = await load(browser, await listening(pages(anywhere)))
  await connect(page, { url: other.url, modes: 'longpolling' })
  await expect.poll(() => states(page), { timeout: soon }).toContain('open')
  await page.waitForTimeout(soon)
  expect((await noted(page)).lines).toEqual([])
})

test('credentials, and a server that allows every origin → the header that is missing', async ({ browser }) => {
  const other = await startSite({ settings: { allowedOrigins: '*' } })
  open.push(() => other.close())
  const [page] = await load(browser, await listening(pages(anywhere)))
  await connect(page, { url: other.url, modes: 'eventsource', credentials: 'include' })
  await said(page, 'Access-Control-Allow-Credentials')
})

test('401 of another origin, without credentials → the option', async ({ browser }) => {
  const [page] = await load(browser, await listening(pages(anywhere)))
  const url = await listening((_, response) => {
    response.writeHead(401, { 'Access-Control-Allow-Origin': '*' }).end()
  })
  await connect(page, { url, modes: 'eventsource' })
  await said(page, `Set credentials: 'include'`)
})

for (const modes of ['websocket', 'eventsource', 'websocket|eventsource|longpolling'] as const) {
  test(`${modes}, and a policy that does not list the server → connect-src`, async ({ browser, site }) => {
    const [page] = await load(
      browser,
      await listening(pages(strictPolicy.replace("connect-src 'self' ws:", "connect-src 'self'"))),
    )
    await connect(page, { url: site.url, modes })
    const line = await said(page, 'connect-src')
    expect(line).toContain(new URL(site.url).host)
    await page.waitForTimeout(1500)
    expect((await noted(page)).lines).toHaveLength(1)
  })

  test(`${modes} of http in a page of https → mixed content`, async ({ browser }) => {
    test.skip(missingCertificate() !== undefined, missingCertificate())
    const { certificate, key, close } = await makeCertificate()
    open.push(close)
    const tls = { cert: await readFile(certificate), key: await readFile(key) }
    const [page] = await load(browser, await listening(pages(anywhere), tls))
    await connect(page, { url: 'http://push.example', modes })
    const line = await said(page, `needs an https 'url'`)
    expect(line).toContain('push.example')
  })
}

test('a redirect to a login page of another origin, and one of the same → said', async ({ browser }) => {
  const login = await listening((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')
  })
  const url = await listening((request, response) => {
    if (request.url?.startsWith('/ev/')) response.writeHead(302, { Location: '/login' }).end()
    else if (request.url?.startsWith('/lp/')) response.writeHead(302, { Location: login }).end()
    else if (request.url === '/login') response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>')
    else pages(anywhere)(request, response)
  })
  const [page] = await load(browser, url)
  await connect(page, { modes: 'eventsource' })
  await said(page, 'redirected')
  const [second] = await load(browser, url)
  await connect(second, { modes: 'longpolling' })
  await said(second, `at ${url}/lp/a`)
})

test('no server there → the address', async ({ browser, site }) => {
  const [page] = await load(browser, site.url)
  await site.proxy.refuse(true)
  await connect(page, {})
  const line = await said(page, `at ${site.url}/`)
  expect(line).toContain('Is a server running there?')
})

test('the seventh tab by eventsource over HTTP/1.1 → six streams', async ({ browser, site }) => {
  test.setTimeout(90_000)
  const tabs = await load(browser, site.url, 7)
  for (const page of tabs) await connect(page, { modes: 'eventsource' })
  const all = async () => (await Promise.all(tabs.map(noted))).flatMap(({ lines }) => lines)
  await expect.poll(all, { timeout: 2 * soon }).toEqual([expect.stringContaining('use websocket or HTTP/2')])
})

test('case 35: a listener throws → window.onerror has it, and the next message comes', async ({ browser, site }) => {
  const [page] = await load(browser, site.url)
  await page.evaluate(() => {
    const stream = new window.e2e.PushStream({})
    const { states } = window.noted
    stream.on('message', () => {
      throw new Error('mine')
    })
    stream.on('message', ({ text }) => states.push(text))
    stream.on('open', () => states.push('open'))
    stream.addChannel('a').connect()
  })
  await expect.poll(() => states(page), { timeout: soon }).toEqual(['open'])
  for (const text of ['1', '2']) site.server.publish('a', text)
  await expect.poll(() => states(page), { timeout: soon }).toEqual(['open', '1', '2'])
  expect((await noted(page)).thrown).toEqual(['mine', 'mine'])
})
