import '../../../core/test/support/dom.js'
import { Client, eventsource, PushStream, type Status } from '@pushstream/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type App,
  createApp,
  createSSRApp,
  defineComponent,
  effectScope,
  h,
  KeepAlive,
  nextTick,
  onErrorCaptured,
  ref,
  Suspense,
  type VNode,
} from 'vue'
import { renderToString } from 'vue/server-renderer'
import { StubClient } from '../../../core/test/support/stub-client.js'
import { createPushStream, usePushChannel, usePushProcessor, usePushStatus, usePushStream } from '../../src/index.js'

let stub: StubClient
let apps: App[]
const complaints = vi.spyOn(console, 'warn')

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  stub = new StubClient()
  // What the plugin recognises a client by.
  Object.setPrototypeOf(Object.getPrototypeOf(stub), PushStream.prototype)
  apps = []
  complaints.mockClear()
})

afterEach(async () => {
  for (const app of apps) app.unmount()
  await vi.advanceTimersByTimeAsync(5000)
  expect(vi.getTimerCount()).toBe(0)
  expect(complaints.mock.calls).toEqual([])
  vi.useRealTimers()
})

/** Mounts an application that renders this. */
function mount(render: () => VNode | string | (VNode | string)[], client = stub.client) {
  const app = createApp({ render })
  app.use(createPushStream(client))
  const place = document.createElement('div')
  app.mount(place)
  apps.push(app)
  return {
    app,
    get text() {
      return place.textContent
    },
  }
}

/** A component that shows what its setup returns. */
const component = (setup: (props: { channel: string }) => () => unknown) =>
  defineComponent({ props: { channel: { type: String, default: 'a' } }, setup: (props) => setup(props) as () => VNode })

const Latest = component((props) => {
  const { data, status } = usePushChannel(() => props.channel)
  return () => `${data.value ?? 'nothing'} ${status.value}`
})

