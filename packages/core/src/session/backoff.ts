/** How long to wait before trying again. */
export interface BackoffPolicy {
  /** The ceiling after the first failure, in ms. */
  readonly base: number
  /** The ceiling of all, in ms. */
  readonly cap: number
  /** Other servers that can be tried at once: a failure counts only when none is left. */
  readonly others?: number
}

/** After a connection that had worked, clients come back at once, but not in the same millisecond. */
const spread = 70

/**
 * Full jitter: anything between nothing and a ceiling that doubles with every failure.
 * `floor` is the server's `Retry-After`, in ms; jitter is added to it, so that not everybody comes back together.
 */
export function backoff(policy: BackoffPolicy, failures: number, random: number, floor = 0): number {
  const counted = Math.max(0, failures - (policy.others ?? 0))
  const ceiling = counted === 0 ? spread : Math.min(policy.cap, policy.base * 2 ** (counted - 1))
  return floor + random * ceiling
}
