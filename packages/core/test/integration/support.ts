import { type Gap, type Message, type Options, PushStream, type PushStreamError } from '@pushstream/core'
import { createDevServer, type DevServer, type DevServerOptions } from '@pushstream/devserver'
import { createFaultProxy, type FaultProxy } from '@pushstream/testkit'
import { afterEach } from 'vitest'
import WebSocket from 'ws'
import * as numbered from '../support/numbered.js'

const cleanups: (() => unknown)[] = []

/** Ends what a test started, last first. */
export const cleanup = (end: () => unknown): void => {
  cleanups.push(end)
}

afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()?.()
})

export const allModes = ['websocket', 'eventsource', 'stream', 'longpolling'] as const

/** Settings that keep everything a test publishes. */
const roomy = { maxMessagesStoredPerChannel: 5000, pingMessageInterval: 2000 }

/** A development server on a free port. */
export async function startServer(
  options: DevServerOptions = {},
): Promise<{ server: DevServer; url: string; port: number }> {
  const server = createDevServer({ ...options, settings: { ...roomy, ...options.settings } })
  const { url, port } = await server.listen(0)
  cleanup(() => server.close())
  return { server, url, port }
}

/** A fault proxy in front of it. */
export async function startProxy(target: string): Promise<FaultProxy> {
  const proxy = createFaultProxy({ target })
  await proxy.listen()
  cleanup(() => proxy.close())
  return proxy
}

/** Node has no WebSocket of its own before version 22. */
export const environment = { WebSocket }

/** What a client told, and ways to wait for more of it. */
export interface Recording {
  readonly stream: PushStream
  readonly messages: Message[]
  readonly gaps: Gap[]
  readonly errors: PushStreamError[]
  /** Everything in the order it came. */
  readonly all: (Message | Gap)[]
  /** Resolves when the condition holds, checked at every event; rejects after `ms`, telling what there is. */
  until(condition: () => boolean, ms?: number): Promise<void>
}

/** A client whose events are recorded. `atEnd`: takes what closes it, where tests of a file run side by side. */
export function record(options: Options, atEnd: (end: () => void) => void = cleanup): Recording {
  const stream = new PushStream({ ...options, environment: { ...environment, ...options.environment } })
  atEnd(() => stream.close())
  const waiting = new Set<() => void>()
  const recording: Recording = {
    stream,
    messages: [],
    gaps: [],
    errors: [],
    all: [],
    until: (condition, ms = 15_000) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!condition()) return
          clearTimeout(timer)
          clearInterval(again)
          waiting.delete(look)
          resolve()
        }
        // Conditions may also look at the server or the proxy, which tell the client's listeners nothing.
        const again = setInterval(() => look(), 5)
        const timer = setTimeout(() => {
          clearInterval(again)
          waiting.delete(look)
          const { messages, gaps, errors } = recording
          const state = JSON.stringify({ status: stream.status, stats: stream.stats, messages: messages.length, gaps })
          reject(new Error(`not within ${ms} ms: ${condition}\n${state}\n${errors.slice(-3).join('\n')}`))
        }, ms)
        waiting.add(look)
        look()
      }),
  }
  // Later than the listeners of the test itself, which may be part of a condition.
  const told = () =>
    queueMicrotask(() => {
      for (const look of [...waiting]) look()
    })
  stream.on('message', (message) => {
    recording.messages.push(message)
    recording.all.push(message)
    told()
  })
  stream.on('gap', (gap) => {
    recording.gaps.push(gap)
    recording.all.push(gap)
    told()
  })
  stream.on('error', (error) => {
    recording.errors.push(error)
    told()
  })
  for (const event of ['status', 'deadletter', 'channeldeleted', 'open'] as const) stream.on(event, told)
  return recording
}

/** Publishes messages `{ n }` at a rate to channels in turn. Resolves when the last is out. */
export const publishAtRate = (
  publish: (channel: string, text: string) => unknown,
  channels: readonly string[],
  count: number,
  perSecond: number,
  during?: (number: number) => void,
): Promise<void> =>
  numbered.publishAtRate((channel, n) => publish(channel, JSON.stringify({ n })), channels, count, perSecond, during)

/** What is wrong with a recording of ids that should be 1…n per channel, gaps aside. Empty when nothing is. */
export const faults = (recording: Recording): string[] => numbered.faults(recording.all)

/** A client of these channels that is open, with every dead letter it got. */
export async function openClient(options: Parameters<typeof record>[0], names: readonly string[]) {
  const recording = record(options)
  const dead: string[] = []
  recording.stream.on('deadletter', ({ raw }) => dead.push(raw))
  for (const name of names) recording.stream.addChannel(name)
  recording.stream.connect()
  await recording.until(() => recording.stream.status.state === 'open')
  return { ...recording, dead, recording }
}

/** What came, each as its channel and its text. */
export const came = ({ messages }: Recording) => messages.map(({ channel, text }) => `${channel} ${text}`)
