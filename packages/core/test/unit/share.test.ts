import { beforeEach, describe, expect, test } from 'vitest'
import { persist } from '../../src/persist/index.js'
import { nchan } from '../../src/protocols/nchan.js'
import { SimulatedModule } from '../support/simulated-module.js'
import { Shelf } from './support/shelf.js'
import { Browser, type Tab } from './support/tabs.js'

let server: SimulatedModule
let browser: Browser

beforeEach(() => {
  server = new SimulatedModule()
  browser = new Browser(server.clock, server.environment)
})

/** Opens tabs for the same channels, one after the other. */
async function open(count: number, ...channels: string[]): Promise<Tab[]> {
  const tabs: Tab[] = []
  for (let n = 0; n < count; n++) {
    const tab = browser.open()
    for (const name of channels) tab.stream.addChannel(name)
    tab.stream.connect()
    tabs.push(tab)
    await server.clock.advance(300)
  }
  return tabs
}

const connections = () => browser.tabs.reduce((sum, tab) => sum + tab.connections, 0)
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`)
async function publish(from: number, to: number, channel = 'a', pause = 10): Promise<void> {
  for (const text of numbers(from, to)) {
    server.publish(channel, text)
    await server.clock.advance(pause)
  }
}

describe('one connection', () => {
  test('four tabs → one connection, each message once in each', async () => {
    const tabs = await open(4, 'a')
    expect(tabs.map(({ stream }) => stream.status.state)).toEqual(['open', 'open', 'open', 'open'])
    expect(tabs.map(({ opened }) => opened)).toEqual([1, 1, 1, 1])
    await publish(1, 10)
    for (const tab of tabs) expect(tab.texts()).toEqual(numbers(1, 10))
    expect(connections()).toBe(1)
    expect(tabs[3]?.stream.status.mode).toBe('eventsource')
  })

  test('a prerendered page → takes no part until it is activated, then follows the others', async () => {
    const [one] = (await open(1, 'a')) as [Tab]
    const other = browser.open()
    other.prerendering = true
    other.stream.addChannel('a').addChannel('b').connect()
    await server.clock.advance(60_000)
    expect([other.connections, browser.ports.size, other.errors]).toEqual([0, 1, []])
    other.prerendering = false
    other.shown()
    await server.clock.advance(500)
    await publish(1, 3)
    expect([one.texts(), other.texts()]).toEqual([numbers(1, 3), numbers(1, 3)])
    expect([one.connections, other.connections]).toEqual([1, 0])
  })

  test('tabs with channels of their own → one connection for all, each tab gets its own', async () => {
    const [one, two] = [browser.open(), browser.open()]
    one.stream.addChannel('a').connect()
    two.stream.addChannel('b').connect()
    await server.clock.advance(500)
    server.publish('a', 'x')
    server.publish('b', 'y')
    await server.clock.advance(100)
    expect([one.texts(), two.texts()]).toEqual([['x'], ['y']])
    expect([one.stream.channels, two.stream.channels]).toEqual([['a'], ['b']])
    expect(connections()).toBe(1)
  })

  test('the leader closes → another goes on, nothing lost or doubled', async () => {
    const tabs = await open(3, 'a')
    await publish(1, 5)
    tabs[0]?.close()
    await publish(6, 50)
    await server.clock.advance(500)
    for (const tab of tabs.slice(1)) expect(tab.all.map((one) => 'text' in one && one.text)).toEqual(numbers(1, 50))
    expect(connections()).toBe(1)
  })

  test('removed in one tab → the others still get it, and the connection drops what nobody wants', async () => {
    const [one, two] = await open(2, 'a', 'b')
    one?.stream.removeChannel('a')
    await publish(1, 2)
    two?.stream.removeChannel('b')
    one?.stream.removeChannel('b').addChannel('c')
    await server.clock.advance(500)
    await publish(3, 4)
    expect([one?.texts(), two?.texts()]).toEqual([[], numbers(1, 4)])
    expect(server.requests.at(-1)?.url).toMatch(/\/ev\/c\.b1\/a\?|\/ev\/a\/c/)
    expect(connections()).toBe(1)
  })

  test('the leader disconnects, and connects again → it gets what it missed, once', async () => {
    const [one, two] = await open(2, 'a')
    one?.stream.disconnect()
    await publish(1, 20)
    expect([one?.texts(), two?.texts()]).toEqual([[], numbers(1, 20)])
    one?.stream.connect()
    await server.clock.advance(2000)
    await publish(21, 22)
    expect([one?.all.length, one?.texts()]).toEqual([22, numbers(1, 22)])
    expect(connections()).toBe(1)
  })

  test('a tab wants stored messages of a channel that the others have → it gets them, then shares', async () => {
    const [one] = await open(1, 'a')
    await publish(1, 9)
    const late = browser.open()
    late.stream.addChannel('a', { backtrack: 3 }).connect()
    await server.clock.advance(1000)
    await publish(10, 11)
    expect([one?.texts(), late.texts()]).toEqual([numbers(1, 11), numbers(7, 11)])
    expect(connections()).toBe(1)
  })

  test('the leader wants stored messages of a channel that it has for another tab → both get theirs', async () => {
    const [one] = await open(1, 'b')
    const [two] = await open(1, 'a')
    await publish(1, 9)
    one?.stream.addChannel('a', { backtrack: 3 })
    await server.clock.advance(1000)
    await publish(10, 11)
    expect([one?.texts('a'), two?.texts()]).toEqual([numbers(7, 11), numbers(1, 11)])
    expect(connections()).toBe(1)
  })

  test('closed → no timer, no lock and no channel of it is left', async () => {
    const before = server.clock.pending
    const tabs = await open(3, 'a')
    for (const { stream } of tabs) stream.close()
    await server.clock.advance(1000)
    expect(server.clock.pending).toBe(before)
    expect([browser.locks.holder(), browser.ports.size, connections()]).toEqual([undefined, 0, 0])
  })
})

describe('hand-over', () => {
  /** Publishes before, and after something happens to the leader. */
  async function through(happens: (leader: Tab) => void, then?: (leader: Tab) => void): Promise<Tab[]> {
    const tabs = await open(3, 'a')
    await publish(1, 50)
    happens(browser.locks.holder() as Tab)
    await publish(51, 150)
    await server.clock.advance(3000)
    then?.(tabs[0] as Tab)
    await server.clock.advance(2000)
    await publish(151, 200)
    await server.clock.advance(100)
    return tabs
  }

  test('crashes, and half of its last broadcasts are lost → another goes on', async () => {
    let late = 0
    browser.delay = () => 20
    const tabs = await through((leader) => {
      leader.crash()
      browser.forget(leader, () => late++ / 2)
    })
    for (const tab of tabs.slice(1)) expect([tab.all.length, tab.texts()]).toEqual([200, numbers(1, 200)])
    expect(connections()).toBe(1)
  })

  test('freezes, and resumes → another goes on at once, and it gets what it missed', async () => {
    const tabs = await through(
      (leader) => leader.freeze(),
      (leader) => leader.resume(),
    )
    for (const tab of tabs) expect([tab.all.length, tab.texts()]).toEqual([200, numbers(1, 200)])
    expect(connections()).toBe(1)
  })

  test('hangs and keeps its lock → another takes it within three seconds; woken, it follows', async () => {
    const tabs = await through(
      (leader) => leader.hang(),
      (leader) => {
        expect(browser.locks.holder()).not.toBe(leader)
        leader.wake()
      },
    )
    for (const tab of tabs) expect([tab.all.length, tab.texts()]).toEqual([200, numbers(1, 200)])
    expect(connections()).toBe(1)
  })

  test('a broadcast gets lost → the tab that misses it fetches it by itself', async () => {
    const tabs = await open(3, 'a')
    await publish(1, 5)
    browser.losing = (to, [type]) => to === tabs[2] && type === 'news'
    await publish(6, 7)
    browser.losing = undefined
    await publish(8, 20)
    await server.clock.advance(1000)
    await publish(21, 22)
    for (const tab of tabs) expect([tab.all.length, tab.texts()]).toEqual([22, numbers(1, 22)])
    expect(connections()).toBe(1)
  })
})

describe('who shares', () => {
  test.each([
    ['params', { params: { token: 'x' } }, 2],
    ['headers', { headers: { Authorization: 'x' } }, 2],
    ['credentials', { credentials: 'include' }, 2],
    ['an address', { url: 'http://other' }, 2],
    ['a prefix', { urlPrefixEventsource: '/other' }, 2],
    ['lastEventId', { lastEventId: 'x' }, 2],
    ['a protocol', { protocol: nchan() }, 2],
    ['a logger alone', { logger: { debug() {} } }, 1],
  ] as const)('%s → %j', async (_, options, expected) => {
    browser.open().stream.addChannel('a').connect()
    browser.open(options).stream.addChannel('a').connect()
    await server.clock.advance(100)
    expect(browser.locks.names).toBe(expected)
  })

  test('settings of a protocol → only the same share', async () => {
    for (const separator of ['.', '.', ':']) {
      browser
        .open({ protocol: nchan({ separator }) })
        .stream.addChannel('a')
        .connect()
    }
    await server.clock.advance(100)
    expect(browser.locks.names).toBe(2)
  })

  test('a function among the options → a key is required, and tells', async () => {
    const params = () => ({ token: 'x' })
    expect(() => browser.open({ params })).toThrow(/'params' is a function/)
    for (const key of ['one', 'one', 'two']) browser.open({ params }, key).stream.addChannel('a').connect()
    await server.clock.advance(100)
    expect(browser.locks.names).toBe(2)
  })

  test('onUnauthorized → needs no key', async () => {
    browser
      .open({ onUnauthorized: () => true })
      .stream.addChannel('a')
      .connect()
    browser.open().stream.addChannel('a').connect()
    await server.clock.advance(100)
    expect(browser.locks.names).toBe(1)
  })

  test('no Web Locks, or no BroadcastChannel → a connection for each, silently', async () => {
    for (const environment of [{ locks: null }, { BroadcastChannel: null }]) {
      browser.open({ environment }).stream.addChannel('a').connect()
    }
    await server.clock.advance(300)
    await publish(1, 3)
    expect(connections()).toBe(2)
    for (const tab of browser.tabs) expect([tab.texts(), tab.errors]).toEqual([numbers(1, 3), []])
  })
})

test('refresh → the connection of the tab that leads is replaced, and no other one opens', async () => {
  const [leader, follower] = await open(2, 'a')
  const asked = () => server.requests.filter(({ mode }) => mode !== 'poll').length
  const before = asked()
  follower?.stream.refresh()
  await server.clock.advance(300)
  expect(asked()).toBe(before)
  leader?.stream.refresh()
  await server.clock.advance(300)
  expect(asked()).toBe(before + 1)
  await publish(1, 3)
  for (const tab of browser.tabs) expect(tab.texts()).toEqual(numbers(1, 3))
  expect(connections()).toBe(1)
})

test.each([0, 1])(
  'eight tabs sleep for ten minutes, their connection and %i kept ones are dead, online → one new connection, all get all within 1 s',
  async (deadKept) => {
    const tabs = await open(8, 'a')
    await publish(1, 3)
    server.blackHole(true)
    server.clock.sleep(600_000)
    for (const text of ['4', '5']) server.publish('a', text)
    server.blackHole(false, deadKept)
    const before = server.requests.length
    for (const tab of tabs) tab.shown('online')
    await server.clock.advance(900)
    server.publish('a', '6')
    await server.clock.advance(100)
    for (const tab of tabs) expect([tab.texts(), tab.gaps]).toEqual([numbers(1, 6), []])
    await server.clock.advance(5000)
    expect(connections()).toBe(1)
    // One that a dead kept connection takes with it, one that replaces, and what checks.
    expect(server.requests.length - before).toBeLessThanOrEqual(4 + deadKept)
  },
)

test('lost without autoReconnect, and the page is shown → closed, until it connects by itself', async () => {
  const tab = browser.open({ autoReconnect: false })
  tab.stream.addChannel('a').connect()
  await server.clock.advance(500)
  server.cut()
  await server.clock.advance(2000)
  const asked = server.requests.length
  tab.shown()
  tab.shown('online')
  await server.clock.advance(5000)
  expect([tab.stream.status.state, server.requests.length]).toEqual(['closed', asked])
  tab.stream.connect()
  await server.clock.advance(500)
  expect(tab.stream.status.state).toBe('open')
})

describe('positions that are kept across page loads', () => {
  const shelves = new Map<string, Shelf>()
  beforeEach(() => shelves.clear())

  /** A page in one of the browser's tabs, each with a session storage of its own. */
  function load(tab: string, ...channels: string[]): Tab {
    const storage = shelves.get(tab) ?? new Shelf()
    shelves.set(tab, storage)
    const page = browser.open({ persist: persist({ storage }) })
    for (const name of channels) page.stream.addChannel(name)
    page.stream.connect()
    return page
  }
  const kept = (tab: string) => shelves.get(tab)?.text ?? ''

  test.each(['the leader', 'a follower'])('%s loads ten pages in a flow → each message once', async (which) => {
    const other = load('other', 'a', 'b')
    await server.clock.advance(500)
    const leads = which === 'the leader'
    const pages = [load('tab', 'a')]
    await server.clock.advance(500)
    // The first tab leads: closed, it hands the lead to the one that loads pages.
    if (leads) other.close()
    const rest = leads ? load('third', 'a', 'b') : other
    await server.clock.advance(500)
    for (let n = 0; n < 10; n++) {
      await publish(1 + 10 * n, 5 + 10 * n)
      pages.at(-1)?.close()
      await publish(6 + 10 * n, 10 + 10 * n, 'a', n)
      pages.push(load('tab', 'a'))
      await server.clock.advance(n * 60)
    }
    await server.clock.advance(3000)
    expect(pages.flatMap(({ all }) => all.map((one) => ('text' in one ? one.text : one)))).toEqual(numbers(1, 100))
    expect(rest.texts()).toEqual(numbers(1, 100))
    expect(connections()).toBe(1)
  })

  test('the leader → keeps its own channels, and those of other tabs not', async () => {
    load('one', 'a')
    await server.clock.advance(500)
    load('two', 'b')
    await server.clock.advance(500)
    server.publish('a', 'x')
    server.publish('b', 'y')
    await server.clock.advance(100)
    expect([kept('one'), kept('two')]).toEqual([expect.not.stringContaining('"b"'), expect.not.stringContaining('"a"')])
    expect([kept('one'), kept('two')]).toEqual([expect.stringContaining('"a"'), expect.stringContaining('"b"')])
    server.refused.add('b')
    server.cut()
    await server.clock.advance(8000)
    await publish(1, 2)
    expect(kept('one')).not.toContain('"b"')
  })

  test('the leader adds a channel that it has for another tab → it begins where its last page was', async () => {
    const before = load('one', 'a')
    await server.clock.advance(500)
    await publish(1, 2)
    before.close()
    await publish(3, 4)
    const one = load('one', 'b')
    await server.clock.advance(500)
    const two = load('two', 'a')
    await server.clock.advance(500)
    await publish(5, 6)
    one.stream.addChannel('a')
    await server.clock.advance(1000)
    await publish(7, 8)
    expect([one.texts(), two.texts()]).toEqual([numbers(3, 8), numbers(5, 8)])
    expect(connections()).toBe(1)
  })

  test('the leader removes a channel that another tab has → the next page begins anew', async () => {
    const one = load('one', 'a', 'b')
    await server.clock.advance(500)
    const two = load('two', 'a')
    await server.clock.advance(500)
    await publish(1, 2)
    one.stream.removeChannel('a')
    server.publish('b', 'x')
    await publish(3, 4)
    one.close()
    await publish(5, 6)
    const next = load('one', 'a')
    await server.clock.advance(1000)
    await publish(7, 8)
    expect([one.texts('a'), two.texts(), next.texts()]).toEqual([numbers(1, 2), numbers(1, 8), numbers(7, 8)])
  })

  test('a channel that is refused → its position stays for the page after the sign-in', async () => {
    const one = load('one', 'a')
    await server.clock.advance(500)
    load('two', 'b')
    await server.clock.advance(500)
    await publish(1, 2)
    server.refused.add('a')
    server.cut()
    await server.clock.advance(8000)
    expect(one.errors.map(({ code }) => code)).toContain('forbidden')
    one.close()
    server.refused.delete('a')
    await publish(3, 4)
    const next = load('one', 'a')
    await server.clock.advance(2000)
    expect(next.texts()).toEqual(['3', '4'])
  })
})