describe('usePushChannel', () => {
  test('shows the latest message; unmounted, it leaves nothing behind', async () => {
    const page = mount(() => h(Latest))
    await nextTick()
    expect(page.text).toBe('nothing open')
    stub.publish('a', 1)
    await nextTick()
    expect(page.text).toBe('1 open')
    apps.pop()?.unmount()
    await vi.advanceTimersByTimeAsync(2001)
    expect(stub.channels).toEqual([])
    // The store's two, and what `$updates` has.
    expect(stub.listeners).toBe(withoutComponents())
  })

  test('a burst: what is shown is the last, onMessage and reduce see every one', async () => {
    const seen: unknown[] = []
    let renders = 0
    const Sum = component(() => {
      const { data, messages } = usePushChannel('a', {
        history: 3,
        initial: 0,
        reduce: (sum: number, n: number) => sum + n,
        onMessage: (n) => seen.push(n),
      })
      return () => {
        renders++
        return `${data.value} ${messages.value.map(({ id }) => id)}`
      }
    })
    const page = mount(() => h(Sum))
    renders = 0
    for (let n = 1; n <= 100; n++) stub.publish('a', n)
    await nextTick()
    expect(page.text).toBe('5050 98,99,100')
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
    expect(renders).toBe(1)
  })

  test('what select picks has not changed: nothing is rendered; a ref that it reads is followed', async () => {
    let renders = 0
    const factor = ref(1)
    const Badge = component(() => {
      const { data } = usePushChannel('a', { select: (data) => data.unread * factor.value })
      return () => {
        renders++
        return String(data.value)
      }
    })
    const page = mount(() => h(Badge))
    stub.publish('a', { unread: 2 })
    await nextTick()
    renders = 0
    for (let n = 0; n < 5; n++) {
      stub.publish('a', { unread: 2, n })
      await nextTick()
    }
    expect(renders).toBe(0)
    factor.value = 10
    await nextTick()
    expect(page.text).toBe('20')
  })

  test('other channels: in one tick all changes are one; never another user’s data', async () => {
    const ids = ref([1, 2])
    const shown: string[] = []
    const User = component((props) => {
      const { data } = usePushChannel(() => props.channel)
      return () => {
        shown.push(`${props.channel}: ${data.value}`)
        return String(data.value)
      }
    })
    const page = mount(() => ids.value.map((id, at) => h(User, { key: at, channel: `user-${id}` })))
    for (const id of ids.value) stub.publish(`user-${id}`, `secret of user-${id}`)
    await nextTick()
    expect(page.text).toBe('secret of user-1secret of user-2')
    ids.value = [3, 4]
    await nextTick()
    expect(page.text).toBe('undefinedundefined')
    const removed = vi.spyOn(stub, 'removeChannel').mockImplementation(() => {
      expect(vi.getTimerCount()).toBe(0)
      return stub
    })
    await vi.advanceTimersByTimeAsync(2001)
    expect(removed).toHaveBeenCalledTimes(2)
    expect(shown.filter((line) => /^(user-\d): secret of (?!\1)/.test(line))).toEqual([])
  })

  test('null for no channel, and a set that changes keeps what stays', async () => {
    const channel = ref<string[] | null>(null)
    const List = component(() => {
      const { messages, status } = usePushChannel(channel, { history: 9 })
      return () => `${messages.value.map(({ data }) => data)} ${status.value}`
    })
    const page = mount(() => h(List))
    await nextTick()
    expect(page.text).toBe(' closed')
    channel.value = ['a', 'b']
    await nextTick()
    stub.publish('a', 1)
    stub.publish('b', 2)
    channel.value = ['b', 'c']
    await nextTick()
    stub.publish('c', 3)
    await nextTick()
    expect(page.text).toBe('2,3 open')
    channel.value = null
    await nextTick()
    expect(page.text).toBe(' closed')
  })

  test('kept alive: what comes while it is put aside is there when it is back', async () => {
    const seen: unknown[] = []
    const shown = ref(true)
    const List = component(() => {
      const { messages } = usePushChannel('a', { history: 9, onMessage: (data) => seen.push(data) })
      return () => messages.value.map(({ data }) => data).join()
    })
    const page = mount(() => h(KeepAlive, null, { default: () => (shown.value ? h(List) : h('i')) }))
    stub.publish('a', 1)
    for (const n of [2, 3]) {
      shown.value = false
      await nextTick()
      await vi.advanceTimersByTimeAsync(10_000)
      stub.publish('a', n)
      shown.value = true
      await nextTick()
      expect(page.text).toBe(n === 2 ? '1,2' : '1,2,3')
    }
    expect(seen).toEqual([1, 2, 3])
    expect(stub.calls.filter((call) => /^[+-]/.test(call))).toEqual(['+a'])
  })

  test('gone and back in time (a route, hot reload): the subscription stays', async () => {
    const key = ref(0)
    const page = mount(() => h(Latest, { key: key.value }))
    for (const n of [1, 2, 3]) {
      stub.publish('a', n)
      key.value = n
      await nextTick()
      await vi.advanceTimersByTimeAsync(900)
      expect(page.text).toBe(`${n} open`)
    }
    expect(stub.calls.filter((call) => /^[+-]/.test(call))).toEqual(['+a'])
  })

  test('a component that is still waited for has subscribed to nothing, and to all when it is there', async () => {
    let ready = () => {}
    const Slow = defineComponent({
      async setup() {
        const { data } = usePushChannel('a')
        await new Promise<void>((resolve) => {
          ready = resolve
        })
        return () => String(data.value)
      },
    })
    const page = mount(() => h(Suspense, null, { default: () => h(Slow), fallback: () => 'waiting' }))
    await nextTick()
    expect(page.text).toBe('waiting')
    expect(stub.channels).toEqual([])
    ready()
    await vi.advanceTimersByTimeAsync(0)
    stub.publish('a', 1)
    await nextTick()
    expect(page.text).toBe('1')
  })

  test('in a scope without a component it begins at once, and ends with the scope', async () => {
    const { app } = mount(() => '')
    const scope = effectScope()
    const { data } = app.runWithContext(() => scope.run(() => usePushChannel('a')))!
    stub.publish('a', 1)
    expect(data.value).toBe(1)
    scope.stop()
    await vi.advanceTimersByTimeAsync(2001)
    expect(stub.channels).toEqual([])
  })

  test('refused, bad and closed are told, nothing breaks', async () => {
    const Told = component((props) => {
      const { status, error, gap } = usePushChannel(() => props.channel)
      return () => `${status.value} ${error.value?.code} ${gap.value?.reason}.`
    })
    const page = mount(() => [h(Told, { channel: 'a' }), h(Told, { channel: 'a/b' })])
    await nextTick()
    const warned = vi.fn()
    complaints.mockImplementation(warned)
    stub.gap('a')
    stub.refuse('a')
    await nextTick()
    expect(page.text).toBe('closed forbidden overflow.closed bad-channel undefined.')
    complaints.mockReset()
  })
})

/** How many listeners a client has that only the plugin knows. */
function withoutComponents(): number {
  const other = new StubClient()
  const app = createApp({ render: () => '' })
  app.use(createPushStream(other.client))
  app.mount(document.createElement('div'))
  const { listeners } = other
  app.unmount()
  return listeners
}

describe('usePushProcessor', () => {
  test('calls for its type alone, until it has gone', async () => {
    const seen: unknown[] = []
    const shown = ref(true)
    const Page = component(() => {
      usePushProcessor('a', 'answer', (data) => seen.push(data.value))
      usePushProcessor('*', '*', (_, message) => seen.push(message.channel))
      return () => ''
    })
    mount(() => (shown.value ? h(Page) : ''))
    stub.publish('a', { type: 'answer', value: 42 })
    stub.publish('a', { type: 'other' })
    expect(seen).toEqual([42, 'a', 'a'])
    shown.value = false
    await nextTick()
    stub.publish('a', { type: 'answer', value: 43 })
    await vi.advanceTimersByTimeAsync(2001)
    expect(seen).toEqual([42, 'a', 'a'])
    expect(stub.channels).toEqual([])
  })
})

