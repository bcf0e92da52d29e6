import type * as development from './checks.js'

const unchecked = (): void => {}

export const refuseForeign: typeof development.refuseForeign = unchecked
export const checkNchan: typeof development.checkNchan = unchecked
export const checkDjango: typeof development.checkDjango = unchecked
export const refuseDjango: typeof development.refuseDjango = unchecked
export const refuseBacktrack: typeof development.refuseBacktrack = unchecked
