import { ChannelManager, Publisher } from '@pushstream/publisher'
import { expectTypeOf, test } from 'vitest'
import { PushStream } from '../../../core/src/index.js'
import { scripted, taken } from '../support/scripted.js'

// One type says what goes where, to the page and to what publishes to it. The compiler checks this file.

type Shop = {
  global: { news: { type: 'news'; text: string } }
  [channel: `user-${string}`]: {
    answer: { type: 'answer'; value: number }
    bye: { type: 'bye' }
  }
}

test('what fits the page’s type is published, and nothing else compiles', async () => {
  const { publisher: any } = scripted([taken('global')])
  const publisher = any as unknown as Publisher<Shop>
  const never = async () => {
    const url = 'http://127.0.0.1'
    const given: HeadersInit = [['a', 'b']]
    for (const headers of [given, new Headers(given), { a: 'b' }, () => given, async () => new Headers()]) {
      new Publisher({ url, headers })
    }
    // @ts-expect-error no headers
    new Publisher({ url, headers: 1 })
    await publisher.publish('user-42', { type: 'answer', value: 42 }, { eventType: 'answer' })
    await publisher.publish(['user-1', 'user-2'], { type: 'bye' })
    await publisher.open('user-42')
    // @ts-expect-error a text where a number is
    await publisher.publish('user-42', { type: 'answer', value: '42' })
    // @ts-expect-error of another channel
    await publisher.publish('global', { type: 'answer', value: 42 })
    // @ts-expect-error what one of them doesn't take
    await publisher.publish(['global', 'user-42'], { type: 'bye' })
    // @ts-expect-error no such channel
    await publisher.publish('globe', { type: 'news', text: '' })
    // @ts-expect-error no such type there
    await publisher.publish('global', { type: 'news', text: '' }, { eventType: 'bye' })
    // @ts-expect-error what is in no channel
    await publisher.publishAll([{ channel: 'global', data: { type: 'answer', value: 42 } }])
    const manager = new ChannelManager({ publisher })
    await manager.push('ann', { type: 'answer', value: 42 })
    // @ts-expect-error of another channel than a user's
    await manager.push('ann', { type: 'news', text: '' })
    expectTypeOf(await manager.allocate('ann')).toEqualTypeOf<`user-${string}`>()
    const stream = new PushStream<Shop>({})
    stream.registerProcessor('user-42', 'answer', ({ value }) => expectTypeOf(value).toEqualTypeOf<number>())
    expectTypeOf<Parameters<typeof stream.addChannel>[0]>().toEqualTypeOf<Parameters<typeof publisher.open>[0]>()
  }
  expectTypeOf(never).returns.resolves.toEqualTypeOf<void>()
  await publisher.publish('global', { type: 'news', text: 'x' })
})
