import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { PushStream as ClassicPushStream } from '../../src/classic/index.js'
import {
  Client,
  type DeadLetter,
  eventsource,
  type Gap,
  type Message,
  type ModeName,
  messages,
  nativeWebSocket,
  type PushEventSource,
  PushStream,
  type PushStreamError,
  registerWithSchema,
  type Status,
  websocket,
} from '../../src/index.js'
import { persist } from '../../src/persist/index.js'
import type { ChannelsOf } from '../../src/register.js'

interface Answer {
  value: number
}
type Shop = {
  'user-42': { answer: Answer; question: { text: string } }
  news: { item: { title: string } }
}

// Compiled, never run: what a browser has is taken, as the declarations name no type that only the DOM library has.
export function platform(source: PushEventSource, credentials: RequestCredentials, signal: AbortSignal): void {
  const { locks } = navigator
  const { WebSocket, EventSource, BroadcastChannel, fetch } = globalThis
  new PushStream({
    credentials,
    signal,
    environment: { locks, BroadcastChannel, WebSocket, EventSource, fetch, memory: sessionStorage },
    persist: persist({ storage: localStorage }),
  })
  const listener = (event: MessageEvent<string>) => event.data.length + event.lastEventId.length
  source.onmessage = listener
  source.onmessage = ({ data }) => expectTypeOf(data).toEqualTypeOf<string>()
  source.addEventListener('message', ({ data }) => expectTypeOf(data).toEqualTypeOf<string>(), { once: true, signal })
  source.addEventListener('named', listener, true)
  source.addEventListener('named', { handleEvent: (event: Event) => event.preventDefault() }, { passive: true })
  source.removeEventListener('named', listener, { capture: true })
  // @ts-expect-error no such option
  source.addEventListener('named', listener, { twice: true })
  // @ts-expect-error a text
  source.onmessage = (event: MessageEvent<number>) => event.data
}

