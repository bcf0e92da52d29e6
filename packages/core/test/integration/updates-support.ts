import {
  createUpdates,
  type DeadLetter,
  type Gap,
  type Message,
  type PushStreamError,
  type UpdatesOptions,
} from '@pushstream/core'
import { createScriptedServer, type ScriptedServer } from '@pushstream/testkit'
import { cleanup } from './support.js'

/** Updates whose processors and events are recorded. */
export function recordUpdates(options: UpdatesOptions<Record<string, Record<string, unknown>>> = {}) {
  const updates = createUpdates({
    reconnectOnTimeoutInterval: 50,
    reconnectOnChannelUnavailableInterval: 400,
    ...options,
  })
  cleanup(() => updates.close())
  const recording = {
    updates,
    /** What a catch-all got: name, text. */
    all: [] as [string, string][],
    /** Gaps, and the texts of messages, in their order. */
    order: [] as string[],
    messages: [] as Message[],
    errors: [] as PushStreamError[],
    gaps: [] as Gap[],
    letters: [] as DeadLetter[],
    async until(condition: () => boolean, ms = 15_000): Promise<void> {
      const end = Date.now() + ms
      while (!condition()) {
        if (Date.now() > end) {
          const { all, gaps, letters, errors } = recording
          throw new Error(
            `not within ${ms} ms: ${condition}\n${JSON.stringify({ all: all.slice(-20), count: all.length, gaps, letters })}\n${errors.slice(-3).join('\n')}`,
          )
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
  updates.on('error', (error) => recording.errors.push(error))
  updates.on('deadletter', (letter) => recording.letters.push(letter))
  updates.on('gap', (gap) => {
    recording.gaps.push(gap)
    recording.order.push(gap.reason)
  })
  updates.registerProcessor('*', '*', (_, message) => {
    recording.messages.push(message)
    recording.all.push([message.channel, message.text])
    recording.order.push(message.text)
  })
  return recording
}

interface Stored {
  readonly second: number
  readonly tag: number
  readonly body: string
}

export interface RelayOptions {
  /** How an answer tells where its message stands. Default `etag`. */
  tells?: 'etag' | 'cache-control' | 'time' | 'nothing'
}

/**
 * A Basic HTTP Push Relay: one message an answer, the first after `If-Modified-Since` and `If-None-Match`, which it waits
 * for. Counts from 0 in every second.
 */
export async function startRelay(options: RelayOptions = {}) {
  const server: ScriptedServer = createScriptedServer()
  const { url } = await server.listen()
  cleanup(() => server.close())
  const stored = new Map<string, Stored[]>()
  const waiting = new Set<() => void>()
  const relay = {
    server,
    url,
    tells: options.tells ?? ('etag' as NonNullable<RelayOptions['tells']>),
    /** The next requests are answered with these statuses. */
    failures: [] as number[],
    /** Position of every GET, as its headers had it. */
    asked: [] as [path: string, since: string | undefined, match: string | undefined][],
    publish(channel: string, body: string, second = Math.floor(Date.now() / 1000)) {
      const messages = stored.get(channel) ?? []
      stored.set(channel, messages)
      const before = messages.at(-1)
      messages.push({ second, tag: before?.second === second ? before.tag + 1 : 0, body })
      for (const look of [...waiting]) look()
    },
    /** The oldest are not stored any more. */
    forget(channel: string, count: number) {
      stored.get(channel)?.splice(0, count)
    },
    /** Waits until somebody waits for a channel. */
    get waiting() {
      return waiting.size
    },
  }
  server.on('GET /updates/*', async (exchange) => {
    const { path, headers } = exchange.request
    const since = headers['if-modified-since'] as string | undefined
    const match = headers['if-none-match'] as string | undefined
    relay.asked.push([path, since, match])
    const failure = relay.failures.shift()
    if (failure !== undefined) return void exchange.respond(failure, {}, '')
    const second = Date.parse(since ?? '') / 1000
    const tag = Number(match)
    const find = () =>
      stored
        .get(path.slice('/updates/'.length))
        ?.find((one) => one.second > second || (one.second === second && one.tag > tag))
    // From 1970 everything.
    const all = second === 0 ? () => stored.get(path.slice('/updates/'.length))?.[0] : find
    let found = all()
    if (found === undefined) {
      await new Promise<void>((resolve) => {
        const look = () => {
          found = all()
          if (found !== undefined) end()
        }
        const end = () => {
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        void exchange.closed.then(end)
      })
    }
    if (found === undefined) return
    exchange.respond(
      200,
      {
        'content-type': 'application/json',
        ...(relay.tells === 'nothing' ? {} : { 'last-modified': new Date(found.second * 1000).toUTCString() }),
        ...(relay.tells === 'etag' ? { etag: String(found.tag) } : {}),
        ...(relay.tells === 'cache-control' ? { 'cache-control': `no-cache, etag=${found.tag}` } : {}),
      },
      found.body,
    )
  })
  server.on('OPTIONS /updates/*', (exchange) => exchange.respond(200, {}, ''))
  return relay
}
