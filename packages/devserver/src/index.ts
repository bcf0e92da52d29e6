export { type Clock, type Random, seededRandom, systemClock, type TimerHandle } from './clock.js'
export { DEFAULT_LOCATIONS, type LocationMode, type LocationOptions, type SubscriberMode } from './location.js'
export type { DevServerOptions } from './options.js'
export type { RelayLocationOptions, RelayOptions } from './relay.js'
export type { RelayStoreOptions } from './relay-store.js'
export { createDevServer, type DevServer, type PublishedMessage } from './server.js'
export {
  DEFAULT_SETTINGS,
  type LocationSettings,
  QUOTED_TEMPLATE,
  type Settings,
  type StoreSettings,
} from './settings.js'
export type { ServerFacts, Summary } from './statistics.js'
export { type PublishOptions, Store } from './store.js'
