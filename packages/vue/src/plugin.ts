import {
  Client as AnyClient,
  createUpdates,
  type Options,
  PushStream,
  PushStreamError,
  type Registered,
  type Updates,
} from '@pushstream/core'
import { type Store, storeOf } from '@pushstream/core/store'
import { type App, inject } from 'vue'
import { inPage } from './alive.js'

type Client = PushStream<Registered>

const place = Symbol('PushStream')

/** The plugin that {@link createPushStream} creates, for `app.use`. */
export interface PushStreamPlugin {
  /** The client. In templates: `$pushStream`. */
  readonly client: Client
  /** Handlers by channel and type, for messages of the client and of subscription URLs. In templates: `$updates`. */
  readonly updates: Updates<Registered>
  install(app: App): void
}

/**
 * Provides a client to an application: `app.use(createPushStream(options))`. In a page, it is connected at once. The
 * plugin's own client is disconnected a moment after the application is unmounted.
 *
 * @param given the options of a new client, or an existing client, which you disconnect and close.
 * @throws PushStreamError `bad-option` for invalid options.
 *
 * @example
 * ```ts
 * import { createPushStream } from '@pushstream/vue'
 * import { createApp } from 'vue'
 * import App from '@/App.vue'
 *
 * createApp(App).use(createPushStream({ url: 'https://push.example.org' })).mount('#app')
 * ```
 */
export function createPushStream(given: Client | (Options & { readonly close?: never }) = {}): PushStreamPlugin {
  const own = !(given instanceof AnyClient)
  const client = own ? new PushStream<Registered>(given) : given
  const updates = createUpdates({ client })
  return {
    client,
    updates,
    install(app) {
      const store = storeOf(client)
      app.provide(place, store)
      Object.assign(app.config.globalProperties, { $pushStream: client, $updates: updates })
      if (inPage()) app.onUnmount(store.connect(own))
    },
  }
}

export function useStore(): Store {
  const store = inject<Store | undefined>(place, undefined)
  if (store === undefined) {
    throw new PushStreamError('bad-option', 'This application has no client: app.use(createPushStream(options)).')
  }
  return store
}

declare module 'vue' {
  interface ComponentCustomProperties {
    /** The client of `createPushStream`. */
    $pushStream: PushStream<Registered>
    /** Handlers by channel and type: `$updates.registerProcessor('user-42', 'answer', (data) => …)`. */
    $updates: Updates<Registered>
  }
}
