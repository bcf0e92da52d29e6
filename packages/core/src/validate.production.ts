import type * as development from './validate.js'

const unchecked = (): void => {}

export const refuseClassic: typeof development.refuseClassic = unchecked
export const checkEvent: typeof development.checkEvent = unchecked
export const checkChannelOptions: typeof development.checkChannelOptions = unchecked
export const checkProcessor: typeof development.checkProcessor = unchecked
export const checkModes: typeof development.checkModes = unchecked
export const checkOptions: typeof development.checkOptions = unchecked
