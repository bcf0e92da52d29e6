import { once } from 'node:events'
import http from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect } from 'vitest'
import { WebSocketServer } from 'ws'
import { createFaultProxy, type FaultProxy, type FaultProxyOptions } from '../../src/index.js'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Run after the test, last registered first. */
export function cleanup(fn: () => unknown): void {
  cleanups.push(fn)
}

/** A proxy in front of `target`, listening. */
export async function proxyTo(
  target: FaultProxyOptions['target'],
  options: Partial<FaultProxyOptions> = {},
): Promise<FaultProxy> {
  const proxy = createFaultProxy({ target, ...options })
  cleanup(() => proxy.close())
  await proxy.listen()
  return proxy
}

/** An ordinary web server with an echoing websocket at every path. */
export async function webServer(handler: http.RequestListener = (_, res) => res.end('hello')) {
  const server = http.createServer(handler)
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { server, sockets, port, url: `http://127.0.0.1:${port}` }
}

/** A raw connection that remembers what it read. */
export class RawClient {
  readonly socket: Socket
  text = ''
  bytes = 0
  ended = false
  error: NodeJS.ErrnoException | undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1')
      this.bytes += bytes.length
    })
    this.socket.on('end', () => {
      this.ended = true
    })
    this.socket.on('error', (error) => {
      this.error = error
    })
    cleanup(() => this.socket.destroy())
  }

  send(text: string): this {
    this.socket.write(text)
    return this
  }

  get(path: string): this {
    return this.send(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`)
  }

  /** Until `done`; looked at whenever something happens on the socket. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.socket.closed) throw new Error(`closed too early; read ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          for (const name of ['data', 'end', 'close']) this.socket.off(name, wake)
          resolve()
        }
        for (const name of ['data', 'end', 'close']) this.socket.on(name, wake)
      })
    }
  }

  async untilText(part: string): Promise<void> {
    await this.until(() => this.text.includes(part))
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await new Promise<void>((resolve) => this.socket.once('close', () => resolve()))
  }
}

/** Connected, and known to the proxy. */
export async function rawClient(proxy: FaultProxy): Promise<RawClient> {
  const accepted = once(proxy, 'connection')
  const client = new RawClient(proxy.port)
  await accepted
  return client
}

/** A bound on hanging, not a sleep: fails when `promise` takes longer. */
export async function within<T>(promise: Promise<T>, what: string, ms = 5000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms)
    // Unrefed, so that it doesn't count among the handles that a test counts.
    timer.unref()
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The test's way to say that a promise was not fulfilled so far. */
export async function expectPending(promise: Promise<unknown>): Promise<void> {
  const nothing = Symbol('nothing')
  expect(await Promise.race([promise, Promise.resolve(nothing)])).toBe(nothing)
}

/** Let real I/O happen until `done`; for what no event tells. */
export async function turns(done: () => boolean): Promise<void> {
  const wait = async () => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve))
  }
  await within(wait(), `turns until ${done}`)
}

/** Sockets and timers that keep this process alive. */
export function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout/.test(kind)).length
}
