import { PushStream } from '@pushstream/core'
import { expect, test } from 'vitest'
import { environment, record, startServer } from './support.js'

test('200 cycles of connect and close leave no timer, no listener and no subscriber', { timeout: 60_000 }, async () => {
  const { server, url } = await startServer()
  const timers = new Set<unknown>()
  let listeners = 0
  const listen = () => {
    listeners++
    return () => {
      listeners--
    }
  }
  const counting = {
    ...environment,
    setTimeout(callback: () => void, ms: number) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        callback()
      }, ms)
      timers.add(timer)
      return timer
    },
    clearTimeout(timer: unknown) {
      timers.delete(timer)
      clearTimeout(timer as NodeJS.Timeout)
    },
    page: {
      onBack: listen,
      onLeave: listen,
    },
  }
  const handles = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = handles()
  for (let i = 0; i < 200; i++) {
    const mode = (['websocket', 'eventsource', 'stream', 'longpolling'] as const)[i % 4] as 'websocket'
    const stream = new PushStream({ url, modes: [mode], environment: counting })
    stream.addChannel('a', { backtrack: 1 }).addChannel('b').connect()
    // At every stage: while it primes, while it connects, and when it is open.
    const stage = Math.floor(i / 4) % 3
    if (stage === 1) await new Promise((resolve) => setTimeout(resolve, i % 7))
    if (stage === 2) {
      await new Promise<void>((resolve) => stream.once('open', () => resolve()))
      stream.removeChannel('b').addChannel('c')
    }
    stream.close()
  }
  const deadline = performance.now() + 5000
  while (performance.now() < deadline && (server.stats().subscribers > 0 || handles() > before)) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(timers.size).toBe(0)
  expect(listeners).toBe(0)
  expect(server.stats().subscribers).toBe(0)
  expect(handles()).toBeLessThanOrEqual(before)
})

test('a closed client says so, and its events stay silent', async () => {
  const { server, url } = await startServer()
  const stream = new PushStream({ url, environment })
  const heard: unknown[] = []
  stream.on('message', (message) => heard.push(message))
  stream.addChannel('a').connect()
  await new Promise<void>((resolve) => stream.once('open', () => resolve()))
  stream.close()
  server.publish('a', 'x')
  expect(() => stream.addChannel('b')).toThrow(expect.objectContaining({ code: 'closed' }))
  expect(() => stream.connect()).toThrow(expect.objectContaining({ code: 'closed' }))
  expect(stream.status.state).toBe('closed')
  stream.close()
  expect(heard).toEqual([])
})

test('a signal closes the client', async () => {
  const { server, url } = await startServer()
  const abort = new AbortController()
  const stream = new PushStream({ url, environment, signal: abort.signal })
  stream.addChannel('a').connect()
  await new Promise<void>((resolve) => stream.once('open', () => resolve()))
  abort.abort()
  expect(stream.status.state).toBe('closed')
  while (server.stats().subscribers > 0) await new Promise((resolve) => setTimeout(resolve, 1))
})

test('a page that is left holds no connection, and goes on when it comes back', async () => {
  const { server, url } = await startServer()
  const calls: Record<string, () => void> = {}
  const listen = (name: string) => (callback: () => void) => {
    calls[name] = callback
    return () => {}
  }
  const page = { onBack: listen('back'), onLeave: listen('leave') }
  const recording = record({ url, environment: { page } })
  recording.stream.addChannel('a').connect()
  await recording.until(() => recording.stream.status.state === 'open')
  calls.leave?.()
  await recording.until(() => server.stats().subscribers === 0)
  server.publish('a', 'meanwhile')
  calls.back?.()
  await recording.until(() => recording.messages.length === 1)
  expect(recording.messages[0]?.text).toBe('meanwhile')
})
