import type { Environment } from '../types.js'

/** Timers by name: setting one replaces it, and none is left behind. */
export function createTimers(environment: Environment) {
  const running = new Map<string, unknown>()
  const cancel = (name: string) => {
    environment.clearTimeout(running.get(name))
    running.delete(name)
  }
  return {
    cancel,
    has: (name: string) => running.has(name),
    set(name: string, ms: number, callback: () => void) {
      cancel(name)
      const timer = environment.setTimeout(() => {
        running.delete(name)
        callback()
      }, ms)
      running.set(name, timer)
    },
    clear() {
      for (const name of [...running.keys()]) cancel(name)
    },
  }
}

export type Timers = ReturnType<typeof createTimers>
