/** The observations of {@link watch} in a page. */
export interface Watched {
  /** The number of timers that are set and have not run. */
  timers(): number
  /** Errors, unhandled rejections and violations of the Content-Security-Policy. */
  readonly troubles: string[]
}

declare global {
  interface Window {
    watched: Watched
  }
}

/** Runs in every page before its own scripts. It must not refer to anything outside itself. */
export function watch(): void {
  const pending = new Set<unknown>()
  const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: stop } = window
  window.setTimeout = ((callback: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) => {
    const timer = set(() => {
      pending.delete(timer)
      callback(...values)
    }, ms)
    pending.add(timer)
    return timer
  }) as typeof window.setTimeout
  window.setInterval = ((callback: () => void, ms?: number) => {
    const timer = repeat(callback, ms)
    pending.add(timer)
    return timer
  }) as typeof window.setInterval
  window.clearTimeout = (timer) => {
    pending.delete(timer)
    clear(timer)
  }
  window.clearInterval = (timer) => {
    pending.delete(timer)
    stop(timer)
  }
  const troubles: string[] = []
  window.watched = { timers: () => pending.size, troubles }
  window.addEventListener('error', (event) => troubles.push(`error: ${event.message}`))
  window.addEventListener('unhandledrejection', (event) => troubles.push(`unhandled rejection: ${event.reason}`))
  document.addEventListener('securitypolicyviolation', (event) =>
    troubles.push(`policy: ${event.violatedDirective} forbids ${event.blockedURI || event.sample}`),
  )
}
