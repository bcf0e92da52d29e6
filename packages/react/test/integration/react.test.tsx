import type { Message } from '@pushstream/core'
import { afterEach, expect, test } from 'vitest'
import {
  allModes,
  cleanup,
  environment,
  faults,
  publishAtRate,
  record,
  startProxy,
  startServer,
} from '../../../core/test/integration/support.js'
import { PushStreamProvider, usePushChannel, usePushStatus } from '../../src/index.js'
import { act, clear, render } from '../support/render.js'

afterEach(clear)

/** Looks again until it is so, in the application's time; a bound that only catches a hang. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let n = 0; n < 1500; n++) {
    if (condition()) return
    await act(() => new Promise((resolve) => setTimeout(resolve, 10)))
  }
  throw new Error(`not within 15 s: ${what}`)
}

function State() {
  const { state, mode } = usePushStatus()
  return `${state} ${mode}`
}

for (const mode of allModes) {
  test(`${mode}: 300 messages, the line cut ten times, components coming and going: each message once`, async () => {
    const { server, url } = await startServer()
    const proxy = await startProxy(url)
    const seen: Message[] = []
    function Feed({ channels }: { channels: readonly string[] }) {
      const { messages } = usePushChannel(channels, { history: 1000, onMessage: (_, message) => seen.push(message) })
      return <i>{messages.length}</i>
    }
    function Other({ channel }: { channel: string }) {
      return <b>{usePushChannel(channel).status}</b>
    }
    const options = { url: proxy.url, modes: [mode], reconnectOnTimeoutInterval: 50, environment }
    const all = (n: number) => (
      <PushStreamProvider options={options}>
        <Feed channels={n < 3 ? ['a', 'b'] : ['b', 'a', 'c']} />
        {n % 2 === 0 && <Other key={n} channel={`other-${n}`} />}
        <u>
          <State />
        </u>
      </PushStreamProvider>
    )
    const page = await render(all(0))
    await until('open', () => page.text.includes(`open ${mode}`))
    const publishing = publishAtRate(
      (channel, text) => void server.publish(channel, text),
      ['a', 'b'],
      300,
      200,
      (n) => n % 30 === 0 && proxy.cut(),
    )
    for (let n = 1; n <= 8; n++) {
      await act(() => new Promise((resolve) => setTimeout(resolve, 120)))
      await page.show(all(n))
    }
    await act(async () => publishing)
    await until('all of it', () => seen.length >= 300)
    expect(faults({ all: seen } as never)).toEqual([])
    expect(seen).toHaveLength(300)
    expect(page.text).toContain('300')
    // It was cut, indeed: a slow machine may not be connected again before the next cut.
    expect(proxy.requests.length).toBeGreaterThan(3)
    await page.unmount()
  })
}

test('what one commit changes is one change of the connection, and StrictMode costs none', async () => {
  const { server, url } = await startServer()
  const proxy = await startProxy(url)
  const names = (n: number) => Array.from({ length: 10 }, (_, at) => `room-${n}-${at}`)
  function Room({ channel }: { channel: string }) {
    return usePushChannel(channel).data?.n ?? '-'
  }
  const options = { url: proxy.url, modes: ['websocket' as const], environment }
  const all = (n: number) => (
    <PushStreamProvider options={options}>
      {names(n).map((channel) => (
        <Room key={channel} channel={channel} />
      ))}
      <State />
    </PushStreamProvider>
  )
  const sockets = () => proxy.requests.filter(({ path }) => path.startsWith('/ws/'))
  const page = await render(all(0))
  await until('open', () => page.text.includes('open'))
  expect(sockets()).toHaveLength(1)
  await page.show(all(1))
  await until('the second rooms are heard', () => {
    server.publish('room-1-0', '{"n":7}')
    return page.text.startsWith('7')
  })
  expect(sockets()).toHaveLength(2)
  // The first rooms have gone when their time of grace is over, all at once.
  await until('only the second rooms', () => sockets().length > 2)
  expect(
    sockets()[2]
      ?.path.split('?')[0]
      ?.match(/room-0/g) ?? [],
  ).toEqual([])
  await act(() => new Promise((resolve) => setTimeout(resolve, 500)))
  expect(sockets()).toHaveLength(3)
  await page.unmount()
  await until('nobody is connected', () => server.stats().subscribers === 0)
})

test('a refused channel is told to its component; the others go on', async () => {
  const { server, url } = await startServer({ settings: { authorizedChannelsOnly: true } })
  server.publish('good', '1')
  function Told({ channel }: { channel: string }) {
    const { data, error, status } = usePushChannel(channel, { backtrack: 1 })
    return `${channel} ${data} ${error?.code} ${status}.`
  }
  const page = await render(
    <PushStreamProvider options={{ url, environment }}>
      <Told channel="good" />
      <Told channel="not there" />
    </PushStreamProvider>,
  )
  await until('both answers', () => page.text === 'good 1 undefined open.not there undefined forbidden closed.')
})

test('a client of the application: connected by the provider, and still there when it has gone', async () => {
  const { server, url } = await startServer()
  const { stream } = record({ url })
  cleanup(() => stream.close())
  function Data() {
    return String(usePushChannel('a').data)
  }
  const page = await render(
    <PushStreamProvider client={stream}>
      <Data />
    </PushStreamProvider>,
  )
  await until('open', () => stream.status.state === 'open')
  server.publish('a', 'hello')
  await until('the message', () => page.text === 'hello')
  await page.unmount()
  expect(stream.status.state).toBe('open')
})
