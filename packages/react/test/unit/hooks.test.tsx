import type { PushStream } from '@pushstream/core'
import * as React from 'react'
import { Suspense, startTransition, useState, version } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StubClient } from '../../../core/test/support/stub-client.js'
import { PushStreamProvider, usePushChannel, usePushProcessor, usePushStatus, usePushStream } from '../../src/index.js'
import { act, clear, render } from '../support/render.js'

let stub: StubClient
const complaints = vi.spyOn(console, 'error')

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  stub = new StubClient()
  complaints.mockClear()
})

afterEach(async () => {
  await clear()
  await act(async () => vi.advanceTimersByTimeAsync(5000))
  expect(vi.getTimerCount()).toBe(0)
  expect(complaints.mock.calls).toEqual([])
  vi.useRealTimers()
})

const app = (children: React.ReactNode, one = stub) => (
  <PushStreamProvider client={one.client}>{children}</PushStreamProvider>
)
/** Waits in the application's time. */
const wait = (ms: number) => act(async () => vi.advanceTimersByTimeAsync(ms))

function Latest({ channel }: { channel: string | readonly string[] | null }) {
  const { data, status } = usePushChannel(channel)
  return `${data ?? 'nothing'} ${status}`
}

test(`this is the React it is meant to be: ${version}`, () => {
  expect(version).toMatch(/^(18|19)\./)
})

