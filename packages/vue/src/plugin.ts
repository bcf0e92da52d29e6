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

/** What {@link createPushStream} makes, for `app.use`. */
export interface PushStreamPlugin {
  /** The client, as `$pushStream` in templates. */
  readonly client: Client
  /** Handlers by channel and type for messages of the client, and of subscription urls; as `$updates` in templates. */
  readonly updates: Updates<Registered>
  install(app: App): void
}

/**
 * Gives a client to an application: `app.use(createPushStream(options))`. In a page it is connected at once; a client
 * of the plugin's own is disconnected a moment after the application has been unmounted.
 *
 * @param given options for a client of its own, or a client of yours, which is left to you to disconnect and close.
 * @throws PushStreamError `bad-option` for bad options.
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
