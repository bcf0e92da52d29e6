import { setTimeout as pause } from 'node:timers/promises'
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test'
import { findBrowser, missing } from '../support/browsers.js'
import setup from '../support/build.js'
import { type Site, startSite } from '../support/site.js'

// Tabs of one browser that share a connection. They are opened, closed, reloaded, crash and hang, their network breaks, and
// the channels that they want change.

const channels = ['a', 'b', 'c'] as const
const most = 8
/** So long after a trouble every tab has all that was published, in ms. */
const patience = 15_000

export interface Counted {
  readonly received: number
  readonly gaps: number
  readonly faults: readonly string[]
  /** The last id of each channel that it wants now, 0 as long as nothing came. */
  readonly last: Readonly<Record<string, number>>
}

class Tabs {
  readonly #site: Site
  readonly #context: BrowserContext
  readonly #random: () => number
  /** Those that are open. The first stays, so that its heap can be compared. */
  pages: Page[] = []
  /** How many there were, and what those counted that are gone. */
  readonly sum = { tabs: 0, received: 0, gaps: 0, faults: [] as string[] }

  constructor(site: Site, context: BrowserContext, random: () => number) {
    this.#site = site
    this.#context = context
    this.#random = random
  }

  pick<T>(some: readonly T[]): T {
    return some[Math.floor(this.#random() * some.length)] as T
  }

  async open(page?: Page): Promise<void> {
    const opened = page ?? (await this.#context.newPage())
    await opened.goto(`${this.#site.url}/`)
    await opened.waitForFunction(() => window.e2e !== undefined)
    await opened.evaluate((names) => window.e2e.count({ modes: ['eventsource'] }, names), [...channels].slice(0, 2))
    this.sum.tabs++
    if (!page) this.pages.push(opened)
  }

  /** What a tab counted, added to the sum as it is about to be gone. */
  async take(page: Page): Promise<void> {
    const { received, gaps, faults } = await this.counted(page)
    this.sum.received += received
    this.sum.gaps += gaps
    this.sum.faults.push(...faults)
  }

  counted(page: Page): Promise<Counted> {
    return page.evaluate(() => window.e2e.counted())
  }

  /** Any tab but the first. */
  async #leaving(leader: boolean): Promise<Page | undefined> {
    const others = this.pages.slice(1)
    if (!leader) return this.pick(others)
    for (const page of others) if (await page.evaluate(() => window.e2e.leads())) return page
    return undefined
  }

  async close(leader: boolean): Promise<void> {
    const page = this.pages.length > 3 ? await this.#leaving(leader) : undefined
    if (!page) return
    await this.take(page)
    this.pages = this.pages.filter((one) => one !== page)
    await page.close()
  }

  async crash(): Promise<void> {
    const page = this.pages.length > 3 ? await this.#leaving(true) : undefined
    if (!page) return
    await this.take(page)
    this.pages = this.pages.filter((one) => one !== page)
    const session = await page.context().newCDPSession(page)
    session.send('Page.crash').catch(() => {})
    await page.waitForEvent('crash')
    await page.close()
  }

  /** No script of the tab runs for a while, as in a debugger. */
  async hang(): Promise<void> {
    const session = await this.#context.newCDPSession(this.pick(this.pages))
    await session.send('Debugger.enable')
    await session.send('Debugger.pause')
    await pause(1000 + this.#random() * 4000)
    await session.detach()
  }

  async reload(): Promise<void> {
    const page = this.pick(this.pages.slice(1))
    if (!page) return
    await this.take(page)
    await this.open(page)
  }

  async change(): Promise<void> {
    await this.pick(this.pages).evaluate((name) => window.e2e.change(name), this.pick(channels))
  }

  /** Waits until every tab has what was published last on its channels. Resolves with what is missing, if it stays so. */
  async missing(last: Readonly<Record<string, number>>): Promise<string[]> {
    const due = Date.now() + patience
    for (;;) {
      const behind: string[] = []
      for (const [n, page] of this.pages.entries()) {
        const counted = await this.counted(page)
        for (const [name, id] of Object.entries(counted.last)) {
          if (id < (last[name] ?? 0)) behind.push(`tab ${n}: ${name} is at ${id}, not ${last[name]}`)
        }
      }
      if (behind.length === 0 || Date.now() > due) return behind
      await pause(100)
    }
  }

  /** The heap of the first tab without garbage, in KB. */
  async heap(): Promise<number> {
    const session = await this.#context.newCDPSession(this.pages[0] as Page)
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number }
    await session.detach()
    return Math.round(usedSize / 1024)
  }
}

const troubles: Record<string, (tabs: Tabs, site: Site, random: () => number) => Promise<unknown>> = {
  open: async (tabs) => tabs.pages.length < most && tabs.open(),
  close: (tabs) => tabs.close(false),
  'close the leader': (tabs) => tabs.close(true),
  crash: (tabs) => tabs.crash(),
  hang: (tabs) => tabs.hang(),
  reload: (tabs) => tabs.reload(),
  'other channels': (tabs) => tabs.change(),
  cut: async (_, { proxy }) => proxy.cut(),
  async 'black hole'(_, { proxy }, random) {
    proxy.blackhole(true)
    await pause(500 + random() * 3000)
    proxy.blackhole(false)
  },
  'server reloads': async (_, { server }) => server.reload(),
}

/** Runs it, and prints what came of it. Resolves with whether nothing was lost without a gap, doubled or disordered. */
export async function tabs(minutes: number, random: () => number): Promise<boolean> {
  const executablePath = await findBrowser('chromium')
  if (executablePath === undefined) throw new Error(await missing('chromium'))
  await setup()
  const site = await startSite()
  let browser: Browser | undefined
  try {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    const all = new Tabs(site, await browser.newContext(), random)
    for (let n = 0; n < 4; n++) await all.open()
    const last: Record<string, number> = {}
    let done = false
    const publishing = (async () => {
      for (let n = 0; !done; n++) {
        await pause(10 + random() * 40)
        const name = channels[n % channels.length] as string
        last[name] = site.server.publish(name, `${n}`).id
      }
    })()
    const stuck: string[] = []
    const begun = Date.now()
    let heap: number | undefined
    const counts: Record<string, number> = {}
    while (Date.now() - begun < minutes * 60_000) {
      const name = all.pick(Object.keys(troubles))
      counts[name] = (counts[name] ?? 0) + 1
      await troubles[name]?.(all, site, random)
      await pause(random() * 2000)
      const behind = await all.missing({ ...last })
      if (behind.length > 0) stuck.push(`after '${name}': ${behind.join(', ')}`)
      if (Date.now() - begun > minutes * 6000) heap ??= await all.heap()
    }
    done = true
    await publishing
    const behind = await all.missing({ ...last })
    for (const page of all.pages) await all.take(page)
    const { sum } = all
    console.log(
      Object.entries(counts)
        .map((one) => one.join(' '))
        .join(', '),
    )
    console.log(
      `published ${Object.values(last).reduce((a, b) => a + b, 0)}, in ${sum.tabs} tabs received ${sum.received}`,
    )
    console.log(`gaps ${sum.gaps}, heap of the first tab ${heap} KB after a tenth, ${await all.heap()} KB at the end`)
    const wrong = [...sum.faults, ...stuck, ...behind]
    for (const line of wrong.slice(0, 20)) console.log(`  ${line}`)
    console.log(`${sum.faults.length} lost without a gap, doubled or disordered; ${stuck.length + behind.length} stuck`)
    return wrong.length === 0
  } finally {
    await browser?.close()
    await site.close()
  }
}
