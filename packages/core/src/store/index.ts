// The building blocks of framework bindings.
export type { Routed } from '../events.js'
export { type AnyClient, type Store, storeOf } from './store.js'
export { type ChannelName, createView, keyOf, ofType, type View } from './view.js'
export type { ChannelOptions, ChannelState, ShownOptions, ViewOptions } from './view-options.js'
