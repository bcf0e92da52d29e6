import '../../../core/test/support/dom.js'
import type { Message } from '@pushstream/core'
import { afterEach, expect, test } from 'vitest'
import { type App, createApp, h, KeepAlive, ref } from 'vue'
import {
  allModes,
  environment,
  faults,
  publishAtRate,
  startProxy,
  startServer,
} from '../../../core/test/integration/support.js'
import { createPushStream, usePushChannel, usePushStatus } from '../../src/index.js'

const apps: App[] = []

afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
})

/** Looks again until it is so; a bound that only catches a hang. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let n = 0; n < 1500; n++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`not within 15 s: ${what}`)
}

for (const mode of allModes) {
  test(`${mode}: 300 messages, the line cut ten times, views put aside and back: each message once`, async () => {
    const { server, url } = await startServer()
    const proxy = await startProxy(url)
    const seen: Message[] = []
    const view = ref<'feed' | 'other'>('feed')
    const more = ref(false)
    const Feed = {
      name: 'Feed',
      setup() {
        const { messages } = usePushChannel(() => (more.value ? ['b', 'c', 'a'] : ['a', 'b']), {
          history: 1000,
          onMessage: (_: unknown, message: Message) => seen.push(message),
        })
        return () => h('i', messages.value.length)
      },
    }
    const Other = {
      name: 'Other',
      setup() {
        const { status } = usePushChannel('other')
        const client = usePushStatus()
        return () => h('b', `${status.value} ${client.value.mode}`)
      },
    }
    const place = document.createElement('div')
    const app = createApp({
      render: () => [h(KeepAlive, null, () => h(view.value === 'feed' ? Feed : Other))],
    })
    app.use(createPushStream({ url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50, environment }))
    app.mount(place)
    apps.push(app)
    view.value = 'other'
    await until('open', () => place.textContent === `open ${mode}`)
    const publishing = publishAtRate(
      (channel, text) => void server.publish(channel, text),
      ['a', 'b'],
      300,
      200,
      (n) => {
        if (n % 30 === 0) proxy.cut()
        if (n % 40 === 0) view.value = view.value === 'feed' ? 'other' : 'feed'
        if (n % 100 === 50) more.value = !more.value
      },
    )
    await publishing
    await until('all of it', () => seen.length >= 300)
    expect(faults({ all: seen } as never)).toEqual([])
    expect(seen).toHaveLength(300)
    view.value = 'feed'
    await until('all of it is shown', () => place.textContent === '300')
    // Two cuts may fall into one pause.
    expect(proxy.requests.length).toBeGreaterThan(5)
  })
}

test('$updates: handlers for the channels of the client, and for addresses beside it', async () => {
  const { server, url } = await startServer()
  const seen: unknown[] = []
  const plugin = createPushStream({ url, environment })
  const Page = {
    created(this: { $updates: typeof plugin.updates }) {
      this.$updates.registerProcessor('user-42', 'answer', (data) => seen.push(['client', data.value]))
      this.$updates.registerProcessor('main', 'answer', (data) => seen.push(['address', data.value]))
      this.$updates.subscribe({ main: `${url}/lp/main` })
    },
    setup() {
      usePushChannel('user-42')
      const client = usePushStatus()
      return () => client.value.state
    },
  }
  server.publish('main', '{"type":"answer","value":1}')
  const place = document.createElement('div')
  const app = createApp(Page).use(plugin)
  app.mount(place)
  apps.push(app)
  await until('open', () => place.textContent === 'open')
  server.publish('user-42', '{"type":"answer","value":2}')
  server.publish('main', '{"type":"answer","value":3}')
  await until('all of it', () => seen.length === 3)
  expect(new Set(seen.map((one) => String(one)))).toEqual(new Set(['address,1', 'client,2', 'address,3']))
  plugin.updates.close()
})
