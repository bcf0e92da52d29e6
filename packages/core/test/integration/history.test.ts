import { expect, test } from 'vitest'
import WebSocket from 'ws'
import { missing, startModule } from './push-stream-support.js'
import { cleanup, startServer } from './support.js'

// How a server answers a request for the last message of some channels (`.b1`), beside others that are resumed: what a
// client may conclude from the order. The development server has to do as the module does.

interface Server {
  readonly url: string
  publish(channel: string, text: string): unknown
}

const servers = [1, 4].flatMap((workers): [string, () => Promise<Server>, absent?: string | undefined][] => [
  [
    `the development server with ${workers} workers`,
    async () => {
      const { server, url } = await startServer({ workers })
      return { url, publish: (channel, text) => server.publish(channel, text) }
    },
  ],
  [
    `the module with ${workers} workers`,
    async () => {
      const { nginx, publish } = await startModule({ workers })
      return { url: nginx.url, publish }
    },
    missing,
  ],
])

const prefixes = { websocket: 'ws', eventsource: 'ev', stream: 'sub', longpolling: 'lp' } as const
type Mode = keyof typeof prefixes

/** Subscribes until so many messages came. Resolves to the channels of these, in order. */
async function join(url: string, mode: Mode, path: string, count: number): Promise<string[]> {
  let text = ''
  const channels = () => [...text.matchAll(/"id":\d+,"channel":"([^"]+)"/g)].map(([, channel]) => channel as string)
  const address = `${url}/${prefixes[mode]}/${path}`
  if (mode === 'websocket') {
    const socket = new WebSocket(address.replace('http', 'ws'))
    cleanup(() => socket.terminate())
    await new Promise<void>((resolve, reject) => {
      socket.on('message', (data) => {
        text += String(data)
        if (channels().length >= count) resolve()
      })
      socket.on('close', () => reject(new Error(`closed after ${text}`)))
    })
    socket.removeAllListeners('close').terminate()
  } else {
    const abort = new AbortController()
    const { body } = await fetch(address, { signal: abort.signal })
    const decoder = new TextDecoder()
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(piece, { stream: true })
      if (channels().length >= count) break
    }
    abort.abort()
  }
  return channels().slice(0, count)
}

test.for(servers)(
  '%s: the last messages come first, in the order of the address, whatever is published meanwhile',
  async ([, start, absent], { skip }) => {
    skip(absent !== undefined, absent)
    const { url, publish } = await start()
    for (const channel of ['known', 'new1', 'new2']) await publish(channel, 'before')
    let flowing = true
    const flow = (async () => {
      for (let n = 0; flowing; n++) {
        await publish(n % 2 === 0 ? 'new1' : 'new2', String(n))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    try {
      const since = `time=${encodeURIComponent(new Date(Date.now() - 60_000).toUTCString())}&tag=0`
      for (const mode of Object.keys(prefixes) as Mode[]) {
        for (let n = 0; n < 20; n++) {
          const path = `new1.b1/empty${n}.b1/known/new2.b1?${since}`
          // Of a live message before the last one of these, new1 would come twice.
          expect(await join(url, mode, path, 3), mode).toEqual(['new1', 'known', 'new2'])
        }
      }
    } finally {
      flowing = false
      await flow
    }
  },
)
