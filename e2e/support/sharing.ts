import type { Start } from '../page/page.js'
import { expect, note, publishAtRate, type Tab } from './test.js'

// Tabs with one connection for all of them, whose leader ends again and again.

/** All pages first: when six connections are taken, a browser loads no further page of that origin by HTTP/1.1. */
export async function openAll(newTab: () => Promise<Tab>, count: number, start: Start, path?: string): Promise<Tab[]> {
  const tabs: Tab[] = []
  for (let n = 0; n < count; n++) tabs.push(await (await newTab()).load(undefined, path))
  for (const tab of tabs) await tab.start({ share: {}, ...start })
  for (const tab of tabs) await tab.until('open', ({ status }) => status.state === 'open', 30_000)
  return tabs
}

/** The tab that leads: the one with a connection. Between two long-polls it has none. */
async function leaderOf(tabs: readonly Tab[]): Promise<Tab | undefined> {
  for (let times = 0; times < 20; times++) {
    const leads = await Promise.all(tabs.map((tab) => tab.page.evaluate(() => window.e2e.leads())))
    const leader = tabs[leads.findIndex(Boolean)]
    if (leader) return leader
  }
  return undefined
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/**
 * Publishes numbers to channel `a`, 200 a second, while the leader ends again and again, and expects that each tab that is
 * left has each of them once and in order. Resolves with those tabs.
 *
 * @param end resolves with whether the tab is gone for good.
 * @param every in ms.
 */
export async function flowPast(
  tabs: Tab[],
  publish: (channel: string, text: string) => unknown,
  count: number,
  end: (leader: Tab) => Promise<boolean>,
  every = 2000,
): Promise<Tab[]> {
  let left = tabs
  let ended = 0
  const publishing = publishAtRate({ publish }, ['a'], count, 200)
  let over = false
  void publishing.then(() => {
    over = true
  })
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, every))
    const leader = left.length > 2 && !over ? await leaderOf(left) : undefined
    if (leader === undefined) continue
    ended++
    if (await end(leader)) left = left.filter((tab) => tab !== leader)
  }
  await publishing
  note('leaders that ended', ended)
  expect(ended).toBeGreaterThan(1)
  for (const tab of left) {
    const { messages, gaps } = await tab.received(count, 40_000)
    expect(messages.map(({ data }) => (data as { n: number }).n)).toEqual(upTo(count))
    expect(gaps).toEqual([])
  }
  return left
}

/** Ends a tab as a user does. */
export async function close({ page }: Tab): Promise<boolean> {
  await page.close()
  return true
}
