import { bad } from '../errors.js'
import type { CommonOptions } from '../types.js'

/** Options that say how nginx-push-stream-module is set up. */
const foreign = /^urlPrefix|^json|Argument$|^messageTemplate$|^text$/

/** Throws a `bad-option` error for an option that the server of this protocol knows nothing of. */
export function refuseForeign(protocol: string, options: CommonOptions = {}): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !foreign.test(name)) continue
    throw bad(
      `'${name}' is of nginx-push-stream-module: leave it out. What ${protocol} takes stands in its own options.`,
    )
  }
}
