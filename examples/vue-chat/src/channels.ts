import type { PushStream } from '@pushstream/core'

/** What is published, by channel and type. With this, names and data are checked in all components. */
interface Chat {
  [room: `room-${string}`]: { line: { type: 'line'; by: string; text: string } }
}

declare module '@pushstream/core' {
  interface Register {
    client: PushStream<Chat>
  }
}
