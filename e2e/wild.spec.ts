import type { ModeName } from '@pushstream/core'
import { bodyOf } from './nginx/wild/bodies.js'
import { corpus } from './nginx/wild/corpus.js'
import { startOf, type Wild } from './nginx/wild/wild.js'
import type { Seen } from './page/page.js'
import { lacking } from './support/programs.js'
import { expect, Tab, test } from './support/test.js'
import { missingWild, type Runner, startWild, type WildSite } from './support/wild.js'

// The configurations of nginx/wild in browsers, in fewer steps than in Node (packages/core/test/integration/wild.test.ts).

test.use({ ignoreHTTPSErrors: true })

/** A text as it can be compared: pages shorten long ones, and JSON may come in another layout. */
function comparable(text: string, { bodies }: Wild): string {
  if (text.length > 10_000) return `${text.slice(0, 8)}…${text.length}…${text.slice(-8)}`
  try {
    return bodies === 'json' ? JSON.stringify(JSON.parse(text)) : text
  } catch {
    return text
  }
}

/** The modes that are tried in browsers: all of them where the browser has a say, one in turn elsewhere. */
function modesOf(wild: Wild): ModeName[] {
  // What may be missing between two polls is counted in Node.
  const modes = (Object.keys(wild.modes) as ModeName[]).filter(
    (mode) => wild.broken?.[mode] === undefined && !(mode === 'longpolling' && wild.between),
  )
  const one = modes[corpus.indexOf(wild) % modes.length]
  return wild.tls || wild.elsewhere || one === undefined ? modes : [one]
}

/** Whether what a page gets may differ by browser. */
const byBrowser = ({ elsewhere, name, tls }: Wild) => tls || elsewhere !== undefined || name === 'gzip'

class Visit {
  readonly wild: Wild
  readonly mode: ModeName
  readonly site: WildSite
  readonly tab: Tab
  #published: Record<string, string[]> = {}
  #n = 0

  constructor(wild: Wild, mode: ModeName, site: WildSite, tab: Tab) {
    this.wild = wild
    this.mode = mode
    this.site = site
    this.tab = tab
    this.#forget()
  }

  #forget(): void {
    this.#published = Object.fromEntries(this.wild.channels.map((channel) => [channel, []]))
  }

  async load(): Promise<void> {
    const channels = Object.fromEntries(this.wild.channels.map((channel) => [channel, 0]))
    const start = { ...startOf(this.wild, this.mode, this.site.url), channels }
    if (!this.wild.replays) this.#forget()
    await this.tab.load(start, this.wild.elsewhere && 'elsewhere.html')
    await this.open()
  }

  open = () => this.tab.until('open', ({ status }) => status.state === 'open')

  async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { channel, sent, text } = bodyOf(this.wild, this.mode, this.#n++)
      const headers = this.wild.events && { 'Event-Type': 'kind', 'Event-Id': `e${this.#n}` }
      expect(await this.site.publish(channel, sent, headers)).toBeLessThan(300)
      this.#published[channel]?.push(comparable(text, this.wild))
      // Bodies alone follow each other in an answer without anything between them.
      if (this.wild.status.gaps === 'none') await this.received()
    }
  }

  /** Everything that was published to this page has come, once and in order. */
  async received(): Promise<void> {
    const all = Object.values(this.#published).flat().length
    const { messages, gaps, deadletters, errors } = await this.tab.received(all)
    expect(this.#byChannel(messages)).toEqual(this.#published)
    expect({ gaps, deadletters }).toEqual({ gaps: [], deadletters: [] })
    // The others say what to change in the configuration.
    expect(errors.filter(({ code }) => ['forbidden', 'unauthorized', 'bad-request'].includes(code))).toEqual([])
  }

  #byChannel(messages: readonly Seen[]): Record<string, string[]> {
    const of = (name: string) => messages.filter(({ channel }) => channel === name)
    return Object.fromEntries(
      this.wild.channels.map((channel) => [channel, of(channel).map(({ text }) => comparable(text, this.wild))]),
    )
  }
}

/** The page itself, and what it loads. */
const pageItself = /^\/(?:\?start=.*|page\.js|favicon\.ico)?$/

/** Notes what the page's client asks for: on the wire, and as the browser says it, where the wire is encrypted. */
function asked({ page }: Tab, { proxy }: WildSite): () => string[] {
  const urls: string[] = []
  const before = proxy.requests.length
  page.on('request', (request) => {
    if (request.resourceType() === 'fetch') urls.push(request.url().replace(/^\w+:\/\/[^/]+/, ''))
  })
  const onTheWire = () => proxy.requests.slice(before).map(({ path }) => path)
  return () => [...urls, ...onTheWire().filter((path) => !pageItself.test(path))]
}

async function visit(wild: Wild, runner: Runner, newPage: () => Promise<Tab['page']>): Promise<void> {
  const site = await startWild(wild, runner)
  try {
    if (wild.created) for (const channel of wild.channels) await site.publish(channel, 'before')
    for (const mode of modesOf(wild)) {
      const tab = new Tab(await newPage(), site.pages)
      const requests = asked(tab, site)
      const visit = new Visit(wild, mode, site, tab)
      await visit.load()
      await visit.publish(15)
      await visit.received()
      site.proxy.cut()
      if (wild.cut === 'all') {
        await visit.publish(5)
        await visit.received()
      }
      // Where messages have no time, a page that is busy takes a stored one for new.
      if (wild.status.resume !== 'none') {
        await tab.page.waitForTimeout(wild.rewinds ?? 0)
        await visit.load()
        await visit.publish(4)
        await visit.received()
      }
      const begin = wild.modes[mode] as string
      const beside = requests().filter((path) => !path.startsWith(begin))
      expect(beside, `other locations than ${begin}`).toEqual([])
      if (!wild.tls) expect(requests(), mode).not.toEqual([])
      await tab.page.close()
    }
    expect(site.nginx.crashes).toEqual([])
  } finally {
    await site.close()
  }
}

for (const wild of corpus.filter((one) => one.unvisited === undefined && modesOf(one).length > 0)) {
  const runners: Runner[] = wild.server === 'nchan' ? ['nginx'] : ['development server', 'nginx']
  for (const runner of runners) {
    const title = `${wild.name}, ${runner}: hostile texts, a cut, a page reloaded, each message once`
    test(title, { tag: byBrowser(wild) ? [] : '@server' }, async ({ context }) => {
      const missing = lacking(missingWild(wild, runner))
      test.skip(missing !== undefined, missing)
      await visit(wild, runner, () => context.newPage())
    })
  }
}

test('case 1: websockets alone, all else forbidden → messages come, and the console stays empty', async ({ page }) => {
  const wild = corpus.find(({ name }) => name === 'websocket-only') as Wild
  const missing = lacking(missingWild(wild, 'development server'))
  test.skip(missing !== undefined, missing)
  const site = await startWild(wild, 'development server')
  try {
    const lines: string[] = []
    page.on('console', (message) => lines.push(message.text()))
    const tab = new Tab(page, site.pages)
    const requests = asked(tab, site)
    const visit = new Visit(wild, 'websocket', site, tab)
    await visit.load()
    await visit.publish(2)
    await visit.received()
    // A quiet connection is checked by a replacement.
    await expect.poll(() => requests().length).toBeGreaterThan(1)
    await visit.publish(2)
    await visit.received()
    expect(requests().filter((path) => !path.startsWith('/ws/'))).toEqual([])
    expect(lines).toEqual([])
  } finally {
    await site.close()
  }
})