describe('usePushChannel', () => {
  test('shows the latest message; unmounted, it leaves nothing behind', async () => {
    const page = await render(app(<Latest channel="a" />))
    expect(page.text).toBe('nothing open')
    await act(async () => stub.publish('a', 1))
    expect(page.text).toBe('1 open')
    await page.unmount()
    await wait(2001)
    expect(stub.channels).toEqual([])
    expect(stub.listeners).toBe(2)
  })

  test('StrictMode mounts twice: one subscription, before the connection', async () => {
    await render(app([<Latest key="a" channel="a" />, <Latest key="b" channel={['b', 'a']} />]))
    expect(stub.calls.filter((call) => call !== 'connect')).toEqual(['+a', '+b'])
    expect(stub.calls.indexOf('connect')).toBe(2)
    await wait(5000)
    expect(stub.channels).toEqual(['a', 'b'])
  })

  test('a burst: what is shown is the last, onMessage and reduce see every one', async () => {
    const seen: unknown[] = []
    let renders = 0
    function Sum() {
      const { data, messages } = usePushChannel('a', {
        history: 3,
        initial: 0,
        reduce: (sum: number, n: number) => sum + n,
        onMessage: (n) => seen.push(n),
      })
      renders++
      return `${data} ${messages.map(({ id }) => id)}`
    }
    const page = await render(app(<Sum />), { strict: false })
    renders = 0
    await act(async () => {
      for (let n = 1; n <= 100; n++) stub.publish('a', n)
    })
    expect(page.text).toBe('5050 98,99,100')
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
    expect(renders).toBe(1)
  })

  test('inline functions may change with every render: no new subscription, and the newest is called', async () => {
    const seen: string[] = []
    let again = (_: number) => {}
    function Page() {
      const [n, setN] = useState(0)
      again = setN
      const { data } = usePushChannel('a', {
        onMessage: (data) => seen.push(`${n} ${data}`),
        select: (d) => `${n}${d}`,
      })
      return data ?? ''
    }
    const page = await render(app(<Page />))
    for (const n of [1, 2, 3]) {
      await act(async () => again(n))
      await act(async () => stub.publish('a', 'x'))
      expect(page.text).toBe(`${n}x`)
    }
    // What select uses beside the message is used at once.
    await act(async () => again(9))
    expect(page.text).toBe('9x')
    expect(seen).toEqual(['1 x', '2 x', '3 x'])
    expect(stub.calls).toEqual(['+a', 'connect', 'connect'])
  })

  test('what select picks has not changed: nothing is rendered', async () => {
    let renders = 0
    const unread = (data: { unread: number }) => data.unread
    function Badge() {
      renders++
      return String(usePushChannel('a', { select: unread }).data)
    }
    const page = await render(app(<Badge />), { strict: false })
    await act(async () => stub.publish('a', { unread: 1 }))
    renders = 0
    for (let n = 0; n < 5; n++) await act(async () => stub.publish('a', { unread: 1, n }))
    expect(renders).toBe(0)
    expect(page.text).toBe('1')
  })

  test('other channels: in one commit all changes are one; never another user’s data', async () => {
    const shown: string[] = []
    function User({ id }: { id: number }) {
      const { data } = usePushChannel(`user-${id}`)
      shown.push(`${id}: ${data}`)
      return String(data)
    }
    const all = ([one, two, three]: readonly [number, number, number]) =>
      app([<User key="1" id={one} />, <User key="2" id={two} />, <User key="3" id={three} />])
    const page = await render(all([1, 2, 3]))
    await act(async () => {
      for (const id of [1, 2, 3]) stub.publish(`user-${id}`, `secret of ${id}`)
    })
    expect(page.text).toBe('secret of 1secret of 2secret of 3')
    await page.show(all([4, 5, 6]))
    expect(page.text).toBe('undefinedundefinedundefined')
    const ticks: number[] = []
    const removed = vi.spyOn(stub, 'removeChannel').mockImplementation((name: string) => {
      ticks.push(vi.getTimerCount())
      stub.calls.push(`-${name}`)
      return stub
    })
    await wait(2001)
    expect(removed).toHaveBeenCalledTimes(3)
    // All of it in one timer's turn: none is pending beside it.
    expect(new Set(ticks)).toEqual(new Set([0]))
    expect(shown.filter((line) => /^(\d): secret of (?!\1)/.test(line))).toEqual([])
  })

  test('null for no channel, and a set that changes keeps what stays', async () => {
    function List({ channel }: { channel: readonly string[] | null }) {
      const { messages, status } = usePushChannel(channel, { history: 9 })
      return `${messages.map(({ data }) => data)} ${status}`
    }
    const page = await render(app(<List channel={null} />))
    expect(page.text).toBe(' closed')
    await page.show(app(<List channel={['a', 'b']} />))
    await act(async () => {
      stub.publish('a', 1)
      stub.publish('b', 2)
    })
    expect(page.text).toBe('1,2 open')
    await page.show(app(<List channel={['b', 'c']} />))
    await act(async () => stub.publish('c', 3))
    expect(page.text).toBe('2,3 open')
    await page.show(app(<List channel={null} />))
    expect(page.text).toBe(' closed')
    await wait(2001)
    expect(stub.channels).toEqual([])
  })

  test('gone and back in time (a route, hot reload): the subscription stays', async () => {
    const page = await render(app(<Latest key="1" channel="a" />))
    await act(async () => stub.publish('a', 'old'))
    for (let n = 0; n < 5; n++) {
      await page.show(app(null))
      await wait(500)
      await act(async () => stub.publish('a', `meanwhile ${n}`))
      await page.show(app(<Latest key={n} channel="a" />))
      expect(page.text).toBe(`meanwhile ${n} open`)
    }
    expect(stub.calls.filter((call) => /^[+-]/.test(call))).toEqual(['+a'])
  })

  test('a component that hangs, and its neighbours, miss nothing', async () => {
    const seen: unknown[] = []
    let wake = () => {}
    let hang: Promise<void> | undefined
    function Slow({ n }: { n: number }) {
      const { messages } = usePushChannel('a', { history: 9, onMessage: (data) => seen.push(data) })
      if (n === 1 && hang !== undefined) throw hang
      return messages.map(({ data }) => data).join()
    }
    const all = (n: number) =>
      app(
        <Suspense fallback="waiting">
          <Slow n={n} />
        </Suspense>,
      )
    const page = await render(all(0))
    await act(async () => stub.publish('a', 1))
    hang = new Promise((resolve) => {
      wake = resolve
    })
    await page.show(all(1))
    expect(page.text).toContain('waiting')
    await wait(5000)
    await act(async () => stub.publish('a', 2))
    expect(seen).toEqual([1, 2])
    await act(async () => {
      hang = undefined
      wake()
    })
    await act(async () => stub.publish('a', 3))
    expect(page.text).toBe('1,2,3')
    expect(seen).toEqual([1, 2, 3])
    expect(stub.calls.filter((call) => /^[+-]/.test(call))).toEqual(['+a'])
  })

  test('a render that is thrown away subscribes to nothing', async () => {
    const never = new Promise<void>(() => {})
    let go = (_: string) => {}
    function Page({ channel }: { channel: string }) {
      const { data } = usePushChannel(channel)
      if (channel === 'b') throw never
      return `${channel} ${data}`
    }
    function Switch() {
      const [channel, setChannel] = useState('a')
      go = setChannel
      return <Page channel={channel} />
    }
    const page = await render(
      app(
        <Suspense fallback="waiting">
          <Switch />
        </Suspense>,
      ),
    )
    await act(async () => stub.publish('a', 1))
    await act(async () => startTransition(() => go('b')))
    // The old screen stays, and goes on.
    await act(async () => stub.publish('a', 2))
    expect(page.text).toBe('a 2')
    await act(async () => startTransition(() => go('c')))
    expect(page.text).toBe('c undefined')
    expect(stub.calls.filter((call) => /^[+-]/.test(call))).toEqual(['+a', '+c'])
  })

  test('a render that is thrown away decides nothing about messages', async () => {
    const never = new Promise<void>(() => {})
    const seen: unknown[] = []
    let go = (_: number) => {}
    function Page({ n }: { n: number }) {
      const { data } = usePushChannel('a', {
        initial: '',
        reduce: (all: string, data) => `${all}${n}${data}`,
        onMessage: () => seen.push(n),
      })
      if (n === 2) throw never
      return data
    }
    function Counter() {
      const [n, setN] = useState(1)
      go = setN
      return <Page n={n} />
    }
    const page = await render(
      app(
        <Suspense fallback="waiting">
          <Counter />
        </Suspense>,
      ),
    )
    await act(async () => startTransition(() => go(2)))
    await act(async () => stub.publish('a', 'x'))
    await act(async () => startTransition(() => go(3)))
    await act(async () => stub.publish('a', 'y'))
    expect(page.text).toBe('1x3y')
    expect(seen).toEqual([1, 3])
  })

  // Since React 19.2.
  const since19 = 'Activity' in React ? test : () => {}
  since19('hidden by Activity for a moment: what came is told when it is back', async () => {
    const { Activity } = React as unknown as { Activity: React.ComponentType<{ mode: string; children: unknown }> }
    const seen: unknown[] = []
    function Tab() {
      const { messages } = usePushChannel('a', { history: 9, onMessage: (data) => seen.push(data) })
      return messages.map(({ data }) => data).join()
    }
    const all = (mode: string) =>
      app(
        <Activity mode={mode}>
          <Tab />
        </Activity>,
      )
    const page = await render(all('visible'))
    await act(async () => stub.publish('a', 1))
    await page.show(all('hidden'))
    await wait(900)
    await act(async () => stub.publish('a', 2))
    expect(seen).toEqual([1])
    await page.show(all('visible'))
    expect(seen).toEqual([1, 2])
    expect(page.text).toBe('1,2')
    // For long: the channel is left, and it begins anew instead of going on with a hole.
    await page.show(all('hidden'))
    await wait(2001)
    expect(stub.channels).toEqual([])
    await page.show(all('visible'))
    expect(page.text).toBe('')
    await act(async () => stub.publish('a', 3))
    expect(page.text).toBe('3')
  })

  test('many components with one channel agree, whatever the order', async () => {
    const names = Array.from({ length: 30 }, (_, n) => `${n}`)
    const page = await render(app(names.map((name) => <Latest key={name} channel="a" />)))
    for (const n of [1, 2, 3]) {
      await act(async () => stub.publish('a', n))
      expect(page.text).toBe(`${n} open`.repeat(30))
    }
    expect(stub.calls.filter((call) => call.startsWith('+'))).toEqual(['+a'])
  })

  test('refused, bad and closed are told, nothing breaks', async () => {
    function Told({ channel }: { channel: string }) {
      const { status, error, gap } = usePushChannel(channel)
      return `${status} ${error?.code} ${gap?.reason}.`
    }
    const page = await render(app(['a', 'a/b'].map((channel) => <Told key={channel} channel={channel} />)))
    await act(async () => stub.gap('a'))
    expect(page.text).toBe('open undefined overflow.closed bad-channel undefined.')
    await act(async () => stub.refuse('a'))
    expect(page.text).toBe('closed forbidden overflow.closed bad-channel undefined.')
    await act(async () => stub.close())
    await page.show(app(<Told channel="c" />))
    expect(page.text).toBe('closed closed undefined.')
  })
})