describe('the plugin', () => {
  /** A client that finds no server. */
  const nowhere = { url: 'http://127.0.0.1:9', environment: { fetch: () => new Promise<Response>(() => {}) } }

  test('a client made of transports → used as it is, and left open', async () => {
    const client = new Client({ ...nowhere, modes: [eventsource] })
    const plugin = createPushStream(client)
    expect(plugin.client).toBe(client)
    const app = createApp({ render: () => h(Latest) }).use(plugin)
    app.mount(document.createElement('div'))
    client.connect()
    app.unmount()
    await vi.advanceTimersByTimeAsync(2001)
    expect(() => client.addChannel('still open')).not.toThrow()
    client.close()
  })

  test('makes a client from options, connects it, and disconnects it when the application has gone', async () => {
    let client: PushStream | undefined
    let status: { value: Status } | undefined
    const Page = component(() => {
      client = usePushStream()
      status = usePushStatus()
      return () => status?.value.state
    })
    const plugin = createPushStream(nowhere)
    const place = document.createElement('div')
    const app = createApp({ render: () => [h(Page), h(Latest)] }).use(plugin)
    app.mount(place)
    // The channel is a change of the connection, which comes at the end of the tick.
    await vi.advanceTimersByTimeAsync(0)
    expect(client).toBe(plugin.client)
    expect(place.textContent).toBe('connectingnothing connecting')
    app.unmount()
    expect(plugin.client.status.state).toBe('connecting')
    await vi.advanceTimersByTimeAsync(2001)
    expect(plugin.client.status.state).toBe('closed')
    expect(plugin.client.channels).toEqual([])
  })

  test('a client of the application stays connected', async () => {
    mount(() => h(Latest))
    apps.pop()?.unmount()
    await vi.advanceTimersByTimeAsync(5000)
    expect(stub.calls).not.toContain('disconnect')
  })

  test('$pushStream and $updates: handlers for what the client brings', async () => {
    const seen: unknown[] = []
    const Page = defineComponent({
      created() {
        this.$updates.registerProcessor('user-42', 'answer', (data) => seen.push(data.value))
        this.$pushStream.addChannel('user-42')
      },
      render: () => '',
    })
    mount(() => h(Page))
    stub.publish('user-42', { type: 'answer', value: 42 })
    stub.publish('user-42', { type: 'other' })
    expect(seen).toEqual([42])
  })

  test('missing, it says what to do', () => {
    const errors: unknown[] = []
    const app = createApp({
      setup() {
        onErrorCaptured((error) => {
          errors.push(error)
          return false
        })
        return () => h(Latest)
      },
    })
    const said = vi.fn()
    complaints.mockImplementation(said)
    app.mount(document.createElement('div'))
    expect(String(errors[0])).toContain('app.use(createPushStream(options))')
    complaints.mockReset()
  })
})

describe('rendered on a server', () => {
  const Page = component(() => {
    const { data, messages, status } = usePushChannel('a', {
      initial: 'none yet',
      reduce: (_: string, data: string) => data,
    })
    const client = usePushStatus()
    return () => h('p', `${data.value} ${messages.value.length} ${status.value} ${client.value.state}`)
  })
  /** As if there were no page. */
  async function onServer<T>(act: () => Promise<T>): Promise<T> {
    const { document } = globalThis
    Reflect.deleteProperty(globalThis, 'document')
    try {
      return await act()
    } finally {
      Object.assign(globalThis, { document })
    }
  }

  test('idle, also without any option, and nothing is connected', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const html = await onServer(() => renderToString(createSSRApp({ render: () => h(Page) }).use(createPushStream())))
    expect(html).toBe('<p>none yet 0 closed closed</p>')
    expect(fetch).not.toHaveBeenCalled()
    fetch.mockRestore()
  })

  test('the page takes over what the server rendered, then lives', async () => {
    const html = await onServer(() =>
      renderToString(createSSRApp({ render: () => h(Page) }).use(createPushStream(stub.client))),
    )
    expect(stub.calls).toEqual([])
    stub.connect()
    const place = document.createElement('div')
    place.innerHTML = html
    const app = createSSRApp({ render: () => h(Page) }).use(createPushStream(stub.client))
    app.mount(place)
    apps.push(app)
    await nextTick()
    expect(place.textContent).toBe('none yet 0 open open')
    stub.publish('a', 'alive')
    await nextTick()
    expect(place.textContent).toBe('alive 0 open open')
  })
})
