// The building blocks of framework bindings.
export type { Processor } from '../events.js'
export { type AnyClient, type Store, storeOf } from './store.js'
export { type ChannelName, createView, keyOf, ofType, type View } from './view.js'
export type { ChannelOptions, ChannelState, DerivedOptions, ViewOptions } from './view-options.js'