describe('usePushProcessor', () => {
  test('calls the newest function, for its type alone', async () => {
    const seen: unknown[] = []
    function Page({ n }: { n: number }) {
      usePushProcessor('a', 'answer', (data) => seen.push([n, data.value]))
      usePushProcessor('*', '*', (_, message) => seen.push([n, message.channel, message.id]))
      return null
    }
    const page = await render(app(<Page n={1} />))
    await act(async () => stub.publish('a', { type: 'answer', value: 42 }))
    await page.show(app(<Page n={2} />))
    await act(async () => stub.publish('a', { type: 'other' }))
    expect(seen).toEqual([
      [1, 42],
      [1, 'a', 1],
      [2, 'a', 2],
    ])
    expect(stub.calls.filter((call) => call.startsWith('+'))).toEqual(['+a'])
  })
})

describe('the provider', () => {
  /** A client that finds no server. */
  const nowhere = { url: 'http://127.0.0.1:9', environment: { fetch: () => new Promise<Response>(() => {}) } }

  test('makes one client from its options, connects it, and disconnects it when it has gone', async () => {
    const clients = new Set<PushStream>()
    function Page() {
      clients.add(usePushStream())
      return usePushStatus().state
    }
    const all = (n: number) => (
      <PushStreamProvider options={{ ...nowhere }}>
        <Page key={n} />
        <Latest channel="a" />
      </PushStreamProvider>
    )
    const page = await render(all(0))
    const { length } = [...clients]
    expect(page.text).toContain('connecting')
    await page.show(all(1))
    expect(clients.size).toBe(length)
    const [client] = [...clients].slice(-1) as [PushStream]
    expect(client.channels).toEqual(['a'])
    await page.unmount()
    expect(client.status.state).toBe('connecting')
    await wait(2001)
    expect(client.status.state).toBe('closed')
    expect(client.channels).toEqual([])
  })

  test('a client of the application stays connected', async () => {
    const page = await render(app(<Latest channel="a" />))
    await page.unmount()
    await wait(5000)
    expect(stub.calls).not.toContain('disconnect')
  })

  test('another client: everything moves there', async () => {
    const other = new StubClient()
    const page = await render(app(<Latest channel="a" />))
    await act(async () => stub.publish('a', 'here'))
    await page.show(app(<Latest channel="a" />, other))
    expect(page.text).toBe('nothing open')
    await act(async () => other.publish('a', 'there'))
    expect(page.text).toBe('there open')
    await wait(2001)
    expect(stub.channels).toEqual([])
  })

  test('missing, or with bad options, says what to do', async () => {
    expect(() => renderToString(<Latest channel="a" />)).toThrow('PushStreamProvider')
    const bad = <PushStreamProvider options={{ hots: 'a' } as never} />
    expect(() => renderToString(bad)).toThrow("Unknown option 'hots'")
  })
})

describe('rendered on a server', () => {
  function Page() {
    const { data, messages, status } = usePushChannel('a', {
      initial: 'none yet',
      reduce: (_: string, data: string) => data,
      backtrack: 1,
    })
    return <p>{`${data} ${messages.length} ${status} ${usePushStatus().state}`}</p>
  }

  test('idle, also without any option, and nothing is connected', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const html = renderToString(
      <PushStreamProvider>
        <Page />
      </PushStreamProvider>,
    )
    expect(html).toBe('<p>none yet 0 closed closed</p>')
    expect(fetch).not.toHaveBeenCalled()
    fetch.mockRestore()
  })

  test('the page takes over what the server rendered, then lives', async () => {
    const html = renderToString(app(<Page />))
    expect(stub.calls).toEqual([])
    // It may be connected before it is hydrated.
    stub.connect()
    const page = await render(app(<Page />), { html, strict: false })
    expect(page.text).toBe('none yet 0 open open')
    await act(async () => stub.publish('a', 'alive'))
    expect(page.text).toBe('alive 0 open open')
  })
})
