'use client'

import type { PushStream } from '@pushstream/core'
import { usePushChannel } from '@pushstream/react'

declare module '@pushstream/core' {
  interface Register {
    client: PushStream<{ news: { item: { type: 'item'; title: string } } }>
  }
}

export function News() {
  const { messages, status } = usePushChannel('news', { history: 10 })
  return (
    <main aria-busy={status !== 'open'}>
      <h1>News</h1>
      <ul>
        {messages.map(({ id, data }) => (
          <li key={id}>{data.title}</li>
        ))}
      </ul>
    </main>
  )
}