// Compiled, never run: what a type forbids must not compile.
function typed(stream: PushStream<Shop>): void {
  stream.registerProcessor('user-42', 'answer', (data, message) => {
    expectTypeOf(data).toEqualTypeOf<Answer>()
    expectTypeOf(message).toEqualTypeOf<Message<Answer>>()
  })
  stream.registerProcessor('user-42', '*', (data) => expectTypeOf(data).toEqualTypeOf<Answer | { text: string }>())
  stream.registerProcessor('*', '*', (data) =>
    expectTypeOf(data).toEqualTypeOf<Answer | { text: string } | { title: string }>(),
  )
  // @ts-expect-error no such channel
  stream.registerProcessor('user-43', 'answer', () => {})
  // @ts-expect-error no such type on this channel
  stream.registerProcessor('news', 'answer', () => {})
  // @ts-expect-error not what the channel brings
  stream.registerProcessor('news', 'item', (data: { title: number }) => data)
  // @ts-expect-error no such channel
  stream.addChannel('user-43')
  // @ts-expect-error no such channel
  stream.removeChannel('user-43')
  new PushStream({ modes: [nativeWebSocket, 'eventsource'] })
  // What is made of transports is a client like any other.
  const composed: PushStream<Shop> = new Client<Shop>({ modes: [websocket, eventsource] })
  expectTypeOf(composed.status.mode).toEqualTypeOf<ModeName | undefined>()
  // @ts-expect-error the option of before
  new PushStream({ eventSource: 'native' })
  // @ts-expect-error no such option
  stream.addChannel('news', { backTrack: 5 })

  const zod = z.object({ value: z.string() }).transform(({ value }) => value.length)
  registerWithSchema(stream, 'user-42', 'answer', zod, (data) => expectTypeOf(data).toEqualTypeOf<number>())
  const valibot = v.pipe(
    v.object({ value: v.string() }),
    v.transform(({ value }) => [value]),
  )
  registerWithSchema(stream, 'news', '*', valibot, (data) => expectTypeOf(data).toEqualTypeOf<string[]>())
  // @ts-expect-error not a schema
  registerWithSchema(stream, 'news', 'item', {}, () => {})
  // @ts-expect-error no such type on this channel
  registerWithSchema(stream, 'news', 'answer', valibot, () => {})

  stream.on('message', (message) => {
    expectTypeOf(message.data).toEqualTypeOf<Answer | { text: string } | { title: string }>()
    // @ts-expect-error a message is not written to
    message.channel = 'x'
  })
  stream.on('status', (status) => expectTypeOf(status).toEqualTypeOf<Status>())
  stream.on('open', (status) => expectTypeOf(status).toEqualTypeOf<Status>())
  stream.on('gap', (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>())
  stream.once('deadletter', (letter) => expectTypeOf(letter).toEqualTypeOf<DeadLetter>())
  stream.on('error', (error) => expectTypeOf(error).toEqualTypeOf<PushStreamError>())
  // @ts-expect-error no such event
  stream.on('close', () => {})
  expectTypeOf(messages(stream, 'news')).toEqualTypeOf<AsyncIterableIterator<Message<{ title: string }>>>()
  // @ts-expect-error no such channel
  messages(stream, 'nope')
  expectTypeOf(stream.status.state).toEqualTypeOf<'closed' | 'connecting' | 'waiting' | 'open'>()
  expectTypeOf(stream.addChannel('news')).toEqualTypeOf<PushStream<Shop>>()
}

interface Office {
  news: { item: { title: string }; alarm: { level: number } }
  [user: `user-${number}`]: { answer: Answer }
}

function interfaces(stream: PushStream<Office>, id: number): void {
  stream.addChannel(`user-${id}`).addChannel('news')
  // @ts-expect-error no such channel
  stream.addChannel(`client-${id}`)
  stream.registerProcessor(`user-${id}`, 'answer', (data) => expectTypeOf(data).toEqualTypeOf<Answer>())
  stream.registerProcessor('user-42', '*', (data) => expectTypeOf(data).toEqualTypeOf<Answer>())
  // @ts-expect-error no such type on this channel
  stream.registerProcessor('user-42', 'item', () => {})
  stream.on('message', (message) => {
    expectTypeOf(message.channel).toEqualTypeOf<'news' | `user-${number}`>()
    if (message.channel !== 'news') {
      expectTypeOf(message.data).toEqualTypeOf<Answer>()
    } else if (message.type === 'item') {
      expectTypeOf(message.data).toEqualTypeOf<{ title: string }>()
    } else {
      expectTypeOf(message.type).toEqualTypeOf<'alarm'>()
      expectTypeOf(message.data).toEqualTypeOf<{ level: number }>()
    }
  })
  stream.on('message', ({ channel, type, data }) => {
    if (channel === 'news' && type === 'alarm') expectTypeOf(data).toEqualTypeOf<{ level: number }>()
  })
  // Whoever takes any message takes these.
  stream.on('message', (message: Message) => void message)
  expectTypeOf(messages(stream, `user-${id}`)).toEqualTypeOf<AsyncIterableIterator<Message<Answer>>>()
  expectTypeOf<ChannelsOf<{ client: PushStream<Office> }>>().toEqualTypeOf<Office>()
  // @ts-expect-error a channel has types
  new PushStream<{ news: string }>()
}

function untyped(stream: PushStream): void {
  stream.addChannel('anything').registerProcessor('anything', 'at all', (data) => {
    expectTypeOf(data).toBeAny()
  })
  stream.registerProcessor('*', '*', (_, message) => expectTypeOf(message.channel).toEqualTypeOf<string>())
  // @ts-expect-error only the classic client has it
  stream.onmessage = () => {}
  stream.on('message', (message) => {
    expectTypeOf(message.data).toBeAny()
    expectTypeOf(message.channel).toEqualTypeOf<string>()
    expectTypeOf(message.type).toEqualTypeOf<string | undefined>()
  })
  // @ts-expect-error no such event
  stream.on('mesage', () => {})
}

function classic(stream: ClassicPushStream): void {
  stream.onmessage = (text, id, channel, eventid, last, time) => {
    expectTypeOf(text).toBeUnknown()
    expectTypeOf([id, channel, eventid, last, time] as const).toEqualTypeOf<
      readonly [number | undefined, string, string, boolean, string | undefined]
    >()
  }
  stream.onmessage = null
  new ClassicPushStream({ host: 'a', modes: 'websocket|stream', onmessage: null })
}

function registered(): void {
  expectTypeOf<ChannelsOf<{ client: PushStream<Shop> }>>().toEqualTypeOf<Shop>()
  expectTypeOf<ChannelsOf<{ client: Client<Shop> }>>().toEqualTypeOf<Shop>()
}

function options(): void {
  new PushStream({ url: 'https://a', modes: 'websocket|stream' })
  new PushStream({ url: ['https://a', '/b'] })
  // @ts-expect-error only the classic client has it
  new PushStream({ host: 'a' })
  new PushStream({ modes: ['websocket'], params: async () => ({ token: 'x' }), text: 'plain' })
  new PushStream({ modes: [nativeWebSocket, 'eventsource'] })
  // What is made of transports is a client like any other.
  const composed: PushStream<Shop> = new Client<Shop>({ modes: [websocket, eventsource] })
  expectTypeOf(composed.status.mode).toEqualTypeOf<ModeName | undefined>()
  // @ts-expect-error the option of before
  new PushStream({ eventSource: 'native' })
  // @ts-expect-error no such option
  new PushStream({ hots: 'a' })
  // @ts-expect-error no such mode
  new PushStream({ modes: ['ws'] })
  // @ts-expect-error no such mode
  new PushStream({ modes: 'websockt' })
  // @ts-expect-error no such mode
  new PushStream({ modes: 'websocket|evensource' })
  // @ts-expect-error no such reading
  new PushStream({ text: 'utf8' })
}

test('the types hold, or this file does not compile', () => {
  expectTypeOf(typed).toBeFunction()
  expectTypeOf(untyped).toBeFunction()
  expectTypeOf(interfaces).toBeFunction()
  expectTypeOf(classic).toBeFunction()
  expectTypeOf(registered).toBeFunction()
  expectTypeOf(options).toBeFunction()
})
