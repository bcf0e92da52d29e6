export type { PushStreamDevtoolsElement } from './element.js'
export type { SentAt } from './model/lateness.js'
export { defineDevtools, mountDevtools } from './mount.js'
export type { AnyClient, DevtoolsOptions } from './options.js'
