const TIMEOUT_MS = 30_000

/** Keeps the elements that came from the server, to see whether hydration keeps them. At this time, no module has run. */
const keepFirst = () => {
  document.addEventListener('readystatechange', () => {
    globalThis.first ??= [...document.querySelectorAll('main, main *')]
  })
}

/**
 * Opens the page of a site, publishes, and waits for the message to appear. Resolves with what went wrong, and that includes
 * everything that the page says on the console. `rendered`: a server renders the page, and publishes at this path.
 */
export async function visit(browser, origin, { rendered, subscribers }) {
  const problems = []
  if (rendered !== undefined) {
    const html = await (await fetch(origin)).text()
    if (!/<main[^>]* aria-busy="true"/.test(html)) problems.push(`the server renders no page:\n${html.slice(0, 2000)}`)
    if (subscribers() > 0) problems.push('a client is connected on the server')
  }
  const page = await browser.newPage()
  page.setDefaultTimeout(TIMEOUT_MS)
  page.on('console', (line) => {
    if (['error', 'warning'].includes(line.type())) problems.push(`console: ${line.text()} ${line.location().url}`)
  })
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  await page.addInitScript(keepFirst)
  try {
    await page.goto(origin)
    await page.locator('main[aria-busy=false]').waitFor()
    await publish(`${origin}/pub?id=news`, 'by HTTP', encodeURIComponent)
    await page.locator('li', { hasText: 'by HTTP' }).waitFor()
    if (rendered !== undefined) {
      await publish(`${origin}${rendered}`, 'by the server', (text) => text)
      await page.locator('li', { hasText: 'by the server' }).waitFor()
      const kept = await page.evaluate(() => globalThis.first.map(({ isConnected }) => isConnected))
      if (kept.length < 3 || kept.includes(false)) problems.push('the page replaced what the server rendered')
    }
    const titles = await page.locator('li').allTextContents()
    const expected = rendered === undefined ? ['by HTTP'] : ['by HTTP', 'by the server']
    if (titles.join() !== expected.join()) problems.push(`the page shows: ${titles.join()}`)
  } catch (error) {
    problems.push(error.message)
  } finally {
    await page.close()
  }
  return problems
}

async function publish(url, title, encode) {
  const body = encode(JSON.stringify({ type: 'item', title }))
  const { ok, status } = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  if (!ok) throw new Error(`${url} answered ${status}`)
}
