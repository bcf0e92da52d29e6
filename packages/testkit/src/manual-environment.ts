import type { Clock } from './clock.js'

/** What a client takes from the world around it, where nothing happens by itself. */
export interface ManualEnvironment {
  now(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  /** Always in the middle: jitter is the same in every run. */
  random(): number
  /** No page, nothing remembered, and no address for others to be relative to. */
  readonly page: undefined
  readonly memory: undefined
  readonly location: undefined
}

/**
 * An environment on a {@link createManualClock manual clock}, in the form that `@pushstream/core` takes. `overrides`
 * replace fields of it and add others.
 *
 * ```ts
 * const clock = createManualClock()
 * const server = createFakeFetch()
 * const stream = new PushStream({ url: 'http://h', environment: manualEnvironment(clock, { fetch: server.fetch }) })
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
