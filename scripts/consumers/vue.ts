// What a user of the package writes, compiled against the packed package by scripts/check-packages.mjs.
import { type Message, PushStream } from '@pushstream/core'
import { createPushStream, usePushChannel, usePushProcessor, usePushStatus, usePushStream } from '@pushstream/vue'
import { type ComponentPublicInstance, createApp, defineComponent, type Ref, ref } from 'vue'

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

export const page = defineComponent({
  setup() {
    const client: PushStream<Shop> = usePushStream()
    const news = usePushChannel('news', { history: 5, backtrack: 5 })
    is<typeof news.data.value, { title: string } | undefined>(true)
    is<typeof news.messages.value, readonly Message<{ title: string }>[]>(true)
    const name: Ref<'news' | 'user-42' | null> = ref('news')
    const both = usePushChannel(name)
    is<typeof both.data.value, { title: string } | Answer | { text: string } | undefined>(true)
    usePushChannel(() => (client.channels.length > 0 ? ('news' as const) : null))
    const title = usePushChannel('news', { select: (item, message) => `${item.title} ${message.channel}` })
    is<typeof title.data.value, string | undefined>(true)
    const count = usePushChannel('news', { initial: 0, reduce: (sum: number, item) => sum + item.title.length })
    is<typeof count.data.value, number>(true)
    usePushProcessor('user-42', 'answer', (answer) => is<typeof answer, Answer>(true))
    const state: 'closed' | 'connecting' | 'waiting' | 'open' = usePushStatus().value.state

    // @ts-expect-error no such channel
    usePushChannel('user-43')
    // @ts-expect-error no such channel
    usePushChannel(() => 'user-43')
    // @ts-expect-error no such option
    usePushChannel('news', { backTrack: 5 })
    // @ts-expect-error nothing to begin with
    usePushChannel('news', { reduce: (sum: number) => sum })
    // @ts-expect-error not what the channel brings
    usePushChannel('news', { onMessage: (item: { price: number }) => item })
    // @ts-expect-error no such type on this channel
    usePushProcessor('news', 'answer', () => {})
    // @ts-expect-error a ref that is read only
    news.data.value = undefined
    return { state }
  },
  created() {
    this.$updates.registerProcessor('user-42', 'answer', (answer) => is<typeof answer, Answer>(true))
    // @ts-expect-error no such type on this channel
    this.$updates.registerProcessor('news', 'answer', () => {})
    // @ts-expect-error no such channel
    this.$pushStream.addChannel('nope')
  },
})

/** What a template sees. */
export function template({ $updates, $pushStream }: ComponentPublicInstance): void {
  $pushStream.addChannel('news')
  $updates.subscribe({ news: '/updates/news' })
  // @ts-expect-error no such name
  $updates.subscribe({ nope: '/updates/news' })
}

createApp(page).use(createPushStream(stream))
createApp(page).use(createPushStream({ url: 'https://push.example.org' }))
// @ts-expect-error no such option
createPushStream({ hots: 'a' })
// @ts-expect-error a client of something else
createPushStream(new PushStream<{ other: { x: 1 } }>())
