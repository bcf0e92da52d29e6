import type { Clock } from './clock.js'

/** An environment for a client in which nothing happens by itself. */
export interface ManualEnvironment {
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Always 0.5, so that jitter is the same in every run. */
  random(): number
  /** No page, no storage and no base for relative addresses. */
  readonly page: undefined
  readonly memory: undefined
  readonly location: undefined
}

/**
 * Creates an environment for `@pushstream/core` on a {@link createManualClock manual clock}. `overrides` replace and
 * add fields.
 *
 * @example
 * ```ts
 * import { PushStream } from '@pushstream/core'
 * import { createFakeFetch, createManualClock, manualEnvironment } from '@pushstream/testkit'
 *
 * const { fetch } = createFakeFetch()
 * const environment = manualEnvironment(createManualClock(), { fetch })
 * const stream = new PushStream({ url: 'http://127.0.0.1', environment })
 * ```
 */
export function manualEnvironment<Overrides extends object>(
  clock: Clock,
  overrides?: Overrides,
): Omit<ManualEnvironment, keyof Overrides> & Overrides {
  const environment: ManualEnvironment = {
    now: () => clock.now(),
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (timer) => clock.clearTimeout(timer as number),
    random: () => 0.5,
    page: undefined,
    memory: undefined,
    location: undefined,
  }
  return { ...environment, ...(overrides as Overrides) }
}
