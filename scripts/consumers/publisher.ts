// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.
import { PushStream } from '@pushstream/core'
import {
  ChannelManager,
  type ChannelStats,
  type ChannelStore,
  memoryStore,
  nchanServer,
  Publisher,
  PublisherError,
  pushStreamServer,
  relayServer,
} from '@pushstream/publisher'
import { createAuthorizer } from '@pushstream/publisher/auth'

// One type for the page and the back end.
type Answer = { type: 'answer'; value: number }
type Shop = {
  news: { item: { type: 'item'; title: string } }
  prices: { item: { type: 'item'; title: string }; price: { type: 'price'; cents: number } }
} & Record<`user-${string}`, { answer: Answer; question: { type: 'question'; text: string } }>

const stream = new PushStream<Shop>({ url: 'https://push.example.org' })
const publisher = new Publisher<Shop>({
  url: 'http://127.0.0.1:9080',
  server: pushStreamServer({ text: 'raw' }),
  headers: async () => ({ Authorization: 'Bearer x' }),
  timeout: 5000,
  retry: { attempts: 3, repeat: 'with-event-id' },
})
new Publisher({ url: new URL('http://127.0.0.1'), server: nchanServer({ separator: ',' }) })
new Publisher({ url: 'http://127.0.0.1', server: relayServer() })

export async function main(signal: AbortSignal): Promise<void> {
  stream.registerProcessor('user-42', 'answer', ({ value }) => value.toFixed())
  const told: ChannelStats = await publisher.publish('user-42', { type: 'answer', value: 42 }, { eventId: '1', signal })
  const both: ChannelStats[] = await publisher.publish(
    ['news', 'prices'],
    { type: 'item', title: 'x' },
    { eventType: 'item' },
  )
  await publisher.broadcast({ type: 'item', title: 'x' }, { matching: /^n/ })
  const opened: boolean = await publisher.open('user-42')
  for await (const one of publisher.watch('news', { interval: 500, signal })) console.log(one?.subscribers)
  for await (const all of publisher.watch({ prefix: 'user-' })) console.log(all.length, told, both, opened)
  await publisher.publishAll([{ channel: 'news', data: { type: 'item', title: 'x' } }])

  // @ts-expect-error no such channel
  await publisher.publish('nope', {})
  // @ts-expect-error not what the channel brings
  await publisher.publish('news', { type: 'price', cents: 1 })
  // @ts-expect-error not what both of them bring
  await publisher.publish(['news', 'prices'], { type: 'price', cents: 1 })
  // @ts-expect-error a value is a number
  await publisher.publish('user-42', { type: 'answer', value: '42' })
  // @ts-expect-error no such type on this channel
  await publisher.publish('news', { type: 'item', title: 'x' }, { eventType: 'price' })
  // @ts-expect-error no such channel
  await publisher.open('nope')
  // @ts-expect-error no such option
  await publisher.publish('news', { type: 'item', title: 'x' }, { id: '1' })
  // @ts-expect-error not what the channel brings
  await publisher.publishAll([{ channel: 'news', data: { type: 'price', cents: 1 } }])
  // @ts-expect-error no address
  new Publisher({})

  const store: ChannelStore = memoryStore()
  const manager = new ChannelManager({ publisher, store })
  const channel: `user-${string}` = await manager.allocate('42', { signal })
  await manager.push('42', { type: 'answer', value: 42 })
  // @ts-expect-error not what such channels bring
  await manager.push('42', { type: 'item', title: 'x' })
  stream.addChannel(channel)

  // Without a type parameter, anything goes.
  await new Publisher({ url: 'http://127.0.0.1' }).publish('anything', { at: 'all' })
}

const auth = createAuthorizer({
  allow: (name, request) => (request.headers ? name === 'global' : 401),
})
const decided: Promise<{ allowed: boolean }> = auth.authorize(new Request('http://127.0.0.1'))
export const GET: (request: Request) => Promise<Response> = auth.respond
export const outcome = (error: unknown): 'no' | 'unknown' | undefined =>
  error instanceof PublisherError ? error.outcome : undefined
void decided
// @ts-expect-error a decision is yes, no or a status
createAuthorizer({ allow: () => 'yes' })
