// The building blocks of framework bindings.
export type { Routed } from '../events.js'
export { type AnyClient, type Store, storeOf } from './store.js'
export {
  type ChannelName,
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  ofType,
  type ShownOptions,
  type View,
  type ViewOptions,
} from './view.js'
