import type { PushStream } from '@pushstream/core'

/** What is published, by channel and type. With this, names and data are checked in all components. */
interface Shop {
  load: { sample: { type: 'sample'; value: number } }
  visitors: { count: { type: 'count'; value: number } }
  orders: { order: { type: 'order'; product: string; amount: number } }
}

declare module '@pushstream/core' {
  interface Register {
    client: PushStream<Shop>
  }
}
