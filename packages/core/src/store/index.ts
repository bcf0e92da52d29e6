// The building blocks of framework bindings.
export type { Name, Routed, TypeOn } from '../events.js'
export { type AnyClient, type Store, storeOf } from './store.js'
export {
  type ChannelName,
  type ChannelOptions,
  type ChannelState,
  createView,
  keyOf,
  ofType,
  type ReduceOptions,
  type SelectOptions,
  type View,
  type ViewOptions,
} from './view.js'
