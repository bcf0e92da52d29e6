// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.
import { type Message, PushStream } from '@pushstream/core'
import { PushStreamProvider, usePushChannel, usePushProcessor, usePushStatus, usePushStream } from '@pushstream/react'
import { createElement, type ReactElement } from 'react'

type Answer = { type: 'answer'; value: number }
type Shop = { 'user-42': { answer: Answer; question: { text: string } }; news: { item: { title: string } } }
const stream = new PushStream<Shop>({ url: 'https://push.example.org' })

declare module '@pushstream/core' {
  interface Register {
    client: typeof stream
  }
}

/** Compiles only where both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <A, B>(same: Same<A, B>): Same<A, B> => same

export function Page(): ReactElement {
  const client: PushStream<Shop> = usePushStream()
  const news = usePushChannel('news', { history: 5, backtrack: 5 })
  is<typeof news.data, { title: string } | undefined>(true)
  is<typeof news.messages, readonly Message<{ title: string }>[]>(true)
  const both = usePushChannel(['news', 'user-42'])
  is<typeof both.data, { title: string } | Answer | { text: string } | undefined>(true)
  const title = usePushChannel('news', { select: (item, message) => `${item.title} ${message.channel}` })
  is<typeof title.data, string | undefined>(true)
  const count = usePushChannel('news', { initial: 0, reduce: (sum: number, item) => sum + item.title.length })
  is<typeof count.data, number>(true)
  usePushChannel(Math.random() > 0.5 ? 'news' : null, { onMessage: (item) => item.title })
  usePushProcessor('user-42', 'answer', (answer) => is<typeof answer, Answer>(true))
  usePushProcessor('news', '*', (item) => is<typeof item, { title: string }>(true))
  usePushProcessor('*', '*', (_data, message) => is<typeof message.channel, string>(true))
  const state: 'closed' | 'connecting' | 'waiting' | 'open' = usePushStatus().state

  // @ts-expect-error no such channel
  usePushChannel('user-43')
  // @ts-expect-error no such channel among them
  usePushChannel(['news', 'nope'])
  // @ts-expect-error no such option
  usePushChannel('news', { backTrack: 5 })
  // @ts-expect-error nothing to begin with
  usePushChannel('news', { reduce: (sum: number) => sum })
  // @ts-expect-error not what the channel brings
  usePushChannel('news', { onMessage: (item: { price: number }) => item })
  // @ts-expect-error not what the state is
  usePushChannel('news', { initial: 0, reduce: (sum: string) => sum })
  // @ts-expect-error no such type on this channel
  usePushProcessor('news', 'answer', () => {})
  // @ts-expect-error no such channel
  usePushProcessor('nope', '*', () => {})
  // @ts-expect-error a state is not written to
  news.data = undefined
  // @ts-expect-error a client of something else
  createElement(PushStreamProvider, { client: new PushStream<{ other: { x: 1 } }>() })
  // @ts-expect-error no such option of the client
  createElement(PushStreamProvider, { options: { hots: 'a' } })

  createElement(PushStreamProvider, { options: { url: 'https://push.example.org' } })
  return createElement(PushStreamProvider, { client }, state)
}
